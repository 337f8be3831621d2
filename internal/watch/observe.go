package watch

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// Look is what an observation of an axis is made from.
type Look struct {
	Axis      string
	Reference string // market whose oracle names the price; empty: the first that has the axis
	Levels    []decimal.Decimal
	Books     []protocols.Book
	Final     map[string]uint64
	Seen      time.Time
	Market    decimal.Decimal // the price by a feed besides the oracle; zero without one
}

// mostMarkets is how many markets an alert names at most.
const mostMarkets = 10

// Observe turns books into what rules look at: the price of the axis, and what
// becomes liquidatable between it and every level.
func Observe(look Look) (alerts.Observation, *thresholds.Ladder, error) {
	ladder, err := thresholds.Build(look.Axis, look.Reference, look.Books)
	if err != nil {
		return alerts.Observation{}, nil, fmt.Errorf("look along %s: %w", look.Axis, err)
	}
	o := alerts.Observation{
		Axis: look.Axis, Reference: ladder.Axis().Reference, Price: ladder.Spot(), Seen: look.Seen,
		Now: alertTotals(ladder.Now()), Final: look.Final, Market: look.Market,
		PriceChain: chainOf(look.Books, ladder.Axis().Reference),
	}
	o.Stretch = func(from, to decimal.Decimal) (alerts.Totals, error) {
		t, err := ladder.Stretch(from, to)
		return alertTotals(t), err
	}
	for _, b := range ladder.Blocks() {
		o.Blocks = append(o.Blocks, alerts.BlockRef{Chain: b.Chain, Number: b.Number, Hash: b.Hash, Time: b.Time})
	}
	var digests []byte
	for _, level := range look.Levels {
		if level.Equal(o.Price) {
			continue
		}
		c, err := ladder.Crossing(level)
		if err != nil {
			return alerts.Observation{}, nil, fmt.Errorf("look along %s at %s: %w", look.Axis, level, err)
		}
		v := levelView(level, c)
		if v.Beyond, err = beyond(ladder, look.Levels, level); err != nil {
			return alerts.Observation{}, nil, fmt.Errorf("look along %s beyond %s: %w", look.Axis, level, err)
		}
		o.Levels = append(o.Levels, v)
		digests = append(digests, c.Digest...)
	}
	o.Digest = chains.Keccak(digests).String()
	if o.Sketch, err = Sketch(ladder, look.Levels); err != nil {
		return alerts.Observation{}, nil, fmt.Errorf("sketch the ladder of %s: %w", look.Axis, err)
	}
	return o, ladder, nil
}

func levelView(level decimal.Decimal, c *thresholds.Crossing) alerts.LevelView {
	v := alerts.LevelView{Level: level, Totals: alertTotals(c.Totals)}
	for _, m := range largestMarkets(c.ByMarket) {
		v.Markets = append(v.Markets, alerts.MarketTotals{Market: m.Market, Totals: alertTotals(m.Totals)})
	}
	return v
}

// lookBeyond is how far behind the last level a rule looks, as a part of it.
var lookBeyond = decimal.RequireFromString("0.1")

// beyond is what lies behind a level, as far as the next one on that side.
func beyond(l *thresholds.Ladder, levels []decimal.Decimal, level decimal.Decimal) (*alerts.Beyond, error) {
	down := level.LessThan(l.Spot())
	to := level.Mul(decimal.NewFromInt(1).Sub(lookBeyond))
	if !down {
		to = level.Mul(decimal.NewFromInt(1).Add(lookBeyond))
	}
	for _, other := range levels {
		between := other.LessThan(level) && other.GreaterThan(to)
		if !down {
			between = other.GreaterThan(level) && other.LessThan(to)
		}
		if between {
			to = other
		}
	}
	t, err := l.Stretch(level, to)
	if err != nil {
		return nil, err
	}
	return &alerts.Beyond{To: to, Totals: alertTotals(t)}, nil
}

func chainOf(books []protocols.Book, market string) string {
	for _, b := range books {
		if b.Market() == market {
			return b.Chain()
		}
	}
	return ""
}

func alertTotals(t thresholds.Totals) alerts.Totals { return alerts.Totals(t) }
