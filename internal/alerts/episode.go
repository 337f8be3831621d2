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
	Inside      Phase = "inside"      // past the level, before the rule's next one
	Crossed     Phase = "crossed"     // at or past the level, and the next one too if there is one
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
	// From is the price at which the level was last ahead; zero when it never was.
	From decimal.Decimal `json:"from,omitzero"`
	// Holds are marks touched that do not count yet. Leaving is the block since which
	// the price is away by the margin, while that does not count yet.
	Holds   []Hold  `json:"holds,omitempty"`
	Leaving *uint64 `json:"leaving,omitempty"`
	// Course is what the episode has been like since its first mark; nil before.
	Course *Course `json:"course,omitempty"`
	// Last is what was last told of the level, in this episode or before; nil before that.
	Last *Last `json:"last,omitempty"`
	// Retired: the level left the rule. Should it come back, the next episode begins.
	Retired bool `json:"retired,omitempty"`
}

// move is what one look did to one episode.
type move struct {
	decisions []Decision
	reason    Reason  // of the alert
	ended     Episode // the episode a re-arming ended
	after     Episode
	changed   *Changed
	kind      Kind // of the alert it asks for; empty for none
	claim     string
	passed    []decimal.Decimal // approach distances passed on the way to the mark
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
func advance(r Rule, before Episode, o sight) move {
	e, g := before, gap{before.Side, o.price, before.Level}
	if !g.beyond() {
		e.Ahead, e.Markets = o.view.Totals, o.view.Markets
		if e.Subject == "" {
			e.From = o.price
		}
	}
	e.remember(g, o)
	if leave(r, &e, g, o) {
		return rearm(r, before, e, g, o)
	}
	mark := touch(r, &e, g, o)
	grown := !deeper(mark, e.Reached)
	if deeper(mark, e.Reached) {
		e.Reached = mark
	}
	e.Phase = phase(before, e, g, mark, o)
	e.follow(r, g, o)
	m := move{after: e, reason: phaseReason(before.Phase, e.Phase)}
	switch {
	case deeper(mark, e.Told):
		m.reason = speak(r, &m, o, mark, grown)
	case mark.Valid && m.after.grow(r, g):
		m.tell(r, KindGrowth, fmt.Sprintf("growth%d", e.Last.Growths+1), o)
		m.after.Last.Growths++
		m.reason = ReasonGrowth
	}
	if m.kind != "" || e.Phase != before.Phase || !same(e.Reached, before.Reached) {
		m.decide(r, before, o, m.reason)
	}
	for _, reason := range waits(before, e) {
		m.decisions = append(m.decisions, decide(r, before, m.after, o, reason, false))
	}
	return m
}

func crossed(e Episode) bool { return e.Reached.Valid && e.Reached.Decimal.IsZero() }

// phase is where an episode stands after a look: e has the marks that count.
func phase(before, e Episode, g gap, mark decimal.NullDecimal, o sight) Phase {
	switch {
	case e.Reached.Valid && !mark.Valid, crossed(e) && !g.beyond():
		return Receding
	case crossed(e) && o.through:
		return Crossed
	case crossed(e):
		return Inside
	case mark.Valid:
		return Approaching
	}
	return before.Phase
}

// rearm ends an episode and begins the next.
func rearm(r Rule, ended, e Episode, g gap, o sight) move {
	mark := g.mark(r)
	next := Episode{
		Subject: e.Subject, Name: e.Name, Unit: e.Unit, Level: e.Level, Side: e.Side, Number: e.Number + 1, Phase: Armed, Since: o.time,
		Ahead: e.Ahead, Markets: e.Markets, From: e.From, Reached: mark, Told: shallower(mark, e.Told), Last: e.Last,
	}
	if mark.Valid {
		next.Phase = Approaching
		next.follow(r, g, o)
	}
	m := move{ended: ended, after: next, reason: ReasonNothingSaid}
	m.end(r, ReasonRearmed, o)
	m.decide(r, ended, o, m.reason)
	return m
}

// end tells that an episode is over, if anything was told in it.
func (m *move) end(r Rule, reason Reason, o sight) {
	if !m.ended.Said {
		return
	}
	m.reason, m.kind, m.claim = reason, KindRearmed, claim(r, m.ended, "rearmed")
	m.after.say(KindRearmed, o)
}

// tell asks for an alert about the episode as it is after the look.
func (m *move) tell(r Rule, kind Kind, mark string, o sight) {
	m.kind, m.claim, m.changed = kind, claim(r, m.after, mark), m.after.changed()
	m.after.say(kind, o)
	m.after.Said = true
}

// speak decides whether a mark that was not told yet is told now.
func speak(r Rule, m *move, o sight, mark decimal.NullDecimal, grown bool) Reason {
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
	kind, reason := KindApproach, ReasonApproach
	switch {
	case isCrossing:
		kind, reason = KindCrossing, ReasonCrossed
	case grown:
		reason = ReasonGrew
	}
	m.tell(r, kind, mark.Decimal.String(), o)
	e.Told = mark
	return reason
}

// phaseReason explains a change of phase in which nothing is told.
func phaseReason(from, to Phase) Reason {
	switch {
	case to == Receding:
		return ReasonReceding
	case from == Receding:
		return ReasonReturned
	case from == Inside && to == Crossed:
		return ReasonPassed
	case from == Crossed && to == Inside:
		return ReasonInside
	case to == Crossed, to == Inside:
		return ReasonCrossed
	}
	return ReasonApproach
}

func (m *move) decide(r Rule, from Episode, o sight, reason Reason) {
	m.decisions = append(m.decisions, decide(r, from, m.after, o, reason, m.kind != ""))
}

func decide(r Rule, from, to Episode, o sight, reason Reason, sent bool) Decision {
	return Decision{
		Rule: r.Name, Axis: r.watched(to.Subject), Level: to.Level, Side: to.Side, Episode: from.Number,
		From: from.Phase, To: to.Phase, Reason: reason, Price: o.price, Time: o.time, Sent: sent,
	}
}

// id names the level and side an episode is of.
func (e Episode) id() string { return fmt.Sprintf("%s|%s", e.Level, e.Side) }
