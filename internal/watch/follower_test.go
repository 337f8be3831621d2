package watch

import (
	"errors"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/protocols"
)

func account(n int) chains.Address { return chains.Address{0: 0xBB, 19: byte(n)} }

func touches(t *rapid.T) []chains.Address {
	var out []chains.Address
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, 9), 0, 3).Draw(t, "touched") {
		out = append(out, account(n))
	}
	return out
}

// requireCanonical checks that every account holds its value on the present branch.
func requireCanonical(t require.TestingT, chain *branches, m *counter) {
	require.Equal(t, chain.tip.Block, m.at)
	for n := range 10 {
		want := chain.value(chain.tip, account(n))
		require.Equalf(t, want, m.known[account(n)], "account %d at block %d", n, chain.tip.Number)
	}
}

// A follower's markets are those of the canonical chain after every pass, whatever
// was mined, undone, re-mined, skipped, interrupted or restarted in between.
func TestFollowerTakesBackWhatReorgsUndid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chain, store := newBranches(), &MemoryAccounts{}
		start := func() (*Follower, *counter) {
			m := newCounter("m")
			return NewFollower(chain, []protocols.Market{m}, store, zerolog.Nop()), m
		}
		f, m := start()
		pass := func() {
			out, err := f.Pass(t.Context(), chain.tip.Block)
			require.NoError(t, err)
			require.Empty(t, out.Failed)
			requireCanonical(t, chain, m)
		}
		t.Repeat(map[string]func(*rapid.T){
			"mine":   func(t *rapid.T) { chain.mine(touches(t)...) },
			"follow": func(*rapid.T) { pass() },
			"reorg": func(t *rapid.T) {
				// Only what is not final can be undone.
				depth := rapid.IntRange(1, 7).Draw(t, "depth")
				depth = min(depth, int(chain.tip.Number))
				chain.drop(depth)
				for range depth + rapid.IntRange(0, 2).Draw(t, "longer") {
					chain.mine(touches(t)...)
				}
			},
			"fail": func(*rapid.T) {
				m.fail = errors.New("a node went away")
				chain.mine()
				_, _ = f.Pass(t.Context(), chain.tip.Block)
				m.fail = nil
			},
			"restart": func(*rapid.T) { f, m = start() },
		})
		pass()
	})
}

func TestFollowerAsksOnceForLogsAndOnceForReadsABlock(t *testing.T) {
	chain := newBranches()
	chain.mine(account(1))
	markets := []protocols.Market{newCounter("a"), newCounter("b")}
	f := NewFollower(chain, markets, &MemoryAccounts{}, zerolog.Nop())
	_, err := f.Pass(t.Context(), chain.tip.Block)
	require.NoError(t, err)
	chain.asked = map[string]int{}
	for range 10 {
		chain.mine(account(1), account(2))
		_, err := f.Pass(t.Context(), chain.tip.Block)
		require.NoError(t, err)
	}
	require.Equal(t, 10, chain.asked["logs"])
	require.Equal(t, 10, chain.asked["read"], "the reads of both markets are merged")
	require.Zero(t, chain.asked["block"], "a child of the last block needs no question about the branch")
}

func TestFollowerReadsEverythingAgainAfterAReorgBeyondItsMemory(t *testing.T) {
	chain := newBranches()
	for n := range 6 {
		chain.mine(account(n))
	}
	m := newCounter("m")
	f := NewFollower(chain, []protocols.Market{m}, &MemoryAccounts{}, zerolog.Nop())
	_, err := f.Pass(t.Context(), chain.tip.Block)
	require.NoError(t, err)
	chain.drop(5)
	for n := range 9 {
		chain.mine(account(n))
	}
	out, err := f.Pass(t.Context(), chain.tip.Block)
	require.NoError(t, err)
	require.True(t, out.Deep)
	requireCanonical(t, chain, m)
}

func TestAMarketThatFailsDoesNotStopTheOthers(t *testing.T) {
	chain := newBranches()
	chain.mine(account(1))
	good, bad := newCounter("good"), newCounter("bad")
	f := NewFollower(chain, []protocols.Market{bad, good}, &MemoryAccounts{}, zerolog.Nop())
	_, err := f.Pass(t.Context(), chain.tip.Block)
	require.NoError(t, err)
	chain.mine(account(1))
	bad.fail = errors.New("oracle is a picture of a fish")
	out, err := f.Pass(t.Context(), chain.tip.Block)
	require.NoError(t, err)
	require.ErrorContains(t, out.Failed["bad"], "read bad at block 2: oracle is a picture of a fish")
	require.EqualValues(t, 2, good.known[account(1)])
	require.EqualValues(t, 1, bad.known[account(1)], "the failed market is as it was")
	chain.mine()
	_, err = f.Pass(t.Context(), chain.tip.Block)
	require.NoError(t, err)
	require.EqualValues(t, 2, bad.known[account(1)], "what was noted is read by the next pass")
}

// A node that indexes late leaves logs out at the tip. They are there when the block
// is final, and what they touched is read then at the latest.
func TestFollowerAsksAgainForLogsOnceTheyAreFinal(t *testing.T) {
	chain := newBranches()
	chain.mine(account(1), account(2))
	m := newCounter("m")
	f := NewFollower(chain, []protocols.Market{m}, &MemoryAccounts{}, zerolog.Nop())
	pass := func() {
		_, err := f.Pass(t.Context(), chain.tip.Block)
		require.NoError(t, err)
	}
	pass()
	chain.hidden = map[chains.Address]bool{account(2): true}
	chain.mine(account(1), account(2))
	pass()
	require.EqualValues(t, 2, m.known[account(1)])
	require.EqualValues(t, 1, m.known[account(2)], "the node hid the log")
	for range 2*finalEvery + 2 {
		chain.mine()
		pass()
	}
	require.EqualValues(t, 2, m.known[account(2)])
}
