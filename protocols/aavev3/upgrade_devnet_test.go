package aavev3

import (
	"math/big"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/population"
	"liqwatch/protocols"
)

// A log that says the implementation changed makes the next refresh learn the market
// again, read everything, and tell.
func TestUpgradeIsNoticedAndTold(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		ctx := t.Context()
		n, w := deploy(t, v, aave.Options{})
		borrowers(t, w)
		m := n.opened(t, w.Provider, NoFork)
		at := n.head(t)
		m.Note([]chains.Log{{Block: at.Number, Address: w.Pool, Topics: []chains.Hash{topicUpgraded, {31: 1}}}})
		old := m.shape
		require.NoError(t, n.run(ctx, at, m.Refresh(at, protocols.Noted)))
		require.NotSame(t, old, m.shape)
		require.Len(t, m.book.Faults(), 1)
		require.Equal(t, "upgrade", m.book.Faults()[0].Kind)
		n.verified(t, m)
		require.NoError(t, n.run(ctx, at, m.Refresh(at, protocols.Noted)))
		require.Empty(t, m.book.Faults(), "told once")
	})
}

// The wrong arithmetic is found out by the pool's own view, before anybody relies on it.
func TestWrongProfileIsAFault(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	m := n.opened(t, w.Provider, NoFork)
	require.NoError(t, n.node.Warp(ctx, 86400*300))
	wrong, err := ProfileOf(1, NoFork)
	require.NoError(t, err)
	wrong.Bitmaps = true
	s := *m.shape
	s.profile = wrong
	m.shape = &s
	at := n.head(t)
	require.NoError(t, n.run(ctx, at, m.Refresh(at, protocols.Everything)))
	require.True(t, slices.ContainsFunc(m.book.Faults(), func(f protocols.Fault) bool { return f.Kind == "profile" }), "%v", m.book.Faults())
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	at := n.head(t)
	for _, c := range []struct {
		provider chains.Address
		fork     Fork
		want     string
	}{
		{chains.Address{1, 2, 3}, NoFork, "has no contract at block"},
		{w.Pool, NoFork, "is not a PoolAddressesProvider"},
		{w.Provider, SparkLend, "unknown POOL_REVISION 10 of SparkLend"},
	} {
		m, err := newMarket(protocols.Placement{Name: "mine", Chain: "devnet"}, Settings{Provider: c.provider, Fork: c.fork})
		require.NoError(t, err)
		err = n.run(ctx, at, m.Open(at, n.can()))
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, "open mine on devnet")
		require.Nil(t, m.Book())
		require.Error(t, n.run(ctx, at, m.Refresh(at, protocols.Noted)), "a market that was not opened cannot be refreshed")
	}
	early := n.block(t, 1)
	m, err := newMarket(protocols.Placement{Name: "mine", Chain: "devnet"}, Settings{Provider: w.Provider})
	require.NoError(t, err)
	require.Error(t, n.run(ctx, early, m.Open(early, n.can())))
}

// Following costs two rounds and few bytes, whatever the number of accounts.
func TestFollowingIsCheap(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	_, err := population.AddPlain(ctx, w, 2000, 1)
	require.NoError(t, err)
	n.rounds, n.bytes = 0, 0
	m := n.opened(t, w.Provider, NoFork)
	require.Greater(t, m.book.Len(), 2000)
	t.Logf("cold: %d rounds, %d reads, %d bytes for %d positions", n.rounds, n.reads, n.bytes, m.book.Len())
	at := n.head(t)
	n.bytes = 0
	require.NoError(t, n.run(ctx, at, m.Refresh(at, protocols.Everything)))
	everything := n.bytes
	require.NoError(t, w.Borrow(ctx, person(2), "USDC", w.Amount("USDC", 10)))
	require.NoError(t, w.SetETH(ctx, big.NewInt(2690_00000000)))
	n.rounds, n.bytes, n.reads = 0, 0, 0
	n.follow(t, m, n.head(t))
	t.Logf("following: %d rounds, %d reads, %d bytes; everything: %d bytes", n.rounds, n.reads, n.bytes, everything)
	require.LessOrEqual(t, n.rounds, 2)
	perAccount := everything / m.book.Len()
	require.Less(t, 200*n.bytes, 10_000*perAccount, "200 times less than a full refresh of 10,000 accounts")
	n.verified(t, m)
}

func TestWhatIfs(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	m := n.opened(t, w.Provider, NoFork)
	before := m.book
	i, ok := before.Find(person(2).String())
	require.True(t, ok)
	require.False(t, before.Liquidatable(i, before.Prices()))
	lower, err := before.Set("weth", "lt", decimal.RequireFromString("0.60"))
	require.NoError(t, err)
	require.True(t, lower.Liquidatable(i, lower.Prices()))
	require.False(t, before.Liquidatable(i, before.Prices()), "a book never changes")
	require.NoError(t, w.SetThreshold(ctx, "WETH", 5000, 6000, 10500))
	n.follow(t, m, n.head(t))
	require.Equal(t, m.book.Liquidatable(i, m.book.Prices()), lower.Liquidatable(i, lower.Prices()))

	cheap, err := before.Set("WETH", "price", decimal.NewFromInt(1000))
	require.NoError(t, err)
	require.True(t, cheap.Liquidatable(i, cheap.Prices()))
	for _, c := range [][3]string{{"NOPE", "lt", "0.5"}, {"WETH", "ltv", "0.5"}, {"WETH", "lt", "1.5"}, {"WETH", "lt", "0.80001"}, {"WETH", "price", "-1"}} {
		_, err := before.Set(c[0], c[1], decimal.RequireFromString(c[2]))
		require.Error(t, err, "%v", c)
	}

	half, err := before.Move([]protocols.Move{{Axis: "ETH", Factor: decimal.RequireFromString("0.5")}, {Axis: "wstETH/ETH", Factor: decimal.RequireFromString("0.9")}})
	require.NoError(t, err)
	for j, a := range before.Assets() {
		was, is := before.Prices().Raw[j].Float64(), half.Raw[j].Float64()
		want := map[string]float64{"WETH": 0.5, "weETH": 0.5, "wstETH": 0.45}[a.Symbol]
		if want == 0 {
			want = 1
		}
		require.InDelta(t, want, is/was, 1e-9, a.Symbol)
	}
	totals := before.Totals()
	require.Len(t, totals, len(before.table.res))
	for _, x := range totals {
		r := &before.table.res[x.Asset]
		supplied, err := w.Balance(ctx, r.asset, r.aToken, before.at.Number)
		require.NoError(t, err)
		require.Equal(t, supplied.String(), x.Available.ToBig().String())
	}
}
