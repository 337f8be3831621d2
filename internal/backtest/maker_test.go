package backtest_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/notes"
	"liqwatch/internal/backtest/prices"
	"liqwatch/internal/backtest/vaults"
	"liqwatch/thresholds"
)

// dataDir is the real history beside the project.
const dataDir = "../../../shared/data"

// makerPath is a path of the real history; the test fails, loudly, without it.
func makerPath(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(dataDir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the real history that this test replays is missing: %v. Put the data directory beside the project at ../shared/data", err)
	}
	return path
}

var maker = struct {
	once   sync.Once
	series *prices.Series
}{}

func makerPrices(t testing.TB) *prices.Series {
	t.Helper()
	path := makerPath(t, "prices/eth-usd-1h.csv")
	maker.once.Do(func() { maker.series, _, _ = prices.Open(path) })
	require.NotNil(t, maker.series)
	return maker.series
}

func openMaker(t testing.TB, opt vaults.Options) *vaults.History {
	t.Helper()
	h, err := vaults.Open(makerPath(t, "maker-ethb"), makerPrices(t), opt)
	require.NoError(t, err)
	return h
}

func at(t testing.TB, s string) uint64 {
	t.Helper()
	when, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return uint64(when.Unix())
}

func step(width int64) func(*thresholds.Ladder) ([]decimal.Decimal, error) {
	return func(l *thresholds.Ladder) ([]decimal.Decimal, error) {
		return thresholds.StepEdges(decimal.NewFromInt(width), decimal.NewFromInt(width), l.Spot())
	}
}

func scoreMaker(t testing.TB, h *vaults.History, from, to string) *backtest.BandReport {
	t.Helper()
	r, err := backtest.ScoreBands(context.Background(), h, backtest.BandOptions{
		Axis: "ETH", Snapshot: at(t, from), To: at(t, to), Edges: step(200), MinDebtUSD: decimal.NewFromInt(1000),
	})
	require.NoError(t, err)
	return r
}

// The outcome tables published with the data: vaults in fully crossed 200-dollar bands.
func TestMakerOutcomeTables(t *testing.T) {
	h := openMaker(t, vaults.DefaultOptions())
	for _, c := range []struct {
		from, to                          string
		accounts, liquidated, saved, late int
		oracle, lowest                    string
	}{
		{"2021-05-17T00:00:00Z", "2021-05-24T12:00:00Z", 24, 5, 16, 3, "3532.58", "1848.11"},
		{"2022-01-19T00:00:00Z", "2022-01-25T00:00:00Z", 37, 8, 26, 3, "3179.21", "2184.11"},
	} {
		r := scoreMaker(t, h, c.from, c.to)
		got := r.TotalsCrossed.Outcome
		t.Logf("%s: %d vaults, %s DAI: liquidated %d, saved %d, late %d, not reached %d, untouched %d", c.from,
			r.TotalsCrossed.Accounts, r.TotalsCrossed.DebtUSD, got.Liquidated.Accounts, got.Saved.Accounts, got.Late.Accounts, got.NotReached.Accounts, got.Untouched.Accounts)
		for _, a := range r.PerAccount {
			require.NotEmpty(t, a.Outcome)
			require.NotEmpty(t, a.Explanation, "every account is explained")
		}
		require.Equal(t, c.oracle, r.OraclePrice.String())
		require.Equal(t, c.lowest, r.Lowest.String())
		require.InDelta(t, c.accounts, r.TotalsCrossed.Accounts, 1)
		require.InDelta(t, c.liquidated, got.Liquidated.Accounts, 1)
		require.InDelta(t, c.saved, got.Saved.Accounts, 1)
		require.InDelta(t, c.late, got.Late.Accounts, 1)
		require.Zero(t, got.Untouched.Accounts)
		require.Zero(t, got.NotReached.Accounts, "a fully crossed band reached every trigger in it")
	}
}

