package thresholds

import (
	"hash/maphash"
	"sync"

	"liqwatch/chains"
)

// owner is the person behind a position, or the position where nobody is known.
type owner struct {
	who  chains.Address
	self Ref
}

func ownerOf(m *market, r Ref) owner {
	a := m.book.Owner(int(r.Position))
	if a.IsZero() {
		return owner{self: Ref{r.Market + 1, r.Position}}
	}
	return owner{who: a}
}

// people are the owners of all positions of some markets. They are numbered when a
// set first holds so many positions that counting by numbers pays.
type people struct {
	markets []*market
	first   []int // of each market's positions, counted over all
	n       int

	once    sync.Once
	numbers []uint32 // by position, counted over all
	count   int
}

func newPeople(markets []*market) *people {
	p := &people{markets: markets}
	for _, m := range markets {
		p.first = append(p.first, p.n)
		p.n += m.book.Len()
	}
	return p
}

// numbersPay is the part of all positions from which on they are counted by number.
const numbersPay = 16

// distinct counts the owners of positions, by market, each once.
func (p *people) distinct(positions [][]int32) int {
	total := 0
	for _, list := range positions {
		total += len(list)
	}
	if total*numbersPay < p.n {
		seen := newOwnerTable(p, total)
		for k, list := range positions {
			for _, i := range list {
				seen.add(Ref{int32(k), i})
			}
		}
		return seen.n
	}
	p.once.Do(p.number)
	seen, n := make([]uint64, (p.count+63)/64), 0
	for k, list := range positions {
		numbers := p.numbers[p.first[k]:]
		for _, i := range list {
			number := numbers[i]
			if bit := uint64(1) << (number & 63); seen[number>>6]&bit == 0 {
				seen[number>>6] |= bit
				n++
			}
		}
	}
	return n
}

// number gives every owner a number.
func (p *people) number() {
	table := newOwnerTable(p, p.n)
	p.numbers = make([]uint32, 0, p.n)
	for k, m := range p.markets {
		for i := range m.book.Len() {
			p.numbers = append(p.numbers, table.add(Ref{int32(k), int32(i)}))
		}
	}
	p.count = table.n
}

// ownerTable numbers owners by open addressing. A hash decides nothing but where to
// look: owners are compared. A slot is half of the hash beside the number, so that
// most strangers are told apart without looking them up.
type ownerTable struct {
	people *people
	seed   maphash.Seed
	slots  []uint64
	firsts []Ref // by number: the position that it was given for
	n      int
}

// newOwnerTable has room for most owners.
func newOwnerTable(p *people, most int) *ownerTable {
	size := 8
	for size < 2*most {
		size *= 2
	}
	return &ownerTable{people: p, seed: maphash.MakeSeed(), slots: make([]uint64, size)}
}

const lowHalf = 1<<32 - 1

// add is the number of a position's owner.
func (t *ownerTable) add(r Ref) uint32 {
	o := ownerOf(t.people.markets[r.Market], r)
	h := maphash.Comparable(t.seed, o)
	mask := uint64(len(t.slots) - 1)
	for k := h & mask; ; k = (k + 1) & mask {
		s := t.slots[k]
		if s == 0 {
			t.slots[k] = h&^lowHalf | uint64(t.n+1)
			t.firsts = append(t.firsts, r)
			t.n++
			return uint32(t.n - 1)
		}
		if number := uint32(s) - 1; s&^lowHalf == h&^lowHalf {
			if other := t.firsts[number]; ownerOf(t.people.markets[other.Market], other) == o {
				return number
			}
		}
	}
}
