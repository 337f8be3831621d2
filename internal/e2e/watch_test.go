package e2e

import (
	"fmt"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
)

// stage is the devnet, the watcher, the receiver and what the naive program expects.
type stage struct {
	*world
	t        *testing.T
	config   string
	watcher  *daemon
	receiver *receiver
	rules    []*oracle
	messages int
}

const rules = `
rules:
  - {name: eth, axis: ETH, levels: [2200, 2400], approach: [5%%, 2%%, 0.5%%], rearm: 1%%, notify: [hook]}
  - {name: large, axis: ETH, levels: [2300], approach: [3%%], rearm: 2%%, min_at_risk_usd: %d, notify: [hook]}
notifiers:
  hook: {type: webhook, url: %q, secret: "${env:HOOK_SECRET}", allow_private: true}
log: {level: debug}
`

// minimum lies between what is at risk on different days of the story.
const minimum = 4_000_000

func TestWatchTellsExactlyWhatIsExpected(t *testing.T) {
	w := populated(t, aave.V36, anvil.Options{StateFile: filepath.Join(t.TempDir(), "state.json")})
	r := receive(t)
	s := &stage{world: w, t: t, receiver: r, config: w.configuration(t, fmt.Sprintf(rules, minimum, r.URL))}
	for _, p := range []promise{
		{name: "eth", levels: []int64{2200e8, 2400e8}, approach: []int64{500, 2000, 5000}, rearm: 1000},
		{name: "large", levels: []int64{2300e8}, approach: []int64{3000}, rearm: 2000, least: minimum * 1e8},
	} {
		s.rules = append(s.rules, &oracle{promise: p, stand: map[string]message{}})
	}
	s.start()
	s.expect(2700, s.watcher, 0)

	s.moves(2600, 2510, 2445, 2425)
	s.killInFlight(2411, 2470)
	s.moves(2550, 2455, 2395, 2405, 2398, 2360, 2300)
	s.killBetweenPasses(2255, 2190)
	s.moves(2100)
	s.restartNode()
	s.moves(2215, 2230, 2050, 2500)
	s.reorg()
	s.moves(2470, 2440, 2380, 2425, 2250, 2560, 2150, 2560, 2390)
	s.reorgWhileDead()
	s.moves(2395)

	attempts, messages := s.receiver.counts()
	require.Equal(t, s.messages, messages)
	require.Equal(t, messages+1, attempts, "one answer was lost in a kill; nothing else came twice")
	code, took := s.watcher.interrupt(t)
	require.Zero(t, code)
	require.Less(t, took, 2*time.Second)
	s.stateIsCanonical()
	t.Logf("%d looks, %d messages, %d attempts, three kills, one node restart, two reorgs; Ctrl-C took %s",
		len(s.rules[0].path), messages, attempts, took)
}

func (s *stage) start() { s.watcher = watch(s.t, s.config, "HOOK_SECRET="+hookSecret) }

// moves sends prices one by one, whole USD, and holds what is told against what is expected.
func (s *stage) moves(prices ...int64) {
	for _, usd := range prices {
		before := s.watcher.seen()
		s.set(usd)
		s.expect(usd, s.watcher, before)
	}
}

func (s *stage) set(usd int64) {
	s.t.Helper()
	require.NoError(s.t, s.SetETH(s.t.Context(), big.NewInt(usd*1e8)))
}

// expect waits until the watcher has looked at the head and compares its messages.
func (s *stage) expect(usd int64, d *daemon, passes int) {
	s.t.Helper()
	want := s.due(usd)
	d.hasLooked(s.t, passes, s.head(s.t).Number)
	s.compare(usd, want)
}

// due is what the naive program expects of a look at the head.
func (s *stage) due(usd int64) []message {
	s.t.Helper()
	l := s.look(s.t.Context(), s.t, usd*1e8, []int64{2200e8, 2300e8, 2400e8})
	var want []message
	for _, r := range s.rules {
		want = append(want, r.follow(l)...)
	}
	return want
}

func (s *stage) compare(usd int64, want []message) {
	s.t.Helper()
	var got []message
	for _, b := range s.receiver.next(s.t, len(want)) {
		got = append(got, told(b))
	}
	for _, m := range want {
		s.t.Logf("ETH %d, block %d: %s %s %s %s %s: %s", usd, m.block, m.rule, m.kind, m.level, m.side, m.approach, m.totals)
	}
	require.ElementsMatch(s.t, want, got, "at %d", usd)
	s.messages += len(want)
}

// killInFlight moves the price, kills the watcher while the receiver has its message
// but has not answered, moves the price again and starts it anew.
func (s *stage) killInFlight(first, second int64) {
	t := s.t
	s.receiver.holdNext()
	s.set(first)
	want := s.due(first)
	require.NotEmpty(t, want)
	select {
	case <-s.receiver.held:
	case <-time.After(30 * time.Second):
		t.Fatal("no message came to be held")
	}
	s.watcher.kill(t)
	before, _ := s.receiver.counts()
	s.set(second)
	s.start()
	require.Eventually(t, func() bool {
		now, _ := s.receiver.counts()
		return now > before
	}, 30*time.Second, 5*time.Millisecond, "what was in flight was not repeated")
	want = append(want, s.due(second)...)
	s.watcher.hasLooked(t, 0, s.head(t).Number)
	s.compare(second, want)
}

