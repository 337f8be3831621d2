package venus_test

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
	"liqwatch/internal/watch"
	"liqwatch/protocols"
	"liqwatch/protocols/compoundv2"
	"liqwatch/thresholds"
)

// The price of ETH is really set to one unit on either side of where the ladder
// says that an account becomes liquidatable, on Venus' own contracts.
func TestPriceWalkFlipsVenusExactlyAtTheTriggers(t *testing.T) {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{BlockTime: 3})
	w, err := venus.Deploy(ctx, node)
	require.NoError(t, err)
	lender := chains.Address{0xA1}
	require.NoError(t, w.Supply(ctx, lender, "USDT", w.Amount("USDT", 9e7)))
	require.NoError(t, w.Supply(ctx, lender, "WETH", w.Amount("WETH", 9e4)))
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		a := chains.Address{0xB0, byte(i)}
		if i%3 > 0 { // long
			require.NoError(t, w.Supply(ctx, a, "WETH", w.Amount("WETH", 1+9*rng.Float64())))
			require.NoError(t, w.Enter(ctx, a, "WETH"))
			require.NoError(t, w.Borrow(ctx, a, "USDT", w.Amount("USDT", 1_000+800*rng.Float64())))
		} else { // short
			require.NoError(t, w.Supply(ctx, a, "USDT", w.Amount("USDT", 20_000+9_999*rng.Float64())))
			require.NoError(t, w.Enter(ctx, a, "USDT"))
			require.NoError(t, w.Borrow(ctx, a, "WETH", w.Amount("WETH", 3+2*rng.Float64())))
		}
	}
	client, err := evm.New(evm.Config{Name: "devnet", Endpoints: []evm.Endpoint{{URL: node.URL}}}, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	m, err := compoundv2.Make(protocols.Placement{Name: "venus", Chain: "devnet"}, compoundv2.Settings{Comptroller: w.Comptroller.Address, FromBlock: w.FromBlock})
	require.NoError(t, err)
	head, err := client.Head(ctx)
	require.NoError(t, err)
	can, err := client.Capabilities(ctx)
	require.NoError(t, err)
	require.NoError(t, watch.RunSteps(ctx, client, head, m.Open(head, can))[0])
	filter, from := m.Discovery()
	logs, err := client.Logs(ctx, filter, from, head)
	require.NoError(t, err)
	m.Note(logs)
	require.NoError(t, watch.RunSteps(ctx, client, head, m.Refresh(head, protocols.Everything))[0])
	book := m.Book()
	require.Equal(t, 60, book.Len())
	ladder, err := thresholds.Build("ETH", "venus", []protocols.Book{book})
	require.NoError(t, err)
	path, ok := book.Path("ETH")
	require.True(t, ok)
	short := func(i int, place *big.Int) bool {
		require.NoError(t, w.SetPrice(ctx, "WETH", place))
		n, err := node.BlockNumber(ctx)
		require.NoError(t, err)
		_, _, shortfall, err := w.Liquidity(ctx, book.Owner(i), n)
		require.NoError(t, err)
		return shortfall.Sign() > 0
	}
	down, up := 0, 0
	for i := range book.Len() {
		tr, err := ladder.Triggers("venus", i)
		require.NoError(t, err)
		if tr.Down != nil {
			p := tr.Down.Shift(path.Decimals()).BigInt()
			require.True(t, short(i, p))
			require.False(t, short(i, new(big.Int).Add(p, big.NewInt(1))))
			down++
		}
		if tr.Up != nil {
			p := tr.Up.Shift(path.Decimals()).BigInt()
			require.True(t, short(i, p))
			require.False(t, short(i, new(big.Int).Sub(p, big.NewInt(1))))
			up++
		}
	}
	require.Equal(t, 40, down)
	require.Equal(t, 20, up)
}
