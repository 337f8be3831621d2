package alerts

import (
	"fmt"
	"sort"

	"github.com/shopspring/decimal"
)

// Side is the side of the price on which a level lies.
type Side string

// The two sides from which a level is approached. Both are followed for every
// level, each with episodes of its own.
const (
	Down Side = "down" // the level lies below; the price comes from above
	Up   Side = "up"   // the level lies above; the price comes from below
)

// Phase is where an episode stands.
type Phase string

// The phases; docs/alerts.md draws them.
const (
	Armed       Phase = "armed"       // outside every approach distance
	Approaching Phase = "approaching" // within an approach distance
	Crossed     Phase = "crossed"     // at or past the level
	Receding    Phase = "receding"    // on the way out, by less than the margin so far
)

// Episode is one journey of the price to a level and away, from one side.
//
// It ends, and the next begins, when the price has receded by the rule's margin:
// from the level if it was crossed, else from the widest approach distance. An
// approach distance speaks at most once in an episode, the level itself too. In an
// episode that begins after a crossing, the approach distances that the price is
// still within count as said.
type Episode struct {
	// Subject is what a gauge rule's number is of, Name the same for people, Unit what
	// the number counts; empty for a level on an axis.
	Subject string `json:"subject,omitempty"`
	Name    string `json:"name,omitempty"`
	Unit    Unit   `json:"unit,omitempty"`

	Level  decimal.Decimal `json:"level"`
	Side   Side            `json:"side"`
	Number int             `json:"number"`
	Phase  Phase           `json:"phase"`
	// Reached is the deepest mark the price came to: an approach distance, 0 for the level.
	Reached decimal.NullDecimal `json:"reached"`
	// Told is the deepest mark that counts as said.
	Told decimal.NullDecimal `json:"told"`
	// Said tells that people were told something in this episode.
	Said bool `json:"said"`
	// Since is the chain time at which the episode began, unix seconds.
	Since uint64 `json:"since"`
	// Ahead is what lay between the price and the level when last the level was ahead.
	Ahead   Totals         `json:"ahead,omitzero"`
	Markets []MarketTotals `json:"markets,omitempty"`
	// Retired: the level left the rule. Should it come back, the next episode begins.
	Retired bool `json:"retired,omitempty"`
}

// move is what one observation did to one episode.
type move struct {
	decision Decision
	ended    Episode // the episode a re-arming ended
	after    Episode
	kind     Kind // of the alert it asks for; empty for none
	claim    string
	passed   []decimal.Decimal // approach distances passed on the way to the mark
}

// sight is one look as one episode sees it.
type sight struct {
	price decimal.Decimal
	time  uint64 // chain time, unix seconds
	// view is what lies between the price and the level; of a gauge, nothing.
	view LevelView
}

// sight is the observation as the episodes of a level see it.
func (o Observation) sight(level decimal.Decimal) sight {
	view, _ := o.view(level)
	return sight{price: o.Price, time: o.time(), view: view}
}

// gap is price and level as one side sees them.
type gap struct {
	side         Side
	price, level decimal.Decimal
}

// beyond: the price is at or past the level.
func (g gap) beyond() bool {
	if g.side == Down {
		return g.price.LessThanOrEqual(g.level)
	}
	return g.price.GreaterThanOrEqual(g.level)
}

// edge is the price at a distance from the level, on this side.
func (g gap) edge(d decimal.Decimal) decimal.Decimal {
	if g.side == Down {
		return g.level.Add(g.level.Abs().Mul(d))
	}
	return g.level.Sub(g.level.Abs().Mul(d))
}

// within: no further from the level than the distance; past the level is within.
func (g gap) within(d decimal.Decimal) bool {
	if g.side == Down {
		return g.price.LessThanOrEqual(g.edge(d))
	}
	return g.price.GreaterThanOrEqual(g.edge(d))
}

// receded: at least the distance away from the level, on this side.
func (g gap) receded(d decimal.Decimal) bool {
	if g.side == Down {
		return g.price.GreaterThanOrEqual(g.edge(d))
	}
	return g.price.LessThanOrEqual(g.edge(d))
}

// mark is the deepest mark the price is within: 0 at or past the level.
func (g gap) mark(r Rule) decimal.NullDecimal {
	if g.beyond() {
		return at(decimal.Zero)
	}
	var m decimal.NullDecimal
	for _, a := range r.Approach {
		if g.within(a) && deeper(at(a), m) {
			m = at(a)
		}
	}
	return m
}

func at(d decimal.Decimal) decimal.NullDecimal { return decimal.NewNullDecimal(d) }

// deeper reports that a is nearer to the level than b.
func deeper(a, b decimal.NullDecimal) bool {
	return a.Valid && (!b.Valid || a.Decimal.LessThan(b.Decimal))
}

// shallower is the one of two marks that is further from the level.
func shallower(a, b decimal.NullDecimal) decimal.NullDecimal {
	if deeper(a, b) {
		return b
	}
	return a
}

