// Command edge is a peer that speaks the protocols of Polygon Edge as its nodes do: it says Hello to
// whoever connects, parts with peers on another chain, and tells of the peers that it knows.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	libp2ppeer "github.com/libp2p/go-libp2p/core/peer"
)

// patience is how long another peer has to answer. Edge itself waits for ever.
const patience = 10 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run runs a peer until standard input ends.
func run(args []string) error {
	var o options
	flags := flag.NewFlagSet("edge [options] [MULTIADDR]", flag.ContinueOnError)
	flags.StringVar(&o.address, "address", "/ip4/127.0.0.1/tcp/0", "the `multiaddr` to listen on")
	flags.StringVar(&o.identity, "identity", "", "the `file` that keeps the identity; by default it is new")
	flags.Int64Var(&o.chain, "chain", 100, "the `id` of the chain")
	flags.BoolVar(&o.temporary, "temporary", false, "only ask, and do not be counted as a peer")
	flags.Uint64Var(&o.blocks, "blocks", 0, "the `height` of the newest block")
	if err := flags.Parse(args); err != nil {
		return err
	}
	node, err := newNode(o, func(line string) { fmt.Println(line) })
	if err != nil {
		return err
	}
	defer node.close()
	fmt.Printf("listening %s\n", node.address())
	if flags.NArg() > 0 {
		if err := ask(node, flags.Arg(0)); err != nil {
			return err
		}
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// ask meets the peer at a multiaddr that ends in its peer id, and prints what it learns from it.
func ask(n *node, multiaddr string) error {
	peer, err := libp2ppeer.AddrInfoFromString(multiaddr)
	if err != nil {
		return fmt.Errorf("address %s: %w", multiaddr, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.greeter.meet(ctx, *peer); err != nil {
		return err
	}
	found, err := n.findPeers(ctx, peer.ID)
	if err != nil {
		return fmt.Errorf("FindPeers of %s: %w", peer.ID, err)
	}
	fmt.Printf("peers %s %v\n", peer.ID, found)
	height, err := n.newestBlock(ctx, peer.ID)
	if err != nil {
		return fmt.Errorf("GetStatus of %s: %w", peer.ID, err)
	}
	fmt.Printf("blocks %s %d\n", peer.ID, height)
	return nil
}
