package watch

import (
	"fmt"

	"github.com/shopspring/decimal"

	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// Forecast is what a ladder said would be liquidated in each of its bands, held
// against what then really was.
type Forecast struct {
	Axis  string
	Spot  decimal.Decimal
	Bands []ForecastBand
	// Unforeseen are liquidations of accounts that had no trigger on the axis, or
	// that were not there when the forecast was made.
	Unforeseen Executed

	band map[thresholds.Key]int
}

// ForecastBand is one band as it was when the forecast was made.
type ForecastBand struct {
	thresholds.Band
	Executed Executed
}

// Executed adds up liquidations that really happened.
type Executed struct {
	Accounts  int
	Calls     int
	RepaidUSD decimal.Decimal
	SeizedUSD decimal.Decimal
	// Unvalued are calls with an asset that had no price.
	Unvalued int

	seen map[thresholds.Key]bool
}

// NewForecast cuts the ladder of the books at the edges. An account with a trigger
// on both sides is in both bands; what happens to it counts where the price is.
func NewForecast(l *thresholds.Ladder, books []protocols.Book, edges []decimal.Decimal) (*Forecast, error) {
	m, err := l.Map(edges, thresholds.MapOptions{})
	if err != nil {
		return nil, fmt.Errorf("forecast: %w", err)
	}
	f := &Forecast{Axis: m.Axis, Spot: m.Spot, band: map[thresholds.Key]int{}}
	for _, b := range m.Bands {
		f.Bands = append(f.Bands, ForecastBand{Band: b})
	}
	for _, b := range books {
		for i := range b.Len() {
			t, err := l.Triggers(b.Market(), i)
			if err != nil {
				return nil, fmt.Errorf("forecast %s: %w", b.ID(i), err)
			}
			f.place(thresholds.Key{Market: b.Market(), Position: b.ID(i)}, t)
		}
	}
	return f, nil
}

// place puts an account into the band of its trigger: the lower one where it has
// both, for that is the side a crash comes from.
func (f *Forecast) place(k thresholds.Key, t thresholds.Triggers) {
	for i, b := range f.Bands {
		down := b.Direction == "down"
		if down && t.Down != nil && within(*t.Down, b.Band) {
			f.band[k] = i
			return
		}
		if !down && t.Down == nil && t.Up != nil && within(*t.Up, b.Band) {
			f.band[k] = i
			return
		}
	}
}

// within follows the bands' own rule: [from, to) below spot, (from, to] above.
func within(p decimal.Decimal, b thresholds.Band) bool {
	if b.Direction == "down" {
		return (b.From == nil || p.GreaterThanOrEqual(*b.From)) && (b.To == nil || p.LessThan(*b.To))
	}
	return (b.From == nil || p.GreaterThan(*b.From)) && (b.To == nil || p.LessThanOrEqual(*b.To))
}

// Count adds liquidations that happened; usd values quote units of a market.
func (f *Forecast) Count(done []protocols.Liquidation, usd func(market string, quote *protocols.Amount) decimal.Decimal) {
	for _, l := range done {
		k := thresholds.Key{Market: l.Market, Position: l.Position}
		e := &f.Unforeseen
		if i, ok := f.band[k]; ok {
			e = &f.Bands[i].Executed
		}
		e.count(k, l, usd)
	}
}

func (e *Executed) count(k thresholds.Key, l protocols.Liquidation, usd func(string, *protocols.Amount) decimal.Decimal) {
	if e.seen == nil {
		e.seen = map[thresholds.Key]bool{}
	}
	if !e.seen[k] {
		e.seen[k] = true
		e.Accounts++
	}
	e.Calls++
	if l.RepaidQuote == nil || l.SeizedQuote == nil {
		e.Unvalued++
		return
	}
	e.RepaidUSD = e.RepaidUSD.Add(usd(l.Market, l.RepaidQuote))
	e.SeizedUSD = e.SeizedUSD.Add(usd(l.Market, l.SeizedQuote))
}
