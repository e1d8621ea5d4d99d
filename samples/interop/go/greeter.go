package main

import (
	"context"
	"errors"
	"io"
	"strings"

	"google.golang.org/grpc"

	"grpcstream.io/samples/interop/greeterpb"
)

// greeter is an ordinary gRPC service; grpcstream.Caller(ctx) would tell it which peer calls.
type greeter struct {
	greeterpb.UnimplementedGreeterServer
}

func (greeter) SayHello(_ context.Context, request *greeterpb.HelloRequest) (*greeterpb.HelloReply, error) {
	return greet("Hello", request.GetName()), nil
}

func (greeter) SayHelloStream(
	request *greeterpb.HelloRequest, replies grpc.ServerStreamingServer[greeterpb.HelloReply],
) error {
	for _, greeting := range []string{"Hello", "Bonjour", "Hej"} {
		if err := replies.Send(greet(greeting, request.GetName())); err != nil {
			return err
		}
	}
	return nil
}

func (greeter) SayHelloMany(
	call grpc.ClientStreamingServer[greeterpb.HelloRequest, greeterpb.HelloReply],
) error {
	var names []string
	for {
		request, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return call.SendAndClose(greet("Hello", strings.Join(names, " and ")))
		}
		if err != nil {
			return err
		}
		names = append(names, request.GetName())
	}
}

func (greeter) Chat(call grpc.BidiStreamingServer[greeterpb.HelloRequest, greeterpb.HelloReply]) error {
	for {
		request, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := call.Send(greet("Hello", request.GetName())); err != nil {
			return err
		}
	}
}

func greet(greeting, name string) *greeterpb.HelloReply {
	return &greeterpb.HelloReply{Message: greeting + ", " + name + "!"}
}
