package aavev3

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/population"
	"liqwatch/devnet/story"
	"liqwatch/protocols"
)

// sameBook compares a book kept by following logs with one read whole at the block.
func sameBook(t testing.TB, kept, fresh *Book) {
	t.Helper()
	require.Equal(t, fresh.at, kept.at)
	for i := range fresh.table.res {
		require.Equal(t, fresh.table.res[i], kept.table.res[i], fresh.table.res[i].symbol)
	}
	require.Equal(t, fresh.table.modes, kept.table.modes)
	require.Equal(t, fresh.prices.Raw, kept.prices.Raw)
	require.Equal(t, fresh.Len(), kept.Len())
	for i := range fresh.Len() {
		require.Equal(t, fresh.shelf.account(i), kept.shelf.account(i))
	}
	for id, sum := range fresh.debts {
		require.Equal(t, sum, kept.debts[id], "debts of reserve %d", id)
	}
	require.Equal(t, fresh.sheet, kept.sheet)
}

// whole is the market read from nothing but the accounts at a block.
func (n *reader) whole(t testing.TB, like *Market, at chains.Block) *Book {
	t.Helper()
	m, err := newMarket(like.where, like.settings)
	require.NoError(t, err)
	require.NoError(t, n.run(t.Context(), at, m.Open(at, n.can())))
	m.Know(like.Accounts())
	require.NoError(t, n.run(t.Context(), at, m.Refresh(at, protocols.Everything)))
	return m.book
}

// The whole story, with liquidations and bad debt, followed block by block: every
// refresh in two rounds, every book equal to one read whole, all six numbers of all
// accounts and all sums equal to the contracts' along the way.
func TestStoryIsFollowedExactly(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		ctx := t.Context()
		n, w := deploy(t, v, aave.Options{})
		pop, err := population.Build(ctx, w, population.Options{Seed: 1})
		require.NoError(t, err)
		m := n.opened(t, w.Provider, NoFork)
		require.Empty(t, m.book.Faults())
		n.verified(t, m)
		seen, verified, liquidations := 0, 0, 0
		told, err := story.Play(ctx, w, pop, story.Options{Seed: 1, OnBlock: func(_ context.Context, at chains.Block) error {
			seen++
			n.rounds = 0
			logs := n.logs(t, m.Follow(), m.book.at.Number+1, at.Number)
			liquidations += len(m.Liquidations(logs))
			n.follow(t, m, at)
			require.LessOrEqual(t, n.rounds, 2)
			require.Empty(t, m.book.Faults())
			if seen%11 == 0 {
				sameBook(t, m.book, n.whole(t, m, at))
				n.verified(t, m)
				verified++
			}
			return nil
		}})
		require.NoError(t, err)
		at := n.head(t)
		require.NoError(t, n.run(ctx, at, m.Refresh(at, protocols.Everything)))
		require.Empty(t, m.book.Faults(), "a sweep finds nothing that following missed")
		n.verified(t, m)
		require.Len(t, told.Liquidations, liquidations)
		require.GreaterOrEqual(t, verified, 20)
		t.Logf("%d blocks, %d verified, %d positions, %d liquidations", seen, verified, m.book.Len(), liquidations)
	})
}

// Random actions of every kind: after each block the followed book is the one read whole.
func TestRandomActivityIsFollowedExactly(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		ctx := t.Context()
		n, w := deploy(t, v, aave.Options{})
		borrowers(t, w)
		m := n.opened(t, w.Provider, NoFork)
		rng := rand.New(rand.NewPCG(7, 7))
		done := map[string]int{}
		for step := range 90 {
			name, err := randomAction(ctx, w, rng)
			if err == nil {
				done[name]++
			}
			at := n.head(t)
			n.rounds = 0
			n.follow(t, m, at)
			require.LessOrEqual(t, n.rounds, 2)
			require.Empty(t, m.book.Faults(), "step %d: %s", step, name)
			if step%3 == 0 {
				sameBook(t, m.book, n.whole(t, m, at))
			}
			if step%10 == 0 {
				n.verified(t, m)
			}
		}
		n.verified(t, m)
		t.Log(done)
		require.Greater(t, len(done), 10, "%v", done)
	})
}

// randomAction does something to the market; many attempts revert, as attempts do.
func randomAction(ctx context.Context, w *aave.World, rng *rand.Rand) (string, error) {
	who, other := person(byte(1+rng.IntN(9))), person(byte(1+rng.IntN(9)))
	symbols := []string{"WETH", "wstETH", "USDC", "DAI", "WBTC", "LINK", "weETH"}
	a := symbols[rng.IntN(len(symbols))]
	amount := func(s string) *big.Int {
		return w.Amount(s, map[string]float64{"WETH": 1, "wstETH": 1, "weETH": 1, "WBTC": 0.05, "LINK": 200}[s]*(0.1+rng.Float64())+map[string]float64{"USDC": 1, "DAI": 1}[s]*(100+3000*rng.Float64()))
	}
	switch rng.IntN(16) {
	case 0, 1:
		return "supply", w.Supply(ctx, who, a, amount(a))
	case 2, 3, 4:
		return "borrow", w.Borrow(ctx, who, a, amount(a))
	case 5:
		if err := w.Mint(ctx, who, a, amount(a)); err != nil {
			return "repay", err
		}
		return "repay", w.Repay(ctx, who, a, amount(a))
	case 6:
		if err := w.Mint(ctx, who, a, w.Amount(a, 30_000)); err != nil {
			return "repay all", err
		}
		return "repay all", w.Repay(ctx, who, a, aave.Max)
	case 7:
		return "withdraw", w.Withdraw(ctx, who, a, amount(a))
	case 8:
		return "transfer", w.TransferAToken(ctx, who, other, a, amount(a))
	case 9:
		return "e-mode", w.SetUserEMode(ctx, who, uint8(rng.IntN(2)*int(aave.EModeETH)))
	case 10:
		return "switch", w.UseAsCollateral(ctx, who, a, rng.IntN(2) == 0)
	case 11, 12:
		price := new(big.Int).SetInt64(1000_00000000 + rng.Int64N(2500_00000000))
		return "price", w.SetETH(ctx, price)
	case 13:
		return liquidateSomebody(ctx, w, rng)
	case 14:
		return "freeze", w.Freeze(ctx, "LINK", rng.IntN(2) == 0)
	default:
		return "threshold", w.SetThreshold(ctx, "wstETH", 7500, 7800+rng.Int64N(400), 10500+rng.Int64N(200))
	}
}

