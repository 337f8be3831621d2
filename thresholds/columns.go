package thresholds

import (
	"math"

	"liqwatch/protocols"
)

// columns are one market's positions on one path, struct of arrays: floats that
// choose candidates. Nothing in them is reported.
//
// Positions are numbered as in the book. A position takes 10 bytes a term, 6 to
// find them, 9 for its hull, 12 for root and worth, and 24 in a sorted side.
type columns struct {
	first []uint32 // terms of i are [first[i], first[i]+count[i])
	count []uint16
	asset []uint16
	coef  []float64
	waste int // terms that no position refers to any more

	lo, hi []float32 // the hull, rounded outward
	flags  []uint8
	root   []float32 // where linear health changes sides; NaN where nowhere, or not once
	worth  []worth

	below, above side
}

// worth is what a position adds to the running sums: USD at current prices.
type worth struct{ debt, coll float32 }

const (
	flagLeft     = 1 << iota // liquidatable below lo
	flagRight                // liquidatable above hi
	flagUnpriced             // not to be judged
)

// load reads all positions of a book.
func (c *columns) load(b protocols.Book) {
	n := b.Len()
	*c = columns{first: make([]uint32, n), count: make([]uint16, n), flags: make([]uint8, n)}
	c.lo, c.hi, c.root = make([]float32, n), make([]float32, n), make([]float32, n)
	c.worth = make([]worth, n)
	// Counted first, so that the columns are as long as they need to be.
	var terms []protocols.Term
	total := 0
	for i := range n {
		terms = b.Terms(i, terms[:0])
		total += len(terms)
	}
	c.coef, c.asset = make([]float64, 0, total), make([]uint16, 0, total)
	for i := range n {
		terms = b.Terms(i, terms[:0])
		c.first[i], c.count[i] = uint32(len(c.coef)), uint16(len(terms))
		for _, t := range terms {
			c.coef, c.asset = append(c.coef, t.Coef), append(c.asset, uint16(t.Asset))
		}
		if b.Unpriced(i) {
			c.flags[i] = flagUnpriced
		}
	}
}

// store writes one position's terms, in place where they fit.
func (c *columns) store(i int, terms []protocols.Term, unpriced bool) {
	c.flags[i] = 0
	if unpriced {
		c.flags[i] = flagUnpriced
	}
	if len(terms) > int(c.count[i]) {
		c.waste += int(c.count[i])
		c.first[i] = uint32(len(c.coef))
		for range terms {
			c.coef, c.asset = append(c.coef, 0), append(c.asset, 0)
		}
	} else {
		c.waste += int(c.count[i]) - len(terms)
	}
	c.count[i] = uint16(len(terms))
	for k, t := range terms {
		at := int(c.first[i]) + k
		c.coef[at], c.asset[at] = t.Coef, uint16(t.Asset)
	}
}

// grow adds room for n positions in all.
func (c *columns) grow(n int) {
	for len(c.first) < n {
		c.first, c.count = append(c.first, uint32(len(c.coef))), append(c.count, 0)
		c.lo, c.hi = append(c.lo, 0), append(c.hi, 0)
		c.flags, c.root = append(c.flags, 0), append(c.root, float32(math.NaN()))
		c.worth = append(c.worth, worth{})
	}
}

// view is what positions are placed against: the path's lines and what a quote
// unit is worth.
type view struct {
	segments []protocols.Segment
	top      float64
	slopes   []slope // of the first segment, by asset
	usd      float64 // per quote unit
}

// slope is one asset's price line with its tolerance, and its price now.
type slope struct{ c, s, gc, gs, now float64 }

// rebuild places every position and sorts both sides.
func (c *columns) rebuild(v *view) {
	n := len(c.first)
	room := scratches.Get().(*scratch)
	defer scratches.Put(room)
	room.keys, room.order = resize(room.keys, n), resize(room.order, n)
	keys, order := room.keys, room.order
	// Keys of the side below are written from the front, those above from the back.
	front, back := 0, n
	for i := range n {
		c.place(i, v)
		if root := c.root[i]; root >= 0 {
			switch c.flags[i] {
			case flagLeft:
				keys[front], order[front] = rootKey(root), uint32(i)
				front++
			case flagRight:
				back--
				keys[back], order[back] = rootKey(root), uint32(i)
			}
		}
	}
	c.below.build(c, keys[:front], order[:front])
	c.above.build(c, keys[back:], order[back:])
}

