package main

import (
	"context"

	libp2ppeer "github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"grpcstream.io/samples/interop/edge/edgepb"
	"grpcstream.io/samples/interop/grpcstream"
)

// maxPeers is how many peers can be asked for at once.
const maxPeers = 16

// discovery tells of the peers that the node has met. Edge tells of those nearest to the key first;
// this tells of them in any order.
type discovery struct {
	edgepb.UnimplementedDiscoveryServer
	node *node
}

func (d discovery) FindPeers(ctx context.Context, asked *edgepb.FindPeersReq) (*edgepb.FindPeersResp, error) {
	if asked.GetCount() < 1 || asked.GetCount() > maxPeers {
		return nil, status.Errorf(codes.InvalidArgument, "count %d, allowed are 1 to %d", asked.GetCount(), maxPeers)
	}
	caller, known := grpcstream.Caller(ctx)
	if !known {
		return nil, status.Error(codes.Internal, "the caller came over no stream")
	}
	found := &edgepb.FindPeersResp{}
	for _, id := range d.node.greeter.staying() {
		addresses := d.node.host.Peerstore().Addrs(id)
		if id == caller || len(addresses) == 0 {
			continue
		}
		found.Nodes = append(found.Nodes, addresses[0].String()+"/p2p/"+id.String())
		if len(found.Nodes) == int(asked.GetCount()) {
			break
		}
	}
	return found, nil
}

// findPeers asks a peer for the addresses of those that it knows.
func (n *node) findPeers(ctx context.Context, peer libp2ppeer.ID) ([]string, error) {
	var found []string
	err := n.call(ctx, peer, discoveryProtocol, func(client *grpc.ClientConn) error {
		answer, err := edgepb.NewDiscoveryClient(client).FindPeers(ctx, &edgepb.FindPeersReq{Count: maxPeers})
		found = answer.GetNodes()
		return err
	})
	return found, err
}
