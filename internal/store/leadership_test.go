package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/postgres"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/internal/store/storetest"
	"liqwatch/protocols"
)

func lead(t *testing.T, s *store.Store, holder string, names ...string) *store.Leadership {
	t.Helper()
	l, err := s.Lead(t.Context(), holder, names, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Resign(context.Background()) })
	return l
}

func process(t *testing.T, name string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// waits starts a candidate that has to wait, and gives who it says leads and where it leads.
func waits(t *testing.T, s *store.Store, holder string, names ...string) (<-chan store.Standing, <-chan *store.Leadership) {
	t.Helper()
	told, led := make(chan store.Standing, 64), make(chan *store.Leadership, 1)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(func() { stop(); wg.Wait() })
	wg.Go(func() {
		l, err := s.Lead(ctx, holder, names, func(st store.Standing, err error) {
			if err == nil {
				select {
				case told <- st:
				default:
				}
			}
		})
		if err == nil {
			led <- l
		}
	})
	return told, led
}

func TestOneOfManyLeads(t *testing.T) {
	name := postgres.Database(t)
	a := lead(t, process(t, name), "a:1", "market x", "rule r")
	told, led := waits(t, process(t, name), "b:2", "rule r", "market y")
	st := <-told
	require.Equal(t, "a:1", st.Leader)
	require.Equal(t, []string{"rule r"}, st.Names)
	require.WithinDuration(t, time.Now(), st.Since, time.Minute)

	c := lead(t, process(t, name), "c:3", "market z") // nothing in common with a
	require.True(t, a.Holds())
	require.True(t, c.Holds())

	begin := time.Now()
	require.NoError(t, a.Resign(t.Context()))
	b := <-led
	require.Less(t, time.Since(begin), 3*time.Second, "who resigns is followed at once")
	require.Greater(t, b.Term, a.Term)
	require.False(t, a.Holds())
	require.ErrorIs(t, context.Cause(a.Context()), store.ErrNotLeading)
	require.NoError(t, b.Resign(t.Context()))
}

// Each write of a process that no longer leads, or never did, is refused whole.
func TestWhoDoesNotLeadWritesNothing(t *testing.T) {
	name := postgres.Database(t)
	never := process(t, name)
	old := lead(t, process(t, name), "old", "everything")
	require.NoError(t, old.Store().Post(t.Context(), noon, storetest.Post(t, "k", alerts.Info, "a")))
	held, err := old.Store().Claim(t.Context(), "a", noon, time.Minute, 1)
	require.NoError(t, err)
	require.Len(t, held, 1)
	require.NoError(t, old.Resign(t.Context()))
	now := lead(t, process(t, name), "new", "everything")

	for who, s := range map[string]*store.Store{"never led": never, "led before": old.Store()} {
		for what, write := range map[string]func() error{
			"accounts":   func() error { return s.SaveAccounts(bg, "m", storetest.Addresses(0, 3), chains.Block{Number: 1}) },
			"forgetting": func() error { return s.Forget(bg, "m") },
			"state":      func() error { return s.Commit(bg, alerts.Change{At: noon, Beats: []alerts.Beat{{Source: "chain|x"}}}) },
			"alerts":     func() error { return s.Post(bg, noon, storetest.Post(t, who, alerts.Info, "a")) },
			"history": func() error {
				return s.Record(bg, store.Sample{At: noon, Totals: map[string]store.MarketTotals{"m": {}}})
			},
			"undoing": func() error { return s.UndoLiquidations(bg, "c", 1) },
			"liquidation": func() error {
				return s.SaveLiquidations(bg, "c", noon, []protocols.Liquidation{liquidation(5, 0, 1, false)}, dollars)
			},
			"a claim": func() error { _, err := s.Claim(bg, "a", time.Now(), time.Minute, 1); return err },
		} {
			require.ErrorIs(t, write(), store.ErrNotLeading, "%s: %s", who, what)
		}
	}
	s := now.Store()
	known, err := s.Accounts(bg, "m")
	require.NoError(t, err)
	require.Empty(t, known)
	beats, err := s.LoadBeats(bg)
	require.NoError(t, err)
	require.Empty(t, beats)
	got, err := s.Alerts(bg, 10)
	require.NoError(t, err)
	require.Len(t, got, 1)

	// That something arrived is true whoever leads.
	require.NoError(t, old.Store().Settle(bg, held[0], alerts.Result{Fate: alerts.Sent, At: noon}))
	again, err := s.Claim(bg, "a", time.Now(), time.Minute, 1)
	require.NoError(t, err)
	require.Empty(t, again)
}

// A commit under way when the leadership runs out is waited for: it counts, and the
// next one does not.
func TestATakeoverWaitsForTheCommitUnderWay(t *testing.T) {
	name := postgres.Database(t)
	old := lead(t, process(t, name), "old", "everything")
	store.StopRenewing(old)
	begun := make(chan struct{})
	done := make(chan error, 1)
	var ready atomic.Bool // to commit
	go func() {
		done <- store.Within(bg, old.Store(), "chain|x", func(tx *sql.Tx) error {
			close(begun)
			_, err := tx.ExecContext(bg, `SELECT pg_sleep($1)`, (store.LeaseTime + 2*time.Second).Seconds())
			ready.Store(true)
			return err
		})
	}()
	<-begun
	_, led := waits(t, process(t, name), "new", "everything")
	l := <-led
	require.True(t, ready.Load(), "somebody took over in the middle of a commit")
	require.NoError(t, <-done)
	beats, err := l.Store().LoadBeats(bg)
	require.NoError(t, err)
	require.Len(t, beats, 1)
	require.ErrorIs(t, old.Store().Commit(bg, alerts.Change{At: noon, Beats: []alerts.Beat{{Source: "chain|y"}}}), store.ErrNotLeading)
	require.NoError(t, l.Resign(bg))
}

// A process that stops in the middle of a transaction does not hold up the others.
func TestALeaderThatHangsInATransactionIsFollowed(t *testing.T) {
	name := postgres.Database(t)
	old := lead(t, process(t, name), "old", "everything")
	store.StopRenewing(old)
	hung := make(chan struct{})
	done := make(chan error, 1)
	release := make(chan struct{})
	go func() {
		done <- store.Within(bg, old.Store(), "chain|x", func(*sql.Tx) error { close(hung); <-release; return nil })
	}()
	<-hung
	begin := time.Now()
	_, led := waits(t, process(t, name), "new", "everything")
	l := <-led
	took := time.Since(begin)
	t.Logf("followed after %s", took.Round(time.Millisecond))
	require.Less(t, took, 10*time.Second)
	close(release)
	require.Error(t, <-done, "the commit of who hung does not count")
	beats, err := l.Store().LoadBeats(bg)
	require.NoError(t, err)
	require.Empty(t, beats)
	require.NoError(t, l.Resign(bg))
}

// While the database cannot be reached a leader steps down by itself, before another can lead.
func TestALeaderThatIsCutOffStepsDown(t *testing.T) {
	server := postgres.Run(t)
	name := server.Database(t)
	l := lead(t, process(t, name), "a", "everything")
	begin := time.Now()
	server.Stop()
	<-l.Context().Done()
	require.Less(t, time.Since(begin), store.LeaseTime+time.Second)
	require.ErrorIs(t, context.Cause(l.Context()), store.ErrNotLeading)
	require.False(t, l.Holds())
	require.NoError(t, server.Resume(t.Context()))
}

// Many candidates, many terms: never two at once, and each commit of the right one counts.
func TestLeadersAreNeverTwo(t *testing.T) {
	name := postgres.Database(t)
	var mu sync.Mutex
	leading, most, terms := 0, 0, 0
	var wg sync.WaitGroup
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	for i := range 6 {
		s := process(t, name)
		wg.Go(func() {
			for ctx.Err() == nil {
				l, err := s.Lead(ctx, fmt.Sprint("p", i), []string{"everything"}, nil)
				if err != nil {
					return
				}
				mu.Lock()
				leading++
				most, terms = max(most, leading), terms+1
				mu.Unlock()
				err = l.Store().Commit(ctx, alerts.Change{At: noon, Beats: []alerts.Beat{{Source: fmt.Sprint("term|", l.Term)}}})
				if err != nil && ctx.Err() == nil {
					t.Errorf("the leader's commit: %v", err)
				}
				mu.Lock()
				leading--
				mu.Unlock()
				_ = l.Resign(context.Background())
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, most)
	require.Greater(t, terms, 3)
	t.Logf("%d terms of 6 processes", terms)
}
