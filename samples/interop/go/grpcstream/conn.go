// Package grpcstream runs gRPC over libp2p streams: a listener over the streams that a host
// accepts, and a dialer over one stream that it has opened. One stream carries one HTTP/2
// connection, without TLS of its own: libp2p has authenticated and encrypted what is below.
package grpcstream

import (
	"context"
	"net"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	grpcpeer "google.golang.org/grpc/peer"
)

// Addr is the address of one end of a stream, as gRPC shows it.
type Addr struct {
	// Peer is the peer id that the handshake has proven.
	Peer peer.ID
	// Multiaddr is where that peer is, without its id.
	Multiaddr multiaddr.Multiaddr
}

// Network implements net.Addr.
func (Addr) Network() string { return "libp2p" }

// String is the whole multiaddr, such as /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW….
func (a Addr) String() string { return a.Multiaddr.String() + "/p2p/" + a.Peer.String() }

// Caller is the peer whose call ctx belongs to.
func Caller(ctx context.Context) (peer.ID, bool) {
	p, ok := grpcpeer.FromContext(ctx)
	if !ok {
		return "", false
	}
	addr, ok := p.Addr.(Addr)
	return addr.Peer, ok
}

// conn makes a stream the net.Conn that gRPC expects; only the addresses are missing.
type conn struct {
	network.Stream
}

func (c conn) LocalAddr() net.Addr {
	return Addr{c.Conn().LocalPeer(), c.Conn().LocalMultiaddr()}
}

func (c conn) RemoteAddr() net.Addr {
	return Addr{c.Conn().RemotePeer(), c.Conn().RemoteMultiaddr()}
}
