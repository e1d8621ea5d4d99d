package main

import (
	"errors"
	"log"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"

	"grpcstream.io/samples/interop/greeterpb"
	"grpcstream.io/samples/interop/grpcstream"
	"grpcstream.io/samples/interop/interoppb"
)

// server is the gRPC server of this process, which a call to Stop replaces by another one.
type server struct {
	calls *calls

	mu       sync.Mutex
	listener *grpcstream.Listener
	current  *grpc.Server
}

func newServer() *server {
	s := &server{calls: newCalls()}
	s.start()
	return s
}

// handle serves gRPC on a stream; it is the host's stream handler.
func (s *server) handle(stream network.Stream) {
	s.mu.Lock()
	listener := s.listener
	s.mu.Unlock()
	listener.Handle(stream)
}

// start starts a server for the streams from now on, and returns the one before it.
func (s *server) start() *grpc.Server {
	listener, next := grpcstream.NewListener(), grpc.NewServer()
	greeterpb.RegisterGreeterServer(next, greeter{})
	interoppb.RegisterInteropServer(next, interop{calls: s.calls, stop: s.restart})
	reflection.Register(next) // Tools such as peercurl ask it for what is served.

	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.current
	s.listener, s.current = listener, next
	go func() {
		if err := next.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			log.Printf("gRPC server: %v", err)
		}
	}()
	return before
}

// restart returns before the running server has stopped: a call of that server may have asked.
func (s *server) restart(graceful bool) {
	before := s.start()
	if graceful {
		go before.GracefulStop()
	} else {
		go before.Stop()
	}
}

// stop cuts off the calls that run.
func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.Stop()
}