// killBetweenPasses kills an idle watcher; while it is dead the price goes on in several blocks.
func (s *stage) killBetweenPasses(prices ...int64) {
	s.watcher.kill(s.t)
	for _, usd := range prices {
		s.set(usd)
	}
	last := prices[len(prices)-1]
	s.overridesAreMoves(2150)
	s.start()
	s.expect(last, s.watcher, 0)
}

// overridesAreMoves proves that the judge's "if priced" is what a real move shows.
func (s *stage) overridesAreMoves(usd int64) {
	ctx, t := s.t.Context(), s.t
	if_, err := s.judge.IfPriced(ctx, s.head(t).Number, s.accounts, s.reports(usd*1e8))
	require.NoError(t, err)
	moved, err := s.judge.AtPrices(ctx, s.accounts, s.reports(usd*1e8))
	require.NoError(t, err)
	require.Equal(t, moved, if_)
}

// restartNode stops the node and starts it from its file; the watcher lives on.
func (s *stage) restartNode() {
	before := s.head(s.t)
	require.NoError(s.t, s.node.Restart(s.t.Context()))
	require.Equal(s.t, before, s.head(s.t))
	// This node's BLOCKHASH knows its last two blocks no more after a restart, and
	// the watcher would rightly distrust what was read one block later.
	passes := s.watcher.seen()
	require.NoError(s.t, s.node.Call(s.t.Context(), nil, "anvil_mine", 2))
	s.watcher.hasLooked(s.t, passes, before.Number+2)
}

// reorg lets the watcher see a large borrow and a crossing, and takes both back: on
// the other branch the price goes elsewhere.
func (s *stage) reorg() {
	ctx, t := s.t.Context(), s.t
	ancestor := s.head(t)
	newcomer := chains.Address{0xE2, 0xE0}
	s.accounts = append(s.accounts, newcomer.String())
	before := s.watcher.seen()
	require.NoError(t, s.Supply(ctx, newcomer, "WETH", s.Amount("WETH", 3000)))
	require.NoError(t, s.Borrow(ctx, newcomer, "USDC", s.Amount("USDC", 5_700_000)))
	s.expect(2500, s.watcher, before)
	require.Positive(t, s.debtOf(newcomer.String()).Sign())
	s.moves(2390)
	_, crossed := s.rules[0].events(2400e8, "down", s.rules[0].path)
	require.True(t, crossed.crossed)

	depth := s.head(t).Number - ancestor.Number
	before = s.watcher.seen()
	require.NoError(t, s.node.ReorgWith(ctx, depth, map[uint64][]anvil.Tx{0: s.feeds(2480)}))
	for _, r := range s.rules {
		r.reorg(ancestor.Number)
	}
	s.expect(2480, s.watcher, before)
	require.Zero(t, s.debtOf(newcomer.String()).Sign(), "the borrow is undone")
}

// reorgWhileDead takes the last block back while nobody watches.
func (s *stage) reorgWhileDead() {
	head := s.head(s.t).Number
	s.watcher.kill(s.t)
	require.NoError(s.t, s.node.ReorgWith(s.t.Context(), 1, map[uint64][]anvil.Tx{0: s.feeds(2550)}))
	for _, r := range s.rules {
		r.reorg(head - 1)
	}
	s.start()
	s.expect(2550, s.watcher, 0)
}

// feeds are the transactions that report a price to both ETH feeds.
func (s *stage) feeds(usd int64) []anvil.Tx {
	var txs []anvil.Tx
	for _, f := range []aave.FeedName{aave.FeedETH, aave.FeedETHForLST} {
		tx, err := s.FeedTx(f, big.NewInt(usd*1e8))
		require.NoError(s.t, err)
		txs = append(txs, tx)
	}
	return txs
}

func (s *stage) debtOf(account string) *big.Int {
	v, err := s.judge.At(s.t.Context(), s.head(s.t).Number, []string{account})
	require.NoError(s.t, err)
	return v[0].Debt
}

// stateIsCanonical compares the episodes in the store with those of the path.
func (s *stage) stateIsCanonical() {
	t := s.t
	st, err := store.OpenReadOnly(t.Context(), "sqlite:"+filepath.Join(filepath.Dir(s.config), "liqwatch.db"))
	require.NoError(t, err)
	defer func() { _ = st.Close() }()
	for _, r := range s.rules {
		state, err := st.LoadState(t.Context(), r.name)
		require.NoError(t, err)
		require.Empty(t, state.Doubts)
		want := map[string]standing{}
		for _, level := range r.levels {
			for _, side := range []string{"down", "up"} {
				_, want[fmt.Sprint(side, " ", usd(level))] = r.events(level, side, r.path)
			}
		}
		got := map[string]standing{}
		for _, e := range state.Episodes() {
			got[fmt.Sprint(e.Side, " ", e.Level)] = standingOf(e)
		}
		require.Equal(t, want, got, "rule %s, levels %v", r.name, slices.Sorted(maps.Keys(want)))
	}
}

func standingOf(e alerts.Episode) standing {
	s := standing{number: e.Number, deepest: -1}
	if e.Reached.Valid {
		s.deepest = e.Reached.Decimal.Shift(5).IntPart()
		s.crossed = s.deepest == 0
	}
	return s
}
