package alerts

import (
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
}

// NewDispatcher makes a dispatcher; Run starts it.
func NewDispatcher(outbox Outbox, notifiers map[string]Notifier, opt DispatchOptions, log zerolog.Logger) *Dispatcher {
	d := &Dispatcher{outbox: outbox, notifiers: notifiers, opt: opt.withDefaults(), log: log, wakes: map[string]chan struct{}{}}
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
