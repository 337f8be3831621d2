package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"liqwatch/internal/alerts"
)

// Claim hands out due deliveries under a lease; see [alerts.Outbox].
func (s *Store) Claim(ctx context.Context, notifier string, now time.Time, lease time.Duration, limit int) ([]alerts.Delivery, error) {
	var out []alerts.Delivery
	err := s.tx(ctx, func(tx *sql.Tx) error {
		ahead, err := s.ahead(ctx, tx)
		if err != nil {
			return err
		}
		out, err = s.claim(ctx, tx, notifier, now.Add(ahead), lease, 0, limit)
		backDate(out, ahead)
		return err
	})
	return out, err
}

// claim hands out what is due of at least an urgency; all times are the store's.
func (s *Store) claim(ctx context.Context, tx *sql.Tx, notifier string, now time.Time, lease time.Duration, least, limit int) ([]alerts.Delivery, error) {
	out, err := s.selectDue(ctx, tx, notifier, now, least, limit)
	if err != nil {
		return nil, err
	}
	until := now.Add(lease)
	if latest := time.Now().Add(lease); s.Shared() && until.Sub(latest) > beyondClocks {
		until = latest // who asks for all that will ever be due does not keep it for ever
	}
	for i := range out {
		out[i].Lease, out[i].Until = rand.Text(), until
		// Until it is settled nobody knows whether it arrived.
		_, err := tx.ExecContext(ctx, `UPDATE deliveries SET lease = $1, lease_until = $2, attempts = attempts + 1, uncertain = 1 WHERE id = $3`,
			out[i].Lease, until.UnixNano(), out[i].ID)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// beyondClocks is further ahead than any clock is set wrong.
const beyondClocks = 24 * time.Hour

// backDate tells deliveries by the clock of this process.
func backDate(all []alerts.Delivery, ahead time.Duration) {
	for i := range all {
		all[i].Created, all[i].Until = all[i].Created.Add(-ahead), all[i].Until.Add(-ahead)
	}
}

func (s *Store) selectDue(ctx context.Context, tx *sql.Tx, notifier string, now time.Time, least, limit int) ([]alerts.Delivery, error) {
	//nolint:gosec // the end is a constant of the dialect
	rows, err := tx.QueryContext(ctx, `SELECT d.id, d.alert, d.notifier, d.attempts, d.failures, d.uncertain, d.created, a.message
		FROM deliveries d JOIN alerts a ON a.id = d.alert
		WHERE d.notifier = $1 AND d.fate = 'pending' AND d.next_at <= $2 AND d.lease_until <= $2 AND d.urgency >= $4
		AND coalesce((SELECT h.until FROM holds h WHERE h.notifier = $1), 0) <= $2
		ORDER BY d.urgency DESC, d.created, d.id LIMIT $3`+s.dialect.claimed, notifier, now.UnixNano(), limit, least)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []alerts.Delivery
	for rows.Next() {
		var d alerts.Delivery
		var created int64
		var message string
		if err := rows.Scan(&d.ID, &d.AlertID, &d.Notifier, &d.Attempts, &d.Failures, &d.Uncertain, &created, &message); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(message), &d.Message); err != nil {
			return nil, fmt.Errorf("message of alert %s: %w: %w", d.AlertID, ErrDamaged, err)
		}
		d.Created = time.Unix(0, created).UTC()
		out = append(out, d)
	}
	return out, rows.Err()
}

// Settle records what became of a delivery. Once it may have arrived, it may have for good. A success is recorded even when the
// lease has ended: whoever holds it now then learns that it need not be sent. So that
// it can be, it is enough to hold the delivery; whoever does need not lead any more.
func (s *Store) Settle(ctx context.Context, d alerts.Delivery, r alerts.Result, posts ...alerts.Post) error {
	return s.anyonesTx(ctx, func(tx *sql.Tx) error {
		ahead, err := s.ahead(ctx, tx)
		if err != nil {
			return err
		}
		if !r.Next.IsZero() {
			r.Next = r.Next.Add(ahead)
		}
		res, err := tx.ExecContext(ctx, `UPDATE deliveries SET fate = $1, settled_at = $2, next_at = $3, failures = failures + $4,
			uncertain = $5, reason = $6, lease = '', lease_until = 0
			WHERE id = $7 AND fate = 'pending' AND (lease = $8 OR $1 = 'sent')`,
			string(r.Fate), r.At.Add(ahead).UnixNano(), nanos(r.Next), flag(r.Failed), flag(r.Uncertain || d.Uncertain), plain(r.Reason), d.ID, d.Lease)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return alerts.ErrLeaseLost
		}
		if r.Hold {
			_, err := tx.ExecContext(ctx, `INSERT INTO holds (notifier, until) VALUES ($1, $2)
				ON CONFLICT (notifier) DO UPDATE SET until = CASE WHEN holds.until > excluded.until THEN holds.until ELSE excluded.until END`, d.Notifier, nanos(r.Next))
			if err != nil {
				return err
			}
		}
		return s.savePosts(ctx, tx, r.At, posts)
	})
}

// NextDue is the earliest time at which a delivery of the notifier can be claimed.
func (s *Store) NextDue(ctx context.Context, notifier string) (time.Time, bool, error) {
	var next, until sql.NullInt64
	err := s.read.QueryRowContext(ctx, `SELECT min(CASE WHEN next_at > lease_until THEN next_at ELSE lease_until END),
		(SELECT until FROM holds WHERE notifier = $1) FROM deliveries WHERE notifier = $1 AND fate = 'pending'`, notifier).Scan(&next, &until)
	if err != nil || !next.Valid {
		return time.Time{}, false, err
	}
	ahead, err := s.ahead(ctx, s.read)
	if err != nil {
		return time.Time{}, false, err
	}
	return time.Unix(0, max(next.Int64, until.Int64)).Add(-ahead).UTC(), true, nil
}

// Waiting are the notifiers for which deliveries wait, without those of others that lead.
func (s *Store) Waiting(ctx context.Context) ([]string, error) {
	var names []string
	return names, s.each(ctx, `SELECT DISTINCT notifier FROM deliveries WHERE fate = 'pending'`+s.dialect.unled+` ORDER BY notifier`, nil, func(name string) error {
		names = append(names, name)
		return nil
	})
}

// Post keeps alerts that come of no rule.
func (s *Store) Post(ctx context.Context, at time.Time, posts ...alerts.Post) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return s.savePosts(ctx, tx, at, posts) })
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// plain is a text of the outside as every database takes it: a receiver may answer with anything.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}
