package main

import (
	"context"

	libp2ppeer "github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"grpcstream.io/samples/interop/edge/edgepb"
)

// syncer says that there are so many blocks; it has none to give.
type syncer struct {
	edgepb.UnimplementedSyncPeerServer
	blocks uint64
}

func (s syncer) GetStatus(context.Context, *emptypb.Empty) (*edgepb.SyncPeerStatus, error) {
	return &edgepb.SyncPeerStatus{Number: s.blocks}, nil
}

// newestBlock asks a peer for the height of its newest block.
func (n *node) newestBlock(ctx context.Context, peer libp2ppeer.ID) (uint64, error) {
	var height uint64
	err := n.call(ctx, peer, syncerProtocol, func(client *grpc.ClientConn) error {
		answer, err := edgepb.NewSyncPeerClient(client).GetStatus(ctx, &emptypb.Empty{})
		height = answer.GetNumber()
		return err
	})
	return height, err
}
