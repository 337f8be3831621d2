package thresholds

import (
	"math/big"
	"slices"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// wide is a sum of integers of 256 bits that does not wrap.
type wide struct {
	low   uint256.Int
	carry uint64
}

func (w *wide) add(x *uint256.Int) {
	if _, over := w.low.AddOverflow(&w.low, x); over {
		w.carry++
	}
}

func (w *wide) join(o *wide) {
	w.add(&o.low)
	w.carry += o.carry
}

func (w *wide) decimal(decimals int32) decimal.Decimal {
	x := w.low.ToBig()
	if w.carry != 0 {
		high := new(big.Int).SetUint64(w.carry)
		x.Add(x, high.Lsh(high, 256))
	}
	return decimal.NewFromBigInt(x, -decimals)
}

// assetTally adds up collateral, raw, by market and asset.
type assetTally struct{ markets [][]assetSum }

type assetSum struct {
	seen   bool
	amount wide
	byUSD  []ratedValue // see rated
}

type ratedValue struct {
	quoteUSD decimal.Decimal
	value    wide
}

func (t *assetTally) of(market int32, asset int) *assetSum {
	for len(t.markets) <= int(market) {
		t.markets = append(t.markets, nil)
	}
	sums := &t.markets[market]
	for len(*sums) <= asset {
		*sums = append(*sums, assetSum{})
	}
	return &(*sums)[asset]
}

func (t *assetTally) add(market int32, legs []protocols.LegValue, quoteUSD decimal.Decimal) {
	for i := range legs {
		leg := &legs[i]
		if leg.Side != protocols.Collateral {
			continue
		}
		sum := t.of(market, leg.Asset)
		sum.seen = true
		sum.amount.add(&leg.Amount)
		sum.value(quoteUSD).add(&leg.Value)
	}
}

func (s *assetSum) value(quoteUSD decimal.Decimal) *wide {
	if n := len(s.byUSD); n > 0 && s.byUSD[n-1].quoteUSD.Equal(quoteUSD) {
		return &s.byUSD[n-1].value
	}
	s.byUSD = append(s.byUSD, ratedValue{quoteUSD: quoteUSD})
	return &s.byUSD[len(s.byUSD)-1].value
}

func (t *assetTally) join(o *assetTally) {
	for k := range o.markets {
		for a := range o.markets[k] {
			from := &o.markets[k][a]
			if !from.seen {
				continue
			}
			to := t.of(int32(k), a)
			to.seen = true
			to.amount.join(&from.amount)
			for i := range from.byUSD {
				to.value(from.byUSD[i].quoteUSD).join(&from.byUSD[i].value)
			}
		}
	}
}

// list adds up by symbol; sorted by value, largest first, then by symbol.
func (t *assetTally) list(markets []*market) []AssetRisk {
	bySymbol := map[string]AssetRisk{}
	for k := range t.markets {
		m := markets[k]
		for a := range t.markets[k] {
			sum := &t.markets[k][a]
			if !sum.seen {
				continue
			}
			symbol := m.assets[a].Symbol
			r := bySymbol[symbol]
			r.Symbol = symbol
			r.Amount = r.Amount.Add(sum.amount.decimal(m.assets[a].Decimals))
			for i := range sum.byUSD {
				r.AtRiskUSD = r.AtRiskUSD.Add(sum.byUSD[i].value.decimal(m.quoteDecimals).Mul(sum.byUSD[i].quoteUSD))
			}
			bySymbol[symbol] = r
		}
	}
	out := make([]AssetRisk, 0, len(bySymbol))
	for _, r := range bySymbol {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b AssetRisk) int {
		if c := b.AtRiskUSD.Cmp(a.AtRiskUSD); c != 0 {
			return c
		}
		return strings.Compare(a.Symbol, b.Symbol)
	})
	return out
}
