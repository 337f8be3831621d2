package store

import (
	"context"
	"sync"
	"time"
)

// heldUntil is until when something is held, by the wall clock and by the monotonic
// one: the first runs on while a machine sleeps, the second when somebody sets the clock.
type heldUntil struct {
	mu sync.Mutex
	at time.Time
}

func (h *heldUntil) set(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = at
}

// left is the time that is left, by the clock that leaves less.
func (h *heldUntil) left(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return min(h.at.Sub(now), h.at.Round(0).Sub(now.Round(0)))
}

func (h *heldUntil) holds(now time.Time) bool { return h.left(now) > 0 }

// pause reports whether the time passed before the context ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
