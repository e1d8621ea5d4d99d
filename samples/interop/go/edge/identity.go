package main

import (
	"context"

	libp2ppeer "github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"grpcstream.io/samples/interop/edge/edgepb"
)

// peerID is the key under which a Hello's metadata holds the sender's peer id.
const peerID = "peerID"

// identity answers a Hello with the node's own. As in Edge, it asks for a peer id and leaves it to
// the caller to compare the chains.
type identity struct {
	edgepb.UnimplementedIdentityServer
	node *node
}

func (i identity) Hello(_ context.Context, caller *edgepb.Status) (*edgepb.Status, error) {
	if _, err := libp2ppeer.Decode(caller.GetMetadata()[peerID]); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "%s: %v", peerID, err)
	}
	return i.node.claims(), nil
}

// claims is what the node says of itself.
func (n *node) claims() *edgepb.Status {
	return &edgepb.Status{
		Metadata:      map[string]string{peerID: n.host.ID().String()},
		Chain:         n.chain,
		TemporaryDial: n.temporary,
	}
}

// hello introduces the node to a peer that is connected, and returns what that says of itself.
func (n *node) hello(ctx context.Context, peer libp2ppeer.ID) (*edgepb.Status, error) {
	var answer *edgepb.Status
	err := n.call(ctx, peer, identityProtocol, func(client *grpc.ClientConn) (err error) {
		answer, err = edgepb.NewIdentityClient(client).Hello(ctx, n.claims())
		return err
	})
	return answer, err
}
