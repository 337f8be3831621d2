package alerts

import (
	"fmt"
	"time"
)

// Source is something whose data must not stop: a chain, a market or a price.
type Source struct {
	Name string `json:"name"`
	// What it is: "chain", "market", "price", or "rule" for the numbers of one.
	What string `json:"what"`
	// Block is the newest one processed; of a price, none.
	Block BlockRef `json:"block"`
	// Fed is when data last came, by the caller's choice: the block's own time, or the
	// wall time at which it was processed.
	Fed time.Time `json:"fed"`
	// Limit is the age at which data are stale.
	Limit time.Duration `json:"limit"`
	// Why is what is known of the cause, without secrets; may be empty.
	Why string `json:"why,omitempty"`
}

// Beat is what is remembered of a source.
type Beat struct {
	Source string    `json:"source"`
	Stale  bool      `json:"stale"`
	Number int       `json:"number"` // counts the times it went stale
	Since  time.Time `json:"since"`  // when the data stopped, while stale
}

// StaleRule says who is told when data stop.
type StaleRule struct {
	Notify   []string
	Severity Severity // when empty, critical; "data is back" is info
}

// Pulse is the whole of the data-stale rule: an alert when a source's data become
// older than its limit, and one when they are back. Pure.
func Pulse(r StaleRule, b Beat, s Source, now time.Time) (Beat, []Alert) {
	b.Source = s.What + "|" + s.Name
	stale := now.Sub(s.Fed) > s.Limit
	if stale == b.Stale {
		return b, nil
	}
	a := Alert{Kind: KindFresh, Reason: ReasonFresh, Rule: silenceRule, Notify: r.Notify, Severity: Info, Seen: now, Source: &s}
	if stale {
		b.Number++
		b.Since = s.Fed
		a.Kind, a.Reason, a.Severity = KindStale, ReasonStale, r.Severity
		if a.Severity == "" {
			a.Severity = KindStale.severity()
		}
	}
	b.Stale = stale
	a.Key = fmt.Sprintf("%s|%s|%d", a.Kind, b.Source, b.Number)
	return b, []Alert{a}
}
