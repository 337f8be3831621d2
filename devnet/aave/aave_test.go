package aave

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

func deployed(t *testing.T, v Version, o Options) *World {
	t.Helper()
	w, err := Deploy(t.Context(), anvil.Run(t, anvil.Options{}), v, o)
	require.NoError(t, err)
	return w
}

func both(t *testing.T, test func(t *testing.T, v Version)) {
	for _, v := range []Version{V30, V36} {
		t.Run(string(v), func(t *testing.T) { test(t, v) })
	}
}

func head(t *testing.T, w *World) uint64 {
	t.Helper()
	n, err := w.Node.BlockNumber(t.Context())
	require.NoError(t, err)
	return n
}

func account(t *testing.T, w *World, who chains.Address) AccountData {
	t.Helper()
	d, err := w.UserAccountData(t.Context(), who, head(t, w))
	require.NoError(t, err)
	return d
}

var lender, borrower, liquidator = chains.Address{0xA1}, chains.Address{0xB1}, chains.Address{0xC1}

func TestDeployedMarket(t *testing.T) {
	both(t, func(t *testing.T, v Version) {
		w := deployed(t, v, Options{})
		revision, err := w.Revision(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[Version]int64{V30: 1, V36: 10}[v], revision.Int64())
		require.Equal(t, v == V30, w.Has("SHARE"))
		require.Equal(t, v == V36, w.Has("PT"))
		for i, a := range w.Assets {
			require.Equal(t, i, a.ID)
			require.Positive(t, priceNow(t, w, a.Symbol).Sign(), a.Symbol)
			for _, x := range []chains.Address{a.Token, a.AToken, a.VToken, a.Source} {
				require.False(t, x.IsZero(), a.Symbol)
			}
		}
		oracle, err := w.address(t.Context(), "PoolAddressesProvider", w.Provider, "getPriceOracle")
		require.NoError(t, err)
		require.Equal(t, w.Oracle, oracle)
	})
}

func TestLoanIsLiquidatedWhenItsPriceComes(t *testing.T) {
	both(t, func(t *testing.T, v Version) {
		ctx := t.Context()
		w := deployed(t, v, Options{})
		require.NoError(t, w.Supply(ctx, lender, "USDC", w.Amount("USDC", 1_000_000)))
		require.NoError(t, w.Supply(ctx, borrower, "WETH", w.Amount("WETH", 10)))
		require.NoError(t, w.Borrow(ctx, borrower, "USDC", w.Amount("USDC", 20_000)))
		require.False(t, account(t, w, borrower).Liquidatable())
		require.EqualValues(t, 10*startETH, account(t, w, borrower).Collateral.Int64())
		require.NoError(t, w.Mint(ctx, liquidator, "USDC", w.Amount("USDC", 10_000)))
		_, err := w.Liquidate(ctx, liquidator, borrower, "WETH", "USDC", w.Amount("USDC", 5_000), false)
		require.Error(t, err, "a healthy loan cannot be liquidated")

		require.NoError(t, w.SetETH(ctx, big.NewInt(2_400_00000000)))
		require.True(t, account(t, w, borrower).Liquidatable())
		_, err = w.Liquidate(ctx, liquidator, borrower, "WETH", "USDC", w.Amount("USDC", 5_000), false)
		require.NoError(t, err)
		got, err := w.Balance(ctx, w.Asset("WETH").Token, liquidator, head(t, w))
		require.NoError(t, err)
		require.Positive(t, got.Sign())
		require.NoError(t, w.SetETH(ctx, big.NewInt(2_300_00000000)))
		_, err = w.Liquidate(ctx, liquidator, borrower, "WETH", "USDC", w.Amount("USDC", 1_000), true)
		require.NoError(t, err)
		got, err = w.Balance(ctx, w.Asset("WETH").AToken, liquidator, head(t, w))
		require.NoError(t, err)
		require.Positive(t, got.Sign(), "aTokens received")
	})
}

