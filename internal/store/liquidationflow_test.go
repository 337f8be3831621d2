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

func TestLargestLiquidationsOfATime(t *testing.T) {
	withStore(t, func(t *testing.T, s *store.Store) {
		for minute, usd := range []uint64{100_00, 900_00, 500_00, 950_00} {
			one := []protocols.Liquidation{liquidation(uint64(minute), 0, usd, minute == 1)}
			require.NoError(t, s.SaveLiquidations(bg, "c", noon.Add(time.Duration(minute)*time.Minute), one, dollars))
		}
		got, n, err := s.LargestLiquidations(bg, "", noon, noon.Add(2*time.Minute), 2)
		require.NoError(t, err)
		require.Equal(t, 3, n, "both ends are of it")
		require.Len(t, got, 2)
		require.Equal(t, []string{"900", "500"}, []string{got[0].SeizedUSD.String(), got[1].SeizedUSD.String()})
		require.True(t, got[0].Short)
		_, n, err = s.LargestLiquidations(bg, liquidation(0, 0, 1, false).Market, noon, noon, 2)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		got, n, err = s.LargestLiquidations(bg, "another", noon, noon.Add(time.Hour), 2)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Empty(t, got)
	})
}
