package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
)

// Rule is one with two levels and no minimum.
func Rule() alerts.Rule {
	return alerts.Rule{
		Name: "eth", Axis: "ETH", Notify: []string{"a"}, Rearm: decimal.New(1, -2),
		Levels:   []decimal.Decimal{decimal.NewFromInt(2200), decimal.NewFromInt(2400)},
		Approach: []decimal.Decimal{decimal.New(5, -2), decimal.New(2, -2), decimal.New(5, -3)},
	}
}

// Look is an observation of a block at a price, with something at risk everywhere.
func Look(r alerts.Rule, number, branch uint64, cents int64) alerts.Observation {
	o := alerts.Observation{
		Axis: r.Axis, Reference: "aave", Price: decimal.New(cents, -2), Seen: noon.Add(time.Duration(number) * 12 * time.Second),
		Blocks: []alerts.BlockRef{{Chain: "ethereum", Number: number, Hash: chains.Keccak([]byte(fmt.Sprint(number, branch))), Time: uint64(noon.Unix()) + 12*number}},
	}
	for _, l := range r.Levels {
		o.Levels = append(o.Levels, alerts.LevelView{Level: l, Totals: alerts.Totals{Accounts: 3, Owners: 2, AtRiskUSD: decimal.New(int64(number)*7919, -3)}})
	}
	return o
}

func track(t require.TestingT, s Store, r alerts.Rule) *alerts.Tracker {
	tr, err := alerts.NewTracker(context.Background(), s, []alerts.Rule{r}, alerts.StaleRule{Notify: []string{"a"}}, zerolog.Nop(), nil)
	require.NoError(t, err)
	return tr
}

func state(t *testing.T, open Open) {
	s, r := mustOpen(t, open), Rule()
	tr := track(t, s, r)
	for i, cents := range []int64{270_000, 250_000, 243_000, 239_000} {
		o := Look(r, uint64(i)+1, 0, cents)
		o.Final = map[string]uint64{"ethereum": uint64(i)}
		_, err := tr.Observe(t.Context(), o)
		require.NoError(t, err)
	}
	want := tr.Episodes(r.Name)
	require.NoError(t, tr.Undo(t.Context(), "ethereum", 3, noon))
	require.NoError(t, s.Close())

	s = mustOpen(t, open)
	tr = track(t, s, r)
	require.Equal(t, uint64(3), tr.Seen("ethereum")[0].Number)
	out, err := tr.Observe(t.Context(), Look(r, 4, 1, 239_000))
	require.NoError(t, err)
	require.Empty(t, out.Alerts, "still true: not said again")
	got := tr.Episodes(r.Name)
	require.Len(t, got, len(want))
	for i := range got {
		require.Equal(t, want[i].Phase, got[i].Phase)
		require.Equal(t, want[i].Number, got[i].Number)
	}
}

func beats(t *testing.T, open Open) {
	s := mustOpen(t, open)
	tr := track(t, s, Rule())
	src := []alerts.Source{{Name: "ethereum", What: "chain", Fed: noon, Limit: time.Minute}}
	said, err := tr.Pulse(t.Context(), noon.Add(2*time.Minute), src)
	require.NoError(t, err)
	require.Len(t, said, 1)
	require.NoError(t, s.Close())
	s = mustOpen(t, open)
	tr = track(t, s, Rule())
	said, err = tr.Pulse(t.Context(), noon.Add(3*time.Minute), src)
	require.NoError(t, err)
	require.Empty(t, said, "said before the restart")
	src[0].Fed = noon.Add(3 * time.Minute)
	said, err = tr.Pulse(t.Context(), noon.Add(3*time.Minute), src)
	require.NoError(t, err)
	require.Len(t, said, 1)
	require.Len(t, claim(t, s, "a", noon.Add(time.Hour)), 2)
}

// day is a random path with reorgs, as instructions.
type day struct {
	undo  int // blocks to take back first
	cents int64
}

func drawDays(t *rapid.T) []day {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) day {
		d := day{cents: rapid.Int64Range(2150, 2650).Draw(t, "price") * 100}
		if rapid.IntRange(0, 4).Draw(t, "reorg") == 0 {
			d.undo = rapid.IntRange(1, 4).Draw(t, "depth")
		}
		return d
	}), 1, 10).Draw(t, "days")
}

// restarts runs the same days with and without restarts: everything said is the same.
func restarts(t *testing.T, open Open) {
	serial := 0
	rapid.Check(t, func(rt *rapid.T) {
		serial++
		days := drawDays(rt)
		stop := rapid.IntRange(0, len(days)-1).Draw(rt, "stop") // and every third day after it
		calm := fmt.Sprint("calm", serial)
		rough := fmt.Sprint("rough", serial)
		said := map[string][]string{}
		for _, name := range []string{calm, rough} {
			s, err := open()
			require.NoError(rt, err)
			r := Rule()
			r.Name = name
			tr := track(rt, s, r)
			head := uint64(0)
			for i, d := range days {
				if undo := min(uint64(d.undo), head); undo > 0 {
					head -= undo
					require.NoError(rt, tr.Undo(context.Background(), "ethereum", head, noon))
				}
				head++
				out, err := tr.Observe(context.Background(), Look(r, head, uint64(i), d.cents))
				require.NoError(rt, err)
				for _, a := range out.Alerts {
					said[name] = append(said[name], fmt.Sprint(a.Kind, a.Level, a.Side, a.Episode, a.Mark, a.Passed, a.Price, len(a.Claims), a.Totals))
				}
				if name == rough && i >= stop && (i-stop)%3 == 0 {
					require.NoError(rt, s.Close())
					s, err = open()
					require.NoError(rt, err)
					tr = track(rt, s, r)
				}
			}
			require.NoError(rt, s.Close())
		}
		require.Equal(rt, said[calm], said[rough])
	})
}
