package alerts

import (
	"sort"

	"github.com/shopspring/decimal"
)

// Outcome is what one observation led to.
type Outcome struct {
	Alerts    []Alert
	Decisions []Decision
}

// Advance applies an observation to a rule's state. It is pure: the given state
// is not changed. An observation of blocks that were applied already changes nothing, so that a block looked at twice is told once.
func Advance(r Rule, s State, o Observation) (State, Outcome, error) {
	if err := o.check(r); err != nil {
		return s, Outcome{}, err
	}
	if s.covers(o.Blocks) {
		return s, Outcome{Decisions: []Decision{{
			Rule: r.Name, Axis: r.Axis, Reason: ReasonAlreadySeen, Price: o.Price, Time: o.time(),
		}}}, nil
	}
	var out Outcome
	episodes := follow(r, s.Episodes(), o, &out)
	var moves []move
	for i := range episodes {
		if episodes[i].Retired {
			continue
		}
		m := advance(r, episodes[i], o.sight(episodes[i].Level))
		episodes[i] = m.after
		if m.decision.Reason != "" {
			out.Decisions = append(out.Decisions, m.decision)
		}
		if m.kind != "" {
			moves = append(moves, m)
		}
	}
	next := s.clone()
	made := compose(r, s, moves, o)
	settle(r, &next, &out, made, observationScene{o})
	next.push(Checkpoint{
		PriceChain: o.priceChain(), Blocks: merge(s.Blocks(), o.Blocks), Price: o.Price, Episodes: episodes, Alerts: next.made,
	})
	next.made = nil
	next.prune(o.Final)
	return next, out, nil
}

// follow brings the list of episodes in line with the rule's levels.
func follow(r Rule, have []Episode, o Observation, out *Outcome) []Episode {
	episodes := make([]Episode, 0, 2*len(r.Levels))
	known := map[string]int{}
	for _, e := range have {
		if !has(r.Levels, e.Level) && !e.Retired {
			was := e
			e.Retired = true
			out.Decisions = append(out.Decisions, decide(r, was, e, o.sight(e.Level), ReasonRetired, false))
		}
		known[e.id()] = len(episodes)
		episodes = append(episodes, e)
	}
	for _, level := range r.Levels {
		for _, side := range []Side{Down, Up} {
			i, ok := known[Episode{Level: level, Side: side}.id()]
			number := 1
			if ok {
				if !episodes[i].Retired {
					continue
				}
				number = episodes[i].Number + 1
			}
			e, reason := start(level, side, number, o.sight(level))
			out.Decisions = append(out.Decisions, decide(r, e, e, o.sight(level), reason, false))
			if ok {
				episodes[i] = e
			} else {
				episodes = append(episodes, e)
			}
		}
	}
	return episodes
}

// compose turns moves into alerts: one for each level approached, and one for all
// levels crossed (or re-armed) on a side at once, which speaks for the deepest and
// names those passed.
func compose(r Rule, s State, moves []move, o Observation) []Alert {
	var alerts []Alert
	for _, side := range []Side{Down, Up} {
		for _, kind := range []Kind{KindRearmed, KindCrossing} {
			group := pick(moves, side, kind)
			if len(group) == 0 {
				continue
			}
			// The furthest level in the direction the price went comes last.
			falling := (side == Down) == (kind == KindCrossing)
			sort.Slice(group, func(i, j int) bool {
				return group[i].after.Level.GreaterThan(group[j].after.Level) == falling
			})
			alerts = append(alerts, alert(r, s, group, o))
		}
		near := pick(moves, side, KindApproach)
		sort.Slice(near, func(i, j int) bool {
			return distance(o.Price, near[i].after.Level).LessThan(distance(o.Price, near[j].after.Level))
		})
		for _, m := range near {
			alerts = append(alerts, alert(r, s, []move{m}, o))
		}
	}
	return alerts
}

func pick(moves []move, side Side, kind Kind) []move {
	var group []move
	for _, m := range moves {
		if m.after.Side == side && m.kind == kind {
			group = append(group, m)
		}
	}
	return group
}

// alert makes one alert of moves of a kind; the last one is the one it speaks for.
func alert(r Rule, s State, group []move, o Observation) Alert {
	m := group[len(group)-1]
	episode, totals, markets := m.after.Number, m.after.Ahead, m.after.Markets
	if m.kind == KindRearmed {
		episode = m.ended.Number
	}
	a := Alert{
		Kind: m.kind, Reason: m.decision.Reason, Severity: r.Severity, Rule: r.Name, Advice: r.Advice,
		Notify: r.Notify, Seen: o.Seen, Axis: r.Axis, Reference: o.Reference, Level: m.after.Level,
		Side: m.after.Side, Episode: episode, Price: o.Price, Previous: s.Price(), Totals: totals,
		Markets: markets, Now: o.Now, Blocks: o.Blocks, Digest: o.Digest,
		Market: o.Market, Beyond: o.next(m), Sketch: o.sketch(m),
	}
	if a.Severity == "" {
		a.Severity = m.kind.severity()
	}
	if m.kind == KindApproach {
		a.Mark, a.Passed = m.after.Told.Decimal, m.passed
	}
	for _, g := range group {
		a.Claims = append(a.Claims, g.claim)
		if m.kind != KindApproach && !g.after.Level.Equal(m.after.Level) {
			a.Passed = append(a.Passed, g.after.Level)
		}
	}
	return a
}

// levels are all levels an alert speaks of, the one it speaks for last.
func (a Alert) levels() []decimal.Decimal {
	if a.Kind == KindApproach {
		return []decimal.Decimal{a.Level}
	}
	return append(append([]decimal.Decimal{}, a.Passed...), a.Level)
}
