package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// discardBytes is how much the server reads at a time of what it discards.
const discardBytes = 64 << 10

// raw measures the MiB per second that the server gets on a plain stream, in writes of so many bytes.
func (p *peers) raw(bytes int, window time.Duration) (string, error) {
	arrived := newMeter()
	p.load.arrived.Store(arrived)
	stream, err := p.stream(rawProtocol)
	if err != nil {
		return "", err
	}
	defer stream.Reset() // Nothing, once it has ended well.
	message := make([]byte, bytes)
	rate, err := arrived.rate(window, func(stopped *atomic.Bool) error {
		for !stopped.Load() {
			if _, err := stream.Write(message); err != nil {
				return err
			}
		}
		if err := stream.CloseWrite(); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, stream) // Until the server has read it all.
		return err
	})
	return decimal(rate / (1 << 20)), err
}

// discard reads until the client closes the stream; it handles rawProtocol.
func (l *load) discard(stream network.Stream) {
	defer stream.Close()
	arrived, buffer := l.arrived.Load(), make([]byte, discardBytes)
	for {
		n, err := stream.Read(buffer)
		if n > 0 {
			arrived.add(n)
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fail(stream, err)
			return
		}
	}
}

// pingPong measures round trips of one message on a plain stream.
func (p *peers) pingPong(bytes int, window time.Duration) (string, error) {
	stream, err := p.stream(pingPongProtocol)
	if err != nil {
		return "", err
	}
	defer stream.Close()
	ping, err := newPing(stream, bytes)
	if err != nil {
		return "", err
	}
	return closedLoops(1, window, func(int) error { return ping() })
}

// newPing tells the server how long the messages on this stream are, and returns what sends one and
// waits until it has come back.
func newPing(stream network.Stream, bytes int) (func() error, error) {
	length := binary.BigEndian.AppendUint32(nil, uint32(bytes))
	if _, err := stream.Write(length); err != nil {
		return nil, err
	}
	message := make([]byte, bytes)
	return func() error {
		if _, err := stream.Write(message); err != nil {
			return err
		}
		_, err := io.ReadFull(stream, message)
		return err
	}, nil
}

// sendBack sends each message back once it has all come; it handles pingPongProtocol.
func sendBack(stream network.Stream) {
	if err := sendAllBack(stream); err != nil {
		fail(stream, err)
	}
}

func sendAllBack(stream network.Stream) error {
	defer stream.Close()
	var length [4]byte
	if _, err := io.ReadFull(stream, length[:]); err != nil {
		return err
	}
	bytes := binary.BigEndian.Uint32(length[:])
	if bytes > maxBytes {
		return fmt.Errorf("messages of %d bytes, more than %d", bytes, maxBytes)
	}
	message := make([]byte, bytes)
	for {
		if _, err := io.ReadFull(stream, message); errors.Is(err, io.EOF) {
			return nil // Between two messages.
		} else if err != nil {
			return err
		}
		if _, err := stream.Write(message); err != nil {
			return err
		}
	}
}

// fail ends a stream that the server cannot go on with. That the client has left, it knows itself.
func fail(stream network.Stream, err error) {
	if !errors.Is(err, network.ErrReset) {
		log.Printf("%s: %v", stream.Protocol(), err)
	}
	_ = stream.Reset()
}
