package alerts

import (
	"github.com/shopspring/decimal"
)

// Last is what was last told of a level by a rule, on one side. It outlives the episode.
type Last struct {
	Kind  Kind            `json:"kind"`
	Time  uint64          `json:"time"` // chain time, unix seconds
	Price decimal.Decimal `json:"price"`
	// Said is what the alert said lay between the price and the level.
	Said Amount `json:"said,omitzero"`
	// From is that price, or, past the level, the one at which it was last ahead.
	From decimal.Decimal `json:"from,omitzero"`
	// Then is what lay between From and the level by the positions of then, and Now the same stretch at the newest look that had the level ahead: what differs
	// is what positions did. Nil when nobody can say.
	Then *Amount `json:"then,omitempty"`
	Now  *Amount `json:"now,omitempty"`
	// Base is what growth is held against.
	Base decimal.Decimal `json:"base,omitzero"`
	// Growths counts the times growth was told in the episode.
	Growths int `json:"growths,omitempty"`
}

// Changed is what became different since a rule last spoke of a level, and by what.
//
// Between two looks a price can move and positions can change, and both change what
// lies before a level. They are told apart by asking the same question twice: the
// stretch from the price of the last alert to the level, by the positions of then and
// by those of now. What differs is Positions: what people did, interest, and other
// prices. The rest is Price: a longer or shorter way to the level. The two add up to
// Now less Before exactly. Of a crossing all is as of the last look before it.
type Changed struct {
	Kind  Kind            `json:"kind"` // of the last alert
	Time  uint64          `json:"time"` // its chain time, unix seconds
	Price decimal.Decimal `json:"price"`
	// Before is what the last alert said, Now what this one says; of a gauge, nothing.
	Before *Amount `json:"before,omitempty"`
	Now    *Amount `json:"now,omitempty"`
	// ByPositions and ByPrice are nil when they cannot be told apart.
	ByPositions *Amount `json:"by_positions,omitempty"`
	ByPrice     *Amount `json:"by_price,omitempty"`
}

// remember notes the stretch last told of as it is now.
func (e *Episode) remember(g gap, o sight) {
	if e.Last == nil || g.beyond() || e.Subject != "" {
		return
	}
	l := *e.Last
	l.Now = nil
	if l.Then != nil {
		if now, ok := o.between(l.From, e.Level); ok {
			l.Now = &now
		}
	}
	e.Last = &l
}

// changed compares an episode as it is with what was last told of its level.
func (e *Episode) changed() *Changed {
	l := e.Last
	if l == nil {
		return nil
	}
	c := &Changed{Kind: l.Kind, Time: l.Time, Price: l.Price}
	if e.Subject != "" {
		return c
	}
	before, now := l.Said, amount(e.Ahead)
	c.Before, c.Now = &before, &now
	if l.Then != nil && l.Now != nil {
		positions := l.Now.minus(*l.Then)
		price := now.minus(before).minus(positions)
		c.ByPositions, c.ByPrice = &positions, &price
	}
	return c
}

// say notes that something is told of the level now.
func (e *Episode) say(kind Kind, o sight) {
	l := &Last{Kind: kind, Time: o.time, Price: o.price}
	if e.Last != nil && e.Said {
		l.Growths = e.Last.Growths
	}
	if e.Subject == "" {
		l.Said, l.From = amount(e.Ahead), e.From
		if e.From.IsPositive() { // it is not in what an older version kept
			if then, ok := o.between(e.From, e.Level); ok {
				l.Then, l.Now, l.Base = &then, &then, then.AtRiskUSD
			}
		}
		if e.Course != nil && l.Said.AtRiskUSD.GreaterThan(e.Course.Most.AtRiskUSD) {
			c := *e.Course
			c.Most = l.Said
			e.Course = &c
		}
	}
	e.Last = l
}

// leastGrowth is what an amount must be for its growth to be news where a rule has
// no minimum: without it, one dollar that becomes two would be.
var leastGrowth = decimal.NewFromInt(1000)

// grow reports that what lies before the level has grown by the rule's part since it
// was last told, though the price stands still: over the same stretch of prices.
//
// An amount that shrinks takes what it is held against down with it, but always two
// steps behind: one that swings up and down by a step is told once, one that comes
// back from far lower is news.
func (e *Episode) grow(r Rule, g gap) bool {
	l := e.Last
	if !r.Growth.IsPositive() || !e.Said || l == nil || l.Now == nil || crossed(*e) || g.beyond() {
		return false
	}
	step := one.Add(r.Growth)
	if l.Now.AtRiskUSD.GreaterThanOrEqual(decimal.Max(l.Base, r.MinAtRiskUSD, leastGrowth).Mul(step)) {
		return e.Ahead.AtRiskUSD.GreaterThanOrEqual(r.MinAtRiskUSD)
	}
	if low := l.Now.AtRiskUSD.Mul(step).Mul(step); low.LessThan(l.Base) {
		next := *l
		next.Base = low
		e.Last = &next
	}
	return false
}
