package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/grpc"

	"grpcstream.io/samples/interop/grpcstream"
	"grpcstream.io/samples/interop/loadpb"
	"grpcstream.io/samples/interop/peerhost"
)

// The libp2p protocol ids that the server's host serves.
const (
	grpcProtocol     protocol.ID = "/load/1.0.0"
	rawProtocol      protocol.ID = "/load/raw/1.0.0"
	pingPongProtocol protocol.ID = "/load/pingpong/1.0.0"
)

// patience is how long it may take to open a connection or a stream.
const patience = 10 * time.Second

// peers are the two peers, with the one connection that all measures share unless they are about
// connections.
type peers struct {
	security string
	client   host.Host
	server   host.Host
	remote   *peer.AddrInfo // What the client calls, if it is not the server here.
	grpc     *grpc.Server
	load     *load

	channels []*grpc.ClientConn // Each on a stream of its own; opened when first needed, then kept.
	dialer   host.Host          // The client of connections, which has none between two measures.
}

// newPeers starts both peers. Unless remote is empty, the client connects to the host there, and the
// one here serves others only.
func newPeers(security, remote string) (*peers, error) {
	p := &peers{security: security, grpc: grpc.NewServer(), load: newLoad()}
	if remote != "" {
		info, err := peer.AddrInfoFromString(remote)
		if err != nil {
			return nil, fmt.Errorf("--peer %s: %w", remote, err)
		}
		p.remote = info
	}
	for _, h := range []struct {
		host    *host.Host
		address string
	}{{&p.server, "/ip4/127.0.0.1/tcp/0"}, {&p.client, ""}, {&p.dialer, ""}} {
		made, err := peerhost.New(security, "ed25519", h.address)
		if err != nil {
			p.close()
			return nil, err
		}
		*h.host = made
	}
	p.serve()

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.client.Connect(ctx, p.address()); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// serve serves gRPC, and the plain protocols beside it.
func (p *peers) serve() {
	listener := grpcstream.NewListener()
	loadpb.RegisterLoadServer(p.grpc, p.load)
	p.server.SetStreamHandler(grpcProtocol, listener.Handle)
	p.server.SetStreamHandler(rawProtocol, p.load.discard)
	p.server.SetStreamHandler(pingPongProtocol, sendBack)
	go func() {
		if err := p.grpc.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			log.Printf("gRPC server: %v", err)
		}
	}()
}

// address is where the server that the client calls is.
func (p *peers) address() peer.AddrInfo {
	if p.remote != nil {
		return *p.remote
	}
	return p.here()
}

// here is where the server in this process is.
func (p *peers) here() peer.AddrInfo {
	return peer.AddrInfo{ID: p.server.ID(), Addrs: p.server.Addrs()}
}

// multiaddr is an address of the server in this process, for --peer of another one.
func (p *peers) multiaddr() (string, error) {
	info := p.here()
	addresses, err := peer.AddrInfoToP2pAddrs(&info)
	if err != nil {
		return "", err
	}
	return addresses[0].String(), nil
}

// stream opens a stream from the client to the server, on the connection that there is.
func (p *peers) stream(id protocol.ID) (network.Stream, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.client.NewStream(ctx, p.address().ID, id)
}

// clients returns that many gRPC clients, each on a stream of its own: the same ones each time.
func (p *peers) clients(count int) ([]loadpb.LoadClient, error) {
	for len(p.channels) < count {
		stream, err := p.stream(grpcProtocol)
		if err != nil {
			return nil, err
		}
		channel, err := grpcstream.NewClient(stream)
		if err != nil {
			return nil, err
		}
		p.channels = append(p.channels, channel)
	}
	clients := make([]loadpb.LoadClient, count)
	for i := range clients {
		clients[i] = loadpb.NewLoadClient(p.channels[i])
	}
	return clients, nil
}

// one returns the first of the clients.
func (p *peers) one() (loadpb.LoadClient, error) {
	clients, err := p.clients(1)
	if err != nil {
		return nil, err
	}
	return clients[0], nil
}

// close ends all that newPeers has started. We are leaving: whatever fails goes with the process.
func (p *peers) close() {
	for _, channel := range p.channels {
		_ = channel.Close()
	}
	p.grpc.Stop()
	for _, h := range []host.Host{p.client, p.dialer, p.server} {
		if h != nil {
			_ = h.Close()
		}
	}
}
