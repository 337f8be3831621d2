package watch

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/protocols"
)

func TestRankSaysSinceWhenThereWasNothingAsLarge(t *testing.T) {
	day := time.Date(2025, 10, 10, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration, usd int64) store.LiquidationPoint {
		return store.LiquidationPoint{At: day.Add(d), SeizedUSD: decimal.NewFromInt(usd)}
	}
	// 300 within an hour on the 10th, 150 on the 12th.
	before := []store.LiquidationPoint{
		at(-30*24*time.Hour, 1), at(0, 100), at(20*time.Minute, 100), at(50*time.Minute, 100), at(61*time.Minute, 5), at(48*time.Hour, 150),
	}
	for _, c := range []struct {
		usd  int64
		want string
	}{
		{120, "the largest since 2025-10-12"},
		{150, "the largest since 2025-10-12"},
		{151, "the largest since 2025-10-10"},
		{300, "the largest since 2025-10-10"},
		{301, "the largest recorded, since 2025-09-10"},
	} {
		require.Equal(t, c.want, rankText(before, decimal.NewFromInt(c.usd), time.Hour), c.usd)
	}
	require.Equal(t, "the first recorded", rankText(nil, decimal.NewFromInt(1), time.Hour))
}

// rankText equals looking at every window that ends with a liquidation.
func TestRankIsThatOfEveryWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var before []store.LiquidationPoint
		at := time.Unix(1_700_000_000, 0)
		for range rapid.IntRange(1, 30).Draw(t, "n") {
			at = at.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "gap")) * time.Second)
			before = append(before, store.LiquidationPoint{At: at, SeizedUSD: decimal.NewFromInt(rapid.Int64Range(1, 50).Draw(t, "usd"))})
		}
		v, within := decimal.NewFromInt(rapid.Int64Range(1, 150).Draw(t, "v")), time.Hour
		want := "the largest recorded, since " + date(before[0].At)
		for _, end := range before {
			sum := decimal.Zero
			for _, p := range before {
				if !p.At.After(end.At) && end.At.Sub(p.At) <= within {
					sum = sum.Add(p.SeizedUSD)
				}
			}
			if sum.GreaterThanOrEqual(v) {
				want = "the largest since " + date(end.At)
			}
		}
		require.Equal(t, want, rankText(before, v, within))
	})
}

func TestHoursToTouchAreThoseOfARandomWalk(t *testing.T) {
	// 1% an hour; a level 10% below (in logarithms): a hundred hours.
	require.InDelta(t, 100, hoursToTouch(math.Exp(0.1), 0.01), 1e-9)
	require.InDelta(t, 100, hoursToTouch(math.Exp(-0.1), 0.01), 1e-9, "the same from below")
	require.InDelta(t, 25, hoursToTouch(math.Exp(0.1), 0.02), 1e-9, "twice the volatility, a quarter of the time")
	require.Zero(t, hoursToTouch(1, 0.01))
	require.Zero(t, hoursToTouch(1, 0))
	require.EqualValues(t, longestWay, hoursToTouch(1.1, 0), "a price that stands still")
	require.EqualValues(t, longestWay, hoursToTouch(0.5, 1e-12))
}

func TestVolatilityNeedsTimeAndSurvivesGaps(t *testing.T) {
	points := func(every int64, prices ...string) []store.PricePoint {
		var out []store.PricePoint
		for i, p := range prices {
			out = append(out, store.PricePoint{At: 1_700_000_000 + int64(i)*every, Close: decimal.RequireFromString(p)})
		}
		return out
	}
	require.False(t, realised(nil, time.Hour).known)
	require.False(t, realised(points(60, "100", "101"), time.Hour).known, "a minute says nothing")
	v := realised(points(3600, "100", "101", "100"), time.Hour)
	require.True(t, v.known)
	require.InDelta(t, math.Log(1.01), v.hourly, 1e-12)
	v = realised(points(4*3600, "100", "102"), time.Hour)
	require.InDelta(t, math.Log(1.02)/2, v.hourly, 1e-12, "what moved within four hours moved half of it within one")
	v = realised(points(3600, "100", "100"), time.Hour)
	require.Zero(t, v.hourly)
}

// debts is a book of which only the debts matter.
type debts struct {
	protocols.Book
	usd []int64
}

func (d *debts) Market() string  { return "m" }
func (d *debts) ID(i int) string { return fmt.Sprint(i) }

