package thresholds

import (
	"slices"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// entry is one position of a set with what it puts at risk.
type entry struct {
	ref     Ref
	usd     decimal.Decimal
	trigger uint256.Int
	has     bool // has a trigger
}

// rank sorts entries by at risk, largest first; ties by market and position id,
// so that the order does not depend on how a book numbers its positions.
func (l *Ladder) rank(entries []entry) {
	slices.SortFunc(entries, func(a, b entry) int {
		if c := b.usd.Cmp(a.usd); c != 0 {
			return c
		}
		if a.ref.Market != b.ref.Market {
			return int(a.ref.Market - b.ref.Market)
		}
		book := l.markets[a.ref.Market].book
		return strings.Compare(book.ID(int(a.ref.Position)), book.ID(int(b.ref.Position)))
	})
}

// largest are the first n entries by at risk. It sorts entries.
func (l *Ladder) largest(entries []entry, n int) []Largest {
	l.rank(entries)
	out := []Largest{}
	for _, e := range entries[:min(n, len(entries))] {
		k := l.Key(e.ref)
		one := Largest{Market: k.Market, Position: k.Position, AtRiskUSD: e.usd}
		if e.has {
			p := priceAt(&e.trigger, l.markets[e.ref.Market].decimals)
			one.Trigger = &p
		}
		out = append(out, one)
	}
	return out
}

// topShare is the part of total in the ten largest entries, rounded down to six decimals.
func topShare(entries []entry, total decimal.Decimal) decimal.Decimal {
	if total.IsZero() {
		return decimal.Zero
	}
	usd := make([]decimal.Decimal, len(entries))
	for i := range entries {
		usd[i] = entries[i].usd
	}
	slices.SortFunc(usd, func(a, b decimal.Decimal) int { return b.Cmp(a) })
	top := decimal.Zero
	for _, u := range usd[:min(10, len(usd))] {
		top = top.Add(u)
	}
	q, _ := top.QuoRem(total, 6)
	return q
}

// assetTally adds up collateral by symbol.
type assetTally map[string]AssetRisk

func (t assetTally) add(m *market, legs []protocols.LegValue, p *protocols.Prices) {
	for _, leg := range legs {
		if leg.Side != protocols.Collateral {
			continue
		}
		a := m.assets[leg.Asset]
		sum := t[a.Symbol]
		sum.Amount = sum.Amount.Add(decimal.NewFromBigInt(leg.Amount.ToBig(), -a.Decimals))
		sum.AtRiskUSD = sum.AtRiskUSD.Add(p.USD(&leg.Value, m.quoteDecimals))
		t[a.Symbol] = sum
	}
}

// list is sorted by value, largest first, then by symbol.
func (t assetTally) list() []AssetRisk {
	out := make([]AssetRisk, 0, len(t))
	for symbol, sum := range t {
		sum.Symbol = symbol
		out = append(out, sum)
	}
	slices.SortFunc(out, func(a, b AssetRisk) int {
		if c := b.AtRiskUSD.Cmp(a.AtRiskUSD); c != 0 {
			return c
		}
		return strings.Compare(a.Symbol, b.Symbol)
	})
	return out
}
