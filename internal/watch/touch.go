package watch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/thresholds"
)

// touch is how far levels of an axis are away in time: the hours in which a random
// walk with the realised volatility comes as far.
type touch struct {
	Gauge
	rule   alerts.Rule
	levels []decimal.Decimal // the walls, where levels are those
	looked time.Time
	sigma  map[int64]volatility // of this minute
}

// volatility is the standard deviation of the price's logarithm after one hour.
type volatility struct {
	hourly float64
	known  bool
}

func newTouch(g Gauge, r alerts.Rule) *touch { return &touch{Gauge: g, rule: r, levels: g.Levels} }

// longestWay is as far as hours are counted: beyond, a price stands still.
const longestWay = 10_000

func (g *touch) read(ctx context.Context, l *gaugeLook) (*found, error) {
	f := &found{}
	ladder, err := l.ladder(g.Axis)
	switch {
	case errors.Is(err, thresholds.ErrNoAxis), errors.Is(err, thresholds.ErrUnknownMarket), errors.Is(err, thresholds.ErrPrice):
		f.miss(g.Axis+"|", lack{why: "no market gives a price for " + g.Axis})
		return f, nil
	case err != nil:
		return nil, err
	}
	if chainOf(l.books, ladder.Axis().Reference) != l.chain {
		return nil, nil // another chain's pass reads it
	}
	if err := g.follow(l, ladder); err != nil {
		return nil, err
	}
	v, err := g.volatility(ctx, l)
	if err != nil {
		return nil, err
	}
	if !v.known {
		f.miss(g.Axis+"|", lack{
			why: fmt.Sprintf("history has too few prices of %s to know how it moves", g.Axis), until: l.since.Add(least(g.Within) + 2*time.Minute),
		})
		return f, nil
	}
	for _, level := range g.levels {
		f.add(g.reading(ladder.Spot(), level, v.hourly))
	}
	return f, nil
}

func (g *touch) reading(spot, level decimal.Decimal, hourly float64) alerts.Reading {
	r := alerts.Reading{Subject: g.Axis + "|" + level.String(), Name: g.Axis + " to " + level.String(), Unit: alerts.Hours}
	ratio, _ := spot.DivRound(level, 18).Float64()
	hours := hoursToTouch(ratio, hourly)
	r.Value = decimal.NewFromInt(int64(math.Round(hours * 100))).Shift(-2)
	away := "down"
	if level.GreaterThan(spot) {
		away = "up"
	}
	r.Fields = []alerts.Field{
		field("Price", alerts.Price(spot)), field("Distance", apart(spot, level).Shift(2).Round(2).String()+"% "+away),
		field("Volatility", fmt.Sprintf("%.2f%% an hour over %s", 100*hourly, spell(g.Within))),
	}
	return r
}

// hoursToTouch is (ln(price/level)/sigma)^2: the time after which the standard
// deviation of a random walk without drift, sigma an hour, equals the distance; at
// most longestWay.
func hoursToTouch(ratio, sigma float64) float64 {
	if ratio == 1 {
		return 0
	}
	z := math.Log(ratio) / sigma // a price that stands still: +-Inf
	return min(z*z, longestWay)
}

// follow takes the ladder's walls for levels, where the rule wants those. A wall
// that was told of stays until that is over.
func (g *touch) follow(l *gaugeLook, ladder *thresholds.Ladder) error {
	if g.Walls == nil || !g.looked.IsZero() && l.now.Sub(g.looked) < wallsEvery {
		return nil
	}
	walls, err := ladder.Walls(*g.Walls)
	if err != nil {
		return fmt.Errorf("find the walls of %s: %w", g.Axis, err)
	}
	edges := make([]decimal.Decimal, len(walls))
	for i, w := range walls {
		edges[i] = w.Edge()
	}
	var busy []decimal.Decimal
	for _, subject := range l.busy(g.rule.Name) {
		if level, err := decimal.NewFromString(subject[len(g.Axis)+1:]); err == nil {
			busy = append(busy, level)
		}
	}
	g.levels, g.looked = settle(g.levels, busy, edges, mostStick), l.now
	return nil
}

// volatility is that of this minute: the square root of the sum of the squared
// logarithms of the quotients of neighbouring prices, over the hours between the
// first and the last (realised variance; Andersen, Bollerslev, 1998).
func (g *touch) volatility(ctx context.Context, l *gaugeLook) (volatility, error) {
	minute := store.Minute.Bucket(l.now)
	if v, ok := g.sigma[minute]; ok || l.past == nil {
		return v, nil
	}
	by := store.Minute
	if g.Within > 24*time.Hour {
		by = store.Hour
	}
	to := time.Unix(minute-1, 0) // this minute is not over
	points, err := l.past.HistoryPrices(ctx, g.Axis, by, to.Add(-g.Within), to)
	if err != nil {
		return volatility{}, fmt.Errorf("read how %s moved: %w", g.Axis, err)
	}
	v := realised(points, least(g.Within))
	g.sigma = map[int64]volatility{minute: v}
	return v, nil
}

// least is over how long prices must be known to say how they move.
func least(within time.Duration) time.Duration { return min(time.Hour, within/2) }

func realised(points []store.PricePoint, least time.Duration) volatility {
	if len(points) < 2 {
		return volatility{}
	}
	span := time.Duration(points[len(points)-1].At-points[0].At) * time.Second
	if span < least {
		return volatility{}
	}
	sum := 0.0
	for i := 1; i < len(points); i++ {
		if before := points[i-1].Close; before.IsPositive() && points[i].Close.IsPositive() {
			ratio, _ := points[i].Close.DivRound(before, 18).Float64()
			sum += math.Log(ratio) * math.Log(ratio)
		}
	}
	return volatility{hourly: math.Sqrt(sum / span.Hours()), known: true}
}
