package main

import (
	"context"
	"time"

	"grpcstream.io/samples/interop/grpcstream"
	"grpcstream.io/samples/interop/loadpb"
)

// callBytes is how long the message of the one call on each connection is.
const callBytes = 32

// connections measures the connections per second, one after the other, with a stream and a call on
// each. go-libp2p does not limit their rate: loopback addresses are exempt.
func (p *peers) connections(window time.Duration) (string, error) {
	if err := p.connectOnce(); err != nil { // What only the first one does is not measured.
		return "", err
	}
	count, begin := 0, time.Now()
	for time.Since(begin) < window {
		if err := p.connectOnce(); err != nil {
			return "", err
		}
		count++
	}
	return decimal(float64(count) / time.Since(begin).Seconds()), nil
}

// connectOnce connects, calls, and closes the connection.
func (p *peers) connectOnce() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	defer func() {
		if closed := p.dialer.Network().ClosePeer(p.address().ID); err == nil {
			err = closed
		}
	}()
	if err := p.dialer.Connect(ctx, p.address()); err != nil {
		return err
	}
	stream, err := p.dialer.NewStream(ctx, p.address().ID, grpcProtocol)
	if err != nil {
		return err
	}
	channel, err := grpcstream.NewClient(stream)
	if err != nil {
		return err
	}
	defer channel.Close()
	_, err = loadpb.NewLoadClient(channel).Unary(ctx, &loadpb.Payload{Data: make([]byte, callBytes)})
	return err
}
