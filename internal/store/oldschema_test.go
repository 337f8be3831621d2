package store

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
)

// What waited in the file of the version before this one is sent by this one, and what
// was sent is not sent again.
func TestWhatWaitedInAnOlderStoreIsSent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	db, err := sql.Open("sqlite", dsn(path, "rwc"))
	require.NoError(t, err)
	p, err := sqliteDialect().provider(db)
	require.NoError(t, err)
	_, err = p.UpTo(t.Context(), 2)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO meta VALUES ('salt', 'old');
		INSERT INTO alerts (id, dedup_key, kind, rule, created, alert, message) VALUES
			('msg_1', 'a', 'crossing', 'eth', 1000, '{"kind": "crossing", "reason": "crossed"}', '{"title": "first"}'),
			('msg_2', 'b', 'notice', 'delivery', 2000, '{"kind": "notice"}', '{"title": "second"}');
		INSERT INTO deliveries (alert, notifier, fate, urgency, created, next_at, attempts, failures, uncertain, lease, lease_until, settled_at, reason) VALUES
			('msg_1', 'hook', 'pending', 2, 1000, 0, 3, 1, 1, 'ABC', 9000000000000000000, 0, 'no answer'),
			('msg_2', 'hook', 'pending', 1, 2000, 0, 0, 0, 0, '', 0, 0, ''),
			('msg_1', 'chat', 'sent', 2, 1000, 0, 1, 0, 1, '', 0, 1500, ''),
			('msg_2', 'chat', 'dead', 1, 2000, 0, 9, 9, 1, '', 0, 2500, 'refused')`)
	require.NoError(t, err)
	require.NoError(t, db.Close())

	s, err := Open(t.Context(), "sqlite:"+path)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	taken, err := s.Take(t.Context(), "hook", time.Now(), alerts.Terms{Lease: time.Minute})
	require.NoError(t, err)
	require.Len(t, taken.Deliveries, 1)
	d := taken.Deliveries[0]
	require.Equal(t, "msg_1", d.AlertID)
	require.Equal(t, "first", d.Message.Title)
	require.Equal(t, []any{3, 1, true}, []any{d.Attempts, d.Failures, d.Uncertain})
	require.NoError(t, s.Settle(t.Context(), d, alerts.Result{Fate: alerts.Sent, At: time.Now()}))
	taken, err = s.Take(t.Context(), "hook", time.Now(), alerts.Terms{Lease: time.Minute})
	require.NoError(t, err)
	require.Len(t, taken.Deliveries, 1)
	require.Equal(t, "msg_2", taken.Deliveries[0].AlertID)
	taken, err = s.Take(t.Context(), "chat", time.Now(), alerts.Terms{Lease: time.Minute})
	require.NoError(t, err)
	require.Empty(t, taken.Deliveries)
	counts, err := s.AlertCounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []AlertCount{{"crossing", "crossed", 1}, {"notice", "", 1}}, counts)
}
