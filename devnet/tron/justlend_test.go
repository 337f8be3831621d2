package tron_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	tronclient "liqwatch/chains/tron"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/tron"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
	"liqwatch/protocols/compoundv2"
	"liqwatch/thresholds"
)

// market opens a market on the double and reads all of it.
func market(t *testing.T, node *tron.Node, w *tron.World) (*compoundv2.Market, *tronclient.Client) {
	t.Helper()
	ctx := t.Context()
	client, err := tronclient.New(tronclient.Config{
		Name: "tron", Patience: time.Minute, Endpoints: []tronclient.Endpoint{{URL: node.URL, RequestsPerSecond: 1e6}},
	}, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	m, err := compoundv2.Make(protocols.Placement{Name: "justlend", Chain: "tron"}, compoundv2.Settings{Comptroller: w.Risk.Address, FromBlock: w.FromBlock})
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
	return m, client
}

// The prices of a TRX are really posted, one unit to either side of where the
// ladder says that an account becomes liquidatable, and the comptroller agrees:
// all but TRX and sTRX are posted at spot/place of what they were.
func TestPriceWalkFlipsExactlyAtTheTriggers(t *testing.T) {
	ctx := t.Context()
	evm := anvil.Run(t, anvil.Options{BlockTime: 3, ChainID: tron.ChainID})
	w, err := tron.Deploy(ctx, evm, tron.Options{})
	require.NoError(t, err)
	require.NoError(t, w.Fund(ctx, chains.Address{0xA1}))
	_, err = w.Crowd(ctx, 260, 3)
	require.NoError(t, err)
	node, err := tron.Serve(ctx, evm.Client, tron.Dialect{CPUGas: tron.CPULimit})
	require.NoError(t, err)
	m, _ := market(t, node, w)
	book := m.Book()
	require.Equal(t, 260, book.Len())

	ladder, err := thresholds.Build("TRX", "justlend", []protocols.Book{book})
	require.NoError(t, err)
	path, ok := book.Path("TRX")
	require.True(t, ok)
	spot := path.Spot()
	now := map[string]*big.Int{}
	for i, a := range book.Assets() {
		now[a.Symbol] = book.Prices().Raw[i].ToBig()
	}
	short := func(i int, place *big.Int) bool {
		t.Helper()
		require.NoError(t, w.Jump(ctx, w.TRXAt(now, spot.ToBig(), place)))
		n, err := evm.BlockNumber(ctx)
		require.NoError(t, err)
		code, _, shortfall, err := w.Liquidity(ctx, book.Owner(i), n)
		require.NoError(t, err)
		require.Zero(t, code.Sign())
		return shortfall.Sign() > 0
	}
	one := big.NewInt(1)
	down, up, both := 0, 0, 0
	for i := range book.Len() {
		tr, err := ladder.Triggers("justlend", i)
		require.NoError(t, err)
		if tr.Down != nil && tr.Up != nil {
			both++
		}
		if p := place(tr.Down, path); p != nil {
			require.True(t, short(i, p), "%s falls at %s", book.ID(i), tr.Down)
			require.False(t, short(i, new(big.Int).Add(p, one)), "%s holds one unit above %s", book.ID(i), tr.Down)
			down++
		}
		if p := place(tr.Up, path); p != nil {
			require.True(t, short(i, p), "%s falls at %s", book.ID(i), tr.Up)
			require.False(t, short(i, new(big.Int).Sub(p, one)), "%s holds one unit below %s", book.ID(i), tr.Up)
			up++
		}
	}
	t.Logf("%d accounts: %d triggers below spot, %d above, %d accounts with both", book.Len(), down, up, both)
	require.GreaterOrEqual(t, down+up, 100)
	require.Positive(t, down)
	require.Positive(t, up)
}

func place(price *decimal.Decimal, p protocols.Path) *big.Int {
	if price == nil {
		return nil
	}
	return price.Shift(p.Decimals()).BigInt()
}
