package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"grpcstream.io/samples/interop/interoppb"
)

// messageLimit is what gRPC servers accept in one message unless told otherwise.
const messageLimit = 4 << 20

func echoMetadata(ctx context.Context, p *peer) (string, error) {
	return withInterop(ctx, p, func(client interoppb.InteropClient) (string, error) {
		binary := string([]byte{0, 1, 2, 0xff})
		call, err := client.Echo(
			metadata.AppendToOutgoingContext(ctx, "x-echo", "text", "x-echo-bin", binary))
		if err != nil {
			return "", err
		}
		if err := call.CloseSend(); err != nil {
			return "", err
		}
		header, err := call.Header()
		if err != nil {
			return "", err
		}
		if _, err := call.Recv(); !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("at the end of Echo: %w", err)
		}
		for part, md := range map[string]metadata.MD{"header": header, "trailer": call.Trailer()} {
			want := fmt.Sprintf("%q %q", []string{"text"}, []string{binary})
			got := fmt.Sprintf("%q %q", md.Get("x-echo"), md.Get("x-echo-bin"))
			if err := expect(part, got, want); err != nil {
				return "", err
			}
		}
		return "text and binary, in header and trailer", nil
	})
}

func deadline(ctx context.Context, p *peer) (string, error) {
	const timeout = 500 * time.Millisecond
	return withInterop(ctx, p, func(client interoppb.InteropClient) (string, error) {
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		name, err := holdOneCall(limited, client, func(stream interoppb.Interop_DownloadClient) error {
			_, err := stream.Recv()
			return expectCode("end of the call", err, codes.DeadlineExceeded)
		})
		if err != nil {
			return "", err
		}
		seen, err := untilCancelled(ctx, client, name)
		if err != nil {
			return "", err
		}
		left := seen.GetDeadlineMillis()
		if left <= 0 || left > timeout.Milliseconds() {
			return "", fmt.Errorf("the server saw %d ms left, of %v", left, timeout)
		}
		return fmt.Sprintf("the server saw %d ms left, and the call end", left), nil
	})
}

func cancelByCaller(ctx context.Context, p *peer) (string, error) {
	return withInterop(ctx, p, func(client interoppb.InteropClient) (string, error) {
		cancellable, cancel := context.WithCancel(ctx)
		defer cancel()
		name, err := holdOneCall(cancellable, client, func(stream interoppb.Interop_DownloadClient) error {
			cancel()
			_, err := stream.Recv()
			return expectCode("end of the call", err, codes.Canceled)
		})
		if err != nil {
			return "", err
		}
		_, err = untilCancelled(ctx, client, name)
		return "the server saw the call cancelled", err
	})
}

// holdOneCall makes a call that never ends by itself, calls then once it runs, and returns its name.
func holdOneCall(
	ctx context.Context, client interoppb.InteropClient, then func(interoppb.Interop_DownloadClient) error,
) (string, error) {
	name := newName()
	stream, err := client.Download(named(ctx, name), &interoppb.DownloadRequest{Count: 1, Size: 1, Hold: true})
	if err != nil {
		return "", err
	}
	if _, err := stream.Recv(); err != nil {
		return "", err
	}
	return name, then(stream)
}

// untilCancelled waits until the server knows that the call has been cancelled.
func untilCancelled(
	ctx context.Context, client interoppb.InteropClient, name string,
) (seen *interoppb.Call, err error) {
	err = eventually(ctx, "the server sees the call cancelled", func() (bool, error) {
		var err error
		seen, err = client.Watch(ctx, &interoppb.CallName{Name: name})
		return seen.GetCancelled(), err
	})
	return seen, err
}

func abortByServer(ctx context.Context, p *peer) (string, error) {
	return withInterop(ctx, p, func(client interoppb.InteropClient) (string, error) {
		call, err := client.Fail(ctx)
		if err != nil {
			return "", err
		}
		failure := &interoppb.Failure{Code: int32(codes.Aborted), Message: "enough"}
		sent := 0
		for ; err == nil; sent++ {
			err = call.Send(failure)
		}
		if !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("while sending: %w", err)
		}
		_, err = call.Recv()
		return fmt.Sprintf("ended while sending, at message %d", sent),
			expectCode("end of the call", err, codes.Aborted)
	})
}

func statusDetails(ctx context.Context, p *peer) (string, error) {
	return withInterop(ctx, p, func(client interoppb.InteropClient) (string, error) {
		failure := &interoppb.Failure{Code: int32(codes.FailedPrecondition), Message: "100 % größer ✓"}
		call, err := client.Fail(ctx)
		if err != nil {
			return "", err
		}
		if err := call.Send(failure); err != nil {
			return "", err
		}
		_, err = call.Recv()
		if err := expectCode("end of the call", err, codes.FailedPrecondition); err != nil {
			return "", err
		}
		got := status.Convert(err)
		if err := expect("message", got.Message(), failure.GetMessage()); err != nil {
			return "", err
		}
		details := got.Details()
		if len(details) != 1 {
			return "", fmt.Errorf("details: %v, not one", details)
		}
		if detail, ok := details[0].(proto.Message); !ok || !proto.Equal(detail, failure) {
			return "", fmt.Errorf("detail: %v, not %v", details[0], failure)
		}
		return fmt.Sprintf("%v %s, with its detail", got.Code(), got.Message()), nil
	})
}

func largeMessage(ctx context.Context, p *peer) (string, error) {
	return withInterop(ctx, p, func(client interoppb.InteropClient) (string, error) {
		payload := payloadOf(messageLimit)
		call, err := client.Echo(ctx)
		if err != nil {
			return "", err
		}
		if err := call.Send(payload); err != nil {
			return "", err
		}
		if err := call.CloseSend(); err != nil {
			return "", err
		}
		back, err := call.Recv()
		if err != nil {
			return "", err
		}
		if !bytes.Equal(back.GetData(), payload.GetData()) {
			return "", fmt.Errorf("%d bytes came back, other than the %d sent",
				len(back.GetData()), len(payload.GetData()))
		}
		_, err = call.Recv()
		if !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("at the end of Echo: %w", err)
		}
		return fmt.Sprintf("a message of %d bytes, both ways", proto.Size(payload)), nil
	})
}

func tooLargeMessage(ctx context.Context, p *peer) (string, error) {
	return withInterop(ctx, p, func(client interoppb.InteropClient) (string, error) {
		call, err := client.Echo(ctx)
		if err != nil {
			return "", err
		}
		payload := payloadOf(messageLimit + 1)
		if err := call.Send(payload); err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		_, err = call.Recv()
		return fmt.Sprintf("%d bytes were refused", proto.Size(payload)),
			expectCode("end of the call", err, codes.ResourceExhausted)
	})
}

// payloadOf returns a message whose encoding has that many bytes.
func payloadOf(encoded int) *interoppb.Payload {
	const overhead = 5 // One byte of tag, four of length.
	data := make([]byte, encoded-overhead)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return &interoppb.Payload{Data: data}
}

// withInterop runs a scenario on a stream of its own.
func withInterop(
	ctx context.Context, p *peer, run func(interoppb.InteropClient) (string, error),
) (string, error) {
	return withStream(ctx, p, func(client *grpc.ClientConn) (string, error) {
		return run(interoppb.NewInteropClient(client))
	})
}
