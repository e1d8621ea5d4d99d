// Command bench measures gRPC over libp2p streams between two go-libp2p hosts, both in this process
// or, with --peer, each in its own, over TCP on the loopback interface, each measure when standard input asks for it: benchmarks in other
// languages run it beside what they measure themselves.
//
// It prints the line "ready", and from then on answers each line that it reads by one line: the
// figures, or "error: " and what has failed. It ends at the end of its input.
//
// go-libp2p and grpc-go run with their defaults, and gRPC is wired as in Polygon Edge.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	security := flags.String("security", "noise", "noise or tls, for all connections")
	address := flags.String("peer", "",
		"the `multiaddr` of the server of another such process, to measure calls to that one instead")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: bench [options]")
		flags.PrintDefaults()
		fmt.Fprintf(flags.Output(), "lines of standard input, and the answers:\n%s", usage())
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	p, err := newPeers(*security, *address)
	if err != nil {
		return err
	}
	defer p.close()

	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		answer, err := p.measure(lines.Text())
		if err != nil {
			answer = "error: " + strings.Join(strings.Fields(err.Error()), " ")
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return lines.Err()
}
