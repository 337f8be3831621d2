package watch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/protocols"
)

// badDebt is, by market, the debt that collateral no longer covers at the present prices.
type badDebt struct{ Gauge }

func (g badDebt) read(_ context.Context, l *gaugeLook) (*found, error) {
	f := &found{}
	books := l.mine(g.Markets, f)
	for _, b := range books {
		prices := b.Prices()
		var sum, most uint256.Int
		accounts, whose := 0, -1
		for _, i := range l.census(b).suspects {
			if b.Unpriced(int(i)) {
				continue
			}
			bad := b.Figures(int(i), prices).BadDebt
			if bad.IsZero() {
				continue
			}
			sum.Add(&sum, &bad)
			accounts++
			if bad.Gt(&most) {
				most, whose = bad, int(i)
			}
		}
		r := alerts.Reading{
			Subject: b.Market() + "|", Name: b.Market(), Unit: alerts.USD, Value: prices.USD(&sum, b.QuoteDecimals()),
			Fields: []alerts.Field{countField("Accounts", accounts)},
		}
		if whose >= 0 {
			r.Fields = append(r.Fields, field("Largest", b.ID(whose)), usdField("Its bad debt", prices.USD(&most, b.QuoteDecimals())))
		}
		f.add(r)
	}
	return f.orNil(books), nil
}

// utilization is, by market and asset, borrowed over supplied.
type utilization struct{ Gauge }

func (g utilization) read(_ context.Context, l *gaugeLook) (*found, error) {
	f := &found{}
	books := l.mine(g.Markets, f)
	for _, b := range books {
		assets := b.Assets()
		for _, t := range b.Totals() {
			a := assets[t.Asset]
			if !wantedSymbol(g.Assets, a.Symbol) {
				continue
			}
			tokens := func(raw *uint256.Int) decimal.Decimal {
				return protocols.Amount{Raw: *raw, Decimals: a.Decimals}.Decimal()
			}
			supplied, borrowed := tokens(&t.Supplied), tokens(&t.Borrowed)
			r := alerts.Reading{Subject: b.Market() + "|" + a.Address.String(), Name: a.Symbol + " in " + b.Market(), Unit: alerts.Part}
			if supplied.IsZero() {
				r.Gone = true
				f.add(r)
				continue
			}
			r.Value = borrowed.DivRound(supplied, ratioDigits)
			r.Fields = []alerts.Field{
				amountField("Supplied", supplied, a.Symbol), amountField("Borrowed", borrowed, a.Symbol),
				amountField("Available", tokens(&t.Available), a.Symbol),
			}
			f.add(r)
		}
	}
	return f.orNil(books), nil
}

// ratioDigits are the decimals that quotients are rounded to, half away from zero.
const ratioDigits = 8

func wantedSymbol(list []string, symbol string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, symbol) })
}

func amountField(name string, amount decimal.Decimal, symbol string) alerts.Field {
	return field(name, alerts.Price(amount)+" "+symbol)
}

// change is, by market, what it holds over what it held some time ago.
type change struct {
	Gauge
	of   func(store.MarketTotals) decimal.Decimal
	then map[string]earlier // by market
}

// earlier is what history said in one minute: it says the same all through it.
type earlier struct {
	minute int64
	totals store.MarketTotals
	known  bool
}

func newChange(g Gauge, what string) *change {
	c := &change{Gauge: g, then: map[string]earlier{}}
	switch what {
	case "tvl":
		c.of = func(t store.MarketTotals) decimal.Decimal { return t.TVLUSD }
	case "supplied":
		c.of = func(t store.MarketTotals) decimal.Decimal { return t.SuppliedUSD }
	default:
		c.of = func(t store.MarketTotals) decimal.Decimal { return t.BorrowedUSD }
	}
	return c
}

func (c *change) read(ctx context.Context, l *gaugeLook) (*found, error) {
	f := &found{}
	books := l.mine(c.Markets, f)
	for _, b := range books {
		subject := b.Market() + "|"
		was, ok, err := c.before(ctx, l, b.Market())
		if err != nil {
			return nil, err
		}
		if !ok {
			f.miss(subject, lack{
				why:   fmt.Sprintf("history has nothing of %s %s ago", b.Market(), spell(c.Within)),
				until: l.since.Add(c.Within + time.Minute),
			})
			continue
		}
		t := protocols.TotalsUSD(b)
		now, then := c.of(marketTotals(t)), c.of(was)
		r := alerts.Reading{Subject: subject, Name: b.Market() + ", within " + spell(c.Within), Unit: alerts.Quotient, Gone: !then.IsPositive()}
		if !r.Gone {
			r.Value = now.DivRound(then, ratioDigits)
			r.Fields = []alerts.Field{usdField("Now", now), usdField(spell(c.Within)+" ago", then)}
		}
		f.add(r)
	}
	return f.orNil(books), nil
}

// coarse is how many buckets of history a time must be long to be measured by them.
const coarse = 12

// before is what a market held then: to the minute where history still has minutes,
// else to the hour or the day, for times that are long against those.
func (c *change) before(ctx context.Context, l *gaugeLook, market string) (store.MarketTotals, bool, error) {
	if l.past == nil {
		return store.MarketTotals{}, false, nil
	}
	minute := store.Minute.Bucket(l.now)
	if r, ok := c.then[market]; ok && r.minute == minute {
		return r.totals, r.known, nil
	}
	r := earlier{minute: minute}
	for _, by := range []store.Resolution{store.Minute, store.Hour, store.Day} {
		if by != store.Minute && c.Within < coarse*time.Duration(by)*time.Second {
			break // what is said of an hour may have been at its end
		}
		var err error
		if r.totals, r.known, err = l.past.HistoryTotals(ctx, market, by, l.now.Add(-c.Within)); err != nil {
			return r.totals, false, fmt.Errorf("what %s held: %w", market, err)
		}
		if r.known {
			break
		}
	}
	c.then[market] = r
	return r.totals, r.known, nil
}

func marketTotals(t protocols.USDTotals) store.MarketTotals {
	return store.MarketTotals{SuppliedUSD: t.Supplied, BorrowedUSD: t.Borrowed, TVLUSD: t.TVL}
}

// spell writes a time as the configuration does: 10m, 24h.
func spell(d time.Duration) string {
	s := strings.TrimSuffix(d.String(), "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
