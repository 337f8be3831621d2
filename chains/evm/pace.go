package evm

import (
	"context"
	"sync"
	"time"
)

// pace keeps the questions to one node apart, so that no second holds more of
// them than allowed. A zero rate does not limit.
type pace struct {
	rate float64 // questions a second

	mu   sync.Mutex
	next time.Time
}

// wait blocks until n questions may be sent together.
func (p *pace) wait(ctx context.Context, n int) error {
	if p.rate <= 0 {
		return ctx.Err()
	}
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	p.mu.Unlock()
	return sleep(ctx, at.Sub(now))
}

// batch is the largest number of questions that one second allows.
func (p *pace) batch(most int) int {
	if p.rate <= 0 {
		return most
	}
	return max(1, min(most, int(p.rate)))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
