package thresholds

import (
	"slices"
	"sync"
)

// side is one side of a market's ladder: the positions that are liquidatable
// below their root, or those that are above it, by root, with running sums.
type side struct {
	order []uint32
	roots []uint32  // ascending, see rootKey
	debt  []float64 // debt[k] is that of order[:k], USD; one longer than order
	coll  []float64 // weighted collateral likewise

	// shifts are the changes since the last build, a Fenwick tree over blocks of
	// ranks; nil without any. Node 0 holds what lies beyond the last whole block.
	shifts []shift
}

// A block is 16 ranks in a long ladder, so that the tree weighs little: what
// changed within a block of the price asked for is seen after the next build.
func (s *side) block(rank int) int {
	if len(s.order) < 4096 {
		return rank
	}
	return rank >> 4
}

// shift is a node of the tree.
type shift struct {
	debt, coll float64
	count      int32
}

// scratch is what sorting needs. Rebuilds follow each other closely or hardly at
// all: a pool keeps it for the first and gives it back for the second.
type scratch struct{ keys, order []uint32 }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// build sorts positions by keys; both slices are used up.
func (s *side) build(c *columns, keys, order []uint32) {
	n := len(keys)
	s.shifts = nil
	s.order, s.roots = resize(s.order, n), resize(s.roots, n)
	s.debt, s.coll = resize(s.debt, n+1), resize(s.coll, n+1)
	radixSort(keys, order, s.roots, s.order)
	var debt, coll float64
	debts, colls := s.debt[1:n+1], s.coll[1:n+1]
	for j, i := range s.order {
		w := c.worth[i]
		debt, coll = debt+float64(w.debt), coll+float64(w.coll)
		debts[j], colls[j] = debt, coll
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
	k, _ := slices.BinarySearch(s.roots, rootKey(place))
	return k
}

// first sums the k first.
func (s *side) first(k int) (count int, debt, coll float64) {
	count, debt, coll = k, s.debt[k], s.coll[k]
	if s.shifts == nil {
		return
	}
	for j := s.block(k); j > 0; j &= j - 1 {
		n := &s.shifts[j]
		count, debt, coll = count+int(n.count), debt+n.debt, coll+n.coll
	}
	if k == len(s.order) {
		n := &s.shifts[0]
		count, debt, coll = count+int(n.count), debt+n.debt, coll+n.coll
	}
	return
}

// move adds one position at a root, or with sign -1 takes it away.
func (s *side) move(root float32, w worth, sign int32) {
	last := s.block(len(s.order))
	if s.shifts == nil {
		s.shifts = make([]shift, last+1)
	}
	by := shift{float64(sign) * float64(w.debt), float64(sign) * float64(w.coll), sign}
	b := s.block(s.rank(root))
	if b == last {
		s.shifts[0].add(by)
		return
	}
	for j := b + 1; j < len(s.shifts); j += j & -j {
		s.shifts[j].add(by)
	}
}

func (s *shift) add(by shift) {
	s.debt, s.coll, s.count = s.debt+by.debt, s.coll+by.coll, s.count+by.count
}
