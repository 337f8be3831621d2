package alerts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Dispatcher delivers what is in the outbox: at least once, each notifier by
// itself, the most urgent first.
type Dispatcher struct {
	outbox    Outbox
	notifiers map[string]Notifier
	opt       DispatchOptions
	log       zerolog.Logger
	wakes     map[string]chan struct{}

	mu    sync.Mutex
	sinks map[string]Sink // how the notifiers do
}

// DispatchOptions are the dispatcher's times; a zero value is replaced by the default.
type DispatchOptions struct {
	Lease   time.Duration // how long a claimed delivery is nobody else's (60 s)
	Timeout time.Duration // for one send; below the lease (30 s)
	Poll    time.Duration // at least so often the outbox is looked at, by the wall clock (5 s)
	Grace   time.Duration // for the send under way when Run is to end (1 s)
	GiveUp  time.Duration // age at which a delivery is dead even when a receiver only ever asks to wait (96 h)
	// MaySend is asked right before every send; a delivery is given back when it says
	// no. Nil: this process may always.
	MaySend func() bool
	// Policies say, by notifier, what it is sent and when. One without is sent
	// everything, one by one and at once.
	Policies map[string]Policy
}

// NewDispatcher makes a dispatcher; Run starts it.
func NewDispatcher(outbox Outbox, notifiers map[string]Notifier, opt DispatchOptions, log zerolog.Logger) *Dispatcher {
	d := &Dispatcher{outbox: outbox, notifiers: notifiers, opt: opt.withDefaults(), log: log, wakes: map[string]chan struct{}{}, sinks: map[string]Sink{}}
	for name := range notifiers {
		d.wakes[name] = make(chan struct{}, 1)
	}
	return d
}

func (o DispatchOptions) withDefaults() DispatchOptions {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.Lease, time.Minute)
	def(&o.Timeout, 30*time.Second)
	def(&o.Poll, 5*time.Second)
	def(&o.Grace, time.Second)
	def(&o.GiveUp, 96*time.Hour)
	return o
}

// Wake makes Run look at the outbox now.
func (d *Dispatcher) Wake() {
	for _, c := range d.wakes {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Sinks are how the notifiers do, by name.
func (d *Dispatcher) Sinks(ctx context.Context) ([]Sink, error) {
	backlog, err := d.outbox.Backlog(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at what waits: %w", err)
	}
	out := make([]Sink, 0, len(d.notifiers))
	for _, name := range slices.Sorted(maps.Keys(d.notifiers)) {
		d.mu.Lock()
		s := d.sinks[name]
		d.mu.Unlock()
		s.Name = name
		for _, w := range backlog {
			if w.Notifier != name {
				continue
			}
			if due := d.opt.Policies[name].due(w.Oldest, w.Severity); s.Overdue.IsZero() || due.Before(s.Overdue) {
				s.Overdue = due
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// did notes how a send went.
func (d *Dispatcher) did(name string, err error, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sinks[name]
	switch {
	case err == nil:
		s = Sink{}
	case s.Failing.IsZero():
		s = Sink{Failing: now, Why: err.Error()}
	default:
		s.Why = err.Error()
	}
	d.sinks[name] = s
}
