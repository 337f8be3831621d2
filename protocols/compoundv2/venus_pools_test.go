package compoundv2

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// Venus' pools, which are what Aave calls e-modes: thresholds of their own, with
// and without a way back to the core's.
func TestVenusPools(t *testing.T) {
	ctx := t.Context()
	v := newVenusRun(t, 6)
	b := v.must(protocols.Everything)
	v.judge(b)
	send := func(method string, args ...any) {
		t.Helper()
		require.NoError(t, v.w.Comptroller.Send(ctx, method, args...))
	}
	weth, usdt := v.w.Token("WETH").VToken.Common(), v.w.Token("USDT").VToken.Common()
	pct := func(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e16)) }
	one := big.NewInt(1)
	send("createPool", "ETH against dollars")
	send("addPoolMarkets", []*big.Int{one, one}, []common.Address{weth, usdt})
	send("setLiquidationIncentive(uint96,address,uint256)", one, weth, pct(104))
	send("setCollateralFactor(uint96,address,uint256,uint256)", one, weth, pct(88), pct(93))
	send("setIsBorrowAllowed", one, usdt, true)

	a := chains.Address{0xB9, 1}
	require.NoError(t, v.w.Supply(ctx, a, "WETH", v.w.Amount("WETH", 40)))
	require.NoError(t, v.w.Supply(ctx, a, "WBNB", v.w.Amount("WBNB", 40)))
	require.NoError(t, v.w.Enter(ctx, a, "WETH", "WBNB"))
	_, err := v.w.Comptroller.SendAs(ctx, a, "enterPool", one)
	require.NoError(t, err)
	require.NoError(t, v.w.Borrow(ctx, a, "USDT", v.w.Amount("USDT", 80_000)))
	v.accounts = append(v.accounts, a)

	weighs := func() map[string]string {
		b := v.must(protocols.Noted)
		v.judge(b)
		i, ok := b.Find(a.String())
		require.True(t, ok)
		out := map[string]string{}
		for _, l := range b.Position(i).Legs {
			if l.Side == protocols.Collateral {
				out[b.Assets()[l.Asset].Symbol] = l.Threshold.String()
			}
		}
		return out
	}
	require.Equal(t, map[string]string{"WETH": "0.93", "WBNB": "0"}, weighs(), "without fallback what the pool does not list weighs nothing")
	send("setAllowCorePoolFallback", one, true)
	require.Equal(t, map[string]string{"WETH": "0.93", "WBNB": "0.8"}, weighs())
	send("setCollateralFactor(uint96,address,uint256,uint256)", one, weth, pct(80), pct(85))
	require.Equal(t, map[string]string{"WETH": "0.85", "WBNB": "0.8"}, weighs())
	send("setPoolActive", one, false)
	require.Equal(t, map[string]string{"WETH": "0.8", "WBNB": "0.8"}, weighs(), "an inactive pool is the core")
	v.judge(v.must(protocols.Everything))
}

// Forced liquidations need no shortfall; pauses block what would be allowed.
func TestVenusForcedAndPaused(t *testing.T) {
	ctx := t.Context()
	v := newVenusRun(t, 8)
	v.must(protocols.Everything)
	b := v.market.book
	who := b.Owner(0)
	var debt string
	for _, l := range b.LegValues(0, b.Prices(), nil) {
		if l.Side == protocols.Debt {
			debt = b.Assets()[l.Asset].Symbol
		}
	}
	require.False(t, b.Liquidatable(0, b.Prices()))
	require.Empty(t, b.Position(0).Blocked)
	vt := v.w.Token(debt).VToken.Common()
	require.NoError(t, v.w.Comptroller.Send(ctx, "_setForcedLiquidationForUser", common.Address(who), vt, true))
	b = v.must(protocols.Noted)
	i, _ := b.Find(who.String())
	require.True(t, b.Liquidatable(i, b.Prices()))
	for k := range b.Len() {
		require.Equal(t, k == i, b.Liquidatable(k, b.Prices()), "only that account's")
	}
	require.NoError(t, v.w.Comptroller.Send(ctx, "_setForcedLiquidationForUser", common.Address(who), vt, false))
	require.NoError(t, v.w.Comptroller.Send(ctx, "_setForcedLiquidation", vt, true))
	b = v.must(protocols.Noted)
	require.True(t, b.Liquidatable(i, b.Prices()))
	require.NoError(t, v.w.Comptroller.Send(ctx, "_setForcedLiquidation", vt, false))
	require.NoError(t, v.w.Comptroller.Send(ctx, "setActionsPaused", []common.Address{vt}, []uint8{5}, true))
	b = v.must(protocols.Noted)
	require.False(t, b.Liquidatable(i, b.Prices()))
	require.Equal(t, "paused: "+debt, b.Position(i).Blocked)
	require.NoError(t, v.w.Comptroller.Send(ctx, "_setProtocolPaused", true))
	require.Equal(t, "paused: the whole market", v.must(protocols.Noted).Position(i).Blocked)
}
