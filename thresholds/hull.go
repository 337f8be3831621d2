package thresholds

import (
	"math"

	"liqwatch/protocols"
)

// hull is what the hot columns keep of a position: floats are sure below lo and
// above hi; between, the predicate is asked.
type hull struct {
	lo, hi      float64
	left, right bool // liquidatable below lo, above hi
}

func hullOf(s []stretch) hull {
	if len(s) == 0 {
		return hull{0, math.Inf(1), false, false}
	}
	first, last := s[0], s[len(s)-1]
	if len(s) == 1 && first.state != unsure {
		sure := first.state == liquidatable
		return hull{0, 0, sure, sure}
	}
	h := hull{lo: first.to, hi: last.from, left: first.state == liquidatable, right: last.state == liquidatable}
	if first.state == unsure {
		h.lo = 0
	}
	if last.state == unsure {
		h.hi = math.Inf(1)
	}
	return h
}

// hull is hullOf for a path of one segment from place 1 to top, with the root
// where health changes sides, without building the stretches: the hot loop of a
// rebuild.
func (l line) hull(top float64) (hull, float64) {
	first, last := l.state(1), l.state(top)
	if first == last && first != unsure {
		// A line has one sign change; an uncertain dip between two equal, certain ends
		// cannot be.
		sure := first == liquidatable
		return hull{0, 0, sure, sure}, math.NaN()
	}
	h := hull{0, math.Inf(1), first == liquidatable, last == liquidatable}
	a, b := l.cuts()
	if first != unsure {
		h.lo = firstOf(a, b, top)
	}
	if last != unsure {
		h.hi = lastOf(a, b)
	}
	if h.left != h.right {
		return h, root(l.c, l.s)
	}
	return h, math.NaN()
}

// firstOf is the first cut in (1, top), top when there is none.
func firstOf(a, b, top float64) float64 {
	switch {
	case a > 1 && a < top:
		return a
	case b > 1 && b < top:
		return b
	}
	return top
}

// lastOf is the last cut above 1, 1 when there is none.
func lastOf(a, b float64) float64 {
	switch {
	case b > 1:
		return b
	case a > 1:
		return a
	}
	return 1
}

// rootWithin is where linear health changes sides inside a hull.
func rootWithin(terms []protocols.Term, segments []protocols.Segment, h hull) float64 {
	for k := range segments {
		if segments[k].To < h.lo || segments[k].From > h.hi {
			continue
		}
		l := lineOf(terms, &segments[k])
		r := root(l.c, l.s)
		if r >= math.Max(h.lo, segments[k].From) && r <= math.Min(h.hi, segments[k].To) {
			return r
		}
	}
	return mid(h.lo, h.hi)
}
