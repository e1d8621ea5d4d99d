package grpcstream

import (
	"context"
	"errors"
	"net"

	"github.com/libp2p/go-libp2p/core/network"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

var errStreamEnded = errors.New("the libp2p stream has ended: open another one")

// NewClient returns a gRPC client on the stream, which it owns from now on. The stream is never
// dialled again: once it has ended, calls fail with UNAVAILABLE.
func NewClient(stream network.Stream, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	first := make(chan network.Stream, 1)
	first <- stream

	dial := func(context.Context, string) (net.Conn, error) {
		select {
		case stream := <-first:
			return conn{stream}, nil
		default:
			return nil, errStreamEnded
		}
	}
	options = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), // libp2p has done it.
		grpc.WithContextDialer(dial),
		grpc.WithIdleTimeout(0), // An idle client would close the stream.
	}, options...)

	// The target names nobody, as in Polygon Edge: unless an option says otherwise, requests have an
	// empty :authority, which some servers refuse.
	client, err := grpc.NewClient("passthrough:///", options...)
	if err != nil {
		_ = stream.Reset() // The error says why.
		return nil, err
	}
	client.Connect()
	return client, nil
}
