// Package prices reads market prices of the past: candles, or rounds of an oracle.
package prices

import (
	"math/big"
	"slices"
	"sort"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
)

// Decimals is the number of decimals of a [Price].
const Decimals = 8

// Price is in units of 1e-8.
type Price int64

// Decimal is the price as people read it.
func (p Price) Decimal() decimal.Decimal { return decimal.New(int64(p), -Decimals) }

// Float is for charts and candidates.
func (p Price) Float() float64 { return float64(p) / 1e8 }

// Raw is the price with another number of decimals, rounded down.
func (p Price) Raw(decimals int32) uint256.Int {
	x := new(big.Int).SetInt64(int64(p))
	shift := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(decimals-Decimals, Decimals-decimals))), nil)
	if decimals >= Decimals {
		x.Mul(x, shift)
	} else {
		x.Quo(x, shift)
	}
	out, _ := uint256.FromBig(x)
	return *out
}

// Tick is one candle, or one oracle round (all four prices equal).
type Tick struct {
	Time                   uint64 // unix seconds at which it begins
	Open, High, Low, Close Price
}

// Series are prices in the order of time.
type Series struct {
	File  string
	Ticks []Tick
	// Step is the usual time between two ticks, seconds; 0 with fewer than two.
	Step uint64
	// Rounds tells that the ticks are an oracle's rounds, in force until the next.
	Rounds bool
	// Glitches are the places of ticks far off both neighbours.
	Glitches []int
}

// At is the last tick that began at or before a time.
func (s *Series) At(t uint64) (Tick, bool) {
	i := sort.Search(len(s.Ticks), func(i int) bool { return s.Ticks[i].Time > t })
	if i == 0 {
		return Tick{}, false
	}
	return s.Ticks[i-1], true
}

// Spot is the market's price known at a time: the close of the last candle that was
// complete, or the round in force.
func (s *Series) Spot(t uint64) (Price, bool) {
	if s.Rounds {
		tick, ok := s.At(t)
		return tick.Close, ok
	}
	if t < s.Step {
		return 0, false
	}
	tick, ok := s.At(t - s.Step)
	return tick.Close, ok
}

// Between are the ticks that begin in [from, to].
func (s *Series) Between(from, to uint64) []Tick {
	i := sort.Search(len(s.Ticks), func(i int) bool { return s.Ticks[i].Time >= from })
	j := sort.Search(len(s.Ticks), func(i int) bool { return s.Ticks[i].Time > to })
	return s.Ticks[i:max(i, j)]
}

// Span is the first and last time covered.
func (s *Series) Span() (from, to uint64) {
	if len(s.Ticks) == 0 {
		return 0, 0
	}
	return s.Ticks[0].Time, s.Ticks[len(s.Ticks)-1].Time + s.Step
}

// WithoutGlitches replaces each glitch by the price before it.
func (s *Series) WithoutGlitches() *Series {
	out := *s
	out.Ticks, out.Glitches = slices.Clone(s.Ticks), nil
	for _, i := range s.Glitches {
		p := out.Ticks[i-1].Close
		out.Ticks[i] = Tick{Time: out.Ticks[i].Time, Open: p, High: p, Low: p, Close: p}
	}
	return &out
}

// What makes a tick a glitch: one of its prices is GlitchPart off, while the prices
// before and after it differ by less than CalmPart.
const (
	GlitchPart = 0.20
	CalmPart   = 0.05
)

// glitches finds single ticks far off both neighbours.
func glitches(ticks []Tick) []int {
	var out []int
	for i := 1; i+1 < len(ticks); i++ {
		before, after := ticks[i-1].Close.Float(), ticks[i+1].Open.Float()
		if before <= 0 || after <= 0 || off(after, before) >= CalmPart {
			continue
		}
		for _, p := range []Price{ticks[i].Open, ticks[i].High, ticks[i].Low, ticks[i].Close} {
			if off(p.Float(), before) >= GlitchPart && off(p.Float(), after) >= GlitchPart {
				out = append(out, i)
				break
			}
		}
	}
	return out
}

func off(a, b float64) float64 {
	if a > b {
		return a/b - 1
	}
	return 1 - a/b
}
