package thresholds

import (
	"math"

	"liqwatch/protocols"
)

// Tolerance is the part of a position's value within which a float says nothing:
// there the protocol's own predicate is asked. Aave before 3.5 cuts the average
// threshold to whole basis points, which takes up to 1e-4 of the collateral: 5e-4 of
// the debt where the average threshold is 20 %, the lowest provided for. Ten minutes
// of interest lie within it as well, where thresholds are higher.
const Tolerance = 5e-4

// state is what floats say of a stretch of places.
type state uint8

const (
	healthy state = iota
	liquidatable
	unsure
)

// stretch is a run of places of one state; ends are floats, in places.
type stretch struct {
	from, to float64
	state    state
}

// line is a position's health along one segment: f = c + s*place is weighted
// collateral minus debt, and |f| <= gc + gs*place is too close to call.
type line struct{ c, s, gc, gs float64 }

// add takes one term along its asset's price line.
func (l *line) add(coef float64, price *protocols.Line) {
	l.c += coef * price.Const
	l.s += coef * price.Slope
	gc, gs := tolerance(price)
	l.gc += math.Abs(coef) * gc
	l.gs += math.Abs(coef) * gs
}

// tolerance is the line of what a price leaves unsure, per unit of coefficient.
func tolerance(price *protocols.Line) (gc, gs float64) {
	// Half of the gross value is the debt, where it matters: at the edge. Two units
	// of price are what an oracle's adapters can round.
	return Tolerance/2*math.Abs(price.Const) + 2, Tolerance / 2 * math.Abs(price.Slope)
}

// lineOf sums a position's terms along a segment.
func lineOf(terms []protocols.Term, seg *protocols.Segment) line {
	var l line
	for _, t := range terms {
		l.add(t.Coef, &seg.Lines[t.Asset])
	}
	// Every leg is rounded to a quote unit, and so is the comparison.
	l.gc += float64(len(terms)) + 2
	return l
}

// cuts are where health leaves certainty and where it enters the certainty of
// being liquidatable, in ascending order; NaN where there is no such place.
func (l line) cuts() (float64, float64) {
	// Healthy where f-g > 0, liquidatable where f+g < 0: two half-lines.
	a, b := root(l.c-l.gc, l.s-l.gs), root(l.c+l.gc, l.s+l.gs)
	if b < a {
		return b, a
	}
	return a, b
}

// classify appends the stretches of one segment, clipped to [from, to].
func (l line) classify(from, to float64, dst []stretch) []stretch {
	a, b := l.cuts()
	for _, c := range [2]float64{a, b} {
		if c > from && c < to {
			dst = push(dst, stretch{from, c, l.state(mid(from, c))})
			from = c
		}
	}
	return push(dst, stretch{from, to, l.state(mid(from, to))})
}

func (l line) state(p float64) state {
	f, g := l.c+l.s*p, l.gc+l.gs*p
	switch {
	case f > g:
		return healthy
	case f < -g:
		return liquidatable
	}
	return unsure // NaN as well
}

// root is where c + s*x = 0, NaN when nowhere.
func root(c, s float64) float64 {
	if s == 0 {
		return math.NaN()
	}
	return -c / s
}

func mid(a, b float64) float64 {
	if math.IsInf(b, 1) {
		return a + 1
	}
	return a + (b-a)/2
}

// push appends a stretch, melting it into its neighbour when the state is the same.
func push(dst []stretch, s stretch) []stretch {
	if n := len(dst); n > 0 && dst[n-1].state == s.state {
		dst[n-1].to = s.to
		return dst
	}
	return append(dst, s)
}

// stretches cover all places from bottom to top in order.
func stretches(terms []protocols.Term, segments []protocols.Segment, bottom, top float64, dst []stretch) []stretch {
	for k := range segments {
		from, to := math.Max(segments[k].From, bottom), math.Min(segments[k].To, top)
		if to < from || (to == from && len(dst) > 0) {
			continue
		}
		dst = lineOf(terms, &segments[k]).classify(from, to, dst)
	}
	return dst
}
