package alerts

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// QueueLimit is how long a message may wait beyond its time before nobody should
// rely on alerts.
const QueueLimit = time.Minute

// Vitals are the signs by which one sees whether alerts can be relied on now: for
// readiness, the daily digest and the heartbeat.
type Vitals struct {
	Now time.Time
	// Sources are the chains, markets and prices, with the age from which each is stale.
	Sources []Source
	// Starting are the chains that no pass has come to the end of yet.
	Starting []string
	// Sinks are the notifiers.
	Sinks []Sink
	// Unwritable is why the outbox cannot be written; nil when it can.
	Unwritable error
}

// Sink is how one notifier does.
type Sink struct {
	Name string
	// Overdue is since when its oldest message should have been sent: what quiet hours
	// hold back is not overdue. Zero when none is.
	Overdue time.Time
	// Failing is since when every send has failed; zero after a success, and before
	// the first send.
	Failing time.Time
	// Why is what the last failure said, without secrets.
	Why string
}

// behind reports that blocks of a chain come, but old ones, and how old: what is seen
// in them is long past. A chain of which nothing was read yet has no block.
func (s Source) behind(now time.Time) (time.Duration, bool) {
	if s.What != "chain" || s.Limit <= 0 || s.Block.Number == 0 || s.Block.Time > math.MaxInt64 {
		return 0, false
	}
	old := now.Sub(time.Unix(int64(s.Block.Time), 0))
	return old, old > s.Limit
}

// Troubles are the reasons why alerts cannot be relied on, as sentences for an
// operator; none when all is well. Pure.
func (v Vitals) Troubles() []string {
	var out []string
	if v.Unwritable != nil {
		out = append(out, fmt.Sprintf("the store cannot be written: %v", v.Unwritable))
	}
	for _, chain := range slices.Sorted(slices.Values(v.Starting)) {
		out = append(out, fmt.Sprintf("chain %s: the first pass has not ended", clean(chain)))
	}
	for _, s := range v.Sources {
		if age := v.Now.Sub(s.Fed); s.Limit > 0 && age > s.Limit {
			t := fmt.Sprintf("%s: no new data for %s", sourceName(&s), span(age))
			if s.Why != "" {
				t += ": " + clean(s.Why)
			}
			out = append(out, t)
		} else if old, behind := s.behind(v.Now); behind {
			out = append(out, fmt.Sprintf("%s: its newest block is %s old by its own clock: the nodes are behind", sourceName(&s), span(old)))
		}
	}
	for _, s := range v.Sinks {
		if late := v.Now.Sub(s.Overdue); !s.Overdue.IsZero() && late > QueueLimit {
			out = append(out, fmt.Sprintf("the notifier %q is %s late", s.Name, span(late)))
		}
	}
	if len(v.Sinks) > 0 && !slices.ContainsFunc(v.Sinks, func(s Sink) bool { return s.Failing.IsZero() }) {
		var names []string
		for _, s := range v.Sinks {
			names = append(names, s.Name)
		}
		out = append(out, "no notifier takes messages: "+strings.Join(names, ", "))
	}
	return out
}
