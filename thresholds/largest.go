package thresholds

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
)

// entry is one position of a set with what it puts at risk.
type entry struct {
	ref      Ref
	atRisk   uint256.Int // quote units
	quoteUSD decimal.Decimal
	near     float64 // at risk in USD, within nearness of the truth
	trigger  uint256.Int
	has      bool // has a trigger
}

// mostLargest of the largest positions of a set are told of.
const mostLargest = 10

// nearness is the part by which entries must differ for floats to tell them apart.
const nearness = 1e-12

func (e *entry) usd(m *market) decimal.Decimal {
	return decimal.NewFromBigInt(e.atRisk.ToBig(), -m.quoteDecimals).Mul(e.quoteUSD)
}

// leaders are the largest positions of a set, by at risk.
type leaders struct {
	markets []*market
	most    int // how many are asked for
	list    []entry
	ranked  bool    // list was cut to most at least once
	floor   float64 // of the last of them then

	lastMarket int32
	lastQuote  decimal.Decimal
	unit       float64 // of a quote unit of that market at that worth, in USD
}

func newLeaders(markets []*market, most int) *leaders {
	return &leaders{markets: markets, most: most, lastMarket: -1}
}

// add takes a position, unless most others are larger beyond doubt.
func (s *leaders) add(r rung, has bool, atRisk *uint256.Int, quoteUSD decimal.Decimal) {
	if market := r.ref.Market; market != s.lastMarket || !quoteUSD.Equal(s.lastQuote) {
		s.lastMarket, s.lastQuote = market, quoteUSD
		s.unit = quoteUSD.InexactFloat64() * math.Pow10(-int(s.markets[market].quoteDecimals))
	}
	near := float64(atRisk[0])
	if atRisk[1]|atRisk[2]|atRisk[3] != 0 {
		near = atRisk.Float64()
	}
	if near *= s.unit; s.tooSmall(near) {
		return
	}
	s.take(entry{ref: r.ref, atRisk: *atRisk, quoteUSD: quoteUSD, near: near, trigger: r.trigger, has: has})
}

func (s *leaders) tooSmall(near float64) bool { return s.ranked && near < s.floor*(1-nearness) }

func (s *leaders) take(e entry) {
	if s.tooSmall(e.near) {
		return
	}
	// Of many that are alike most are behind the last that counts: one look tells.
	if s.ranked && e.near <= s.floor*(1+nearness) && s.compare(e, s.list[s.most-1]) > 0 {
		return
	}
	if s.list = append(s.list, e); len(s.list) >= 2*s.most+64 {
		s.cut()
	}
}

func (s *leaders) join(o *leaders) {
	for _, e := range o.list {
		s.take(e)
	}
}

// cut ranks the list and drops what is too much of it.
func (s *leaders) cut() {
	slices.SortFunc(s.list, s.compare)
	if len(s.list) >= s.most && s.most > 0 {
		s.list = s.list[:s.most]
		s.ranked, s.floor = true, s.list[s.most-1].near
	}
}

// compare puts the largest first; ties by market, owner and position id, so that the
// order does not depend on how a book numbers its positions.
func (s *leaders) compare(a, b entry) int {
	if math.Abs(a.near-b.near) > nearness*max(a.near, b.near) {
		if a.near > b.near {
			return -1
		}
		return 1
	}
	alike := a.ref.Market == b.ref.Market && a.atRisk == b.atRisk && a.quoteUSD.Equal(b.quoteUSD)
	if !alike {
		if c := b.usd(s.markets[b.ref.Market]).Cmp(a.usd(s.markets[a.ref.Market])); c != 0 {
			return c
		}
	}
	if a.ref.Market != b.ref.Market {
		return int(a.ref.Market - b.ref.Market)
	}
	book := s.markets[a.ref.Market].book
	x, y := book.Owner(int(a.ref.Position)), book.Owner(int(b.ref.Position))
	if c := bytes.Compare(x[:], y[:]); c != 0 {
		return c // before ids, which cost a hash where letter case is a checksum
	}
	return strings.Compare(book.ID(int(a.ref.Position)), book.ID(int(b.ref.Position)))
}

// first are the n largest, at most those that were asked for.
func (s *leaders) first(n int) []entry {
	s.cut()
	return s.list[:min(n, len(s.list))]
}

// largest are the first n for people.
func (s *leaders) largest(n int) []Largest {
	out := []Largest{}
	for _, e := range s.first(n) {
		m := s.markets[e.ref.Market]
		one := Largest{Market: m.name, Position: m.book.ID(int(e.ref.Position)), AtRiskUSD: e.usd(m)}
		if e.has {
			p := priceAt(&e.trigger, m.decimals)
			one.Trigger = &p
		}
		out = append(out, one)
	}
	return out
}

// topShare is the part of total in the ten largest, rounded down to six decimals.
func (s *leaders) topShare(total decimal.Decimal) decimal.Decimal {
	if total.IsZero() {
		return decimal.Zero
	}
	top := decimal.Zero
	for _, e := range s.first(10) {
		top = top.Add(e.usd(s.markets[e.ref.Market]))
	}
	q, _ := top.QuoRem(total, 6)
	return q
}
