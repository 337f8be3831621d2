package alerts

import (
	"cmp"
	"fmt"
	"slices"
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
	p := pass{rule: r, look: o, episodes: follow(r, s.Episodes(), o, &out), out: &out}
	if s.last().PriceChain != o.priceChain() {
		p.forgetHolds()
	}
	if err := p.run(); err != nil {
		return s, Outcome{}, err
	}
	next := s.clone()
	made := compose(r, s, p.moves, o)
	settle(r, &next, &out, made, observationScene{o})
	next.push(Checkpoint{
		PriceChain: o.priceChain(), Blocks: merge(s.Blocks(), o.Blocks), Price: o.Price, Episodes: p.episodes, Alerts: next.made,
	})
	next.made = nil
	next.prune(o.Final)
	return next, out, nil
}

// pass is one observation being applied to a rule's episodes.
type pass struct {
	rule     Rule
	look     Observation
	episodes []Episode
	out      *Outcome
	moves    []move
	err      error
}

// run advances every episode, on each side the furthest level first: where the price
// stands between two levels depends on the further one.
func (p *pass) run() error {
	order := make([]int, len(p.episodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := p.episodes[a], p.episodes[b]
		if x.Side != y.Side {
			return cmp.Compare(x.Side, y.Side)
		}
		if x.Side == Up {
			x, y = y, x
		}
		return x.Level.Cmp(y.Level)
	})
	through := map[Side]bool{Down: true, Up: true}
	for _, i := range order {
		e := &p.episodes[i]
		if e.Retired {
			continue
		}
		m := advance(p.rule, *e, p.sight(e.Level, through[e.Side]))
		*e = m.after
		through[e.Side] = e.Phase == Crossed || e.Phase == Inside
		p.out.Decisions = append(p.out.Decisions, m.decisions...)
		if m.kind != "" {
			p.moves = append(p.moves, m)
		}
	}
	return p.err
}

// sight is the observation as the episodes of a level see it.
func (p *pass) sight(level decimal.Decimal, through bool) sight {
	o := p.look.sight(level)
	o.through = through
	if p.look.Stretch == nil {
		return o
	}
	o.stretch = func(from, to decimal.Decimal) (Totals, bool) {
		t, err := p.look.Stretch(from, to)
		if err != nil && p.err == nil {
			p.err = fmt.Errorf("rule %q: what lies from %s to %s: %w", p.rule.Name, from, to, err)
		}
		return t, err == nil
	}
	return o
}

// forgetHolds drops what was counted by another chain's blocks.
func (p *pass) forgetHolds() {
	for i := range p.episodes {
		p.episodes[i].Holds, p.episodes[i].Leaving = nil, nil
	}
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
				e.Last = episodes[i].Last
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
		near := append(pick(moves, side, KindApproach), pick(moves, side, KindGrowth)...)
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
		Kind: m.kind, Reason: m.reason, Changed: m.changed, Severity: r.Severity, Rule: r.Name, Advice: r.Advice,
		Notify: r.Notify, Seen: o.Seen, Axis: r.Axis, Reference: o.Reference, Level: m.after.Level,
		Side: m.after.Side, Episode: episode, Price: o.Price, Previous: s.Price(), Totals: totals,
		Markets: markets, Now: o.Now, Blocks: o.Blocks, Digest: o.Digest,
		Market: o.Market, Beyond: o.next(m), Sketch: o.sketch(m),
	}
	if a.Severity == "" {
		a.Severity = m.kind.severity()
	}
	switch m.kind {
	case KindApproach:
		a.Mark, a.Passed = m.after.Told.Decimal, m.passed
	case KindCrossing:
		if m.after.From.IsPositive() {
			a.Previous = m.after.From // looks since then may have shown the price past the level, on hold
		}
	case KindRearmed:
		a.Ended = ended(group, o.time())
	}
	for _, g := range group {
		a.Claims = append(a.Claims, g.claim)
		if !m.kind.ofOneLevel() && !g.after.Level.Equal(m.after.Level) {
			a.Passed = append(a.Passed, g.after.Level)
		}
	}
	return a
}

// ofOneLevel: an alert of the kind speaks of one level, and of the distances passed.
func (k Kind) ofOneLevel() bool { return k == KindApproach || k == KindGrowth }

// levels are all levels an alert speaks of, the one it speaks for last.
func (a Alert) levels() []decimal.Decimal {
	if a.Kind.ofOneLevel() || a.Follows != nil && a.Follows.Kind.ofOneLevel() {
		return []decimal.Decimal{a.Level}
	}
	return append(append([]decimal.Decimal{}, a.Passed...), a.Level)
}
