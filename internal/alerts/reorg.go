package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// ErrTooDeep: a reorg reaches below everything remembered. The state is left as it was.
var ErrTooDeep = errors.New("the reorg goes deeper than the states kept")

// Rewind takes back every observation whose price was read on a block of the chain
// above the ancestor, and holds what was said of those in doubt: it is confirmed silently
// when the new branch says the same, and corrected when the new branch has come as
// far as the old one without saying it. Pure; the given state is not changed.
func Rewind(s State, chain string, ancestor uint64) (State, error) {
	keep := len(s.Checkpoints)
	var until uint64
	for i := len(s.Checkpoints) - 1; i >= 0; i-- {
		b, ok := of(s.Checkpoints[i].Blocks, chain)
		if !ok || b.Number <= ancestor || s.Checkpoints[i].PriceChain != chain {
			break
		}
		keep, until = i, max(until, b.Number)
	}
	if keep == len(s.Checkpoints) {
		return s, nil
	}
	if keep == 0 && s.Pruned {
		return s, fmt.Errorf("take back %s above block %d, oldest kept %d: %w", chain, ancestor, until, ErrTooDeep)
	}
	next := s.clone()
	next.Checkpoints, next.bySubject = next.Checkpoints[:keep], nil
	// What was in doubt already waits for the further of the two branches.
	for i := range next.Doubts {
		if next.Doubts[i].Chain == chain {
			next.Doubts[i].Until = max(next.Doubts[i].Until, until)
		}
	}
	for _, c := range s.Checkpoints[keep:] {
		for _, a := range c.Alerts {
			if a.Blocks == nil {
				a.Blocks = c.Blocks
			}
			next.Doubts = append(next.Doubts, Doubt{Alert: a, Open: slices.Clone(a.Claims), Chain: chain, Until: until})
		}
	}
	return next, nil
}

// scene is the look at which alerts are settled.
type scene interface {
	// blocks are those the look is of.
	blocks() []BlockRef
	// sight is the look as the subject of an alert sees it.
	sight(a Alert) sight
	// correction is what there is to say of the subject of an alert taken back.
	correction(was Alert) Alert
}

// settle holds new alerts against those in doubt: what was said already is not
// repeated, and what did not come true again is corrected.
func settle(r Rule, s *State, out *Outcome, made []Alert, now scene) {
	doubts := newDoubtIndex(s.Doubts)
	for _, a := range made {
		var fresh []string
		for _, c := range a.Claims {
			if held, ok := doubts.confirm(c); ok {
				held.Claims = []string{c}
				s.made = append(s.made, held)
				out.Decisions = append(out.Decisions, about(r, held, now, ReasonStillTrue, false))
				continue
			}
			fresh = append(fresh, c)
		}
		if len(fresh) == 0 {
			continue
		}
		a = s.narrow(a, fresh)
		s.made = append(s.made, a)
		out.Alerts = append(out.Alerts, a)
	}
	s.Doubts = doubts.open()
	s.correct(r, out, now)
}

// doubtIndex finds what is in doubt by its claim: a reorg can hold thousands.
type doubtIndex struct {
	doubts []Doubt
	at     map[string]int // claim -> doubt
	closed map[string]bool
}

func newDoubtIndex(doubts []Doubt) *doubtIndex {
	x := &doubtIndex{doubts: doubts, at: map[string]int{}, closed: map[string]bool{}}
	for i, d := range doubts {
		for _, c := range d.Open {
			x.at[c] = i
		}
	}
	return x
}

// confirm takes a claim out of doubt and gives the alert that made it.
func (x *doubtIndex) confirm(c string) (Alert, bool) {
	i, ok := x.at[c]
	if !ok || x.closed[c] {
		return Alert{}, false
	}
	x.closed[c] = true
	return x.doubts[i].Alert, true
}

// open are the doubts with what was not confirmed.
func (x *doubtIndex) open() []Doubt {
	if len(x.closed) == 0 {
		return x.doubts
	}
	var out []Doubt
	for _, d := range x.doubts {
		d.Open = slices.DeleteFunc(slices.Clone(d.Open), func(c string) bool { return x.closed[c] })
		if len(d.Open) > 0 {
			out = append(out, d)
		}
	}
	return out
}

// narrow leaves in an alert only what was not said before, and keys it.
func (s *State) narrow(a Alert, fresh []string) Alert {
	if len(fresh) < len(a.Claims) && !a.Kind.ofOneLevel() {
		levels := a.levels()
		var left = levels[:0:0]
		for i, c := range a.Claims {
			if slices.Contains(fresh, c) {
				left = append(left, levels[i])
			}
		}
		a.Level, a.Passed = left[len(left)-1], left[:len(left)-1]
	}
	a.Claims = fresh
	a.Key = s.key(fresh[len(fresh)-1])
	return a
}

// key is the claim, numbered from the second time it is made after a correction.
func (s *State) key(c string) string {
	if n := s.Revisions[c]; n > 0 {
		return fmt.Sprintf("%s#%d", c, n)
	}
	return c
}

// correct takes back what the new branch did not say, once it has come far enough.
func (s *State) correct(r Rule, out *Outcome, now scene) {
	var left []Doubt
	for _, d := range s.Doubts {
		if b, ok := of(now.blocks(), d.Chain); !ok || b.Number < d.Until {
			left = append(left, d)
			continue
		}
		out.Alerts = append(out.Alerts, s.correction(r, d, now))
		out.Decisions = append(out.Decisions, about(r, d.Alert, now, ReasonOrphaned, true))
		for _, c := range d.Open {
			if s.Revisions == nil {
				s.Revisions = map[string]int{}
			}
			s.Revisions[c]++
		}
	}
	s.Doubts = left
}

func (s *State) correction(r Rule, d Doubt, now scene) Alert {
	was := d.Alert
	a := now.correction(was)
	a.Key, a.Kind, a.Reason = "correction|"+s.key(d.Open[0]), KindCorrection, ReasonOrphaned
	a.Severity, a.Rule, a.Notify, a.Withdraws = cmp.Or(r.Severity, KindCorrection.severity()), was.Rule, was.Notify, d.Open
	a.Level, a.Side, a.Episode, a.Mark, a.Blocks = was.Level, was.Side, was.Episode, was.Mark, now.blocks()
	a.Corrects = &Corrected{Key: was.Key, Kind: was.Kind, Levels: was.levels(), Side: was.Side, Price: was.Price, Blocks: was.Blocks}
	return a
}

// observationScene is an observation as [settle] sees it.
type observationScene struct{ Observation }

func (o observationScene) blocks() []BlockRef { return o.Blocks }

func (o observationScene) sight(a Alert) sight { return o.Observation.sight(a.Level) }

func (o observationScene) correction(was Alert) Alert {
	a := Alert{Seen: o.Seen, Axis: was.Axis, Reference: o.Reference, Price: o.Price, Now: o.Now, Digest: o.Digest}
	if v, ok := o.view(was.Level); ok {
		a.Totals, a.Markets = v.Totals, v.Markets
	}
	return a
}

func about(r Rule, a Alert, now scene, reason Reason, sent bool) Decision {
	o, subject := now.sight(a), ""
	if a.Gauge != nil {
		subject = a.Gauge.Subject
	}
	return Decision{
		Rule: r.Name, Axis: r.watched(subject), Level: a.Level, Side: a.Side, Episode: a.Episode,
		Reason: reason, Price: o.price, Time: o.time, Sent: sent,
	}
}
