package compoundv2

import (
	"math/big"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/evm"
	"liqwatch/devnet/anvil"
	double "liqwatch/devnet/tron"
	"liqwatch/protocols"
)

// Descendants that truncate, with Compound's own events, by the block and by the
// second, on an EVM chain: what Moonwell, Benqi and plain Compound v2 are.
func TestTruncatingFamiliesEqualTheComptroller(t *testing.T) {
	for _, c := range []struct {
		family  double.Family
		profile string
		want    Profile
	}{
		{double.Plain, "auto", Plain}, {double.Plain, "plain", Plain},
		{double.Seconds, "moonwell", Moonwell}, {double.Seconds, "benqi", Benqi},
		{double.Seconds, "auto", Profile{Name: "plain", Seconds: true}},
	} {
		t.Run(string(c.family)+" "+c.profile, func(t *testing.T) {
			ctx := t.Context()
			node := anvil.Run(t, anvil.Options{BlockTime: 2})
			w, err := double.Deploy(ctx, node, double.Options{Family: c.family})
			require.NoError(t, err)
			j := &justlendRun{w: w, lender: chains.Address{0xA1}}
			require.NoError(t, w.Fund(ctx, j.lender))
			j.accounts, err = w.Crowd(ctx, 30, 4)
			require.NoError(t, err)
			client, err := evm.New(evm.Config{Name: "devnet", Endpoints: []evm.Endpoint{{URL: node.URL}}}, zerolog.Nop())
			require.NoError(t, err)
			t.Cleanup(client.Close)
			m, err := Make(protocols.Placement{Name: "fork", Chain: "devnet"}, Settings{Comptroller: w.Risk.Address, FromBlock: w.FromBlock, Profile: c.profile})
			require.NoError(t, err)
			j.driver = &driver{t: t, chain: client, market: m}
			b := j.must(protocols.Everything)
			require.Equal(t, c.want, m.profile)
			require.Equal(t, 30, b.Len())
			j.judgeEVM(b)
			for i, step := range []func() error{
				func() error { return w.Repay(ctx, j.accounts[2], j.debt(2), big.NewInt(7)) },
				func() error { return node.MineBlocks(ctx, 300) },
				func() error { return w.Accrue(ctx, "USDT") },
				func() error { return w.Transfer(ctx, j.lender, j.accounts[4], "BTC", big.NewInt(777)) },
				func() error {
					return w.Jump(ctx, map[string]*big.Int{"USDT": new(big.Int).Mul(w.InTRX("USDT", 10_000, double.TRXPrice), big.NewInt(2))})
				},
				func() error { return j.liquidateOne() },
				func() error { return w.Accrue(ctx, "TRX") },
			} {
				require.NoError(t, step(), "step %d", i)
				j.judgeEVM(j.must(protocols.Noted))
			}
			j.judgeEVM(j.must(protocols.Everything))
		})
	}
}

func (j *justlendRun) judgeEVM(b *book) {
	j.t.Helper()
	require.Empty(j.t, b.Faults())
	for i := range b.Len() {
		_, liquidity, shortfall, err := j.w.Liquidity(j.t.Context(), b.Owner(i), b.block.Number)
		require.NoError(j.t, err)
		p := b.Position(i)
		require.Equal(j.t, liquidity.String(), p.View[0].Value.Dec())
		require.Equal(j.t, shortfall.String(), p.View[1].Value.Dec())
	}
	report := j.verify()
	require.True(j.t, report.Clean(), "%+v", report)
}

func TestAProfileThatDoesNotFitIsRefused(t *testing.T) {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{BlockTime: 2})
	w, err := double.Deploy(ctx, node, double.Options{Family: double.Plain, Markets: 2})
	require.NoError(t, err)
	client, err := evm.New(evm.Config{Name: "devnet", Endpoints: []evm.Endpoint{{URL: node.URL}}}, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	m, err := Make(protocols.Placement{Name: "fork", Chain: "devnet"}, Settings{Comptroller: w.Risk.Address, Profile: "moonwell"})
	require.NoError(t, err)
	d := &driver{t: t, chain: client, market: m}
	head, err := client.Head(ctx)
	require.NoError(t, err)
	require.ErrorContains(t, d.to(ctx, head, protocols.Everything), "accrues by the block, so this is another kind of deployment")
}
