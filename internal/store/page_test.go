package store_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/protocols"
)

var bg = context.Background()

func writeBody(t *testing.T, path string, body []byte) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	if body == nil {
		body = []byte{}
	}
	_, err = db.ExecContext(bg, `UPDATE history SET body = $1`, body)
	require.NoError(t, err)
}

func dollars(_ string, q *protocols.Amount) decimal.Decimal { return q.Decimal() }

func liquidation(block uint64, index uint, cents uint64, short bool) protocols.Liquidation {
	a := protocols.Amount{Raw: *uint256.NewInt(cents), Decimals: 2}
	return protocols.Liquidation{
		Market: "m", Position: "0xabc", Block: block, LogIndex: index, Collateral: "WETH", Debt: "USDC",
		Seized: a, Repaid: a, SeizedQuote: &a, RepaidQuote: &a, Short: short,
	}
}

func TestLiquidationsAreKeptRankedAndTakenBack(t *testing.T) {
	withStore(t, func(t *testing.T, s *store.Store) {
		done := []protocols.Liquidation{liquidation(5, 0, 100_00, false), liquidation(5, 1, 900_00, true)}
		for range 2 { // a pass that is repeated adds nothing
			require.NoError(t, s.SaveLiquidations(bg, "c", noon, done, dollars))
		}
		require.NoError(t, s.SaveLiquidations(bg, "c", noon.Add(time.Hour), []protocols.Liquidation{liquidation(9, 0, 500_00, false)}, dollars))
		got, err := s.Liquidations(bg, noon, 10)
		require.NoError(t, err)
		require.Len(t, got, 3)
		require.Equal(t, []int{2, 1, 3}, []int{got[0].Rank, got[1].Rank, got[2].Rank})
		total, err := s.LiquidationTotals(bg, noon)
		require.NoError(t, err)
		require.Equal(t, []int{3, 2, 1}, []int{total.Calls, total.Longs, total.Shorts})
		require.Equal(t, "600", total.LongUSD.String())
		require.NoError(t, s.UndoLiquidations(bg, "c", 5))
		got, err = s.Liquidations(bg, noon, 10)
		require.NoError(t, err)
		require.Len(t, got, 2, "the block of the third is gone")
	})
}

func post(key string) alerts.Post {
	a := alerts.Alert{Key: key, Kind: alerts.KindApproach, Reason: alerts.ReasonApproach, Rule: "eth"}
	return alerts.Post{Alert: a, Message: alerts.Message{Title: key}, Notify: []string{"risk"}}
}

func TestAlertsAreListedAndAcknowledged(t *testing.T) {
	withStore(t, func(t *testing.T, s *store.Store) {
		require.NoError(t, s.Post(bg, noon, post("one")))
		require.NoError(t, s.Post(bg, noon.Add(time.Second), post("two")))
		got, err := s.Alerts(bg, 10)
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Equal(t, "two", got[0].Message.Title)
		require.Equal(t, alerts.Pending, got[0].Deliveries[0].Fate)
		require.Zero(t, got[0].Deliveries[0].Next, "due since it was made: no time to tell")
		require.True(t, got[0].Acknowledged.IsZero())

		require.ErrorIs(t, s.Acknowledge(bg, "msg_nothing", "ada", noon), store.ErrNoAlert)
		require.NoError(t, s.Acknowledge(bg, got[0].ID, "ada", noon))
		require.NoError(t, s.Acknowledge(bg, got[0].ID, "bob", noon.Add(time.Hour)))
		got, err = s.Alerts(bg, 10)
		require.NoError(t, err)
		require.Equal(t, "ada", got[0].AcknowledgedBy, "the first stands")
		counts, err := s.AlertCounts(bg)
		require.NoError(t, err)
		require.Equal(t, []store.AlertCount{{Kind: "approach", Reason: "approach", Count: 2}}, counts)
		q, err := s.Queue(bg)
		require.NoError(t, err)
		require.Equal(t, store.QueueState{Waiting: 2, Oldest: noon}, q)
	})
}

func TestMutesAreKept(t *testing.T) {
	withStore(t, func(t *testing.T, s *store.Store) {
		m := alerts.Mute{Until: noon.Add(time.Hour), By: "ada"}
		require.NoError(t, s.SaveMute(bg, "eth", m))
		got, err := s.LoadMutes(bg)
		require.NoError(t, err)
		require.Equal(t, map[string]alerts.Mute{"eth": m}, got)
		require.NoError(t, s.SaveMute(bg, "eth", alerts.Mute{}))
		got, err = s.LoadMutes(bg)
		require.NoError(t, err)
		require.Empty(t, got)
	})
}
