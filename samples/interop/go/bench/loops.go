package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// closedLoops has that many goroutines, numbered from 0, each call again as soon as its call has
// returned, and answers the calls per second, and the median and the 99th percentile of how long one
// took, in microseconds. The window begins when each has called once; what returns after it is not
// counted.
func closedLoops(count int, window time.Duration, call func(loop int) error) (string, error) {
	var ready, done sync.WaitGroup
	begin, deadline := make(chan struct{}), time.Time{}
	took, errs := make([][]time.Duration, count), make([]error, count)

	ready.Add(count)
	for loop := range count {
		done.Go(func() {
			err := call(loop)
			ready.Done()
			<-begin
			for last := time.Now(); err == nil; {
				err = call(loop)
				now := time.Now()
				if now.After(deadline) {
					break
				}
				took[loop] = append(took[loop], now.Sub(last))
				last = now
			}
			errs[loop] = err
		})
	}
	ready.Wait()
	deadline = time.Now().Add(window)
	close(begin)
	done.Wait()

	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	all := slices.Concat(took...)
	if len(all) == 0 {
		return "", fmt.Errorf("nothing has returned within %v", window)
	}
	slices.Sort(all)
	return fmt.Sprintf("%s %s %s", decimal(float64(len(all))/window.Seconds()),
		decimal(percentile(all, 50)), decimal(percentile(all, 99))), nil
}

// percentile is the nearest-rank one, in microseconds.
func percentile(sorted []time.Duration, percent int) float64 {
	rank := (len(sorted)*percent + 99) / 100 // At least 1.
	return float64(sorted[rank-1].Nanoseconds()) / 1e3
}
