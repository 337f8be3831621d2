package backtest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/prices"
	"liqwatch/internal/backtest/snapshot"
	"liqwatch/thresholds"
)

// A short is liquidated when the price rises: 20,000 USDC at 0.8 against 5 ETH break
// above 3,200.
const short = `{"market":"m","position":"short","legs":[{"symbol":"USDC","side":"collateral","amount":"20000","price":"1","threshold":"0.8"},{"symbol":"WETH","side":"debt","amount":"5","price":"3000","threshold":"1"}]}
{"market":"m","position":"long","legs":[{"symbol":"WETH","side":"collateral","amount":"10","price":"3000","threshold":"0.8"},{"symbol":"USDC","side":"debt","amount":"22000","price":"1","threshold":"1"}]}
`

func TestBandsAboveAreCrossedByARise(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(short), 0o600))
	series, _, err := prices.Read(strings.NewReader("time,open,high,low,close\n3600,3000,3000,3000,3000\n7200,3150,3150,3150,3150\n10800,3350,3350,3350,3350\n14400,3000,3000,3000,3000\n"), "p.csv")
	require.NoError(t, err)
	h, err := snapshot.Open(path, "ETH", series)
	require.NoError(t, err)
	r, err := backtest.ScoreBands(context.Background(), h, backtest.BandOptions{Axis: "ETH", Snapshot: 3600, To: 14400, MinDebtUSD: dec("1"),
		Edges: func(*thresholds.Ladder) ([]decimal.Decimal, error) {
			return []decimal.Decimal{dec("3100"), dec("3300"), dec("3400"), dec("2700")}, nil
		}})
	require.NoError(t, err)
	type band struct {
		from, to, direction, crossed string
		accounts                     int
	}
	var got []band
	edge := func(d *decimal.Decimal) string {
		if d == nil {
			return ""
		}
		return d.String()
	}
	for _, b := range r.Bands {
		got = append(got, band{edge(b.From), edge(b.To), b.Direction, b.Crossed, b.Accounts})
	}
	require.Equal(t, []band{
		{"2700", "3000", "down", "no", 1}, // long at 2,750
		{"", "2700", "down", "no", 0},
		{"3000", "3100", "up", "fully", 0},
		{"3100", "3300", "up", "fully", 1}, // short
		{"3300", "3400", "up", "partly", 0},
		{"3400", "", "up", "no", 0},
	}, got)
	require.Equal(t, map[string]string{"short": backtest.Untouched, "long": backtest.NotReached}, outcomes(r))
	require.Equal(t, "3350", r.Highest.String())
	require.Equal(t, 2, r.Crossed)
}
