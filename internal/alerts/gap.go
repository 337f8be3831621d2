package alerts

import (
	"github.com/shopspring/decimal"
)

// sight is one look as one episode sees it.
type sight struct {
	price decimal.Decimal
	time  uint64 // chain time, unix seconds
	block uint64 // of the chain that the price is read on
	// view is what lies between the price and the level; of a gauge, nothing.
	view LevelView
	// through: the rule's next level beyond this one has been reached too, or there is none.
	through bool
	// stretch is what lies between two prices by the positions of this look; false
	// when nobody can say.
	stretch func(from, to decimal.Decimal) (Totals, bool)
}

// between is what lies on the way from a price to the level now; false when it
// is not known.
func (o sight) between(from, level decimal.Decimal) (Amount, bool) {
	if o.stretch != nil {
		t, ok := o.stretch(from, level)
		return amount(t), ok
	}
	return amount(o.view.Totals), from.Equal(o.price)
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
	if d.IsZero() {
		return g.beyond()
	}
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

// deeperThan: the price is further on the way to the level, or past it, than another.
func (g gap) deeperThan(other decimal.Decimal) bool {
	if g.side == Down {
		return g.price.LessThan(other)
	}
	return g.price.GreaterThan(other)
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

func same(a, b decimal.NullDecimal) bool {
	return a.Valid == b.Valid && (!a.Valid || a.Decimal.Equal(b.Decimal))
}
