package main

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"grpcstream.io/samples/interop/interoppb"
)

// interop does what interop.proto says.
type interop struct {
	interoppb.UnimplementedInteropServer
	calls *calls
	// stop stops the server that this is registered with, and starts its successor.
	stop func(graceful bool)
}

func (s interop) Echo(stream grpc.BidiStreamingServer[interoppb.Payload, interoppb.Payload]) error {
	call := s.calls.start(stream.Context())
	defer call.end()

	received, _ := metadata.FromIncomingContext(stream.Context())
	echo := metadata.MD{}
	for _, key := range []string{"x-echo", "x-echo-bin"} {
		echo.Append(key, received.Get(key)...)
	}
	stream.SetTrailer(echo)
	if err := stream.SendHeader(echo); err != nil {
		return err
	}
	for {
		payload, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(payload); err != nil {
			return err
		}
	}
}

func (s interop) Fail(stream grpc.BidiStreamingServer[interoppb.Failure, interoppb.Payload]) error {
	call := s.calls.start(stream.Context())
	defer call.end()

	failure, err := stream.Recv()
	if err != nil {
		return err
	}
	end, err := status.New(codes.Code(failure.GetCode()), failure.GetMessage()).WithDetails(failure)
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "code %d is not a failure", failure.GetCode())
	}
	return end.Err()
}

func (s interop) Download(
	request *interoppb.DownloadRequest, stream grpc.ServerStreamingServer[interoppb.Payload],
) error {
	call := s.calls.start(stream.Context())
	defer call.end()

	payload := &interoppb.Payload{Data: make([]byte, request.GetSize())}
	for range request.GetCount() {
		// Waits for as long as flow control says.
		if err := stream.Send(payload); err != nil {
			return err
		}
		call.sent.Add(1)
	}
	if request.GetHold() {
		<-stream.Context().Done()
		return status.FromContextError(stream.Context().Err()).Err()
	}
	return nil
}

func (s interop) Upload(stream grpc.ClientStreamingServer[interoppb.Payload, interoppb.Total]) error {
	call := s.calls.start(stream.Context())
	defer call.end()

	total := &interoppb.Total{}
	for {
		payload, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(total)
		}
		if err != nil {
			return err
		}
		total.Count++
		total.Bytes += int64(len(payload.GetData()))
		call.received.Add(1)

		select {
		case <-call.resumed:
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
	}
}

func (s interop) Resume(_ context.Context, request *interoppb.CallName) (*interoppb.Call, error) {
	call := s.calls.get(request.GetName())
	call.resume()
	return call.message(), nil
}

func (s interop) Watch(_ context.Context, request *interoppb.CallName) (*interoppb.Call, error) {
	return s.calls.get(request.GetName()).message(), nil
}

func (s interop) Stop(_ context.Context, request *interoppb.StopRequest) (*interoppb.StopReply, error) {
	s.stop(request.GetGraceful())
	return &interoppb.StopReply{}, nil
}
