package aavev3

import (
	"bytes"
	"sort"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// leg is one scaled balance of an account, as the chain stores it.
type leg struct {
	tag    uint8 // reserve id and side
	scaled u128
}

func tagOf(id uint16, side protocols.Side) uint8 { return uint8(id)<<1 | uint8(side) }

func (l *leg) id() uint8            { return l.tag >> 1 }
func (l *leg) side() protocols.Side { return protocols.Side(l.tag & 1) }

// account is a borrower taken out of the shelf, or on the way into it.
type account struct {
	key  chains.Address
	mode uint8
	legs []leg
}

// chunk holds neighbouring accounts in columns, so that a million of them cost
// bytes and not pointers. A chunk never changes: books share it.
type chunk struct {
	keys   []chains.Address
	modes  []uint8
	starts []uint32 // of legs, one more than keys
	tags   []uint8
	scaled []u128
}

const chunkSize = 256

// shelf is all borrowers sorted by address.
type shelf struct {
	chunks []*chunk
	first  []int // position of each chunk's first account
	n      int
	near   []uint32 // chunk of every stride-th account, so that one is found without a search
}

// stride is half of what a chunk usually holds.
const stride = chunkSize / 2

func newShelf(chunks []*chunk) *shelf {
	s := &shelf{chunks: chunks, first: make([]int, len(chunks))}
	for i, c := range chunks {
		s.first[i] = s.n
		s.n += len(c.keys)
		for len(s.near)*stride < s.n {
			s.near = append(s.near, uint32(i))
		}
	}
	return s
}

func (s *shelf) at(i int) (*chunk, int) {
	c := s.near[i/stride]
	for i-s.first[c] >= len(s.chunks[c].keys) {
		c++
	}
	return s.chunks[c], i - s.first[c]
}

func (s *shelf) find(a chains.Address) (int, bool) {
	c := sort.Search(len(s.chunks), func(i int) bool {
		keys := s.chunks[i].keys
		return bytes.Compare(keys[len(keys)-1][:], a[:]) >= 0
	})
	if c == len(s.chunks) {
		return 0, false
	}
	keys := s.chunks[c].keys
	k := sort.Search(len(keys), func(i int) bool { return bytes.Compare(keys[i][:], a[:]) >= 0 })
	return s.first[c] + k, k < len(keys) && keys[k] == a
}

// account is a copy of the i-th, with its legs.
func (s *shelf) account(i int) account {
	c, k := s.at(i)
	return c.account(k)
}

func (c *chunk) account(k int) account {
	a := account{key: c.keys[k], mode: c.modes[k]}
	for j := c.starts[k]; j < c.starts[k+1]; j++ {
		a.legs = append(a.legs, leg{c.tags[j], c.scaled[j]})
	}
	return a
}

// with is the shelf after accounts, sorted by address, took their new state; one
// without legs leaves. Chunks that nothing touched are shared.
func (s *shelf) with(changed []account) *shelf {
	if len(changed) == 0 {
		return s
	}
	var out []*chunk
	for ci, c := range s.chunks {
		n := len(changed)
		if ci < len(s.chunks)-1 {
			last := c.keys[len(c.keys)-1]
			n = sort.Search(len(changed), func(i int) bool { return bytes.Compare(changed[i].key[:], last[:]) > 0 })
		}
		if n == 0 {
			out = append(out, c)
			continue
		}
		out = append(out, pack(c.merge(changed[:n]))...)
		changed = changed[n:]
	}
	return newShelf(append(out, pack(alive(changed))...))
}

func alive(accounts []account) []account {
	out := make([]account, 0, len(accounts))
	for _, a := range accounts {
		if len(a.legs) > 0 {
			out = append(out, a)
		}
	}
	return out
}

func (c *chunk) merge(changed []account) []account {
	out := make([]account, 0, len(c.keys)+len(changed))
	for k := range c.keys {
		for len(changed) > 0 && bytes.Compare(changed[0].key[:], c.keys[k][:]) < 0 {
			out = append(out, changed[0])
			changed = changed[1:]
		}
		if len(changed) > 0 && changed[0].key == c.keys[k] {
			out = append(out, changed[0])
			changed = changed[1:]
			continue
		}
		out = append(out, c.account(k))
	}
	return alive(append(out, changed...))
}

// pack lays accounts out in chunks of about chunkSize.
func pack(accounts []account) []*chunk {
	var out []*chunk
	for len(accounts) > 0 {
		n := min(len(accounts), chunkSize)
		if rest := len(accounts); rest > chunkSize && rest < 2*chunkSize {
			n = rest / 2
		}
		out = append(out, packOne(accounts[:n]))
		accounts = accounts[n:]
	}
	return out
}

func packOne(accounts []account) *chunk {
	legs := 0
	for i := range accounts {
		legs += len(accounts[i].legs)
	}
	c := &chunk{
		keys: make([]chains.Address, 0, len(accounts)), modes: make([]uint8, 0, len(accounts)),
		starts: make([]uint32, 1, len(accounts)+1), tags: make([]uint8, 0, legs), scaled: make([]u128, 0, legs),
	}
	for i := range accounts {
		c.keys = append(c.keys, accounts[i].key)
		c.modes = append(c.modes, accounts[i].mode)
		for _, l := range accounts[i].legs {
			c.tags = append(c.tags, l.tag)
			c.scaled = append(c.scaled, l.scaled)
		}
		c.starts = append(c.starts, uint32(len(c.tags)))
	}
	return c
}

func sortAccounts(list []account) {
	sort.Slice(list, func(i, j int) bool { return bytes.Compare(list[i].key[:], list[j].key[:]) < 0 })
}
