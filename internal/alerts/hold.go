package alerts

import (
	"slices"

	"github.com/shopspring/decimal"
)

// Hold is a mark that the price touches and that does not count yet, because the
// rule wants it to hold for several blocks.
//
// Blocks are those of the chain that the price is read on, and they are counted by
// their numbers: of a mark that two looks in a row show, the blocks between them count
// as held. What happened in blocks that nobody looked at is not known, and a look
// that came late must not delay an alert.
type Hold struct {
	Mark  decimal.Decimal `json:"mark"`
	Since uint64          `json:"since"` // block at which it was first touched
}

// held reports that a mark touched since a block has held for as long as the rule wants.
func (r Rule) held(since, now uint64) bool {
	return r.Blocks <= 1 || now-since+1 >= uint64(r.Blocks)
}

// touch finds the deepest mark that counts: one that the episode reached before and
// the price is within, or one that has held. What is touched and does not count yet is
// kept in the episode's holds.
func touch(r Rule, e *Episode, g gap, o sight) decimal.NullDecimal {
	before := e.Holds
	e.Holds = nil
	var deepest decimal.NullDecimal
	for i := range len(r.Approach) + 1 {
		a := decimal.Zero // the level itself comes last
		if i < len(r.Approach) {
			a = r.Approach[i]
		}
		if !g.within(a) {
			continue
		}
		if deeper(at(a), e.Reached) {
			since := o.block
			if i := slices.IndexFunc(before, func(h Hold) bool { return h.Mark.Equal(a) }); i >= 0 {
				since = min(since, before[i].Since)
			}
			if !r.held(since, o.block) {
				e.Holds = append(e.Holds, Hold{a, since})
				continue
			}
		}
		if deeper(at(a), deepest) {
			deepest = at(a)
		}
	}
	return deepest
}

// leave reports that the price has receded by the margin, for as long as the rule
// wants: a wick away from a level is no end either.
func leave(r Rule, e *Episode, g gap, o sight) bool {
	if !away(r, *e, g) {
		e.Leaving = nil
		return false
	}
	since := o.block
	if e.Leaving != nil {
		since = min(since, *e.Leaving)
	}
	e.Leaving = &since
	return r.held(since, o.block)
}

// away reports that the price receded by the margin.
func away(r Rule, e Episode, g gap) bool {
	switch {
	case !e.Reached.Valid || g.beyond():
		return false
	case crossed(e):
		return g.receded(r.Rearm)
	}
	return g.receded(r.widest().Add(r.Rearm))
}

// waits lists why an episode does not move, though the price has: what began to hold,
// and what ended before it had held long enough.
func waits(before, after Episode) []Reason {
	if before.Holds == nil && after.Holds == nil && before.Leaving == nil && after.Leaving == nil {
		return nil
	}
	var out []Reason
	holds := func(list []Hold, h Hold) bool {
		return slices.ContainsFunc(list, func(o Hold) bool { return o.Mark.Equal(h.Mark) })
	}
	began := before.Leaving == nil && after.Leaving != nil
	ended := before.Leaving != nil && after.Leaving == nil
	for _, h := range after.Holds {
		began = began || !holds(before.Holds, h)
	}
	for _, h := range before.Holds {
		counts := after.Reached.Valid && h.Mark.GreaterThanOrEqual(after.Reached.Decimal)
		ended = ended || !holds(after.Holds, h) && !counts
	}
	if ended {
		out = append(out, ReasonWick)
	}
	if began {
		out = append(out, ReasonHolding)
	}
	return out
}