// Rebuilt debt against the debt that the chain says was due, for vaults with clean
// books that were liquidated once, over the whole history.
func TestMakerDebtsAtLiquidation(t *testing.T) {
	for _, c := range []struct {
		name          string
		folded        bool
		median, worst string
	}{
		{"accrued every second", false, "0.00001", "0.0004"},
		// The Vat knows a new rate only after a drip, and a borrow drips.
		{"folded at the last borrow", true, "0.0000000000001", "0.0004"},
	} {
		opt := vaults.DefaultOptions()
		opt.FoldedRate = c.folded
		h := openMaker(t, opt)
		from, to := h.Span()
		var errs []decimal.Decimal
		require.NoError(t, h.Replay(context.Background(), from, to, func(s *history.Step) error {
			for _, l := range s.Liquidated {
				if _, out := h.LeftOut()[l.Key]; !out && l.Error != nil {
					errs = append(errs, *l.Error)
				}
			}
			return nil
		}))
		require.Greater(t, len(errs), 40)
		slices.SortFunc(errs, decimal.Decimal.Cmp)
		median, worst := errs[len(errs)/2], errs[len(errs)-1]
		t.Logf("%s: %d liquidations, median %s, worst %s, %d vaults left out", c.name, len(errs), median, worst, len(h.LeftOut()))
		require.True(t, median.LessThanOrEqual(dec(c.median)), "median %s", median)
		require.True(t, worst.LessThanOrEqual(dec(c.worst)), "worst %s", worst)
	}
}

// The traps that the data are known for, each counted.
func TestMakerTraps(t *testing.T) {
	h := openMaker(t, vaults.DefaultOptions())
	require.Equal(t, 28_993, h.Events(), "every row is an event, the 149 repeated ones too")
	require.Equal(t, 31, len(h.LeftOut()), "vaults whose books contradict themselves")
	count := map[string]int{}
	for _, n := range h.Notes() {
		count[n.Kind] += n.Count
	}
	require.Equal(t, 149, count[notes.Repeated])
	require.Equal(t, 31, count[notes.Inconsistent])
	require.NotZero(t, count[notes.OutOfOrder])
	require.Zero(t, count[notes.BadRow], "the byte-order mark and the hours without a zero are read")
	require.Zero(t, makerPrices(t).Glitches)
}

// The recommended defaults against those that the program began with, on the crash
// that they were not chosen on.
func TestMakerRecommendedDefaultsOnTheOtherCrash(t *testing.T) {
	h := openMaker(t, vaults.DefaultOptions())
	f, err := backtest.Shoot(context.Background(), h, backtest.FilmOptions{Axis: "ETH",
		From: at(t, "2021-08-01T00:00:00Z"), To: at(t, "2022-04-30T00:00:00Z"), Levels: hundreds(1800, 4800, 200)})
	require.NoError(t, err)
	rule := func(name, rearm string, approach ...string) alerts.Rule {
		r := alerts.Rule{Name: name, Axis: "ETH", Levels: f.Levels, Rearm: dec(rearm), Notify: []string{"recorder"}}
		for _, a := range approach {
			r.Approach = append(r.Approach, dec(a))
		}
		return r
	}
	r, err := f.ScoreRules([]alerts.Rule{rule("first", "0.01", "0.05", "0.02", "0.005"), rule("recommended", "0.05", "0.08", "0.03", "0.01")}, backtest.DefaultRuleOptions())
	require.NoError(t, err)
	first, recommended := r.Rules[0], r.Rules[1]
	t.Logf("first %+v; recommended %+v", first.Figures, recommended.Figures)
	require.Less(t, recommended.Alerts, first.Alerts, "quieter")
	require.Greater(t, recommended.Announced, first.Announced, "and announces more")
	require.Equal(t, recommended.Incidents, recommended.Announced+len(recommended.NoWarning), "every liquidation is announced or listed")
}

// BenchmarkMaker reads, audits and replays all of the history, building every book.
func BenchmarkMaker(b *testing.B) {
	for b.Loop() {
		h := openMaker(b, vaults.DefaultOptions())
		from, to := h.Span()
		vaultHours := 0
		if err := h.Replay(context.Background(), from, to, func(s *history.Step) error {
			vaultHours += s.Books()[0].Len()
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(vaultHours), "vault-steps")
	}
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func hundreds(from, to, step int64) []decimal.Decimal {
	var out []decimal.Decimal
	for p := from; p <= to; p += step {
		out = append(out, decimal.NewFromInt(p))
	}
	return out
}