// A reorg undoes a borrow and a repayment; the undone logs are noted like any other.
func TestReorgIsTakenBack(t *testing.T) {
	both(t, func(t *testing.T, v aave.Version) {
		ctx := t.Context()
		n, w := deploy(t, v, aave.Options{})
		borrowers(t, w)
		m := n.opened(t, w.Provider, NoFork)
		before := n.head(t)
		newcomer := person(40)
		require.NoError(t, w.Supply(ctx, newcomer, "WETH", w.Amount("WETH", 3)))
		require.NoError(t, w.Borrow(ctx, newcomer, "USDC", w.Amount("USDC", 1000)))
		require.NoError(t, w.Mint(ctx, person(2), "USDC", w.Amount("USDC", 25_000)))
		require.NoError(t, w.Repay(ctx, person(2), "USDC", aave.Max))
		undone := n.logs(t, m.Follow(), before.Number+1, n.head(t).Number)
		n.follow(t, m, n.head(t))
		_, has := m.book.shelf.find(newcomer)
		require.True(t, has)
		_, has = m.book.shelf.find(person(2))
		require.False(t, has)

		require.NoError(t, n.node.Reorg(ctx, n.head(t).Number-before.Number))
		m.Note(undone)
		at := n.head(t)
		m.Note(n.logs(t, m.Follow(), before.Number+1, at.Number))
		require.NoError(t, n.run(ctx, at, m.Refresh(at, protocols.Noted)))
		_, has = m.book.shelf.find(newcomer)
		require.False(t, has)
		_, has = m.book.shelf.find(person(2))
		require.True(t, has)
		require.Empty(t, m.book.Faults())
		sameBook(t, m.book, n.whole(t, m, at))
		n.verified(t, m)
	})
}

// What no log named is found by the sweep and said aloud.
func TestSweepFindsWhatLogsDidNotName(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	m := n.opened(t, w.Provider, NoFork)
	require.NoError(t, w.Repay(ctx, person(2), "USDC", w.Amount("USDC", 500)))
	at := n.head(t) // the logs of these blocks are withheld
	require.NoError(t, n.run(ctx, at, m.Refresh(at, protocols.Everything)))
	var kinds []string
	for _, f := range m.book.Faults() {
		kinds = append(kinds, f.Kind)
	}
	require.Contains(t, kinds, "missed-change")
	require.NotContains(t, kinds, "sum")
	n.verified(t, m)

	stranger, err := newMarket(m.where, m.settings)
	require.NoError(t, err)
	require.NoError(t, n.run(ctx, at, stranger.Open(at, n.can())))
	stranger.Know([]chains.Address{person(2)})
	require.NoError(t, n.run(ctx, at, stranger.Refresh(at, protocols.Everything)))
	require.NotEmpty(t, stranger.book.Faults())
	require.Equal(t, "sum", stranger.book.Faults()[0].Kind, "borrowers are missing")
}

// A failed step leaves the market as it was, and what was noted is read by the next one.
func TestFailedRefreshForgetsNothing(t *testing.T) {
	ctx := t.Context()
	n, w := deploy(t, aave.V36, aave.Options{})
	borrowers(t, w)
	m := n.opened(t, w.Provider, NoFork)
	old := m.book
	require.NoError(t, w.Borrow(ctx, person(2), "USDC", w.Amount("USDC", 100)))
	at := n.head(t)
	m.Note(n.logs(t, m.Follow(), old.at.Number+1, at.Number))
	s := m.Refresh(at, protocols.Noted)
	_, err := s.Then(make([]chains.Answer, len(s.Wants)))
	require.Error(t, err)
	require.Same(t, old, m.book)
	require.NoError(t, n.run(ctx, at, m.Refresh(at, protocols.Noted)))
	sameBook(t, m.book, n.whole(t, m, at))
}

// liquidateSomebody makes ETH cheap or dear and tries the borrowers' own pairs.
func liquidateSomebody(ctx context.Context, w *aave.World, rng *rand.Rand) (string, error) {
	if err := w.SetETH(ctx, big.NewInt([]int64{1400_00000000, 900_00000000, 4500_00000000}[rng.IntN(3)])); err != nil {
		return "", err
	}
	receiveAToken := rng.IntN(2) == 0
	name := fmt.Sprintf("liquidate %v", receiveAToken)
	err := errors.New("nobody")
	for _, pair := range [][2]string{{"WETH", "USDC"}, {"wstETH", "USDC"}, {"weETH", "DAI"}, {"USDC", "WETH"}, {"WBTC", "USDC"}} {
		if err := w.Mint(ctx, person(20), pair[1], w.Amount(pair[1], 30_000)); err != nil {
			return name, err
		}
		for who := byte(1); who < 10; who++ {
			if _, err = w.Liquidate(ctx, person(20), person(who), pair[0], pair[1], aave.Max, receiveAToken); err == nil {
				return name, nil
			}
		}
	}
	return name, err
}
