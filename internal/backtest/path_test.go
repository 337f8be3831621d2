package backtest

import (
	"testing"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/backtest/prices"
	"liqwatch/protocols"
	"liqwatch/protocols/sky"
)

func wad(s string) uint256.Int {
	x, _ := uint256.FromBig(decimal.RequireFromString(s).Shift(18).BigInt())
	return *x
}

func vaultBook(t *testing.T, vaults ...sky.Vault) protocols.Book {
	t.Helper()
	ray := *uint256.MustFromDecimal("1000000000000000000000000000")
	mat := *uint256.MustFromDecimal("1300000000000000000000000000")
	b, err := sky.NewBook(sky.State{Market: "m", Gem: protocols.Asset{Symbol: "ETH", Decimals: 18}, Price: wad("2000"),
		Ilk: sky.Ilk{Rate: ray, Par: ray, Mat: mat, Chop: wad("1.13")}, Vaults: vaults})
	require.NoError(t, err)
	return b
}

func ticks(ps ...float64) []prices.Tick {
	var out []prices.Tick
	for i, p := range ps {
		x := prices.Price(p * 1e8)
		out = append(out, prices.Tick{Time: uint64(3600 * (i + 1)), Open: x, High: x, Low: x, Close: x})
	}
	return out
}

func vault(id, ink, art string) sky.Vault {
	return sky.Vault{ID: id, Urn: sky.Urn{Ink: wad(ink), Art: wad(art)}}
}

func TestPathLaysOldPricesOnTodays(t *testing.T) {
	// Liquidated below 1,690, 1,300 and 650.
	b := vaultBook(t, vault("1", "10", "13000"), vault("2", "10", "10000"), vault("3", "10", "5000"))
	// An old crash from 400 to 240: today from 2,000 to 1,200.
	r, err := RunPath([]protocols.Book{b}, PathOptions{Axis: "ETH", Name: "old", Ticks: ticks(400, 340, 330, 240, 300)})
	require.NoError(t, err)
	require.Equal(t, "1200", r.Lowest.String())
	require.Equal(t, 3, r.Accounts)
	require.Len(t, r.Liquidated, 2)
	require.Equal(t, "1", r.Liquidated[0].Position)
	require.EqualValues(t, 3*3600, r.Liquidated[0].First, "1,700 is safe, 1,650 is not")
	require.EqualValues(t, 4*3600, r.Liquidated[1].First)
	require.Equal(t, "23000", r.Totals.RepaidUSD.String())
	require.Contains(t, r.Assumptions, "sales do not move the price (no cascade)")
}

func TestPathCountsBadDebt(t *testing.T) {
	b := vaultBook(t, vault("1", "10", "13000"))
	r, err := RunPath([]protocols.Book{b}, PathOptions{Axis: "ETH", Ticks: ticks(2000, 1000)})
	require.NoError(t, err)
	// 10,000 of collateral pays for 10,000/1.13 of debt; the rest has nothing behind it.
	require.InDelta(t, 13000-10000/1.13, r.Totals.BadDebtUSD.InexactFloat64(), 1)
}

func TestPathCascadeOnlyWhenAsked(t *testing.T) {
	b := vaultBook(t, vault("1", "10", "13000"), vault("2", "10", "12000"))
	run := func(depth *decimal.Decimal) *PathReport {
		r, err := RunPath([]protocols.Book{b}, PathOptions{Axis: "ETH", Ticks: ticks(2000, 1650), ImpactDepthUSD: depth})
		require.NoError(t, err)
		return r
	}
	require.Len(t, run(nil).Liquidated, 1)
	depth := decimal.NewFromInt(1000)
	cascade := run(&depth)
	require.Len(t, cascade.Liquidated, 2, "the first sale brings the price to the second")
	require.Contains(t, cascade.Assumptions[len(cascade.Assumptions)-1], "every 1000 USD of collateral sold moves the price by 1 %")
}

func TestPathNeedsPricesAndAnAxis(t *testing.T) {
	b := vaultBook(t, vault("1", "10", "13000"))
	_, err := RunPath([]protocols.Book{b}, PathOptions{Axis: "ETH", Ticks: ticks(1)})
	require.ErrorIs(t, err, ErrShortPath)
	_, err = RunPath([]protocols.Book{b}, PathOptions{Axis: "BTC", Ticks: ticks(1, 2)})
	require.ErrorContains(t, err, "no market has the axis BTC")
}
