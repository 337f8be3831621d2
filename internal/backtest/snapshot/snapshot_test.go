package snapshot

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/notes"
	"liqwatch/internal/backtest/prices"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// The joint account of the design: 10 ETH at 2,000 (0.83) and 8 wstETH at 2,400 (0.81)
// against 25,000 USD of debt breaks when both fall together to 1,555.
const joint = `{"market":"aave","position":"0xA","owner":"0x0000000000000000000000000000000000000001","block":7,"legs":[
{"symbol":"WETH","side":"collateral","amount":"10","price":"2000","threshold":"0.83"},
{"symbol":"wstETH","side":"collateral","amount":"8","price":"2400","threshold":"0.81"},
{"symbol":"USDC","side":"debt","amount":"25000","price":"1","threshold":"1"}]}`

func open(t *testing.T, positions, candles string) *History {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "positions.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(positions), 0o600))
	s, _, err := prices.Read(strings.NewReader("time,open,high,low,close\n"+candles), "p.csv")
	require.NoError(t, err)
	h, err := Open(path, "ETH", s)
	require.NoError(t, err)
	return h
}

func TestPegsMoveTogether(t *testing.T) {
	h := open(t, strings.ReplaceAll(joint, "\n", "")+"\nnot json\n{}\n", "3600,2000,2000,2000,2000\n7200,1600,1600,1600,1600\n10800,1550,1550,1550,1550\n")
	count := map[string]int{}
	for _, n := range h.Notes() {
		count[n.Kind] += n.Count
	}
	require.Equal(t, 2, count[notes.BadRow])
	l, err := thresholds.Build("ETH", "", []protocols.Book{h.books[0]})
	require.NoError(t, err)
	trigger, err := l.Triggers("aave", 0)
	require.NoError(t, err)
	require.Equal(t, "1555", trigger.Down.Round(0).String())

	var liquidatable []bool
	require.NoError(t, h.Replay(context.Background(), 3600, 10800, func(s *history.Step) error {
		b := s.Books()[0]
		i, ok := b.Find("0xa")
		require.True(t, ok)
		liquidatable = append(liquidatable, b.Liquidatable(i, b.Prices()))
		return nil
	}))
	require.Equal(t, []bool{false, false, true}, liquidatable)
	f := h.books[0].Figures(0, h.books[0].Prices())
	require.True(t, f.Seizable.IsZero())
	require.Equal(t, "39200", decimal.NewFromBigInt(f.AtRisk.ToBig(), -18).String())
}

func TestASnapshotWithoutPositionsOrAxisIsAnError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(`{"market":"m","position":"1","legs":[{"symbol":"USDC","side":"debt","amount":"1","price":"1"}]}`), 0o600))
	_, err := Open(path, "ETH", &prices.Series{})
	require.ErrorIs(t, err, thresholds.ErrNoAxis)
	require.NoError(t, os.WriteFile(path, []byte("[]\n"), 0o600))
	_, err = Open(path, "ETH", &prices.Series{})
	require.ErrorIs(t, err, ErrNoPositions)
}

func FuzzParse(f *testing.F) {
	f.Add(strings.ReplaceAll(joint, "\n", ""))
	f.Add(`{"market":"m","position":"1","legs":[{"symbol":"X","side":"debt","amount":"1e400"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		books, _, err := parse(strings.NewReader(text), "f")
		if err != nil {
			return
		}
		for _, b := range books {
			for i := range b.Len() {
				_ = b.Figures(i, b.Prices())
				if _, ok := b.Find(b.ID(i)); !ok {
					t.Fatalf("position %q is not found", b.ID(i))
				}
			}
		}
	})
}