// place computes the hull, root and worth of one position.
func (c *columns) place(i int, v *view) {
	if c.flags[i]&flagUnpriced != 0 {
		c.lo[i], c.hi[i], c.root[i] = 0, 0, float32(math.NaN())
		return
	}
	l, w := c.sum(i, v.slopes)
	c.worth[i] = worth{float32(w.debt * v.usd), float32(w.coll * v.usd)}
	var h hull
	var root float64
	if len(v.segments) == 1 {
		h, root = l.hull(v.top)
	} else {
		h, root = c.bent(i, v)
	}
	c.lo[i], c.hi[i], c.root[i] = floor32(h.lo), ceil32(h.hi), float32(root)
	var f uint8
	if h.left {
		f |= flagLeft
	}
	if h.right {
		f |= flagRight
	}
	c.flags[i] = f
}

// sum is a position's health along the first segment and what it is worth now.
func (c *columns) sum(i int, slopes []slope) (l line, w struct{ debt, coll float64 }) {
	at, n := int(c.first[i]), int(c.count[i])
	assets := c.asset[at : at+n]
	for k, coef := range c.coef[at : at+n] {
		p := &slopes[assets[k]]
		l.c += coef * p.c
		l.s += coef * p.s
		if coef < 0 {
			w.debt -= coef * p.now
		} else {
			w.coll += coef * p.now
		}
		coef = math.Abs(coef)
		l.gc += coef * p.gc
		l.gs += coef * p.gs
	}
	l.gc += float64(n) + 2
	return l, w
}

// bent places a position on a path of several segments.
func (c *columns) bent(i int, v *view) (hull, float64) {
	var buf [8]protocols.Term
	var runs [12]stretch
	terms := c.terms(i, buf[:0])
	h := hullOf(stretches(terms, v.segments, 1, v.top, runs[:0]))
	if h.left == h.right {
		return h, math.NaN()
	}
	return h, rootWithin(terms, v.segments, h)
}

func (c *columns) terms(i int, dst []protocols.Term) []protocols.Term {
	at := int(c.first[i])
	for k := range int(c.count[i]) {
		dst = append(dst, protocols.Term{Asset: int(c.asset[at+k]), Coef: c.coef[at+k]})
	}
	return dst
}

// members appends the positions of a piece that floats are sure are liquidatable at
// a place to dst, in order, asking about those they are not sure of.
func (c *columns) members(place float64, in piece, dst []int32, ask func(i int) bool) []int32 {
	// Rounded so that a comparison in 32 bits is never surer than one in 64.
	below, above := ceil32(place), floor32(place)
	lo, hi, flags := c.lo[in.from:in.to], c.hi[in.from:in.to], c.flags[in.from:in.to]
	for k, l := range lo {
		i := in.from + k
		switch f := flags[k]; {
		case f&flagUnpriced != 0:
		case below < l:
			if f&flagLeft != 0 {
				dst = append(dst, int32(i))
			}
		case above > hi[k]:
			if f&flagRight != 0 {
				dst = append(dst, int32(i))
			}
		default:
			if ask(i) {
				dst = append(dst, int32(i))
			}
		}
	}
	return dst
}

// verdict is what floats say of a position at a price vector; see [lineOf].
func (c *columns) verdict(i int, at []slope) state {
	if c.flags[i]&flagUnpriced != 0 {
		return unsure
	}
	l, _ := c.sum(i, at)
	return l.state(0)
}

// never reports that floats are sure of health at every place.
func (c *columns) never(i int) bool {
	return c.hi[i] == 0 && c.flags[i]&(flagLeft|flagRight) == 0
}

// floor32 and ceil32 round outward, so that a hull never loses a place. They take
// a step of the last bit whether it is needed or not: which it is cannot be
// predicted, and a wrong guess of the processor costs more than the step.
func floor32(f float64) float32 {
	r := float32(f)
	if r > 0 {
		r = math.Float32frombits(math.Float32bits(r) - 1)
	}
	return r
}

func ceil32(f float64) float32 {
	r := float32(f)
	if r > 0 && r <= math.MaxFloat32 {
		r = math.Float32frombits(math.Float32bits(r) + 1)
	}
	return r
}
