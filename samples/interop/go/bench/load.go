package main

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"google.golang.org/grpc"

	"grpcstream.io/samples/interop/loadpb"
)

// load is the service of load.proto. It counts what arrives by the meter that is set when the call
// or the stream begins.
type load struct {
	loadpb.UnimplementedLoadServer
	arrived atomic.Pointer[meter]
}

func newLoad() *load {
	l := &load{}
	l.arrived.Store(newMeter()) // For those who come unasked.
	return l
}

func (*load) Unary(_ context.Context, payload *loadpb.Payload) (*loadpb.Payload, error) {
	return payload, nil
}

func (*load) Download(
	payload *loadpb.Payload, call grpc.ServerStreamingServer[loadpb.Payload],
) error {
	for {
		if err := call.Send(payload); err != nil {
			return err
		}
	}
}

func (l *load) Upload(call grpc.ClientStreamingServer[loadpb.Payload, loadpb.Payload]) error {
	arrived := l.arrived.Load()
	for {
		_, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return call.SendAndClose(&loadpb.Payload{})
		}
		if err != nil {
			return err
		}
		arrived.add(1)
	}
}

func (*load) Both(call grpc.BidiStreamingServer[loadpb.Payload, loadpb.Payload]) error {
	for {
		payload, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := call.Send(payload); err != nil {
			return err
		}
	}
}