// The largest are always watched; who is well below the last place is not, unless it
// was told of; and nobody goes in and out while places around the last are swapped.
func TestTheLargestChangeSeldom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "largest")
		h, err := newHealth(Gauge{Largest: n}, alerts.Rule{Name: "r"})
		require.NoError(t, err)
		var busy []string
		for range rapid.IntRange(1, 12).Draw(t, "looks") {
			usd := rapid.SliceOfN(rapid.Int64Range(1, 20), 1, 12).Draw(t, "debts")
			b := &debts{usd: usd}
			var all []debtor
			for i, d := range usd {
				all = append(all, debtor{int32(i), float64(d)})
			}
			slices.SortFunc(all, byDebt)
			before := h.members
			h.choose(&gaugeLook{
				books: []protocols.Book{b}, census: func(protocols.Book) *census { return &census{largest: all} },
				busy: func(string) []string { return busy },
			})
			order := slices.Clone(all)
			slices.SortStableFunc(order, func(x, y debtor) int {
				if x.usd != y.usd {
					return int(y.usd - x.usd)
				}
				return compareText(fmt.Sprint("m|", x.position), fmt.Sprint("m|", y.position))
			})
			for rank, d := range order {
				subject := fmt.Sprint("m|", d.position)
				told := slices.Contains(busy, subject)
				switch {
				case rank < n || told:
					require.True(t, h.members[subject], "rank %d", rank)
				case rank >= h.stay():
					require.False(t, h.members[subject], "rank %d", rank)
				default:
					require.Equal(t, before[subject], h.members[subject], "rank %d keeps what it is", rank)
				}
			}
			busy = nil
			if rapid.Bool().Draw(t, "told") {
				busy = []string{fmt.Sprint("m|", rapid.IntRange(0, len(usd)-1).Draw(t, "whom"))}
			}
		}
	})
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// A rule without its numbers is told of: at once when they should be there, and only
// after the time that history needs when it could not know them yet.
func TestMissingNumbersAreToldWhenTheyAreOverdue(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	tracker := &silent{}
	e := NewEngine(tracker, nil, []string{"c"}, zerolog.Nop())
	e.Now = func() time.Time { return now }
	e.chains["c"].blockAt = now
	g := &gaugeRule{rule: alerts.Rule{Name: "tvl"}, known: now, last: map[string]*found{}}
	e.gauges = []*gaugeRule{g}
	age := func() time.Duration {
		e.chains["c"].blockAt = now
		e.tellLacks(g)
		require.NoError(t, e.Pulse(t.Context(), time.Minute))
		for _, s := range tracker.sources {
			if s.What == "rule" {
				return now.Sub(s.Fed)
			}
		}
		return -1
	}
	require.EqualValues(t, -1, age(), "nothing was read yet")
	start := now
	warm := &found{lacks: []lack{{why: "no history", until: start.Add(time.Hour)}}}
	g.last["c"] = warm
	now = start.Add(30 * time.Minute)
	require.Zero(t, age(), "it cannot know yet")
	now = start.Add(time.Hour + 10*time.Minute)
	require.Equal(t, 10*time.Minute, age(), "it should know by now")
	g.last["c"] = &found{}
	require.Zero(t, age(), "it knows")
	g.last["c"] = &found{lacks: []lack{{why: "no feed"}}}
	now = now.Add(5 * time.Minute)
	require.Equal(t, 5*time.Minute, age(), "it has lost what it had")
	require.Equal(t, "no feed", tracker.sources[len(tracker.sources)-1].Why)
}

// The price that a feed answers is the one that is watched.
func TestASpotFeedIsTakenOver(t *testing.T) {
	word := func(n int64) []byte { return new(big.Int).SetInt64(n).FillBytes(make([]byte, 32)) }
	round := slices.Concat(word(7), word(2500e8), word(1_700_000_000), word(1_700_000_012), word(7))
	f := NewFollower(newBranches(), nil, &MemoryAccounts{}, zerolog.Nop())
	f.WatchSpot(SpotFeed{Axis: "ETH"})
	_, err := f.spots[0].step().Then([]chains.Answer{{Data: round}, {Data: word(8)}})
	require.NoError(t, err)
	require.Equal(t, "2500", f.Spots()["ETH"].Price.String())
	require.EqualValues(t, 1_700_000_012, f.Spots()["ETH"].Updated)
	_, err = f.spots[0].step().Then([]chains.Answer{{Failed: true}})
	require.NoError(t, err)
	require.Empty(t, f.Spots(), "the last price is not kept")
}
