// Package pricing turns models of how a market's oracle prices its assets into the
// market's paths along axes and its joint moves, in the oracle's own integers.
//
// A price is min(cap, floor(base*num/den)): base is what a feed answers, and feeds
// that describe the same pair form a group. An axis moves one group (ETH, BTC), all
// volatile groups by a factor ("market"), or one price against another (a peg, "A/B").
package pricing

import (
	"math/big"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// Market is the name of the axis on which everything volatile moves by the same factor.
const Market = "market"

// FactorDecimals are the decimals of a place on the market axis, where 1 is now.
const FactorDecimals = 8

// PegDecimals are the decimals of a place on a peg, fine enough for one unit of any
// price with 8 decimals.
const PegDecimals = 18

// How a model became known, strongest first; [protocols.Sensitivity] shows it.
const (
	Measured  = "measured"
	Structure = "structure"
	List      = "list"
	None      = "none"
)

// Feed is one contract that answers a base price.
type Feed struct {
	Pair     string // what it describes, such as "ETH / USD"; its own address when unknown
	Group    string // the axis it belongs to ("ETH"), or a name of its own
	Answer   uint256.Int
	Volatile bool // moves with the market; false for feeds of stable and fiat currencies
	Note     string
}

// Model is how one asset's price follows a feed.
type Model struct {
	Feed     int // position in Feeds, -1 when nothing is known and the price stays
	Num, Den uint256.Int
	Cap      *uint256.Int // the price never exceeds it; nil without
	How      string
	Note     string
}

// At is the model's price when its feed answers base; the largest integer where that overflows.
func (m *Model) At(base *uint256.Int) uint256.Int {
	p, overflow := new(uint256.Int).MulDivOverflow(base, &m.Num, &m.Den)
	if overflow {
		p.SetAllOne()
	}
	if m.Cap != nil && p.Gt(m.Cap) {
		return *m.Cap
	}
	return *p
}

// Sheet is all prices of a market at one block and how they move. It is never
// changed once a book has it.
type Sheet struct {
	Symbols []string
	Prices  protocols.Prices
	Feeds   []Feed
	Models  []Model // by asset
	// Decimals are the oracle's own: of every feed and price.
	Decimals int32
	// Measured are the axes that were moved on the chain, so that an asset that did not
	// follow is known not to.
	Measured []string
}

// group is what the feeds of a group answer: the answer of the first asset that
// follows one of them without a ratio, else of the first feed.
func (s *Sheet) group(name string) (uint256.Int, bool) {
	for i := range s.Models {
		m := &s.Models[i]
		if m.Feed >= 0 && s.Feeds[m.Feed].Group == name && m.Num.Eq(&m.Den) {
			return s.Feeds[m.Feed].Answer, true
		}
	}
	for i := range s.Feeds {
		if s.Feeds[i].Group == name && s.followed(i) {
			return s.Feeds[i].Answer, true
		}
	}
	return uint256.Int{}, false
}

// With is the sheet with other current prices; an asset whose price was set apart
// from its feed no longer follows it.
func (s *Sheet) With(prices []uint256.Int) *Sheet {
	next := *s
	next.Prices.Raw = prices
	next.Models = append([]Model(nil), s.Models...)
	for i := range next.Models {
		if prices[i] != s.Prices.Raw[i] {
			next.Models[i].Feed = -1
			next.Models[i].Note = "price set"
		}
	}
	return &next
}

func (s *Sheet) followed(feed int) bool {
	for i := range s.Models {
		if s.Models[i].Feed == feed {
			return true
		}
	}
	return false
}

// asset is the position of a symbol, in any letter case.
func (s *Sheet) asset(symbol string) (int, bool) {
	for i, x := range s.Symbols {
		if equalFold(x, symbol) {
			return i, true
		}
	}
	return 0, false
}

// pow10 is 10^n for n of at most 77.
func pow10(n int32) *uint256.Int {
	return new(uint256.Int).Exp(uint256.NewInt(10), uint256.NewInt(uint64(n)))
}

// raw is a decimal as an integer with that many decimals, rounded to nearest;
// negative ones are 0.
func raw(d decimal.Decimal, decimals int32) uint256.Int {
	n := d.Shift(decimals).Round(0).BigInt()
	var x uint256.Int
	if n.Sign() <= 0 {
		return x
	}
	if overflow := x.SetFromBig(n); overflow {
		x.SetAllOne()
	}
	return x
}

func float(x *uint256.Int) float64 {
	f, _ := new(big.Float).SetInt(x.ToBig()).Float64()
	return f
}
