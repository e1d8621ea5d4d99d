package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"

	"grpcstream.io/samples/interop/greeterpb"
	"grpcstream.io/samples/interop/interoppb"
)

// peerIDHeader is where a door to this server, such as `peercurl expose`, tells who calls.
const peerIDHeader = "x-libp2p-peer-id"

// listenPlainly serves on TCP without libp2p: prints its address, then a line for each call, with
// the method and the peers that call according to peerIDHeader; until standard input ends.
func listenPlainly(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := grpc.NewServer(
		grpc.UnaryInterceptor(func(
			ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
		) (any, error) {
			printCaller(ctx, info.FullMethod)
			return handle(ctx, request)
		}),
		grpc.StreamInterceptor(func(
			service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler,
		) error {
			printCaller(stream.Context(), info.FullMethod)
			return handle(service, stream)
		}))
	greeterpb.RegisterGreeterServer(server, greeter{})
	interoppb.RegisterInteropServer(server, interop{calls: newCalls(), stop: func(bool) {}})
	reflection.Register(server)

	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	return server.Serve(listener)
}

func printCaller(ctx context.Context, method string) {
	fmt.Println(method, "called by", strings.Join(metadata.ValueFromIncomingContext(ctx, peerIDHeader), ","))
}
