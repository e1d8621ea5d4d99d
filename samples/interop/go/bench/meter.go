package main

import (
	"errors"
	"sync/atomic"
	"time"
)

var errEndedEarly = errors.New("it has ended before it was told to")

// meter counts what arrives. One goroutine adds to it, another one measures.
type meter struct {
	count atomic.Int64
	first chan struct{} // Closed once something has arrived.
}

func newMeter() *meter { return &meter{first: make(chan struct{})} }

// add counts n more, which is above 0.
func (m *meter) add(n int) {
	if m.count.Add(int64(n)) == int64(n) {
		close(m.first)
	}
}

// rate runs flow, which keeps the meter counting until it is told to stop, and returns how many
// arrive per second, over a window that begins when the first has arrived.
func (m *meter) rate(window time.Duration, flow func(stopped *atomic.Bool) error) (float64, error) {
	var stopped atomic.Bool
	ended := make(chan error, 1)
	go func() { ended <- flow(&stopped) }()

	select {
	case <-m.first:
	case err := <-ended:
		return 0, early(err)
	}
	begin, before := time.Now(), m.count.Load()
	select {
	case <-time.After(window):
	case err := <-ended:
		return 0, early(err)
	}
	arrived, took := m.count.Load()-before, time.Since(begin)

	stopped.Store(true)
	return float64(arrived) / took.Seconds(), <-ended
}

func early(err error) error {
	if err == nil {
		return errEndedEarly
	}
	return err
}
