package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxBytes is how long a message may be; what gRPC takes is less, 4 MiB by default.
const maxBytes = 16 << 20

// command is one measure. Its arguments are whole numbers above 0.
type command struct {
	name       string
	parameters string // As usage shows them, one word each.
	answer     string // Likewise.
	run        func(p *peers, arguments []int) (string, error)
}

// countsHere are the measures of what the server in this process gets.
var countsHere = map[string]bool{"upload": true, "raw": true, "memory": true}

// commands are all measures, and where the server here can be reached. MILLIS is how long to measure, in milliseconds: what leads up to it and
// what ends it comes on top.
var commands = []command{
	{"address", "", "MULTIADDR",
		func(p *peers, _ []int) (string, error) { return p.multiaddr() }},
	{"unary", "BYTES OUTSTANDING MILLIS", "CALLS_PER_S P50_MICROS P99_MICROS",
		func(p *peers, a []int) (string, error) { return p.unary(a[0], 1, a[1], millis(a[2])) }},
	{"channels", "BYTES CHANNELS OUTSTANDING MILLIS", "CALLS_PER_S P50_MICROS P99_MICROS",
		func(p *peers, a []int) (string, error) { return p.unary(a[0], a[1], a[2], millis(a[3])) }},
	{"download", "BYTES MILLIS", "MESSAGES_PER_S",
		func(p *peers, a []int) (string, error) { return p.download(a[0], millis(a[1])) }},
	{"upload", "BYTES MILLIS", "MESSAGES_PER_S",
		func(p *peers, a []int) (string, error) { return p.upload(a[0], millis(a[1])) }},
	{"both", "BYTES MILLIS", "MESSAGES_PER_S",
		func(p *peers, a []int) (string, error) { return p.both(a[0], millis(a[1])) }},
	{"raw", "BYTES MILLIS", "MIB_PER_S",
		func(p *peers, a []int) (string, error) { return p.raw(a[0], millis(a[1])) }},
	{"pingpong", "BYTES MILLIS", "ROUND_TRIPS_PER_S P50_MICROS P99_MICROS",
		func(p *peers, a []int) (string, error) { return p.pingPong(a[0], millis(a[1])) }},
	{"connections", "MILLIS", "CONNECTIONS_PER_S",
		func(p *peers, a []int) (string, error) { return p.connections(millis(a[0])) }},
	{"memory", "CONNECTIONS", "KIB_PER_CONNECTION",
		func(p *peers, a []int) (string, error) { return p.memory(a[0]) }},
}

// usage names each command, with what it takes and what it answers, on a line.
func usage() string {
	var b strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&b, "  %s %s -> %s\n", c.name, c.parameters, c.answer)
	}
	return b.String()
}

// measure runs the command that line asks for, and returns the answer to it.
func (p *peers) measure(line string) (string, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", fmt.Errorf("an empty line; the commands are %s", names())
	}
	for _, c := range commands {
		if c.name == words[0] {
			arguments, err := c.parse(words[1:])
			if err != nil {
				return "", err
			}
			if p.remote != nil && countsHere[c.name] {
				return "", fmt.Errorf("%s measures the server in this process, not that of --peer", c.name)
			}
			answer, err := c.run(p, arguments)
			if err != nil {
				return "", fmt.Errorf("%s: %w", line, err)
			}
			return answer, nil
		}
	}
	return "", fmt.Errorf("unknown command %q; the commands are %s", words[0], names())
}

func names() string {
	all := make([]string, len(commands))
	for i, c := range commands {
		all[i] = c.name
	}
	return strings.Join(all, ", ")
}

func (c command) parse(words []string) ([]int, error) {
	parameters := strings.Fields(c.parameters)
	if len(words) != len(parameters) {
		return nil, fmt.Errorf("%s takes %s, not %d words", c.name, c.parameters, len(words))
	}
	arguments := make([]int, len(words))
	for i, word := range words {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: %s %q is no whole number above 0", c.name, parameters[i], word)
		}
		if parameters[i] == "BYTES" && n > maxBytes {
			return nil, fmt.Errorf("%s: BYTES %d, more than %d", c.name, n, maxBytes)
		}
		arguments[i] = n
	}
	return arguments, nil
}

func millis(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// decimal is how an answer shows a number.
func decimal(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }
