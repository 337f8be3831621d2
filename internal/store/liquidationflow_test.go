package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/store"
	"liqwatch/protocols"
)

func TestLiquidationsOfAChainFlow(t *testing.T) {
	withStore(t, func(t *testing.T, s *store.Store) {
		for minute, usd := range []uint64{100_00, 900_00, 500_00} {
			one := liquidation(uint64(minute), 0, usd, minute == 1)
			require.NoError(t, s.SaveLiquidations(bg, "c", noon.Add(time.Duration(minute)*time.Minute), []protocols.Liquidation{one}, dollars))
			require.NoError(t, s.SaveLiquidations(bg, "other", noon, []protocols.Liquidation{one}, dollars))
		}
		got, err := s.ChainLiquidations(bg, "c", nil, noon, noon.Add(2*time.Minute))
		require.NoError(t, err)
		require.Len(t, got, 2, "after the one time, not after the other")
		require.Equal(t, "900", got[0].SeizedUSD.String())
		require.True(t, got[0].Short)
		require.False(t, got[1].Short)
		require.Equal(t, noon.Add(2*time.Minute).Unix(), got[1].At.Unix())
		market := liquidation(0, 0, 1, false).Market
		got, err = s.ChainLiquidations(bg, "c", []string{market, "more"}, time.Unix(0, 0), noon.Add(time.Hour))
		require.NoError(t, err)
		require.Len(t, got, 3)
		got, err = s.ChainLiquidations(bg, "c", []string{"another"}, time.Unix(0, 0), noon.Add(time.Hour))
		require.NoError(t, err)
		require.Empty(t, got)
		require.NoError(t, s.UndoLiquidations(bg, "c", 1))
		got, err = s.ChainLiquidations(bg, "c", nil, time.Unix(0, 0), noon.Add(time.Hour))
		require.NoError(t, err)
		require.Len(t, got, 2)
	})
}
