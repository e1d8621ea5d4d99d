package main

import (
	"context"
	"time"

	"grpcstream.io/samples/interop/loadpb"
)

// unary measures calls over that many clients, each on a stream of its own, with so many calls
// outstanding in all.
func (p *peers) unary(bytes, channels, outstanding int, window time.Duration) (string, error) {
	clients, err := p.clients(channels)
	if err != nil {
		return "", err
	}
	request := &loadpb.Payload{Data: make([]byte, bytes)}
	return closedLoops(outstanding, window, func(loop int) error {
		// Not a context that could end: the calls would share it, and wait for each other.
		_, err := clients[loop%channels].Unary(context.Background(), request)
		return err
	})
}
