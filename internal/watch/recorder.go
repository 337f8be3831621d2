package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holiman/uint256"
	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"

	"liqwatch/internal/store"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// Keeper keeps samples.
type Keeper interface {
	Record(ctx context.Context, s store.Sample) error
}

// Recorder keeps what the markets look like, every minute, for whoever looks back:
// the page's heatmap, and the rules about changes and volatility. It works beside
// the passes, which never wait for it.
type Recorder struct {
	// Axes are those to keep prices and bands of.
	Axes       []string
	References map[string]string // by axis
	Now        func() time.Time
	// Recorded, when set, is told of every sample kept.
	Recorded func()

	keeper Keeper
	books  func() []protocols.Book
	log    zerolog.Logger
	minute int64
}

// NewRecorder records into a keeper what the books say.
func NewRecorder(keeper Keeper, books func() []protocols.Book, log zerolog.Logger) *Recorder {
	return &Recorder{
		References: map[string]string{}, Now: time.Now, keeper: keeper, books: books,
		log: log.With().Str("component", "record").Logger(),
	}
}

// lookEvery is how often the clock is looked at; firstEvery until there was anything
// to record.
const (
	lookEvery  = 5 * time.Second
	firstEvery = 500 * time.Millisecond
)

// Run records until the context ends.
func (r *Recorder) Run(ctx context.Context) {
	for {
		if err := r.Look(ctx); err != nil && ctx.Err() == nil {
			r.log.Error().Err(err).Msg("record history")
		}
		wait := lookEvery
		if r.minute == 0 {
			wait = firstEvery
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// Look records a sample when a minute has begun since the last, and there is
// anything to record.
func (r *Recorder) Look(ctx context.Context) error {
	minute := store.Minute.Bucket(r.Now())
	if minute == r.minute {
		return nil
	}
	books := r.books()
	if len(books) == 0 {
		return nil
	}
	sample, err := r.sample(books)
	if keep := r.keeper.Record(ctx, sample); keep != nil {
		return keep
	}
	r.minute = minute
	if r.Recorded != nil {
		r.Recorded()
	}
	return err
}

// sample looks at everything. An axis without a price is left out: nothing is
// recorded as if it were zero.
func (r *Recorder) sample(books []protocols.Book) (store.Sample, error) {
	s := store.Sample{
		At: r.Now(), Prices: map[string]decimal.Decimal{},
		Bands: map[string]map[string][]store.BandPoint{}, Totals: map[string]store.MarketTotals{},
	}
	for _, b := range books {
		s.Totals[b.Market()] = marketTotals(protocols.TotalsUSD(b))
	}
	var errs []error
	for _, axis := range r.Axes {
		l, err := thresholds.Build(axis, r.References[axis], books)
		if err != nil {
			continue // the page and the rules say so
		}
		s.Prices[axis] = l.Spot()
		if s.Bands[axis], err = bandsOf(l, books); err != nil {
			errs = append(errs, fmt.Errorf("bands of %s: %w", axis, err))
		}
	}
	return s, errors.Join(errs...)
}

// heightOfHistory is how far from spot bands are kept, as a part of it.
var heightOfHistory = decimal.RequireFromString("0.5")

// bandsOf puts every position at its trigger into the fixed grid that history is
// kept in, with what is at risk there.
func bandsOf(l *thresholds.Ladder, books []protocols.Book) (map[string][]store.BandPoint, error) {
	one := decimal.NewFromInt(1)
	low, high := bucket(l.Spot().Mul(one.Sub(heightOfHistory))), bucket(l.Spot().Mul(one.Add(heightOfHistory)))
	out := map[string][]store.BandPoint{}
	for _, b := range books {
		path, ok := b.Path(l.Axis().Name)
		if !ok {
			continue
		}
		sums := map[int]uint64{}
		var prices protocols.Prices
		for i := range b.Len() {
			t, err := l.Triggers(b.Market(), i)
			if err != nil {
				return nil, fmt.Errorf("cut the ladder for history: %w", err)
			}
			for _, trigger := range []*decimal.Decimal{t.Down, t.Up} {
				if trigger == nil {
					continue
				}
				k := bucket(*trigger)
				place, over := uint256.FromBig(trigger.Shift(path.Decimals()).BigInt())
				if over || k < low || k > high {
					continue
				}
				path.At(place, &prices)
				f := b.Figures(i, prices)
				sums[k] += uint64(max(0, prices.USD(&f.AtRisk, b.QuoteDecimals()).IntPart()))
			}
		}
		for k, usd := range sums {
			out[b.Market()] = append(out[b.Market()], store.BandPoint{Bucket: k, USD: usd})
		}
		slices.SortFunc(out[b.Market()], func(a, b store.BandPoint) int { return a.Bucket - b.Bucket })
	}
	return out, nil
}

// bucket is a row of the heatmap: a picture, not an alert.
func bucket(price decimal.Decimal) int {
	p, _ := price.Float64()
	return store.Bucket(p)
}
