package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// mayStill is asked right before a send: a process that was stopped since it claimed
// may wake up when somebody else holds the delivery. The lease must last as long as
// the send may; of the wall clock and the monotonic one the hastier counts, since the
// first is set at times and the second stands still while a machine sleeps.
func (d *Dispatcher) mayStill(del Delivery) bool {
	if d.opt.MaySend != nil && !d.opt.MaySend() {
		return false
	}
	if del.Until.IsZero() {
		return true
	}
	now := time.Now()
	left := min(del.Until.Sub(now), del.Until.Round(0).Sub(now.Round(0)))
	return left >= min(d.opt.Timeout, d.opt.Lease/2)
}

// giveBack returns a delivery that was not sent to whoever may send it.
func (d *Dispatcher) giveBack(ctx context.Context, name string, del Delivery) error {
	d.log.Warn().Str("notifier", name).Str("alert", del.AlertID).Msg("not sent: this process was away, another may hold the message by now")
	now := time.Now()
	r := Result{Fate: Pending, At: now, Next: now, Uncertain: del.Uncertain, Reason: "not sent: the process was away"}
	err := d.outbox.Settle(context.WithoutCancel(ctx), del, r)
	if err != nil && !errors.Is(err, ErrLeaseLost) {
		return fmt.Errorf("give a delivery back: %w", err)
	}
	return nil
}
