package alerts

import (
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
	next.Checkpoints = next.Checkpoints[:keep]
	// What was in doubt already waits for the further of the two branches.
	for i := range next.Doubts {
		if next.Doubts[i].Chain == chain {
			next.Doubts[i].Until = max(next.Doubts[i].Until, until)
		}
	}
	for _, c := range s.Checkpoints[keep:] {
		for _, a := range c.Alerts {
			next.Doubts = append(next.Doubts, Doubt{Alert: a, Open: slices.Clone(a.Claims), Chain: chain, Until: until})
		}
	}
	return next, nil
}

// settle holds new alerts against those in doubt: what was said already is not
// repeated, and what did not come true again is corrected.
func settle(r Rule, s *State, out *Outcome, made []Alert, o Observation) {
	for _, a := range made {
		var fresh []string
		for _, c := range a.Claims {
			if held, ok := s.confirm(c); ok {
				held.Claims = []string{c}
				s.made = append(s.made, held)
				out.Decisions = append(out.Decisions, about(r, held, o, ReasonStillTrue, false))
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
	s.correct(r, out, o)
}

// confirm takes a claim out of doubt and gives the alert that made it.
func (s *State) confirm(c string) (Alert, bool) {
	for i, d := range s.Doubts {
		j := slices.Index(d.Open, c)
		if j < 0 {
			continue
		}
		d.Open = slices.Delete(slices.Clone(d.Open), j, j+1)
		s.Doubts[i] = d
		if len(d.Open) == 0 {
			s.Doubts = slices.Delete(s.Doubts, i, i+1)
		}
		return d.Alert, true
	}
	return Alert{}, false
}

// narrow leaves in an alert only what was not said before, and keys it.
func (s *State) narrow(a Alert, fresh []string) Alert {
	if len(fresh) < len(a.Claims) && a.Kind != KindApproach {
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
func (s *State) correct(r Rule, out *Outcome, o Observation) {
	var left []Doubt
	for _, d := range s.Doubts {
		if b, ok := of(o.Blocks, d.Chain); !ok || b.Number < d.Until {
			left = append(left, d)
			continue
		}
		out.Alerts = append(out.Alerts, s.correction(r, d, o))
		out.Decisions = append(out.Decisions, about(r, d.Alert, o, ReasonOrphaned, true))
		for _, c := range d.Open {
			if s.Revisions == nil {
				s.Revisions = map[string]int{}
			}
			s.Revisions[c]++
		}
	}
	s.Doubts = left
}

func (s *State) correction(r Rule, d Doubt, o Observation) Alert {
	was := d.Alert
	a := Alert{
		Key: "correction|" + s.key(d.Open[0]), Kind: KindCorrection, Reason: ReasonOrphaned, Severity: r.Severity,
		Rule: was.Rule, Notify: was.Notify, Seen: o.Seen, Axis: was.Axis, Reference: o.Reference, Level: was.Level,
		Side: was.Side, Episode: was.Episode, Mark: was.Mark, Price: o.Price, Now: o.Now, Blocks: o.Blocks, Digest: o.Digest,
		Withdraws: d.Open,
		Corrects:  &Corrected{Key: was.Key, Kind: was.Kind, Levels: was.levels(), Side: was.Side, Price: was.Price, Blocks: was.Blocks},
	}
	if v, ok := o.view(was.Level); ok {
		a.Totals, a.Markets = v.Totals, v.Markets
	}
	if a.Severity == "" {
		a.Severity = KindCorrection.severity()
	}
	return a
}

func about(r Rule, a Alert, o Observation, reason Reason, sent bool) Decision {
	return Decision{
		Rule: r.Name, Axis: r.Axis, Level: a.Level, Side: a.Side, Episode: a.Episode,
		Reason: reason, Price: o.Price, Time: o.time(), Sent: sent,
	}
}
