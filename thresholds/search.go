package thresholds

import (
	"github.com/holiman/uint256"
)

// scanAll is up to how many places are simply tried one by one.
const scanAll = 24

// span is a run of places counted away from spot: step 0 is the nearest.
type span struct {
	near  uint256.Int
	steps uint256.Int // the farthest step
	d     direction
}

func (s *span) place(step *uint256.Int) uint256.Int {
	var p uint256.Int
	if s.d == down {
		p.Sub(&s.near, step)
	} else {
		p.Add(&s.near, step)
	}
	return p
}

func (s *span) step(place *uint256.Int) uint256.Int {
	var k uint256.Int
	if s.d == down {
		k.Sub(&s.near, place)
	} else {
		k.Sub(place, &s.near)
	}
	return k
}

// search is the place nearest to near, up to far, where the position is liquidatable.
//
// A flip near the linear guess is found by galloping and bisection; then
// everything nearer to spot is proven healthy, or an earlier flip found.
func (w *walker) search(near, far uint256.Int, d direction) (uint256.Int, bool) {
	if d == down && near.Lt(&far) || d == up && far.Lt(&near) {
		return near, false
	}
	if w.flips(&near) {
		return near, true
	}
	s := span{near: near, d: d}
	s.steps = s.step(&far)
	if s.steps.LtUint64(scanAll) {
		return w.scan(&s, uint256.NewInt(1), &s.steps)
	}
	w.budget = proofBudget
	hit, ok := w.anyFlip(&s)
	if !ok {
		return w.earlier(&s, &uint256.Int{}, &s.steps)
	}
	last := new(uint256.Int).SubUint64(&hit, 1)
	if place, ok := w.earlier(&s, &uint256.Int{}, last); ok {
		hit = s.step(&place)
	}
	if w.budget <= 0 {
		hit = w.back(&s, hit)
	}
	return s.place(&hit), true
}

// back walks from a hit toward spot while there is another within a few places:
// the answer where the proof was given up, of a book that nearly cancels.
func (w *walker) back(s *span, hit uint256.Int) uint256.Int {
	const reach, most = 64, 4096
	k := hit
	for tried, since := 0, 0; tried < most && since < reach && !k.IsZero(); tried++ {
		k.SubUint64(&k, 1)
		since++
		if p := s.place(&k); w.flips(&p) {
			hit, since = k, 0
		}
	}
	return hit
}

// scan tries steps from..to inclusive.
func (w *walker) scan(s *span, from, to *uint256.Int) (uint256.Int, bool) {
	for k := *from; !k.Gt(to); k.AddUint64(&k, 1) {
		if p := s.place(&k); w.flips(&p) {
			return p, true
		}
	}
	return uint256.Int{}, false
}

// anyFlip finds a step that is liquidatable while the one before it is healthy.
// Step 0 is known to be healthy.
func (w *walker) anyFlip(s *span) (uint256.Int, bool) {
	g := w.guess(s)
	lo, hi := uint256.Int{}, g // lo healthy, hi liquidatable
	stride := uint256.NewInt(1)
	if p := s.place(&g); w.flips(&p) {
		// Gallop back toward spot.
		for k := g; ; stride.Lsh(stride, 1) {
			if !stride.Lt(&k) {
				break // step 0 is healthy
			}
			k.Sub(&k, stride)
			if p := s.place(&k); !w.flips(&p) {
				lo = k
				break
			}
			hi = k
		}
	} else {
		for lo = g; ; stride.Lsh(stride, 1) {
			if lo.Eq(&s.steps) {
				return uint256.Int{}, false
			}
			hi.Add(&lo, stride)
			if hi.Gt(&s.steps) {
				hi = s.steps
			}
			if p := s.place(&hi); w.flips(&p) {
				break
			}
			lo = hi
		}
	}
	return w.bisect(s, lo, hi), true
}

// bisect narrows a healthy lo and a liquidatable hi to neighbours.
func (w *walker) bisect(s *span, lo, hi uint256.Int) uint256.Int {
	var gap, half uint256.Int
	for {
		gap.Sub(&hi, &lo)
		if gap.LtUint64(2) {
			return hi
		}
		half.Add(&lo, gap.Rsh(&gap, 1))
		if p := s.place(&half); w.flips(&p) {
			hi = half
		} else {
			lo = half
		}
	}
}

// guess is the step at which linear health is zero, or the middle.
func (w *walker) guess(s *span) uint256.Int {
	farPlace := s.place(&s.steps)
	a, b := placeFloat(&s.near), placeFloat(&farPlace)
	if a > b {
		a, b = b, a
	}
	for k := range w.m.segments {
		l := lineOf(w.terms, &w.m.segments[k])
		r := root(l.c, l.s)
		if r < a || r > b || r < w.m.segments[k].From || r > w.m.segments[k].To || r != r {
			continue
		}
		p := placeFromFloat(r)
		low, high := smaller(&s.near, &farPlace), larger(&s.near, &farPlace)
		p = larger(&p, &low)
		p = smaller(&p, &high)
		return s.step(&p)
	}
	var half uint256.Int
	half.Rsh(&s.steps, 1)
	return half
}
