package watch_test

import (
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// Every number is compared, at every block of the story, with what a program finds
// that knows no columns, no ladder and no history: it asks every position, and keeps
// every block.
func TestNumbersAreWhatANaiveProgramFinds(t *testing.T) {
	ten := 10 * time.Minute
	s := tell(t,
		rule("bad", "bad_debt", alerts.Up, watch.Gauge{}, "1000"),
		rule("used", "utilization", alerts.Up, watch.Gauge{}, "0.8"),
		rule("tvl", "tvl", alerts.Down, watch.Gauge{Within: ten}, "0.98"),
		rule("borrowed", "borrowed", alerts.Down, watch.Gauge{Within: ten}, "0.98"),
		rule("share", "at_risk_share", alerts.Up, watch.Gauge{Axis: "ETH", Shock: dec("-0.1")}, "0.2"),
		rule("share of one", "at_risk_share", alerts.Up, watch.Gauge{Axis: "ETH", Shock: dec("-0.1"), Markets: []string{"aave-v3-demo"}}, "0.2"),
		rule("gone", "liquidations", alerts.Up, watch.Gauge{Within: ten}, "100000"),
		rule("near", "hours_to_touch", alerts.Down, watch.Gauge{Axis: "ETH", Levels: []decimal.Decimal{dec("2000"), dec("2400")}, Within: 30 * time.Minute}, "1"),
	)
	n := &naively{story: s}
	s.play(n.look)
	kinds := map[string]int{}
	for _, a := range s.alerts {
		if kinds[a.Rule]++; kinds[a.Rule] <= 2 {
			t.Log(message(t, a))
		}
	}
	t.Log(kinds, "largest bad debt", n.mostBad, "least TVL", n.leastTVL, "largest share", n.mostShare)
	require.Positive(t, n.mostBad.Sign(), "the story has bad debt")
	require.NotEmpty(t, s.done, "the story has liquidations")
	for _, name := range []string{"bad", "share", "gone", "near"} {
		require.Positive(t, kinds[name], "%s had something to tell", name)
	}
}

// naively keeps and adds up everything.
type naively struct {
	*story
	closes              []store.PricePoint
	tvl, borrowed       []sampled
	liquidated          []sampled
	mostBad             decimal.Decimal
	leastTVL, mostShare decimal.Decimal
	seen                int
}

type sampled struct {
	at  int64
	usd decimal.Decimal
}

func (n *naively) look() {
	b := n.book()
	n.badDebt(b)
	n.used(b)
	n.share(b)
	n.totals(b)
	n.flow(b)
	n.near(b)
}

func (n *naively) one(rule, subject string) alerts.Reading {
	r, ok := n.tracker.of(rule)[subject]
	require.True(n.t, ok, "%s says nothing of %q", rule, subject)
	return r
}

func (n *naively) equal(want, got decimal.Decimal, what string) {
	require.True(n.t, want.Equal(got), "%s: want %s, got %s", what, want, got)
}

func (n *naively) badDebt(b protocols.Book) {
	prices := b.Prices()
	sum := decimal.Zero
	for i := range b.Len() {
		f := b.Figures(i, prices)
		sum = sum.Add(prices.USD(&f.BadDebt, b.QuoteDecimals()))
	}
	n.equal(sum, n.one("bad", b.Market()+"|").Value, "bad debt")
	n.mostBad = decimal.Max(n.mostBad, sum)
}

func (n *naively) used(b protocols.Book) {
	for _, t := range b.Totals() {
		a := b.Assets()[t.Asset]
		r := n.one("used", b.Market()+"|"+a.Address.String())
		if t.Supplied.IsZero() {
			require.True(n.t, r.Gone)
			continue
		}
		want := decimal.NewFromBigInt(t.Borrowed.ToBig(), 0).DivRound(decimal.NewFromBigInt(t.Supplied.ToBig(), 0), 8)
		n.equal(want, r.Value, "utilization of "+a.Symbol)
	}
}

func (n *naively) share(b protocols.Book) {
	now := b.Prices()
	then, err := b.Move([]protocols.Move{{Axis: "ETH", Factor: dec("0.9")}})
	require.NoError(n.t, err)
	var all, part decimal.Decimal
	for i := range b.Len() {
		f := b.Figures(i, now)
		usd := now.USD(&f.AtRisk, b.QuoteDecimals())
		all = all.Add(usd)
		if !b.Liquidatable(i, now) && b.Liquidatable(i, then) {
			part = part.Add(usd)
		}
	}
	want := part.DivRound(all, 8)
	for _, r := range []alerts.Reading{n.one("share", "ETH"), n.one("share of one", b.Market()+"|")} {
		n.equal(want, r.Value, "share")
	}
	n.mostShare = decimal.Max(n.mostShare, want)
}

// totals: changes are against the minute that was so long ago, once there is one.
func (n *naively) totals(b protocols.Book) {
	t := protocols.TotalsUSD(b)
	for _, c := range []struct {
		rule string
		kept *[]sampled
		now  decimal.Decimal
	}{{"tvl", &n.tvl, t.TVL}, {"borrowed", &n.borrowed, t.Borrowed}} {
		was, known := decimal.Zero, false
		to := n.now.Unix() - 600
		for _, k := range *c.kept {
			if k.at <= to && k.at >= to-60 {
				was, known = k.usd, true
			}
		}
		read := n.tracker.last(c.rule)
		if !known {
			require.Empty(n.t, read.Readings)
			require.Equal(n.t, []string{b.Market() + "|"}, read.Unknown)
		} else {
			got := n.one(c.rule, b.Market()+"|").Value
			n.equal(c.now.DivRound(was.Round(2), 8), got, c.rule)
			if n.leastTVL.IsZero() || got.LessThan(n.leastTVL) {
				n.leastTVL = got
			}
		}
		minute := store.Minute.Bucket(n.now)
		if k := *c.kept; len(k) == 0 || k[len(k)-1].at != minute {
			*c.kept = append(*c.kept, sampled{minute, c.now})
		}
	}
}

// flow: what was seized within ten minutes, at the prices of its block.
func (n *naively) flow(b protocols.Book) {
	for _, l := range n.outcome.Liquidations {
		n.liquidated = append(n.liquidated, sampled{n.now.Unix(), b.Prices().USD(&l.SeizedQuote.Raw, l.SeizedQuote.Decimals).Round(2)})
	}
	sum := decimal.Zero
	for _, l := range n.liquidated {
		if l.at > n.now.Unix()-600 {
			sum = sum.Add(l.usd)
		}
	}
	n.equal(sum, n.one("gone", b.Chain()).Value, "liquidated")
}

// near: the hours come from the prices at the ends of the minutes before.
func (n *naively) near(b protocols.Book) {
	path, _ := b.Path("ETH")
	place := path.Spot()
	spot := protocols.Amount{Raw: place, Decimals: path.Decimals()}.Decimal()
	minute := store.Minute.Bucket(n.now)
	var kept []store.PricePoint
	for _, p := range n.closes {
		if p.At >= minute-1801 && p.At < minute {
			kept = append(kept, p)
		}
	}
	read := n.tracker.of("near")
	if len(kept) < 2 || kept[len(kept)-1].At-kept[0].At < 900 {
		require.Empty(n.t, read)
	} else {
		sum, hours := 0.0, float64(kept[len(kept)-1].At-kept[0].At)/3600
		for i := 1; i < len(kept); i++ {
			sum += math.Pow(math.Log(kept[i].Close.InexactFloat64()/kept[i-1].Close.InexactFloat64()), 2)
		}
		for _, level := range []float64{2000, 2400} {
			want := math.Pow(math.Log(spot.InexactFloat64()/level), 2) / (sum / hours)
			got := read["ETH|"+decimal.NewFromFloat(level).String()].Value.InexactFloat64()
			require.InDelta(n.t, min(want, 10_000), got, 0.006)
			n.seen++
		}
	}
	if k := n.closes; len(k) == 0 || k[len(k)-1].At != minute {
		n.closes = append(n.closes, store.PricePoint{At: minute, Close: spot})
	}
}

// With walls for levels, the way is measured to those that the ladder has, and one
// that was told of stays although the ladder has it no more.
func TestHoursToTheWallsOfTheLadder(t *testing.T) {
	walls := &thresholds.WallOptions{Max: 3}
	s := tell(t, rule("walls", "hours_to_touch", alerts.Down, watch.Gauge{Axis: "ETH", Walls: walls, Within: 20 * time.Minute}, "0.5"))
	most := 0
	s.play(func() {
		read := s.tracker.of("walls")
		most = max(most, len(read))
		for _, e := range s.tracker.Episodes("walls") {
			if e.Said && !e.Retired {
				require.Contains(t, read, e.Subject, "told of, and still watched")
			}
		}
	})
	require.GreaterOrEqual(t, most, 2)
	require.NotEmpty(t, s.alerts)
	t.Log(message(t, s.alerts[0]))
}
