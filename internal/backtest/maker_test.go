package backtest_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/backtest"
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
			t.Logf("  %s %s %s %s: %s", a.Position, a.Trigger.StringFixed(0), a.DebtUSD.StringFixed(0), a.Outcome, a.Explanation)
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
