package watch

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
)

// liquidated is what was really liquidated on a chain within a time, in USD of
// collateral seized, valued when it happened.
type liquidated struct {
	Gauge
	rule  alerts.Rule
	ranks map[string]rank // by chain
}

// rank is how an amount stands among those of all times recorded.
type rank struct {
	of   decimal.Decimal
	text string
}

func newLiquidated(g Gauge, r alerts.Rule) *liquidated {
	return &liquidated{Gauge: g, rule: r, ranks: map[string]rank{}}
}

func (g *liquidated) read(ctx context.Context, l *gaugeLook) (*found, error) {
	f := &found{}
	books := l.mine(g.Markets, f)
	if f.orNil(books) == nil {
		return nil, nil // nothing of it is on this chain
	}
	// What is not read yet has no liquidations, and what is there counts all the same.
	f.unknown = nil
	if l.past == nil {
		f.miss(l.chain, lack{why: "nothing is kept of the past"})
		return f, nil
	}
	now := time.Unix(int64(l.block.Time), 0)
	done, err := l.past.ChainLiquidations(ctx, l.chain, g.Markets, now.Add(-g.Within), now)
	if err != nil {
		return nil, err
	}
	var longs, shorts, most decimal.Decimal
	for _, d := range done {
		if d.Short {
			shorts = shorts.Add(d.SeizedUSD)
		} else {
			longs = longs.Add(d.SeizedUSD)
		}
		most = decimal.Max(most, d.SeizedUSD)
	}
	r := alerts.Reading{
		Subject: l.chain, Name: l.chain + ", within " + spell(g.Within), Unit: alerts.USD, Value: longs.Add(shorts),
		Fields: []alerts.Field{
			usdField("Longs", longs), usdField("Shorts", shorts), countField("Calls", len(done)), usdField("Largest call", most),
		},
	}
	if l.since.After(l.now.Add(-g.Within)) {
		// Before, another run may have counted, or nobody: the sum may be too small.
		r.Fields = append(r.Fields, field("Without a break since", l.since.UTC().Format("2006-01-02 15:04")+" UTC"))
	}
	if g.worthTelling(r.Value) {
		text, err := g.rank(ctx, l, r.Value, now)
		if err != nil {
			return nil, err
		}
		r.Fields = append(r.Fields, field("Rank", text))
	}
	f.add(r)
	return f, nil
}

// worthTelling reports that an amount reaches a bound: all of the past is read for it.
func (g *liquidated) worthTelling(v decimal.Decimal) bool {
	for _, bound := range g.rule.Levels {
		if v.GreaterThanOrEqual(bound) {
			return true
		}
	}
	return false
}

func (g *liquidated) rank(ctx context.Context, l *gaugeLook, v decimal.Decimal, now time.Time) (string, error) {
	if r, ok := g.ranks[l.chain]; ok && r.of.Equal(v) {
		return r.text, nil
	}
	before, err := l.past.ChainLiquidations(ctx, l.chain, g.Markets, time.Unix(0, 0), now.Add(-g.Within))
	if err != nil {
		return "", err
	}
	r := rank{of: v, text: rankText(before, v, g.Within)}
	g.ranks[l.chain] = r
	return r.text, nil
}

// rankText says since when there was no time of that length in which as much was
// liquidated. before are all until this time began, oldest first.
func rankText(before []store.LiquidationPoint, v decimal.Decimal, within time.Duration) string {
	if len(before) == 0 {
		return "the first recorded"
	}
	var sum decimal.Decimal
	var last time.Time
	first := 0
	for _, p := range before {
		sum = sum.Add(p.SeizedUSD)
		for p.At.Sub(before[first].At) > within {
			sum = sum.Sub(before[first].SeizedUSD)
			first++
		}
		if sum.GreaterThanOrEqual(v) {
			last = p.At
		}
	}
	if last.IsZero() {
		return "the largest recorded, since " + date(before[0].At)
	}
	return "the largest since " + date(last)
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02") }
