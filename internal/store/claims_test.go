package store_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/postgres"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
)

// claimCount is how many deliveries are claimed; LIQWATCH_CLAIMS says otherwise.
func claimCount(t *testing.T) int {
	t.Helper()
	text := os.Getenv("LIQWATCH_CLAIMS")
	if text == "" {
		return 6_000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// Three processes, four claimers each, take turns at leading while they claim and
// settle: each delivery is handed out once, whoever leads.
func TestNoDeliveryIsHandedOutTwice(t *testing.T) {
	n := claimCount(t)
	name := postgres.Database(t)
	process(t, name) // makes the tables
	statements(t, name,
		fmt.Sprintf(`INSERT INTO alerts (id, dedup_key, kind, rule, created, alert, message) SELECT i, i, 'test', 'r', i, '{}', '{}' FROM generate_series(1, %d) i`, n),
		`INSERT INTO deliveries (alert, notifier, fate, urgency, created, next_at) SELECT id, 'hook', 'pending', 0, created, 0 FROM alerts`,
		`ANALYZE`)
	db, err := sql.Open("pgx", name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	c := &claimers{times: make([]atomic.Int32, n+1), db: db}
	begin := time.Now()
	var processes sync.WaitGroup
	for i := range 3 {
		s := process(t, name)
		processes.Go(func() {
			for c.done.Load() < int64(n) && !t.Failed() {
				c.turn(t, s, fmt.Sprint("p", i), int64(n))
			}
		})
	}
	processes.Wait()
	doubles, missing := 0, 0
	for id := 1; id <= n; id++ {
		switch c.times[id].Load() {
		case 0:
			missing++
		case 1:
		default:
			doubles++
		}
	}
	t.Logf("%d deliveries claimed by 12 claimers of 3 processes over %d turns in %s: %d double, %d missing", n, c.turns.Load(), time.Since(begin).Round(time.Millisecond), doubles, missing)
	require.Zero(t, doubles)
	require.Zero(t, missing)
	require.Greater(t, c.turns.Load(), int64(2))
}

// claimers count how often each delivery was handed out.
type claimers struct {
	times       []atomic.Int32
	done, turns atomic.Int64
	db          *sql.DB
}

// turn leads for a while, and goes on claiming for a little when that is over.
func (c *claimers) turn(t *testing.T, s *store.Store, holder string, n int64) {
	l, err := s.Lead(bg, holder, []string{"everything", store.NotifierName("hook")}, nil)
	if err != nil {
		t.Errorf("lead: %v", err)
		return
	}
	c.turns.Add(1)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for c.done.Load() < n && !t.Failed() {
				if err := c.claim(l.Store()); err != nil {
					if l.Context().Err() == nil {
						t.Errorf("claim: %v", err)
					}
					return
				}
			}
		})
	}
	time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond)
	if err := l.Resign(bg); err != nil {
		t.Errorf("resign: %v", err)
	}
	group.Wait()
}

func (c *claimers) claim(s *store.Store) error {
	now := time.Now()
	got, err := s.Claim(bg, "hook", now, time.Hour, 1+rand.IntN(100))
	if err != nil {
		return err
	}
	var sent []int64
	for i, d := range got {
		id, err := strconv.Atoi(d.AlertID)
		if err != nil {
			return err
		}
		if c.times[id].Add(1) == 1 {
			c.done.Add(1)
		}
		if i > 0 {
			sent = append(sent, d.ID)
			continue
		}
		if err := s.Settle(bg, d, alerts.Result{Fate: alerts.Sent, At: now}); err != nil {
			return err
		}
	}
	// The rest at once: this is about claims.
	_, err = c.db.ExecContext(bg, `UPDATE deliveries SET fate = 'sent', lease = '' WHERE id = ANY($1)`, sent)
	return err
}
