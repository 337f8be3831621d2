// Package crossing finds which of many accounts a moving price makes liquidatable,
// tick by tick, without looking at the others: sorted triggers, and a place among
// them that follows the price.
package crossing

import (
	"slices"
	"sort"

	"github.com/holiman/uint256"
)

// Account is one position along the axis, in places of the axis (the market oracle's
// own integers). It is liquidatable at p when p <= Down, or p >= Up; a trigger of
// zero is none.
type Account struct {
	Down, Up uint256.Int
}

// Line is a set of accounts with their triggers in order. It holds 4 bytes an
// account beside the triggers themselves and nothing that grows with ticks.
type Line struct {
	down, up side
}

// side are the triggers of one direction, lowest first, and whose they are.
type side struct {
	triggers []uint256.Int
	accounts []int32
}

// New sorts the accounts once.
func New(accounts []Account) *Line {
	l := &Line{}
	l.down = newSide(accounts, func(a *Account) *uint256.Int { return &a.Down })
	l.up = newSide(accounts, func(a *Account) *uint256.Int { return &a.Up })
	return l
}

func newSide(accounts []Account, of func(*Account) *uint256.Int) side {
	var s side
	for i := range accounts {
		if !of(&accounts[i]).IsZero() {
			s.accounts = append(s.accounts, int32(i))
		}
	}
	slices.SortFunc(s.accounts, func(a, b int32) int {
		if c := of(&accounts[a]).Cmp(of(&accounts[b])); c != 0 {
			return c
		}
		return int(a - b)
	})
	s.triggers = make([]uint256.Int, len(s.accounts))
	for k, i := range s.accounts {
		s.triggers[k] = *of(&accounts[i])
	}
	return s
}

// Crossed are accounts whose trigger the price passed in one tick. The slices are
// parts of the line: read them, do not keep them.
type Crossed struct {
	Tick int
	// Fell became liquidatable as the price fell, Recovered are healthy again as it
	// rose; Rose and Relaxed are the same for triggers above.
	Fell, Recovered, Rose, Relaxed []int32
}

// Cursor is a price moving along a line.
type Cursor struct {
	line     *Line
	down, up int // how many triggers lie below the price
	tick     int
}

// Start puts a cursor at the first price; what is liquidatable there already is not
// a crossing.
func (l *Line) Start(price *uint256.Int) *Cursor {
	c := &Cursor{line: l}
	c.down = sort.Search(len(l.down.triggers), func(i int) bool { return !l.down.triggers[i].Lt(price) })
	c.up = sort.Search(len(l.up.triggers), func(i int) bool { return l.up.triggers[i].Gt(price) })
	return c
}

// Move takes the price of the next tick and reports what it crossed, or false when
// nothing was.
func (c *Cursor) Move(price *uint256.Int) (Crossed, bool) {
	c.tick++
	// Down triggers at or above the price are liquidatable: count those below it.
	down := gallop(c.line.down.triggers, c.down, func(t *uint256.Int) bool { return t.Lt(price) })
	up := gallop(c.line.up.triggers, c.up, func(t *uint256.Int) bool { return !t.Gt(price) })
	if down == c.down && up == c.up {
		return Crossed{}, false
	}
	out := Crossed{Tick: c.tick}
	if down < c.down {
		out.Fell = c.line.down.accounts[down:c.down]
	} else {
		out.Recovered = c.line.down.accounts[c.down:down]
	}
	if up > c.up {
		out.Rose = c.line.up.accounts[c.up:up]
	} else {
		out.Relaxed = c.line.up.accounts[up:c.up]
	}
	c.down, c.up = down, up
	return out, true
}

// gallop moves from place at to the first trigger that is not under, in steps that
// double: a price moves little from tick to tick.
func gallop(triggers []uint256.Int, at int, under func(*uint256.Int) bool) int {
	low, high := at, at
	if at < len(triggers) && under(&triggers[at]) {
		for step := 1; high < len(triggers) && under(&triggers[high]); step *= 2 {
			low, high = high+1, min(high+step, len(triggers))
		}
	} else {
		for step := 1; low > 0 && !under(&triggers[low-1]); step *= 2 {
			high, low = low-1, max(low-step, 0)
		}
	}
	for low < high {
		mid := int(uint(low+high) >> 1)
		if under(&triggers[mid]) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// Liquidatable is how many accounts are, at the cursor's price, below and above.
func (c *Cursor) Liquidatable() (down, up int) {
	return len(c.line.down.triggers) - c.down, c.up
}
