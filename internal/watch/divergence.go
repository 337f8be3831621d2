package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/protocols"
)

// divergence is, by market, how far its oracle's price of an axis is from the
// market's own: |oracle/spot - 1|.
type divergence struct{ Gauge }

func (g divergence) read(_ context.Context, l *gaugeLook) (*found, error) {
	f := &found{}
	books := l.mine(g.Markets, f)
	for _, b := range books {
		path, ok := b.Path(g.Axis)
		if !ok {
			continue // nothing of it moves with the axis
		}
		subject := b.Market() + "|" + g.Axis
		place := path.Spot()
		spot, known := l.spots[g.Axis]
		switch {
		case place.IsZero():
			f.miss(subject, lack{why: fmt.Sprintf("the oracle of %s has no price of %s", b.Market(), g.Axis)})
			continue
		case !known:
			f.miss(subject, lack{why: fmt.Sprintf("the spot feed of %s gives no price", g.Axis)})
			continue
		}
		oracle := protocols.Amount{Raw: place, Decimals: path.Decimals()}.Decimal()
		f.add(alerts.Reading{
			Subject: subject, Name: "oracle of " + b.Market() + " for " + g.Axis, Unit: alerts.Part,
			Value: apart(oracle, spot.Price),
			Fields: []alerts.Field{
				field("Oracle", alerts.Price(oracle)), field("Market price", alerts.Price(spot.Price)),
				field("Feed updated", time.Unix(int64(spot.Updated), 0).UTC().Format("2006-01-02 15:04:05")+" UTC"),
			},
		})
	}
	return f.orNil(books), nil
}

// apart is |a/b - 1|, rounded half away from zero.
func apart(a, b decimal.Decimal) decimal.Decimal { return a.Sub(b).Abs().DivRound(b, ratioDigits) }
