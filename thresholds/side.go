package thresholds

import (
	"math"
	"slices"
)

// side is one side of a market's ladder: the positions that are liquidatable
// below their root, or those that are above it, by root, with running sums.
type side struct {
	order []uint32
	roots []float32
	debt  []float64 // debt[k] is that of order[:k], USD; one longer than order
	coll  []float64 // weighted collateral likewise

	// shifts are the changes since the last build, by rank; nil without any.
	shifts []shift
}

// scratch is what sorting needs, kept between builds.
type scratch struct{ keys, order, keys2 []uint32 }

func (s *scratch) resize(n int) {
	s.keys, s.order, s.keys2 = resize(s.keys, n), resize(s.order, n), resize(s.keys2, n)
}

// shift is a node of a Fenwick tree over ranks.
type shift struct {
	debt, coll float64
	count      int32
}

// build sorts the positions whose keys are scratch[from:to].
func (s *side) build(c *columns, from, to int) {
	n := to - from
	s.shifts = nil
	s.order, s.roots = resize(s.order, n), resize(s.roots, n)
	s.debt, s.coll = resize(s.debt, n+1), resize(s.coll, n+1)
	keys2 := c.scratch.keys2[from:to]
	radixSort(c.scratch.keys[from:to], c.scratch.order[from:to], keys2, s.order)
	var debt, coll float64
	roots, debts, colls := s.roots, s.debt[1:n+1], s.coll[1:n+1]
	for j, i := range s.order {
		w := c.worth[i]
		debt, coll = debt+float64(w.debt), coll+float64(w.coll)
		debts[j], colls[j] = debt, coll
		roots[j] = math.Float32frombits(keys2[j])
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/16)
	}
	return s[:n]
}

// rank is how many roots lie below a place.
func (s *side) rank(place float32) int {
	k, _ := slices.BinarySearch(s.roots, place)
	return k
}

// first sums the k first.
func (s *side) first(k int) (count int, debt, coll float64) {
	count, debt, coll = k, s.debt[k], s.coll[k]
	if s.shifts == nil {
		return
	}
	for j := k; j > 0; j &= j - 1 {
		n := &s.shifts[j]
		count, debt, coll = count+int(n.count), debt+n.debt, coll+n.coll
	}
	return
}

// all sums everything.
func (s *side) all() (count int, debt, coll float64) {
	count, debt, coll = s.first(len(s.order))
	if s.shifts != nil { // beyond the last root
		n := &s.shifts[0]
		count, debt, coll = count+int(n.count), debt+n.debt, coll+n.coll
	}
	return
}

// move adds one position at a root, or with sign -1 takes it away.
func (s *side) move(root float32, w worth, sign int32) {
	if s.shifts == nil {
		s.shifts = make([]shift, len(s.order)+1)
	}
	by := shift{float64(sign) * float64(w.debt), float64(sign) * float64(w.coll), sign}
	k := s.rank(root)
	if k == len(s.order) {
		s.shifts[0].add(by) // node 0 is no part of the tree
		return
	}
	for j := k + 1; j < len(s.shifts); j += j & -j {
		s.shifts[j].add(by)
	}
}

func (s *shift) add(by shift) {
	s.debt, s.coll, s.count = s.debt+by.debt, s.coll+by.coll, s.count+by.count
}