// start begins to follow a level from one side. A price that is at or past the
// level already says nothing: nobody saw it come.
func start(level decimal.Decimal, side Side, number int, o sight) (Episode, Reason) {
	e := Episode{Level: level, Side: side, Number: number, Phase: Armed, Since: o.time}
	if (gap{side, o.price, level}).beyond() {
		e.Phase, e.Reached, e.Told = Crossed, at(decimal.Zero), at(decimal.Zero)
		return e, ReasonBeyondAtStart
	}
	return e, ReasonStarted
}

// advance is the state machine: one episode and one look in, what happened out.
func advance(r Rule, e Episode, o sight) move {
	g := gap{e.Side, o.price, e.Level}
	before := e
	if !g.beyond() {
		e.Ahead, e.Markets = o.view.Totals, o.view.Markets
	}
	if away(r, before, g) {
		return rearm(r, before, e, g, o)
	}
	m := move{after: e}
	mark := g.mark(r)
	grown := !deeper(mark, e.Reached)
	switch {
	case e.Reached.Valid && !mark.Valid, crossed(e) && !g.beyond():
		m.after.Phase = Receding
	case g.beyond():
		m.after.Phase = Crossed
	case mark.Valid:
		m.after.Phase = Approaching
	}
	reason := phaseReason(before.Phase, m.after.Phase)
	if deeper(mark, e.Reached) {
		m.after.Reached = mark
	}
	if deeper(mark, e.Told) {
		reason = speak(r, &m, mark, grown)
	}
	if m.kind != "" || m.after.Phase != before.Phase || !same(m.after.Reached, before.Reached) {
		m.decision = decide(r, before, m.after, o, reason, m.kind != "")
	}
	return m
}

func crossed(e Episode) bool { return e.Reached.Valid && e.Reached.Decimal.IsZero() }

func same(a, b decimal.NullDecimal) bool {
	return a.Valid == b.Valid && (!a.Valid || a.Decimal.Equal(b.Decimal))
}

// away reports that the episode ends: the price receded by the margin.
func away(r Rule, e Episode, g gap) bool {
	switch {
	case !e.Reached.Valid || g.beyond():
		return false
	case crossed(e):
		return g.receded(r.Rearm)
	}
	return g.receded(r.widest().Add(r.Rearm))
}

// rearm ends an episode and begins the next.
func rearm(r Rule, ended, e Episode, g gap, o sight) move {
	mark := g.mark(r)
	next := Episode{
		Subject: e.Subject, Name: e.Name, Unit: e.Unit, Level: e.Level, Side: e.Side, Number: e.Number + 1, Phase: Armed, Since: o.time,
		Ahead: e.Ahead, Markets: e.Markets, Reached: mark, Told: shallower(mark, e.Told),
	}
	if mark.Valid {
		next.Phase = Approaching
	}
	m := move{ended: ended, after: next}
	reason := ReasonNothingSaid
	if ended.Said {
		reason, m.kind, m.claim = ReasonRearmed, KindRearmed, claim(r, ended, "rearmed")
	}
	m.decision = decide(r, ended, next, o, reason, ended.Said)
	return m
}

// speak decides whether a mark that was not told yet is told now.
func speak(r Rule, m *move, mark decimal.NullDecimal, grown bool) Reason {
	e := &m.after
	isCrossing := mark.Decimal.IsZero()
	// Whoever was told that the price comes is told that it came, however little is left.
	if !isCrossing || !e.Said {
		// Without a minimum the price alone is news, even with nothing at risk.
		if e.Ahead.AtRiskUSD.LessThan(r.MinAtRiskUSD) {
			if e.Ahead.Accounts == 0 {
				return ReasonNothingAtRisk
			}
			return ReasonBelowMinimum
		}
	}
	for _, a := range r.Approach {
		if a.GreaterThan(mark.Decimal) && deeper(at(a), e.Told) {
			m.passed = append(m.passed, a)
		}
	}
	sort.Slice(m.passed, func(i, j int) bool { return m.passed[i].GreaterThan(m.passed[j]) })
	m.claim = claim(r, *e, mark.Decimal.String())
	m.kind = KindApproach
	e.Told, e.Said = mark, true
	switch {
	case isCrossing:
		m.kind = KindCrossing
		return ReasonCrossed
	case grown:
		return ReasonGrew
	}
	return ReasonApproach
}

// phaseReason explains a change of phase in which nothing is told.
func phaseReason(from, to Phase) Reason {
	switch {
	case to == Receding:
		return ReasonReceding
	case from == Receding:
		return ReasonReturned
	case to == Crossed:
		return ReasonCrossed
	}
	return ReasonApproach
}

func decide(r Rule, from, to Episode, o sight, reason Reason, sent bool) Decision {
	return Decision{
		Rule: r.Name, Axis: r.watched(to.Subject), Level: to.Level, Side: to.Side, Episode: from.Number,
		From: from.Phase, To: to.Phase, Reason: reason, Price: o.price, Time: o.time, Sent: sent,
	}
}

// id names the level and side an episode is of.
func (e Episode) id() string { return fmt.Sprintf("%s|%s", e.Level, e.Side) }
