// Command interop is a libp2p peer that serves gRPC over libp2p streams, and calls other peers that
// do, in whatever language they are written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/protocol"

	"grpcstream.io/samples/interop/peerhost"
)

const usage = `usage:
  interop listen [--address MULTIADDR] [options]
  interop call MULTIADDR [--scenario NAME[,NAME...]] [options]
  interop plain-listen [HOST:PORT]
`

// options are those of the commands that are peers.
type options struct {
	security, key, identity, protocol, authority string
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var o options
	flags := flag.NewFlagSet("interop", flag.ContinueOnError)
	flags.StringVar(&o.security, "security", "noise", "noise or tls")
	flags.StringVar(&o.key, "key", "ed25519", "the identity's `kind`: ed25519, secp256k1, ecdsa or rsa")
	flags.StringVar(&o.identity, "identity", "", "the `file` that keeps the identity; by default it is new")
	flags.StringVar(&o.protocol, "protocol", "/greeter/1.0.0", "the libp2p protocol `id` that carries gRPC")

	switch {
	case len(args) >= 1 && args[0] == "listen":
		address := flags.String("address", "/ip4/127.0.0.1/tcp/0", "the `multiaddr` to listen on")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return listen(o, *address)
	case len(args) >= 2 && args[0] == "call":
		names := flags.String("scenario", "kinds", "`names` from the list in README.md, kinds, or all")
		flags.StringVar(&o.authority, "authority", "",
			"the `:authority` of requests; empty as in Polygon Edge, which Node.js refuses")
		if err := flags.Parse(args[2:]); err != nil {
			return err
		}
		return callPeer(o, args[1], strings.Split(*names, ","))
	case len(args) >= 1 && args[0] == "plain-listen":
		address := "127.0.0.1:0"
		if len(args) > 1 {
			address = args[1]
		}
		return listenPlainly(address)
	default:
		fmt.Fprint(os.Stderr, usage)
		flags.PrintDefaults()
		return errors.New("listen, call or plain-listen")
	}
}

// listen prints the address at which it serves, and serves until standard input ends.
func listen(o options, address string) error {
	host, err := newHost(o, address)
	if err != nil {
		return err
	}
	defer host.Close()
	server := newServer()
	defer server.stop()
	host.SetStreamHandler(protocol.ID(o.protocol), server.handle)

	fmt.Printf("%s/p2p/%s\n", host.Addrs()[0], host.ID())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func newHost(o options, address string) (host.Host, error) {
	identity, err := peerhost.Identity(o.identity, o.key)
	if err != nil {
		return nil, err
	}
	return peerhost.NewWith(identity, o.security, address)
}

// callPeer runs scenarios with the peer at address, and prints a line for each.
func callPeer(o options, address string, names []string) error {
	selected, err := selectScenarios(names)
	if err != nil {
		return err
	}
	host, err := newHost(o, "")
	if err != nil {
		return err
	}
	defer host.Close()
	peer, err := newPeer(host, address, o)
	if err != nil {
		return err
	}

	failures := 0
	for _, s := range selected {
		ctx, cancel := context.WithTimeout(context.Background(), scenarioTimeout)
		detail, err := s.run(ctx, peer)
		cancel()
		if err != nil {
			failures++
			fmt.Printf("%s failed %s\n", s.name, oneLine(err.Error()))
		} else {
			fmt.Printf("%s ok %s\n", s.name, oneLine(detail))
		}
	}
	if failures > 0 {
		return fmt.Errorf("%d of %d scenarios failed", failures, len(selected))
	}
	return nil
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
