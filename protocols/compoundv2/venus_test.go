package compoundv2

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/evm"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/venus"
	"liqwatch/protocols"
)

// venusRun is Venus on a node, with a market that follows it.
type venusRun struct {
	*driver
	w        *venus.World
	rng      *rand.Rand
	accounts []chains.Address
	lender   chains.Address
}

func newVenusRun(t *testing.T, borrowers int) *venusRun {
	t.Helper()
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{BlockTime: 3})
	w, err := venus.Deploy(ctx, node)
	require.NoError(t, err)
	client, err := evm.New(evm.Config{Name: "devnet", Endpoints: []evm.Endpoint{{URL: node.URL}}}, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	m, err := Make(protocols.Placement{Name: "venus", Chain: "devnet"}, Settings{Comptroller: w.Comptroller.Address, FromBlock: w.FromBlock})
	require.NoError(t, err)
	v := &venusRun{driver: &driver{t: t, chain: client, market: m}, w: w, rng: rand.New(rand.NewPCG(7, 11)), lender: chains.Address{0xA1}}
	for symbol, whole := range map[string]float64{"WETH": 50_000, "USDT": 90_000_000, "BTCB": 2_000, "WBNB": 90_000, "DOGE": 90_000_000} {
		require.NoError(t, w.Supply(ctx, v.lender, symbol, w.Amount(symbol, whole)))
	}
	for i := range borrowers {
		v.addBorrower(chains.Address{0xB0, byte(i >> 8), byte(i)})
	}
	return v
}

var venusSymbols = []string{"WETH", "USDT", "BTCB", "WBNB", "DOGE"}

var venusPrices = map[string]float64{"WETH": 2_500, "USDT": 1, "BTCB": 68_000, "WBNB": 600, "DOGE": 1}

// addBorrower gives an account one to three collaterals and one or two debts.
func (v *venusRun) addBorrower(a chains.Address) {
	v.t.Helper()
	ctx := v.t.Context()
	picks := v.rng.Perm(len(venusSymbols))
	worth := 0.0
	for _, k := range picks[:1+v.rng.IntN(3)] {
		s := venusSymbols[k]
		usd := 5_000 + 90_000*v.rng.Float64()
		require.NoError(v.t, v.w.Supply(ctx, a, s, v.w.Amount(s, usd/venusPrices[s])))
		require.NoError(v.t, v.w.Enter(ctx, a, s))
		if s != "DOGE" {
			worth += usd * 0.75
		} else {
			worth += usd * 0.40
		}
	}
	for range 1 + v.rng.IntN(2) {
		s := venusSymbols[v.rng.IntN(len(venusSymbols))]
		require.NoError(v.t, v.w.Borrow(ctx, a, s, v.w.Amount(s, worth*(0.25+0.2*v.rng.Float64())/venusPrices[s])))
	}
	v.accounts = append(v.accounts, a)
}

// judge compares every account with the comptroller at the book's block, asked
// directly and not through anything of ours.
func (v *venusRun) judge(b *book) {
	v.t.Helper()
	ctx := v.t.Context()
	seen := 0
	for _, a := range v.accounts {
		code, liquidity, shortfall, err := v.w.Liquidity(ctx, a, b.block.Number)
		require.NoError(v.t, err)
		require.Zero(v.t, code.Sign())
		i, ok := b.Find(a.String())
		if !ok {
			continue // paid everything back
		}
		seen++
		p := b.Position(i)
		require.Equal(v.t, liquidity.String(), p.View[0].Value.Dec(), "liquidity of %s at block %d", a, b.block.Number)
		require.Equal(v.t, shortfall.String(), p.View[1].Value.Dec(), "shortfall of %s at block %d", a, b.block.Number)
		require.Equal(v.t, shortfall.Sign() > 0, b.Liquidatable(i, b.Prices()))
	}
	require.Equal(v.t, b.Len(), seen, "positions that nobody knows of")
	require.Empty(v.t, b.Faults())
	report := v.verify()
	require.True(v.t, report.Clean(), "%+v", report)
	require.Equal(v.t, b.Len(), report.Positions)
}

