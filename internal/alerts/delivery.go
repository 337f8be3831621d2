package alerts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// manyWaits is how often at least a message must have been told to wait before its
// age can end it.
const manyWaits = 50

// defaultSchedule is for notifiers without one of their own: quick at first, then
// every half hour for a day.
func defaultSchedule() []time.Duration {
	s := []time.Duration{0, time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute}
	for range 47 {
		s = append(s, 30*time.Minute)
	}
	return s
}

// Run delivers until the context ends. A send that has begun is given a little more
// time; what is not known to have arrived is repeated after the next start.
// What waits for a notifier that no longer exists is given up, and told.
func (d *Dispatcher) Run(ctx context.Context) {
	if err := d.abandon(ctx); err != nil && ctx.Err() == nil {
		d.log.Error().Err(err).Msg("outbox")
	}
	var wg sync.WaitGroup
	for _, name := range slices.Sorted(maps.Keys(d.notifiers)) {
		wg.Go(func() { d.serve(ctx, name) })
	}
	wg.Wait()
}

// abandon gives up the deliveries of notifiers that are not configured any more.
func (d *Dispatcher) abandon(ctx context.Context) error {
	names, err := d.outbox.Waiting(ctx)
	if err != nil {
		return fmt.Errorf("look for deliveries to notifiers that are gone: %w", err)
	}
	for _, name := range names {
		if _, ok := d.notifiers[name]; ok {
			continue
		}
		for {
			due, err := d.outbox.Claim(ctx, name, farFuture, d.opt.Lease, 100)
			if err != nil {
				return fmt.Errorf("claim deliveries: %w", err)
			}
			if len(due) == 0 {
				break
			}
			for _, del := range due {
				if err := d.settle(ctx, name, del, Refused(errors.New("this notifier is no longer configured"))); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// farFuture is a time at which everything is due.
var farFuture = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// serve delivers to one notifier, one message at a time, in order of urgency.
func (d *Dispatcher) serve(ctx context.Context, name string) {
	log := d.log.With().Str("notifier", name).Logger()
	var gone error // why the notifier is switched off
	for ctx.Err() == nil {
		again, err := d.round(ctx, name, &gone)
		if err != nil && ctx.Err() == nil {
			log.Error().Err(err).Msg("outbox")
		}
		sleep := d.opt.Poll
		if err == nil {
			// No longer than the poll: timers stand still while the machine sleeps.
			sleep = min(sleep, again)
		}
		if sleep <= 0 {
			continue
		}
		t := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
		case <-d.wakes[name]:
		case <-t.C:
		}
		t.Stop()
	}
}

// round delivers what is due, at most one message, and says when to look again.
func (d *Dispatcher) round(ctx context.Context, name string, gone *error) (time.Duration, error) {
	now := time.Now()
	terms := d.opt.Policies[name].terms(name, now)
	terms.Lease = d.opt.Lease
	got, err := d.outbox.Take(ctx, name, now, terms)
	if err != nil {
		return 0, fmt.Errorf("claim deliveries: %w", err)
	}
	if got.Skipped > 0 || got.Digested > 0 {
		d.log.Info().Str("notifier", name).Int("skipped", got.Skipped).Int("digested", got.Digested).Msg("outbox")
	}
	for _, del := range got.Deliveries {
		if !d.mayStill(del) {
			return d.opt.Poll, d.giveBack(ctx, name, del)
		}
		var sendErr error
		if *gone == nil {
			sendErr = d.send(ctx, name, del)
			d.did(name, sendErr, time.Now())
		} else {
			sendErr = Refused(*gone)
		}
		if e := asSendError(sendErr); sendErr != nil && e.Gone {
			*gone = fmt.Errorf("switched off until the next start: %w", e.Err)
		}
		if err := d.settle(ctx, name, del, sendErr); err != nil {
			return 0, err
		}
	}
	switch {
	case len(got.Deliveries) > 0:
		return 0, nil
	case got.Next.IsZero():
		return d.opt.Poll, nil
	}
	return max(time.Until(got.Next), time.Millisecond), nil
}

// send makes one attempt. It outlives ctx by a little: what has begun is finished if
// that can be done soon, so that its outcome is known, but nobody who stops the
// program waits for a receiver that does not answer.
func (d *Dispatcher) send(ctx context.Context, name string, del Delivery) error {
	ended := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.opt.Timeout)
	defer cancel()
	defer context.AfterFunc(ended, func() {
		sleep := time.NewTimer(d.opt.Grace)
		defer sleep.Stop()
		select {
		case <-sleep.C:
			cancel()
		case <-ctx.Done():
		}
	})()
	m := del.Message
	m.ID, m.MayRepeat = del.AlertID, del.Uncertain
	return d.notifiers[name].Send(ctx, m)
}

// settle records an attempt's outcome, and tells about what is given up.
func (d *Dispatcher) settle(ctx context.Context, name string, del Delivery, sendErr error) error {
	ctx = context.WithoutCancel(ctx)
	now := time.Now()
	log := d.log.With().Str("notifier", name).Str("alert", del.AlertID).Int("attempt", del.Attempts+1).Logger()
	r := d.judge(name, del, sendErr, now)
	posts, err := d.posts(name, del, r, now)
	if err != nil {
		return err
	}
	if err := d.outbox.Settle(ctx, del, r, posts...); errors.Is(err, ErrLeaseLost) {
		log.Warn().Str("fate", string(r.Fate)).Msg("the lease ended before the send did; it may be repeated")
		return nil
	} else if err != nil {
		return fmt.Errorf("record a delivery: %w", err)
	}
	if len(posts) > 0 {
		d.Wake()
	}
	switch r.Fate {
	case Sent:
		log.Info().Msg("delivered")
	case Pending:
		log.Warn().Time("next", r.Next).Str("cause", r.Reason).Msg("not delivered, will try again")
	case Dead:
		log.Error().Str("cause", r.Reason).Msg("given up")
	}
	return nil
}

// judge turns what a notifier said into what happens next.
func (d *Dispatcher) judge(name string, del Delivery, sendErr error, now time.Time) Result {
	if sendErr == nil {
		return Result{Fate: Sent, At: now}
	}
	e := asSendError(sendErr)
	r := Result{Fate: Pending, At: now, Uncertain: e.Uncertain, Reason: e.Error()}
	schedule := defaultSchedule()
	if s, ok := d.notifiers[name].(Scheduler); ok {
		schedule = s.Schedule()
	}
	failures := del.Failures
	switch {
	case e.Permanent:
		r.Fate = Dead
		return r
	case e.After > 0:
		r.Hold, r.Next = true, now.Add(e.After)
	case failures+1 < len(schedule):
		r.Failed, r.Next = true, now.Add(schedule[failures+1])
	default:
		r.Fate, r.Failed = Dead, true
		return r
	}
	// Who has waited long because others were told to wait has not been refused much itself.
	if r.Hold && r.Next.Sub(del.Created) > d.opt.GiveUp && del.Attempts >= manyWaits {
		r.Fate, r.Hold = Dead, false
	}
	return r
}

// posts tells through the other notifiers what this one could not deliver, and what
// it has learned. A message that is itself such news is not reported again.
func (d *Dispatcher) posts(name string, del Delivery, r Result, now time.Time) ([]Post, error) {
	var alerts []Alert
	if n, ok := d.notifiers[name].(Noticer); ok {
		for _, notice := range n.Notices() {
			alerts = append(alerts, Alert{Key: "notice|" + name + "|" + notice.Key, Kind: KindNotice, Note: notice.Text})
		}
	}
	if a, ok := trouble(name, del, r, d.opt.Policies[name].due(del.Created, del.Message.Severity), now); ok {
		alerts = append(alerts, a)
	}
	for i := range alerts {
		alerts[i].Severity, alerts[i].Rule, alerts[i].Seen = alerts[i].Kind.severity(), deliveryRule, now
		for _, other := range slices.Sorted(maps.Keys(d.notifiers)) {
			if other != name || alerts[i].Kind == KindNotice {
				alerts[i].Notify = append(alerts[i].Notify, other)
			}
		}
	}
	return posts(alerts)
}

// down is the age at which a message that is still being tried is told of elsewhere.
const down = 5 * time.Minute

// trouble is the alert about a delivery that is given up, or late since it was due.
// One an hour and notifier is enough to make a person look.
func trouble(name string, del Delivery, r Result, due, now time.Time) (Alert, bool) {
	a := Alert{Kind: KindUndelivered}
	hour := now.Unix() / 3600
	switch age := now.Sub(due); {
	case del.Message.Kind == KindUndelivered:
		return a, false
	case r.Fate == Dead:
		a.Key = fmt.Sprintf("undelivered|%s|%d", name, hour)
		a.Note = fmt.Sprintf("The notifier %q did not deliver %q: %s. It was given up after %s.", name, del.Message.Title, r.Reason, count(del.Attempts+1, "attempt"))
	case r.Fate == Pending && age >= down:
		a.Key = fmt.Sprintf("late|%s|%d", name, hour)
		a.Note = fmt.Sprintf("The notifier %q has not delivered %q for %s: %s. It is still being tried.", name, del.Message.Title, span(age), r.Reason)
	default:
		return a, false
	}
	return a, true
}
