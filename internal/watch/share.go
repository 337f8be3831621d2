package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// share is the part of the collateral that counts which becomes liquidatable when
// an axis moves by a shock: of each market listed, or of all together.
type share struct {
	Gauge
	held map[string]*held // by market
}

// The collateral of all positions is added up anew at every look in a market of up
// to countAlways positions. In a larger one it is every recount, and in between the
// sums are valued at the prices of the look: prices move with every block, the
// amounts of so many positions together slowly.
const (
	countAlways = 50_000
	recount     = 10 * time.Minute
)

// held is the collateral of a market that counts, by asset.
type held struct {
	at     time.Time
	values []uint256.Int // quote units, at the prices then
	prices []uint256.Int
}

func (g *share) read(_ context.Context, l *gaugeLook) (*found, error) {
	f := &found{}
	ladder, err := l.ladder(g.Axis)
	switch {
	case errors.Is(err, thresholds.ErrNoAxis), errors.Is(err, thresholds.ErrUnknownMarket), errors.Is(err, thresholds.ErrPrice):
		f.miss(g.Axis, lack{why: "no market gives a price for " + g.Axis})
		return f, nil
	case err != nil:
		return nil, err
	}
	together := len(g.Markets) == 0
	if together && chainOf(l.books, ladder.Axis().Reference) != l.chain {
		return nil, nil // another chain's pass reads it
	}
	books := l.books
	if !together {
		books = l.mine(g.Markets, f)
		if f.orNil(books) == nil {
			return nil, nil // nothing of it is on this chain
		}
	}
	to := ladder.Spot().Mul(decimal.NewFromInt(1).Add(g.Shock))
	refs, err := ladder.Liquidatable(to)
	if err != nil {
		return nil, fmt.Errorf("look along %s at %s: %w", g.Axis, to, err)
	}
	falling := sumByMarket(l.books, books, refs)
	var all, part decimal.Decimal
	accounts := 0
	for _, b := range books {
		total, mine := g.total(b, l.now), falling[b.Market()]
		all, part, accounts = all.Add(total), part.Add(mine.usd), accounts+mine.accounts
		if !together {
			f.add(g.reading(b.Market()+"|", b.Market(), mine.usd, total, mine.accounts, ladder.Spot(), to))
		}
	}
	if together {
		f.add(g.reading(g.Axis, "all markets", part, all, accounts, ladder.Spot(), to))
	}
	return f, nil
}

func (g *share) reading(subject, name string, part, all decimal.Decimal, accounts int, spot, to decimal.Decimal) alerts.Reading {
	r := alerts.Reading{
		Subject: subject, Unit: alerts.Part, Gone: !all.IsPositive(),
		Name: fmt.Sprintf("%s if %s moves by %s%%", name, g.Axis, g.Shock.Shift(2)),
	}
	if r.Gone {
		return r
	}
	r.Value = part.DivRound(all, ratioDigits)
	r.Fields = []alerts.Field{
		usdField("Would be at risk", part), usdField("Of", all), countField("Accounts", accounts),
		field(g.Axis, alerts.Price(spot)+" to "+alerts.Price(to)),
	}
	return r
}

type falls struct {
	usd      decimal.Decimal
	accounts int
}

// sumByMarket values, at the present prices, the collateral of those that are not
// liquidatable at these. A ladder numbers the markets of all its books by name.
func sumByMarket(all, wanted []protocols.Book, refs []thresholds.Ref) map[string]falls {
	all = slices.SortedFunc(slices.Values(all), func(a, b protocols.Book) int { return strings.Compare(a.Market(), b.Market()) })
	out := map[string]falls{}
	for _, b := range wanted {
		number := int32(slices.IndexFunc(all, func(o protocols.Book) bool { return o.Market() == b.Market() }))
		prices := b.Prices()
		var sum uint256.Int
		var one falls
		for _, r := range refs {
			if i := int(r.Position); r.Market == number && !b.Liquidatable(i, prices) {
				f := b.Figures(i, prices)
				sum.Add(&sum, &f.AtRisk)
				one.accounts++
			}
		}
		one.usd = prices.USD(&sum, b.QuoteDecimals())
		out[b.Market()] = one
	}
	return out
}

// total is all collateral of a market that counts for positions with debt, in USD.
func (g *share) total(b protocols.Book, now time.Time) decimal.Decimal {
	h := g.held[b.Market()]
	if h == nil || b.Len() <= countAlways || now.Sub(h.at) >= recount || len(h.values) != len(b.Assets()) {
		h = count(b, now)
		g.held[b.Market()] = h
	}
	prices := b.Prices()
	var quote decimal.Decimal
	for a := range h.values {
		if h.prices[a].IsZero() {
			continue
		}
		value := decimal.NewFromBigInt(h.values[a].ToBig(), 0)
		if !prices.Raw[a].Eq(&h.prices[a]) {
			value = value.Mul(decimal.NewFromBigInt(prices.Raw[a].ToBig(), 0)).
				DivRound(decimal.NewFromBigInt(h.prices[a].ToBig(), 0), 0)
		}
		quote = quote.Add(value)
	}
	return quote.Shift(-b.QuoteDecimals()).Mul(prices.QuoteUSD)
}

func count(b protocols.Book, now time.Time) *held {
	prices := b.Prices()
	h := &held{at: now, values: make([]uint256.Int, len(b.Assets())), prices: prices.Raw}
	var legs []protocols.LegValue
	for i := range b.Len() {
		if b.Unpriced(i) {
			continue
		}
		legs = b.LegValues(i, prices, legs[:0])
		for k := range legs {
			if legs[k].Side == protocols.Collateral {
				sum := &h.values[legs[k].Asset]
				sum.Add(sum, &legs[k].Value)
			}
		}
	}
	return h
}
