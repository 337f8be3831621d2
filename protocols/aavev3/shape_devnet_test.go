package aavev3

import (
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/protocols"
)

// SparkLend's revision 1 is Aave 3.0.2 under a numbering of its own.
func TestForkIsReadWithItsOwnProfile(t *testing.T) {
	n, w := deploy(t, aave.V30, aave.Options{})
	borrowers(t, w)
	m := n.opened(t, w.Provider, SparkLend)
	require.Equal(t, "SparkLend 1", m.shape.profile.Version)
	require.Empty(t, m.book.Faults())
	n.verified(t, m)
}

// Where the node gives slots they are used, after they were compared with views; a
// token with nothing in it cannot be compared and is read by views.
func TestStorageIsUsedWhereItIsProven(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		n, w := deploy(t, v, aave.Options{})
		borrowers(t, w)
		m := n.opened(t, w.Provider, NoFork)
		require.True(t, m.shape.slots)
		for _, symbol := range []string{"WETH", "USDC", "DAI"} {
			a := w.Asset(symbol)
			require.Contains(t, m.shape.balances, a.AToken, symbol)
			require.Contains(t, m.shape.balances, a.VToken, symbol)
		}
		require.NotContains(t, m.shape.balances, w.Asset("CRV").VToken)

		n.bare = true
		bare := n.opened(t, w.Provider, NoFork)
		require.False(t, bare.shape.slots)
		require.Empty(t, bare.shape.balances)
		require.Equal(t, m.book.Len(), bare.book.Len())
		for i := range m.book.Len() {
			require.Equal(t, m.book.shelf.account(i), bare.book.shelf.account(i))
		}
		require.NoError(t, w.Borrow(t.Context(), person(2), "USDC", w.Amount("USDC", 77)))
		n.follow(t, bare, n.head(t))
		n.verified(t, bare)
	})
}

func TestTwinsAndNamelessTokensGetNames(t *testing.T) {
	list := []reserve{{symbol: "USDC"}, {symbol: "USDC", asset: chains.Address{0xab, 0xcd, 0xef}}, {asset: chains.Address{0x12}}}
	nameTwins(list)
	require.Equal(t, "USDC", list[0].symbol)
	require.NotEqual(t, list[0].symbol, list[1].symbol)
	require.Contains(t, list[2].symbol, "token-12")
}

// What was read of an account says the same to people as the pool's own view.
func TestPositionIsForPeople(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	m := n.opened(t, w.Provider, NoFork)
	i, ok := m.book.Find(person(2).String())
	require.True(t, ok)
	p := m.book.Position(i)
	require.Len(t, p.Legs, 2)
	require.Equal(t, protocols.Collateral, p.Legs[0].Side)
	require.Equal(t, person(2), p.Owner)
	require.Len(t, p.View, 6)
	data, err := w.UserAccountData(ctx, person(2), m.book.at.Number)
	require.NoError(t, err)
	require.Equal(t, data.HealthFactor.String(), p.View[5].Value.ToBig().String())
	require.Equal(t, data.HealthFactor.String(), p.HealthRaw.ToBig().String())
	require.Empty(t, p.Blocked)
	require.NoError(t, w.Pause(ctx, "USDC", true))
	n.follow(t, m, n.head(t))
	require.Equal(t, "paused: USDC", m.book.Position(i).Blocked)
	_, ok = m.book.Find("nonsense")
	require.False(t, ok)
}

// A pool or a token whose storage is not where it is looked for is read by views.
func TestStorageThatIsElsewhereIsNotBelieved(t *testing.T) {
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	want := n.opened(t, w.Provider, NoFork)
	debt := w.Asset("USDC").VToken
	for name, elsewhere := range map[string]func(chains.Read) bool{
		"pool":  func(r chains.Read) bool { return r.To == want.shape.pool },
		"token": func(r chains.Read) bool { return r.To == debt },
	} {
		n.elsewhere = elsewhere
		m := n.opened(t, w.Provider, NoFork)
		require.Equal(t, name == "token", m.shape.slots, name)
		require.NotContains(t, m.shape.balances, debt, name)
		require.Equal(t, want.book.Len(), m.book.Len(), name)
		for i := range want.book.Len() {
			require.Equal(t, want.book.shelf.account(i), m.book.shelf.account(i), name)
		}
		n.verified(t, m)
	}
}
