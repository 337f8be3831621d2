package backtest

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/internal/alerts"
	"liqwatch/thresholds"
)

// walk is a film of a price around one level, with something at risk now and then.
func walk(seed uint64, steps int, level decimal.Decimal) *Film {
	r := rand.New(rand.NewPCG(seed, 7))
	f := &Film{Axis: "ETH", Reference: "m", From: 1, To: uint64(steps), Levels: []decimal.Decimal{level}}
	p := level.InexactFloat64() * (0.9 + 0.3*r.Float64())
	for i := range steps {
		p *= math.Exp(0.012 * r.NormFloat64())
		price := decimal.NewFromFloat(p).Round(2)
		if r.IntN(40) == 0 {
			price = level.Mul(decimal.NewFromFloat(1 + float64(r.IntN(13)-4)/100)) // right on a mark
		}
		v := alerts.LevelView{Level: level}
		if r.IntN(5) > 0 {
			v.Accounts, v.AtRiskUSD = 1, decimal.NewFromInt(1000)
		}
		n := uint64(i + 1)
		f.Looks = append(f.Looks, Look{Observation: alerts.Observation{Axis: "ETH", Reference: "m", Price: price, Levels: []alerts.LevelView{v},
			Blocks: []alerts.BlockRef{{Chain: filmChain, Number: n, Time: n}}, Seen: time.Unix(int64(n), 0), Final: map[string]uint64{filmChain: n}}})
	}
	return f
}

// Leaving out looks that cannot matter changes no alert.
func TestThinningChangesNoDecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := walk(rapid.Uint64().Draw(t, "seed"), 400, decimal.NewFromInt(2000))
		percent := func(name string) decimal.Decimal {
			return decimal.New(int64(rapid.IntRange(1, 10).Draw(t, name)), -2)
		}
		rule := alerts.Rule{Name: "r", Axis: "ETH", Levels: f.Levels, Approach: []decimal.Decimal{percent("approach")}, Rearm: percent("rearm"), Notify: []string{"x"}}
		all := frames(f.Looks, Policy{Confirm: rapid.IntRange(1, 3).Draw(t, "confirm")})
		some := thin(rule, 0, all)
		require.LessOrEqual(t, len(some), len(all))
		whole, short := newRecorder(), newRecorder()
		require.NoError(t, play(rule, all, whole))
		require.NoError(t, play(rule, some, short))
		require.Equal(t, len(whole.alerts), len(short.alerts))
		for i := range whole.alerts {
			a, b := whole.alerts[i], short.alerts[i]
			require.Equal(t, a.time, b.time)
			require.Equal(t, a.kind, b.kind)
			require.Equal(t, a.episode, b.episode)
			require.True(t, a.from.Equal(b.from) && a.to.Equal(b.to), "it speaks of the same triggers")
		}
		require.Equal(t, whole.rearmed, short.rearmed)
	})
}

// A price that falls through 2,000 once: what each liquidation counts as.
func TestAnnouncedMeansSaidBefore(t *testing.T) {
	price := func(ps ...int64) []Look {
		var out []Look
		for i, p := range ps {
			n := uint64(i + 1)
			v := alerts.LevelView{Level: decimal.NewFromInt(2000), Totals: alerts.Totals{Accounts: 1, AtRiskUSD: decimal.NewFromInt(9)}}
			out = append(out, Look{Observation: alerts.Observation{Axis: "ETH", Price: decimal.NewFromInt(p), Levels: []alerts.LevelView{v},
				Blocks: []alerts.BlockRef{{Chain: filmChain, Number: n, Time: n * 100}}, Final: map[string]uint64{filmChain: n}}})
		}
		return out
	}
	incident := func(at uint64, trigger int64) Incident {
		return Incident{Key: thresholds.Key{Position: "x"}, Time: at, Count: 1, DebtUSD: decimal.NewFromInt(5000), Trigger: ptr(decimal.NewFromInt(trigger))}
	}
	rule := alerts.Rule{Name: "r", Axis: "ETH", Levels: []decimal.Decimal{decimal.NewFromInt(2000)},
		Approach: []decimal.Decimal{decimal.RequireFromString("0.05")}, Rearm: decimal.RequireFromString("0.05"), Notify: []string{"x"}}
	f := &Film{Axis: "ETH", From: 0, To: 10_000, Levels: rule.Levels, Looks: price(2300, 2150, 2090, 2040, 1990, 2300, 2300),
		Incidents: []Incident{
			incident(410, 2050), // after the approach at 2,090: announced
			incident(300, 2080), // in the same moment as the alert: too late
			incident(510, 2120), // above what the approach spoke of, but passed by its tick
			incident(520, 2200), // not in what anybody was told
			incident(650, 2050), // the episode was over
		}}
	r, err := f.ScoreRules([]alerts.Rule{rule}, DefaultRuleOptions())
	require.NoError(t, err)
	s := r.Rules[0]
	require.Equal(t, 2, s.Alerts, "an approach and a crossing")
	require.Equal(t, 1, s.Episodes)
	require.Equal(t, 1, s.Rearmed)
	require.Equal(t, 5, s.Incidents)
	require.Equal(t, 2, s.Announced)
	require.Len(t, s.NoWarning, 3)
	require.EqualValues(t, 110, *s.Lead.Median)
	require.Equal(t, "0.5", s.Precision.String(), "nothing was liquidated between the crossing and what it spoke of")
}

func TestConfirmedPricesIgnoreAShortWick(t *testing.T) {
	f := walk(1, 5, decimal.NewFromInt(2000))
	for i, p := range []int64{2200, 1900, 2200, 1900, 1890} {
		f.Looks[i].Observation.Price = decimal.NewFromInt(p)
	}
	var got []string
	for _, x := range frames(f.Looks, Policy{Confirm: 2}) {
		got = append(got, x.Price.String())
	}
	require.Equal(t, []string{"2200", "2200", "2200", "2200", "1900"}, got)
	require.Equal(t, "2 looks, next price", Policy{Next: true, Confirm: 2}.String())
}

func TestSweepWantsASplitInside(t *testing.T) {
	f := walk(3, 300, decimal.NewFromInt(2000))
	o := DefaultSweep()
	_, err := f.Sweep(o)
	require.ErrorContains(t, err, "split")
	o.Split = 150
	f.Incidents = []Incident{{Time: 100, Count: 1, DebtUSD: decimal.NewFromInt(9000), Trigger: ptr(decimal.NewFromInt(2010))}}
	s, err := f.Sweep(o)
	require.NoError(t, err)
	require.Len(t, s.Points, 7*7*4)
	for _, p := range s.Points {
		require.GreaterOrEqual(t, p.Train.Alerts, p.Train.Right)
		require.Equal(t, 1, p.Train.Incidents)
		require.Zero(t, p.Test.Incidents)
	}
}
