package watch

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/protocols"
)

// silent is a tracker that keeps what it is told of sources.
type silent struct{ sources []alerts.Source }

func (*silent) Observe(context.Context, alerts.Observation) (alerts.Outcome, error) {
	return alerts.Outcome{}, nil
}
func (*silent) Undo(context.Context, string, uint64, time.Time) error { return nil }
func (s *silent) Pulse(_ context.Context, _ time.Time, sources []alerts.Source) ([]alerts.Alert, error) {
	s.sources = sources
	return nil, nil
}
func (*silent) Faults(context.Context, time.Time, []string, []alerts.Fault) ([]alerts.Alert, error) {
	return nil, nil
}
func (*silent) Seen(string) []alerts.BlockRef             { return nil }
func (*silent) SetLevels(string, []decimal.Decimal) error { return nil }
func (*silent) WatchedLevels(string) []decimal.Decimal    { return nil }
func (*silent) BusyLevels(string) []decimal.Decimal       { return nil }
func (*silent) Read(context.Context, []alerts.Readings) (alerts.Outcome, error) {
	return alerts.Outcome{}, nil
}
func (*silent) Episodes(string) []alerts.Episode { return nil }

// closed is a market that cannot be opened.
type closed struct {
	*counter
	err error
}

func (c *closed) Open(chains.Block, chains.Capabilities) protocols.Step {
	return protocols.Step{Then: func([]chains.Answer) (protocols.Step, error) { return protocols.Step{}, c.err }}
}

func watchFor(t *testing.T, d time.Duration, chain *branches, markets ...protocols.Market) (*silent, *int, error) {
	t.Helper()
	tracker := &silent{}
	engine := NewEngine(tracker, nil, []string{chain.Name()}, zerolog.Nop())
	f := NewFollower(chain, markets, &MemoryAccounts{}, zerolog.Nop())
	w := NewWatcher(engine, []*Follower{f}, zerolog.Nop())
	passes := 0
	// A pass takes a moment, in which a block is mined.
	w.Passed = func(string, Outcome, time.Duration) {
		passes++
		time.Sleep(3 * time.Second)
		chain.mine(account(1))
	}
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	err := w.Run(ctx)
	return tracker, &passes, err
}

func TestWatchEndsWhenAMarketCannotBeOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrong := &closed{newCounter("wrong"), errors.New("no contract at this address")}
		start := time.Now()
		_, _, err := watchFor(t, time.Hour, newBranches(), newCounter("right"), wrong)
		var market *MarketError
		require.ErrorAs(t, err, &market)
		require.Equal(t, "wrong", market.Market)
		require.Less(t, time.Since(start), time.Minute)
	})
}

func TestAMarketThatTheNodesCannotAnswerForHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := &closed{newCounter("away"), chains.ErrUnreachable}
		good := newCounter("good")
		tracker, passes, err := watchFor(t, 10*time.Minute, newBranches(), good, away)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Greater(t, *passes, 100, "a pass every few seconds, not one every retry")
		require.Contains(t, sourceNames(tracker.sources), "away", "a market that was never read is told of as well")
	})
}

// full is a store that cannot be written for a while.
type full struct {
	MemoryAccounts
	is bool
}

func (f *full) SaveAccounts(ctx context.Context, set string, fresh []chains.Address, upTo chains.Block) error {
	if f.is {
		return errors.New("disk full")
	}
	return f.MemoryAccounts.SaveAccounts(ctx, set, fresh, upTo)
}

func TestTheRulesHearOfAReorgAlthoughThePassFailed(t *testing.T) {
	chain, store := newBranches(), &full{}
	for range 3 {
		chain.mine(account(1))
	}
	engine := NewEngine(&silent{}, nil, []string{chain.Name()}, zerolog.Nop())
	f := NewFollower(chain, []protocols.Market{newCounter("m")}, store, zerolog.Nop())
	w := NewWatcher(engine, []*Follower{f}, zerolog.Nop())
	var last chains.Block
	resumed := false
	step := func() error { return w.step(t.Context(), f, &last, &resumed) }
	require.NoError(t, step())
	chain.mine(account(1))
	require.NoError(t, step())
	chain.drop(1)
	chain.mine(account(2), account(3))
	chain.mine()
	store.is = true
	require.ErrorContains(t, step(), "disk full")
	require.NotNil(t, engine.chains[chain.Name()].undo, "the reorg must not be forgotten")
	require.EqualValues(t, 3, *engine.chains[chain.Name()].undo)
	store.is = false
	require.NoError(t, step())
	require.Nil(t, engine.chains[chain.Name()].undo)
}

func sourceNames(sources []alerts.Source) []string {
	var out []string
	for _, s := range sources {
		out = append(out, s.Name)
	}
	return out
}

func TestASilentChainIsOneSource(t *testing.T) {
	tracker := &silent{}
	e := NewEngine(tracker, []alerts.Rule{{Name: "r", Axis: "ETH"}}, []string{"a", "b"}, zerolog.Nop())
	now := time.Unix(1_700_000_000, 0)
	e.Now = func() time.Time { return now }
	for name, c := range e.chains {
		c.blockAt, c.unread = now, map[string]unread{"market on " + name: {since: now}}
	}
	e.priced["ETH"] = now
	require.NoError(t, e.Pulse(t.Context(), time.Minute))
	require.ElementsMatch(t, []string{"a", "b", "market on a", "market on b", "ETH"}, sourceNames(tracker.sources))
	e.chains["a"].blockAt = now.Add(-2 * time.Minute)
	require.NoError(t, e.Pulse(t.Context(), time.Minute))
	require.ElementsMatch(t, []string{"a", "b", "market on b"}, sourceNames(tracker.sources))
}

// Nodes that are hours behind go on giving blocks: that is no news of the present.
func TestBlocksOfLongAgoAreSilence(t *testing.T) {
	tracker := &silent{}
	e := NewEngine(tracker, nil, []string{"behind", "local"}, zerolog.Nop())
	now := time.Unix(1_700_000_000, 0)
	e.Now = func() time.Time { return now }
	for name, c := range e.chains {
		c.clocked, c.blockAt = name == "behind", now
		c.block = chains.Block{Number: 7, Time: uint64(now.Add(-time.Hour).Unix())}
	}
	require.NoError(t, e.Pulse(t.Context(), time.Minute))
	for _, s := range tracker.sources {
		if s.Name == "local" {
			require.Equal(t, now, s.Fed, "a node of a developer has a clock of its own")
			continue
		}
		require.Equal(t, now.Add(-time.Hour).Unix(), s.Fed.Unix())
		require.Contains(t, s.Why, "are behind")
	}
	e.chains["behind"].block.Time = uint64(now.Add(time.Minute).Unix())
	require.NoError(t, e.Pulse(t.Context(), time.Minute))
	require.Equal(t, now, tracker.sources[slices.IndexFunc(tracker.sources, func(s alerts.Source) bool { return s.Name == "behind" })].Fed, "a block ahead of its time is no older than its coming")
	require.False(t, keepsTime(31337))
	require.True(t, keepsTime(1))
}
