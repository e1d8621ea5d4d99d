package main

import (
	"context"
	"fmt"
	"log"
	"runtime"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"

	"grpcstream.io/samples/interop/peerhost"
)

// memory measures the heap that a connection with an idle stream keeps, at both ends together, in
// KiB; the stacks of its goroutines are beside the heap. Each is from a host of its own, since
// go-libp2p keeps one connection between two hosts; what the hosts keep without it is not counted. Of
// few connections the figure says little: what else comes and goes in the heap is in it.
// go-libp2p's default limits allow the server 64 of them, and 8 more for each GiB of the machine's memory.
func (p *peers) memory(connections int) (string, error) {
	hosts := make([]host.Host, connections)
	defer p.leave(hosts)
	for i := range hosts {
		h, err := peerhost.New(p.security, "ed25519", "")
		if err != nil {
			return "", err
		}
		hosts[i] = h
	}
	before := heap()
	for i, h := range hosts {
		if err := p.connectIdle(h); err != nil {
			return "", fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	kept := float64(heap()) - float64(before)
	return decimal(kept / 1024 / float64(connections)), nil
}

// connectIdle connects a host, and opens a stream that is used once and then left.
func (p *peers) connectIdle(h host.Host) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.Connect(ctx, p.address()); err != nil {
		return err
	}
	stream, err := h.NewStream(ctx, p.server.ID(), pingPongProtocol)
	if err != nil {
		return err
	}
	ping, err := newPing(stream, 1)
	if err != nil {
		return err
	}
	if err := ping(); err != nil {
		return err
	}
	return p.identified(ctx, h)
}

// leave closes the hosts that there are, and waits until the server has seen them leave: what it keeps
// of them is not for the next measure to count.
func (p *peers) leave(hosts []host.Host) {
	left := make(chan struct{}, 1)
	notifiee := &network.NotifyBundle{DisconnectedF: func(network.Network, network.Conn) {
		select {
		case left <- struct{}{}:
		default: // We have not looked since the last time.
		}
	}}
	p.server.Network().Notify(notifiee)
	defer p.server.Network().StopNotify(notifiee)

	patient := time.After(patience)
	for _, h := range hosts {
		if h == nil {
			continue
		}
		_ = h.Close() // Its connection ends either way.
		for p.server.Network().Connectedness(h.ID()) == network.Connected {
			select {
			case <-left:
			case <-patient:
				log.Printf("the server is still connected to %s", h.ID())
				return
			}
		}
	}
}

// identified waits until the server knows the host: Connect has waited only for the reverse.
func (p *peers) identified(ctx context.Context, h host.Host) error {
	server, ok := p.server.(interface{ IDService() identify.IDService })
	if !ok {
		return fmt.Errorf("a host of type %T does not say what it knows of others", p.server)
	}
	for _, connection := range p.server.Network().ConnsToPeer(h.ID()) {
		select {
		case <-server.IDService().IdentifyWait(connection):
		case <-ctx.Done():
			return fmt.Errorf("%s is not identified: %w", h.ID(), ctx.Err())
		}
	}
	if p.server.Network().Connectedness(h.ID()) != network.Connected {
		return fmt.Errorf("%s has disconnected", h.ID())
	}
	return nil
}

// heap is how many bytes of it are in use. Only the second collection empties the pools.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
