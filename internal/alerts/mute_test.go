package alerts_test

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
)

// A muted rule goes on and its alerts are kept, but nobody is sent them; what is
// muted stays muted over a restart, and is heard again when the time is over.
func TestAMutedRuleSendsNothing(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, "sqlite:"+t.TempDir()+"/m.db")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	rule := alerts.Rule{
		Name: "eth", Axis: "ETH", Levels: []decimal.Decimal{decimal.NewFromInt(2000)}, Notify: []string{"risk"},
		Approach: []decimal.Decimal{decimal.RequireFromString("0.05")}, Rearm: decimal.RequireFromString("0.01"),
	}
	open := func() *alerts.Tracker {
		tr, err := alerts.NewTracker(ctx, s, []alerts.Rule{rule}, alerts.StaleRule{}, zerolog.Nop(), nil)
		require.NoError(t, err)
		require.NoError(t, tr.KeepMutes(ctx, s))
		return tr
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	number := uint64(0)
	look := func(tr *alerts.Tracker, price int64, at time.Time) {
		t.Helper()
		number++
		_, err := tr.Observe(ctx, alerts.Observation{
			Axis: "ETH", Price: decimal.NewFromInt(price), Seen: at,
			Blocks: []alerts.BlockRef{{Chain: "c", Number: number, Hash: chains.Hash{byte(number)}, Time: uint64(at.Unix())}},
			Levels: []alerts.LevelView{{Level: rule.Levels[0], Totals: alerts.Totals{Accounts: 1, AtRiskUSD: decimal.NewFromInt(1)}}},
		})
		require.NoError(t, err)
	}
	first := open()
	look(first, 2500, start)
	known, err := first.Mute(ctx, "nothing", alerts.Mute{Until: start})
	require.NoError(t, err)
	require.False(t, known)
	known, err = first.Mute(ctx, "eth", alerts.Mute{Until: start.Add(time.Hour), By: "ada"})
	require.NoError(t, err)
	require.True(t, known)

	second := open()
	require.Len(t, second.Mutes(start), 1)
	look(second, 2050, start.Add(time.Minute))
	look(second, 1990, start.Add(2*time.Hour))
	require.Empty(t, second.Mutes(start.Add(2*time.Hour)))
	got, err := s.Alerts(ctx, 10)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, alerts.KindCrossing, got[0].Alert.Kind)
	require.Len(t, got[0].Deliveries, 1, "the mute is over")
	require.Empty(t, got[1].Deliveries, "muted")
}
