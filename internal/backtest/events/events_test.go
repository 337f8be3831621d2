package events

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/backtest/notes"
	"liqwatch/internal/backtest/prices"
)

func series(t *testing.T) *prices.Series {
	t.Helper()
	s, _, err := prices.Read(strings.NewReader("time,open,high,low,close\n3600,100,110,90,100\n7200,100,100,80,85\n"), "p.csv")
	require.NoError(t, err)
	return s
}

func TestEventsSayWhatIsMissingAndMergeNothing(t *testing.T) {
	e, err := Read(strings.NewReader("time,account,debt_usd\n"+
		"1970-01-01T02:10:00Z,a,50\n"+
		"1970-01-01T01:10:00Z,b,70\n"+
		"1970-01-01T01:10:00Z,b,70\n"+
		"1970-01-01 01:20:00,,5\n"+
		"now,c,5\n"+
		"1970-01-01T01:10:00Z,d,-5\n"), "e.csv", series(t))
	require.NoError(t, err)
	require.Len(t, e.List, 4, "two equal rows are two liquidations")
	require.Equal(t, "b", e.List[0].Key.Position)
	require.Equal(t, "90", e.List[0].Price.String(), "the lowest price of its candle")
	require.Equal(t, "e.csv:5", e.List[2].Key.Position, "without an account a row stands for itself")
	count := map[string]int{}
	for _, n := range e.Notes() {
		count[n.Kind] += n.Count
	}
	require.Equal(t, map[string]int{notes.MissingColumn: 3, notes.OutOfOrder: 1, notes.Repeated: 1, notes.NoZone: 1, notes.BadRow: 2, notes.Assumption: 2}, count)
}

func TestEventsWithoutATimeAreRefused(t *testing.T) {
	_, err := Read(strings.NewReader("account\na\n"), "e.csv", series(t))
	require.ErrorContains(t, err, "no column time")
	_, err = Read(strings.NewReader("time\nx\n"), "e.csv", series(t))
	require.ErrorIs(t, err, ErrNoEvents)
}

func FuzzRead(f *testing.F) {
	f.Add("time,account,market,collateral_asset,debt_asset,debt_usd\n3600,a,m,ETH,USDC,5\n")
	s, _, err := prices.Read(strings.NewReader("time,open,high,low,close\n3600,100,110,90,100\n"), "p.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Read(strings.NewReader(text), "f", s)
		if err != nil {
			return
		}
		for i, l := range e.List {
			if l.DebtUSD.IsNegative() || l.Key.Position == "" || i > 0 && l.Time < e.List[i-1].Time {
				t.Fatalf("row %d: %+v", i, l)
			}
		}
	})
}
