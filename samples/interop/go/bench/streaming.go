package main

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"grpcstream.io/samples/interop/loadpb"
)

// download measures the messages per second that the client gets by one call.
func (p *peers) download(bytes int, window time.Duration) (string, error) {
	client, err := p.one()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // Ends the call: the server never does.
	call, err := client.Download(ctx, &loadpb.Payload{Data: make([]byte, bytes)})
	if err != nil {
		return "", err
	}
	arrived := newMeter()
	rate, err := arrived.rate(window, func(stopped *atomic.Bool) error {
		for !stopped.Load() {
			if _, err := call.Recv(); err != nil {
				return err
			}
			arrived.add(1)
		}
		return nil
	})
	return decimal(rate), err
}

// upload measures the messages per second that the server gets by one call.
func (p *peers) upload(bytes int, window time.Duration) (string, error) {
	client, err := p.one()
	if err != nil {
		return "", err
	}
	arrived := newMeter()
	p.load.arrived.Store(arrived)
	call, err := client.Upload(context.Background())
	if err != nil {
		return "", err
	}
	payload := &loadpb.Payload{Data: make([]byte, bytes)}
	rate, err := arrived.rate(window, func(stopped *atomic.Bool) error {
		for !stopped.Load() && call.Send(payload) == nil {
		}
		_, err := call.CloseAndRecv() // It says also why Send has failed.
		return err
	})
	return decimal(rate), err
}

// both measures the messages per second that the client gets back by one call, while it sends as many
// as flow control lets through.
func (p *peers) both(bytes int, window time.Duration) (string, error) {
	client, err := p.one()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // Ends the writer if the reader has failed.
	call, err := client.Both(ctx)
	if err != nil {
		return "", err
	}
	payload := &loadpb.Payload{Data: make([]byte, bytes)}
	arrived := newMeter()
	rate, err := arrived.rate(window, func(stopped *atomic.Bool) error {
		go func() {
			for !stopped.Load() && call.Send(payload) == nil {
			}
			_ = call.CloseSend() // It never fails; why Send has, Recv says.
		}()
		for {
			_, err := call.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			arrived.add(1)
		}
	})
	return decimal(rate), err
}
