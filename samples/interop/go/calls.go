package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"

	"grpcstream.io/samples/interop/interoppb"
)

// calls are those that arrived with an x-call header, by its value. They outlive the gRPC server
// that served them.
type calls struct {
	mu     sync.Mutex
	byName map[string]*call
}

// call is what we know about one call.
type call struct {
	ctx            context.Context
	started        atomic.Bool
	sent, received atomic.Int32
	deadlineMillis atomic.Int64
	cancelled      atomic.Bool
	resumed        chan struct{}
	resumeOnce     sync.Once
}

func newCalls() *calls { return &calls{byName: map[string]*call{}} }

// get returns the call of that name, whether it has started or not.
func (c *calls) get(name string) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, known := c.byName[name]
	if !known {
		found = newCall()
		c.byName[name] = found
	}
	return found
}

// start returns the call that ctx belongs to; its handler must end it.
func (c *calls) start(ctx context.Context) *call {
	started := newCall()
	if name := metadata.ValueFromIncomingContext(ctx, "x-call"); len(name) > 0 {
		started = c.get(name[0])
	}
	started.ctx = ctx
	if deadline, ok := ctx.Deadline(); ok {
		started.deadlineMillis.Store(time.Until(deadline).Milliseconds())
	}
	started.started.Store(true)
	return started
}

func newCall() *call { return &call{resumed: make(chan struct{})} }

// end notes whether the caller, or its deadline, has ended the call before its handler did.
func (c *call) end() { c.cancelled.Store(c.ctx.Err() != nil) }

// resume lets an Upload go on.
func (c *call) resume() { c.resumeOnce.Do(func() { close(c.resumed) }) }

func (c *call) message() *interoppb.Call {
	return &interoppb.Call{
		Started:        c.started.Load(),
		Sent:           c.sent.Load(),
		Received:       c.received.Load(),
		DeadlineMillis: c.deadlineMillis.Load(),
		Cancelled:      c.cancelled.Load(),
	}
}
