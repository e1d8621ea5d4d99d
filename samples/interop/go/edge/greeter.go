package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	libp2ppeer "github.com/libp2p/go-libp2p/core/peer"
)

// greeter says Hello to each peer that connects, whoever dialled, and disconnects those that it
// cannot agree with.
type greeter struct {
	node   *node
	report func(line string)

	mu    sync.Mutex
	peers map[libp2ppeer.ID]*greeting
}

// greeting is how far the node is with a peer.
type greeting struct {
	done      chan struct{} // Closed once the peer was met or refused; what follows is set before.
	err       error         // Why it was refused.
	temporary bool          // Whether either side only means to ask.
}

func newGreeter(n *node, report func(line string)) *greeter {
	return &greeter{node: n, report: report, peers: make(map[libp2ppeer.ID]*greeting)}
}

func (g *greeter) notifiee() network.Notifiee {
	return &network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { g.connected(c.RemotePeer()) },
		DisconnectedF: func(n network.Network, c network.Conn) { g.disconnected(n, c.RemotePeer()) },
	}
}

// connected greets a peer, unless that has begun. It must not block: libp2p waits for it.
func (g *greeter) connected(peer libp2ppeer.ID) *greeting {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.peers[peer] == nil {
		g.peers[peer] = &greeting{done: make(chan struct{})}
		go g.greet(peer, g.peers[peer])
	}
	return g.peers[peer]
}

func (g *greeter) disconnected(n network.Network, peer libp2ppeer.ID) {
	g.mu.Lock()
	known := g.peers[peer]
	gone := known != nil && len(n.ConnsToPeer(peer)) == 0
	if gone {
		delete(g.peers, peer)
	}
	g.mu.Unlock()
	if gone && known.met() {
		g.report(fmt.Sprintf("left %s", peer))
	}
}

func (g *greeter) greet(peer libp2ppeer.ID, greeting *greeting) {
	defer close(greeting.done)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := g.node.hello(ctx, peer)
	if err == nil && answer.GetChain() != g.node.chain {
		err = fmt.Errorf("chain %d, expected %d", answer.GetChain(), g.node.chain)
	}
	if err != nil {
		greeting.err = fmt.Errorf("refused %s: %w", peer, err)
		g.report(greeting.err.Error())
		_ = g.node.host.Network().ClosePeer(peer) // It is gone either way.
		return
	}
	greeting.temporary = g.node.temporary || answer.GetTemporaryDial()
	g.report(fmt.Sprintf("met %s chain %d temporary %t", peer, answer.GetChain(), answer.GetTemporaryDial()))
}

// met says whether the peer was greeted, and not refused.
func (g *greeting) met() bool {
	select {
	case <-g.done:
		return g.err == nil
	default:
		return false
	}
}

// staying are the peers that were met and mean to stay.
func (g *greeter) staying() []libp2ppeer.ID {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ids []libp2ppeer.ID
	for id, greeting := range g.peers {
		if greeting.met() && !greeting.temporary {
			ids = append(ids, id)
		}
	}
	return ids
}

// meet connects to a peer and waits until it is met; it fails if the peer is refused.
func (g *greeter) meet(ctx context.Context, peer libp2ppeer.AddrInfo) error {
	if err := g.node.host.Connect(ctx, peer); err != nil {
		return err
	}
	greeting := g.connected(peer.ID)
	<-greeting.done // It is given up after a while.
	return greeting.err
}
