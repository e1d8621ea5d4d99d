package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const scenarioTimeout = 60 * time.Second

// scenario is one thing to show with a peer; run returns what it has seen.
type scenario struct {
	name string
	run  func(context.Context, *peer) (string, error)
}

// kinds need no more than a greeter at the other end.
var kinds = []scenario{
	{"unary", unary},
	{"server-streaming", serverStreaming},
	{"client-streaming", clientStreaming},
	{"bidi-streaming", bidiStreaming},
}

// all are those that ../README.md describes, in its order.
var all = slices.Concat([]scenario{{"connect", connect}}, kinds, []scenario{
	{"metadata", echoMetadata},
	{"deadline", deadline},
	{"cancel", cancelByCaller},
	{"abort", abortByServer},
	{"status", statusDetails},
	{"large", largeMessage},
	{"too-large", tooLargeMessage},
	{"concurrent", concurrentCalls},
	{"streams", manyStreams},
	{"slow-caller", slowCaller},
	{"slow-server", slowServer},
	{"graceful-stop", gracefulStop},
	{"hard-stop", hardStop},
	{"reconnect", reconnect},
	{"identity", wrongIdentity},
})

// selectScenarios returns those of the names, of which kinds and all stand for several.
func selectScenarios(names []string) ([]scenario, error) {
	var selected []scenario
	for _, name := range names {
		at := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		switch {
		case name == "all":
			selected = append(selected, all...)
		case name == "kinds":
			selected = append(selected, kinds...)
		case at >= 0:
			selected = append(selected, all[at])
		default:
			return nil, fmt.Errorf("--scenario %s: no such scenario", name)
		}
	}
	return selected, nil
}

// expect fails unless got is what was wanted.
func expect[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: %v, not %v", what, got, want)
	}
	return nil
}

// expectCode fails unless err is a status of the code.
func expectCode(what string, err error, want codes.Code) error {
	if got := status.Code(err); got != want {
		return fmt.Errorf("%s: %v, not %v: %v", what, got, want, err)
	}
	return nil
}

// eventually waits until the condition holds; it asks 50 times a second.
func eventually(ctx context.Context, what string, condition func() (bool, error)) error {
	const interval = 20 * time.Millisecond
	for {
		holds, err := condition()
		if err != nil {
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
		if holds {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		case <-time.After(interval):
		}
	}
}

// standstill waits until a counter, above 0, has not moved for half a second, and returns it.
func standstill(ctx context.Context, what string, counter func() (int32, error)) (int32, error) {
	const still = 500 * time.Millisecond
	last, since := int32(0), time.Now()
	err := eventually(ctx, what+" stands still", func() (bool, error) {
		now, err := counter()
		if err == nil && now != last {
			last, since = now, time.Now()
		}
		return last > 0 && time.Since(since) >= still, err
	})
	return last, err
}
