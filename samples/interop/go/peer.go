package main

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	libp2ppeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/grpc"

	"grpcstream.io/samples/interop/grpcstream"
)

// peer is the peer that we call.
type peer struct {
	host      host.Host
	address   libp2ppeer.AddrInfo
	protocol  protocol.ID
	authority string
}

// newPeer names the peer at a multiaddr that ends in its peer id.
func newPeer(h host.Host, multiaddr string, o options) (*peer, error) {
	address, err := libp2ppeer.AddrInfoFromString(multiaddr)
	if err != nil {
		return nil, fmt.Errorf("address %s: %w", multiaddr, err)
	}
	return &peer{h, *address, protocol.ID(o.protocol), o.authority}, nil
}

// open opens a stream, on the connection that there is or else on a new one, and returns a gRPC
// client on it.
func (p *peer) open(ctx context.Context) (*grpc.ClientConn, error) {
	// Connect also tells the host where the peer is, which NewStream needs to know.
	if err := p.host.Connect(ctx, p.address); err != nil {
		return nil, err
	}
	stream, err := p.host.NewStream(ctx, p.address.ID, p.protocol)
	if err != nil {
		return nil, err
	}
	return grpcstream.NewClient(stream, grpc.WithAuthority(p.authority))
}

// connections are those to the peer.
func (p *peer) connections() []network.Conn {
	return p.host.Network().ConnsToPeer(p.address.ID)
}

// disconnect closes all of them.
func (p *peer) disconnect() error { return p.host.Network().ClosePeer(p.address.ID) }
