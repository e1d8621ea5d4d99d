package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	libp2ppeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
	"google.golang.org/grpc"

	"grpcstream.io/samples/interop/edge/edgepb"
	"grpcstream.io/samples/interop/grpcstream"
	"grpcstream.io/samples/interop/peerhost"
)

// The libp2p protocol ids of Edge; each has a gRPC server of its own.
const (
	identityProtocol  protocol.ID = "/id/0.1"
	discoveryProtocol protocol.ID = "/disc/0.1"
	syncerProtocol    protocol.ID = "/syncer/0.2"
)

type options struct {
	address   string
	identity  string
	chain     int64
	temporary bool
	blocks    uint64
}

// node is one peer of the chain.
type node struct {
	options
	host    host.Host
	servers []*grpc.Server
	greeter *greeter
}

// newNode returns a node that listens. It reports whom it meets and refuses, and who leaves, from any
// goroutine.
func newNode(o options, report func(line string)) (*node, error) {
	key, err := peerhost.Identity(o.identity, "secp256k1") // The kind that Edge uses.
	if err != nil {
		return nil, err
	}
	h, err := libp2p.New(
		libp2p.Identity(key),
		libp2p.NoListenAddrs, // Until the handlers are set.
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
	)
	if err != nil {
		return nil, err
	}
	n := &node{options: o, host: h}
	n.greeter = newGreeter(n, report)
	n.serve(identityProtocol, func(s *grpc.Server) { edgepb.RegisterIdentityServer(s, identity{node: n}) })
	n.serve(discoveryProtocol, func(s *grpc.Server) { edgepb.RegisterDiscoveryServer(s, discovery{node: n}) })
	n.serve(syncerProtocol, func(s *grpc.Server) { edgepb.RegisterSyncPeerServer(s, syncer{blocks: o.blocks}) })
	h.Network().Notify(n.greeter.notifiee())
	if err := listen(h, o.address); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func listen(h host.Host, address string) error {
	parsed, err := multiaddr.NewMultiaddr(address)
	if err != nil {
		return fmt.Errorf("--address %s: %w", address, err)
	}
	return h.Network().Listen(parsed)
}

// serve serves one of Edge's services on its protocol id.
func (n *node) serve(id protocol.ID, register func(*grpc.Server)) {
	listener, server := grpcstream.NewListener(), grpc.NewServer()
	register(server)
	n.servers = append(n.servers, server)
	n.host.SetStreamHandler(id, listener.Handle)
	go func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			log.Printf("gRPC server of %s: %v", id, err)
		}
	}()
}

// call opens a stream to a peer that is connected, and has make call it there.
func (n *node) call(
	ctx context.Context, peer libp2ppeer.ID, id protocol.ID, make func(*grpc.ClientConn) error,
) error {
	stream, err := n.host.NewStream(ctx, peer, id)
	if err != nil {
		return err
	}
	client, err := grpcstream.NewClient(stream)
	if err != nil {
		return err
	}
	defer client.Close()
	return make(client)
}

// address is where others reach the node; it ends in its peer id.
func (n *node) address() string {
	return fmt.Sprintf("%s/p2p/%s", n.host.Addrs()[0], n.host.ID())
}

func (n *node) close() {
	for _, server := range n.servers {
		server.Stop()
	}
	_ = n.host.Close() // We are leaving; whatever is left goes with the process.
}