func TestWhatBorrowersCanDo(t *testing.T) {
	both(t, func(t *testing.T, v Version) {
		ctx := t.Context()
		w := deployed(t, v, Options{})
		require.NoError(t, w.Supply(ctx, lender, "WETH", w.Amount("WETH", 1_000)))
		require.NoError(t, w.Supply(ctx, borrower, "wstETH", w.Amount("wstETH", 10)))
		require.NoError(t, w.SetUserEMode(ctx, borrower, EModeETH))
		require.NoError(t, w.Borrow(ctx, borrower, "WETH", w.Amount("WETH", 11)))
		require.EqualValues(t, 9500, account(t, w, borrower).Threshold.Int64())
		require.NoError(t, w.Mint(ctx, borrower, "WETH", w.Amount("WETH", 5)))
		require.NoError(t, w.Repay(ctx, borrower, "WETH", Max))
		require.Zero(t, account(t, w, borrower).Debt.Sign())
		require.NoError(t, w.UseAsCollateral(ctx, borrower, "wstETH", false))
		require.Zero(t, account(t, w, borrower).Collateral.Sign())
		require.NoError(t, w.UseAsCollateral(ctx, borrower, "wstETH", true))
		require.NoError(t, w.TransferAToken(ctx, borrower, liquidator, "wstETH", w.Amount("wstETH", 1)))
		require.NoError(t, w.Withdraw(ctx, borrower, "wstETH", Max))
		require.Zero(t, account(t, w, borrower).Collateral.Sign())
		// What is received counts at once in 3.0 and not before it is switched on in 3.6.
		require.Equal(t, v == V30, account(t, w, liquidator).Collateral.Sign() > 0)
		require.NoError(t, w.UseAsCollateral(ctx, liquidator, "wstETH", true))
		require.Positive(t, account(t, w, liquidator).Collateral.Sign())
	})
}

func TestIsolatedAssetStandsAlone(t *testing.T) {
	both(t, func(t *testing.T, v Version) {
		ctx := t.Context()
		w := deployed(t, v, Options{})
		require.NoError(t, w.Supply(ctx, lender, "USDC", w.Amount("USDC", 1e6)))
		require.NoError(t, w.Supply(ctx, lender, "GHO", w.Amount("GHO", 1e6)))
		require.NoError(t, w.Supply(ctx, borrower, "MKR", w.Amount("MKR", 10)))
		require.NoError(t, w.UseAsCollateral(ctx, borrower, "MKR", true))
		require.NoError(t, w.Borrow(ctx, borrower, "USDC", w.Amount("USDC", 1_000)))
		require.Error(t, w.Borrow(ctx, borrower, "GHO", w.Amount("GHO", 100)), "not lent in isolation")
		require.NoError(t, w.Supply(ctx, borrower, "WETH", w.Amount("WETH", 1)))
		require.Error(t, w.UseAsCollateral(ctx, borrower, "WETH", true), "no second collateral")
	})
}

func TestAdminStopsThings(t *testing.T) {
	both(t, func(t *testing.T, v Version) {
		ctx := t.Context()
		w := deployed(t, v, Options{})
		require.NoError(t, w.Supply(ctx, lender, "LINK", w.Amount("LINK", 100)))
		require.NoError(t, w.Freeze(ctx, "LINK", true))
		require.Error(t, w.Supply(ctx, lender, "LINK", w.Amount("LINK", 1)))
		require.NoError(t, w.Withdraw(ctx, lender, "LINK", w.Amount("LINK", 1)), "frozen, not paused")
		require.NoError(t, w.Pause(ctx, "LINK", true))
		require.Error(t, w.Withdraw(ctx, lender, "LINK", w.Amount("LINK", 1)))
		require.NoError(t, w.Pause(ctx, "LINK", false))
		require.NoError(t, w.Freeze(ctx, "LINK", false))
		require.NoError(t, w.Supply(ctx, lender, "LINK", w.Amount("LINK", 1)))

		require.NoError(t, w.Supply(ctx, borrower, "WETH", w.Amount("WETH", 1)))
		require.NoError(t, w.SetThreshold(ctx, "WETH", 7000, 7500, 10500))
		require.EqualValues(t, 7500, account(t, w, borrower).Threshold.Int64())
	})
}

func TestUnknownVersion(t *testing.T) {
	_, err := Deploy(t.Context(), anvil.Run(t, anvil.Options{}), "2.0", Options{})
	require.ErrorContains(t, err, `version "2.0" is not one of`)
}
