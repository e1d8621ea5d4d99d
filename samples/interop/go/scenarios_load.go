package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"grpcstream.io/samples/interop/greeterpb"
	"grpcstream.io/samples/interop/interoppb"
)

const (
	// What slow readers are sent, 64 MiB: far above all windows between them and the sender.
	slowCount = 1024
	slowSize  = 64 << 10
)

func concurrentCalls(ctx context.Context, p *peer) (string, error) {
	const count = 1000
	return withGreeter(ctx, p, func(client greeterpb.GreeterClient) (string, error) {
		return fmt.Sprintf("%d calls at once on one stream", count),
			chatAtOnce(ctx, count, func(int) greeterpb.GreeterClient { return client })
	})
}

func manyStreams(ctx context.Context, p *peer) (detail string, err error) {
	const count = 100
	clients := make([]greeterpb.GreeterClient, count)
	for i := range clients {
		client, err := p.open(ctx)
		if err != nil {
			return "", fmt.Errorf("stream %d: %w", i+1, err)
		}
		defer client.Close()
		clients[i] = greeterpb.NewGreeterClient(client)
	}
	err = chatAtOnce(ctx, count, func(i int) greeterpb.GreeterClient { return clients[i] })
	return fmt.Sprintf("%d streams at once on one connection", count),
		errors.Join(err, expect("connections", len(p.connections()), 1))
}

// chatAtOnce has that many calls open at the same time: none ends before all have been answered.
func chatAtOnce(ctx context.Context, count int, client func(int) greeterpb.GreeterClient) error {
	calls := make([]greeterpb.Greeter_ChatClient, count)
	for i := range calls {
		call, err := client(i).Chat(ctx)
		if err != nil {
			return fmt.Errorf("call %d: %w", i+1, err)
		}
		if err := call.Send(&greeterpb.HelloRequest{Name: fmt.Sprint(i)}); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("call %d: %w", i+1, err)
		}
		calls[i] = call
	}
	for i, call := range calls {
		reply, err := call.Recv()
		want := fmt.Sprintf("Hello, %d!", i)
		if err := errors.Join(err, expect("reply", reply.GetMessage(), want)); err != nil {
			return fmt.Errorf("call %d: %w", i+1, err)
		}
	}
	for i, call := range calls {
		if err := endChat(call); err != nil {
			return fmt.Errorf("call %d: %w", i+1, err)
		}
	}
	return nil
}

// slowCaller reads one payload, and the others only once the server has had to stop sending.
func slowCaller(ctx context.Context, p *peer) (string, error) {
	return withControl(ctx, p, func(client, control interoppb.InteropClient) (string, error) {
		name := newName()
		stream, err := client.Download(
			named(ctx, name), &interoppb.DownloadRequest{Count: slowCount, Size: slowSize})
		if err != nil {
			return "", err
		}
		if _, err := stream.Recv(); err != nil {
			return "", err
		}
		ahead, err := standstill(ctx, "the sending server", func() (int32, error) {
			seen, err := control.Watch(ctx, &interoppb.CallName{Name: name})
			return seen.GetSent(), err
		})
		if err != nil {
			return "", err
		}
		if ahead >= slowCount {
			return "", fmt.Errorf("the server sent all %d payloads to a caller that had read one", ahead)
		}
		read := 1
		for {
			payload, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err := errors.Join(err, expect("bytes", len(payload.GetData()), slowSize)); err != nil {
				return "", err
			}
			read++
		}
		return fmt.Sprintf("the server stopped at %d KiB of %d", int(ahead)*slowSize>>10, slowCount*slowSize>>10),
			expect("payloads", read, slowCount)
	})
}

// slowServer sends to a server that reads on only once we have had to stop.
func slowServer(ctx context.Context, p *peer) (string, error) {
	return withControl(ctx, p, func(client, control interoppb.InteropClient) (string, error) {
		name := newName()
		stream, err := client.Upload(named(ctx, name))
		if err != nil {
			return "", err
		}
		var sent atomic.Int32
		done := make(chan error, 1)
		go func() {
			payload := &interoppb.Payload{Data: make([]byte, slowSize)}
			for range slowCount {
				if err := stream.Send(payload); err != nil {
					break // CloseAndRecv tells why.
				}
				sent.Add(1)
			}
			total, err := stream.CloseAndRecv()
			done <- errors.Join(err,
				expect("payloads", total.GetCount(), slowCount),
				expect("bytes", total.GetBytes(), slowCount*slowSize))
		}()
		ahead, err := standstill(ctx, "the sender", func() (int32, error) { return sent.Load(), nil })
		if err != nil {
			return "", err
		}
		if ahead >= slowCount {
			return "", fmt.Errorf("all %d payloads could be sent to a server that had read one", ahead)
		}
		if _, err := control.Resume(ctx, &interoppb.CallName{Name: name}); err != nil {
			return "", err
		}
		return fmt.Sprintf("the sender stopped at %d KiB of %d", int(ahead)*slowSize>>10, slowCount*slowSize>>10),
			<-done
	})
}

// withControl runs a scenario with two streams: one for its calls, one to watch and steer them.
func withControl(
	ctx context.Context, p *peer, run func(client, control interoppb.InteropClient) (string, error),
) (string, error) {
	return withStream(ctx, p, func(client *grpc.ClientConn) (string, error) {
		return withInterop(ctx, p, func(control interoppb.InteropClient) (string, error) {
			return run(interoppb.NewInteropClient(client), control)
		})
	})
}

func newName() string { return rand.Text() }

func named(ctx context.Context, name string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "x-call", name)
}