func TestVenusEqualsTheComptroller(t *testing.T) {
	ctx := t.Context()
	v := newVenusRun(t, 30)
	b := v.must(protocols.Everything)
	require.Equal(t, Venus, v.market.profile)
	require.GreaterOrEqual(t, b.Len(), 30)
	v.judge(b)
	for _, acc := range b.positions {
		for _, l := range acc.legs {
			require.False(t, l.inexact, "principal and index come from storage where the node allows it")
		}
	}

	steps := []func(){
		func() { require.NoError(t, v.w.Node.MineBlocks(ctx, 500)); require.NoError(t, v.w.Accrue(ctx, "USDT")) },
		func() { require.NoError(t, v.w.Repay(ctx, v.accounts[0], v.debtOf(0), big.NewInt(1_234_567))) },
		func() {
			require.NoError(t, v.w.Transfer(ctx, v.lender, v.accounts[1], "USDT", big.NewInt(987_654_321)))
			require.NoError(t, v.w.Enter(ctx, v.accounts[1], "USDT"))
		},
		func() { require.NoError(t, v.w.MintVAI(ctx, v.vaiMinter(), v.w.Amount("WETH", 1_000))) },
		func() { require.NoError(t, v.w.SetPrice(ctx, "WETH", v.w.Amount("WETH", 2_100.123456789))) },
		func() { require.NoError(t, v.w.Node.MineBlocks(ctx, 800)); require.NoError(t, v.w.Accrue(ctx, "WETH")) },
		func() { v.addBorrower(chains.Address{0xB7, 7}) },
		func() { require.NoError(t, v.w.SetPrice(ctx, "WETH", v.w.Amount("WETH", 1_300))) },
		func() { v.liquidateOne() },
		func() { require.NoError(t, v.w.Node.MineBlocks(ctx, 300)); v.accrueAll() },
		func() { v.liquidateOne() },
		func() { require.NoError(t, v.w.SetPrice(ctx, "WETH", v.w.Amount("WETH", 2_900))) },
	}
	for i, step := range steps {
		step()
		v.rounds = 0
		b := v.must(protocols.Noted)
		require.LessOrEqual(t, v.rounds, 4, "step %d", i)
		v.judge(b)
	}
	v.judge(v.must(protocols.Everything))
}

func (v *venusRun) accrueAll() {
	for _, s := range venusSymbols {
		require.NoError(v.t, v.w.Accrue(v.t.Context(), s))
	}
	// VAI accrues on its own clock, for everybody at once.
	_, err := v.w.VAI.SendAs(v.t.Context(), v.lender, "accrueVAIInterest")
	require.NoError(v.t, err)
}

// debtOf is the symbol of the first debt of an account.
func (v *venusRun) debtOf(k int) string {
	b := v.market.book
	i, ok := b.Find(v.accounts[k].String())
	require.True(v.t, ok)
	for _, l := range b.LegValues(i, b.Prices(), nil) {
		if l.Side == protocols.Debt {
			return b.Assets()[l.Asset].Symbol
		}
	}
	v.t.Fatal("no debt")
	return ""
}

// vaiMinter is an account with room for another debt.
func (v *venusRun) vaiMinter() chains.Address {
	a := chains.Address{0xB8}
	ctx := v.t.Context()
	require.NoError(v.t, v.w.Supply(ctx, a, "WETH", v.w.Amount("WETH", 10)))
	require.NoError(v.t, v.w.Enter(ctx, a, "WETH"))
	v.accounts = append(v.accounts, a)
	return a
}

// liquidateOne liquidates the first account in shortfall, by as much as allowed.
func (v *venusRun) liquidateOne() {
	ctx := v.t.Context()
	b := v.market.book
	for i := range b.positions {
		if !b.Liquidatable(i, b.Prices()) {
			continue
		}
		var debt, collateral string
		var repay *big.Int
		for _, l := range b.LegValues(i, b.Prices(), nil) {
			s := b.Assets()[l.Asset].Symbol
			switch {
			case s == "VAI":
			case l.Side == protocols.Collateral && collateral == "":
				collateral = s
			case l.Side == protocols.Debt && debt == "":
				debt, repay = s, new(big.Int).Div(l.Amount.ToBig(), big.NewInt(5))
			}
		}
		if debt == "" || collateral == "" {
			continue
		}
		require.NoError(v.t, v.w.Liquidate(ctx, chains.Address{0xC1}, b.Owner(i), debt, collateral, repay))
		return
	}
	v.t.Fatal("nobody to liquidate")
}
