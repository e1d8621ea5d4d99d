package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"

	"grpcstream.io/samples/interop/greeterpb"
)

// connect shows what the connection has agreed on.
func connect(ctx context.Context, p *peer) (string, error) {
	if err := p.host.Connect(ctx, p.address); err != nil {
		return "", err
	}
	state := p.connections()[0].ConnState()
	return fmt.Sprintf("%s security=%s muxer=%s early-muxer=%v",
		p.address.ID, state.Security, state.StreamMultiplexer, state.UsedEarlyMuxerNegotiation), nil
}

func unary(ctx context.Context, p *peer) (string, error) {
	return withGreeter(ctx, p, func(client greeterpb.GreeterClient) (string, error) {
		reply, err := client.SayHello(ctx, &greeterpb.HelloRequest{Name: "Ada"})
		return reply.GetMessage(), errors.Join(err, expect("reply", reply.GetMessage(), "Hello, Ada!"))
	})
}

func serverStreaming(ctx context.Context, p *peer) (string, error) {
	return withGreeter(ctx, p, func(client greeterpb.GreeterClient) (string, error) {
		replies, err := client.SayHelloStream(ctx, &greeterpb.HelloRequest{Name: "Ada"})
		if err != nil {
			return "", err
		}
		var messages []string
		for {
			reply, err := replies.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return "", err
			}
			messages = append(messages, reply.GetMessage())
		}
		got := strings.Join(messages, " ")
		return got, expect("replies", got, "Hello, Ada! Bonjour, Ada! Hej, Ada!")
	})
}

func clientStreaming(ctx context.Context, p *peer) (string, error) {
	return withGreeter(ctx, p, func(client greeterpb.GreeterClient) (string, error) {
		call, err := client.SayHelloMany(ctx)
		if err != nil {
			return "", err
		}
		for _, name := range []string{"Ada", "Grace"} {
			if err := call.Send(&greeterpb.HelloRequest{Name: name}); err != nil {
				break // CloseAndRecv tells why.
			}
		}
		reply, err := call.CloseAndRecv()
		got := reply.GetMessage()
		return got, errors.Join(err, expect("reply", got, "Hello, Ada and Grace!"))
	})
}

func bidiStreaming(ctx context.Context, p *peer) (string, error) {
	return withGreeter(ctx, p, func(client greeterpb.GreeterClient) (string, error) {
		call, err := client.Chat(ctx)
		if err != nil {
			return "", err
		}
		for _, name := range []string{"Ada", "Grace"} {
			if err := greetOnce(call, name); err != nil {
				return "", err
			}
		}
		return "greeted Ada, then Grace", endChat(call)
	})
}

// greetOnce sends a name on a Chat and waits for the greeting.
func greetOnce(call greeterpb.Greeter_ChatClient, name string) error {
	// Send fails with no more than io.EOF once the call has ended; Recv tells why it has.
	if err := call.Send(&greeterpb.HelloRequest{Name: name}); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	reply, err := call.Recv()
	return errors.Join(err, expect("reply", reply.GetMessage(), "Hello, "+name+"!"))
}

// endChat half-closes a Chat and waits for its end.
func endChat(call greeterpb.Greeter_ChatClient) error {
	if err := call.CloseSend(); err != nil {
		return err
	}
	reply, err := call.Recv()
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("at the end of Chat: reply %v, error %w", reply, err)
	}
	return nil
}

// withGreeter runs a scenario on a stream of its own.
func withGreeter(
	ctx context.Context, p *peer, run func(greeterpb.GreeterClient) (string, error),
) (string, error) {
	return withStream(ctx, p, func(client *grpc.ClientConn) (string, error) {
		return run(greeterpb.NewGreeterClient(client))
	})
}

// withStream opens a stream for the time of run.
func withStream(
	ctx context.Context, p *peer, run func(*grpc.ClientConn) (string, error),
) (detail string, err error) {
	client, err := p.open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	return run(client)
}
