package thresholds

import (
	"math"

	"liqwatch/protocols"
)

// columns are one market's positions on one path, struct of arrays: floats that
// choose candidates. Nothing in them is reported.
//
// Positions are numbered as in the book. Per position with three terms:
// 30 bytes of terms, 4 of offset, 9 of hull, 4 of root.
type columns struct {
	first []uint32 // terms of i are [first[i], first[i+1])
	asset []uint16
	coef  []float64

	lo, hi []float32 // the hull, rounded outward
	flags  []uint8
	root   []float32 // where linear health is zero; NaN where nowhere, or not once

	down, up sorted
}

const (
	flagLeft     = 1 << iota // liquidatable below lo
	flagRight                // liquidatable above hi
	flagUnpriced             // not to be judged
)

// load reads all positions of a book along segments.
func (c *columns) load(b protocols.Book, segments []protocols.Segment, top float64) {
	n := b.Len()
	c.first = make([]uint32, 1, n+1)
	c.lo, c.hi = make([]float32, n), make([]float32, n)
	c.flags, c.root = make([]uint8, n), make([]float32, n)
	var terms []protocols.Term
	for i := range n {
		terms = b.Terms(i, terms[:0])
		if i == 0 {
			c.coef, c.asset = make([]float64, 0, n*len(terms)), make([]uint16, 0, n*len(terms))
		}
		for _, t := range terms {
			c.coef, c.asset = append(c.coef, t.Coef), append(c.asset, uint16(t.Asset))
		}
		c.first = append(c.first, uint32(len(c.coef)))
		if b.Unpriced(i) {
			c.flags[i] = flagUnpriced
			c.root[i] = float32(math.NaN())
			continue
		}
		c.place(i, terms, segments, top)
	}
}

// place computes the hull and root of one position.
func (c *columns) place(i int, terms []protocols.Term, segments []protocols.Segment, top float64) {
	var buf [12]stretch
	h := hullOf(stretches(terms, segments, 1, top, buf[:0]))
	c.lo[i], c.hi[i] = floor32(h.lo), ceil32(h.hi)
	c.flags[i] = 0
	if h.left {
		c.flags[i] |= flagLeft
	}
	if h.right {
		c.flags[i] |= flagRight
	}
	c.root[i] = float32(math.NaN())
	if h.left != h.right {
		c.root[i] = float32(rootWithin(terms, segments, h))
	}
}

// rootWithin is the zero of linear health inside a hull that changes sides once.
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

// state is what floats say of a position at a place.
func (c *columns) state(i int, place float64) state {
	f := c.flags[i]
	switch {
	case f&flagUnpriced != 0:
		return healthy
	case place < float64(c.lo[i]):
		return sure(f & flagLeft)
	case place > float64(c.hi[i]):
		return sure(f & flagRight)
	}
	return unsure
}

func sure(flag uint8) state {
	if flag != 0 {
		return liquidatable
	}
	return healthy
}

// floor32 and ceil32 round outward, so that a hull never loses a place.
func floor32(f float64) float32 {
	r := float32(f)
	if float64(r) > f {
		r = math.Nextafter32(r, float32(math.Inf(-1)))
	}
	return r
}

func ceil32(f float64) float32 {
	r := float32(f)
	if float64(r) < f {
		r = math.Nextafter32(r, float32(math.Inf(1)))
	}
	return r
}
