package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"liqwatch/internal/alerts"
)

// ErrNoAlert: there is no alert of that id.
var ErrNoAlert = alerts.ErrNoAlert

// ListedAlert is an alert with what became of it.
type ListedAlert = alerts.Listed

// ListedDelivery is what became of an alert at one notifier.
type ListedDelivery = alerts.ListedDelivery

// Alerts are the newest, newest first, at most limit.
func (s *Store) Alerts(ctx context.Context, limit int) ([]ListedAlert, error) {
	return s.listed(ctx, `ORDER BY a.created DESC, a.rowid DESC LIMIT $1`, limit)
}

// Alert is the one of an id; [ErrNoAlert] when there is none.
func (s *Store) Alert(ctx context.Context, id string) (ListedAlert, error) {
	all, err := s.listed(ctx, `WHERE a.id = $1`, id)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("alert %q: %w", id, ErrNoAlert)
	}
	if err != nil {
		return ListedAlert{}, err
	}
	return all[0], nil
}

func (s *Store) listed(ctx context.Context, which string, args ...any) ([]ListedAlert, error) {
	//nolint:gosec // the end is one of this file's own
	rows, err := s.read.QueryContext(ctx, `SELECT a.id, a.created, a.alert, a.message, coalesce(k.at, 0), coalesce(k.name, '')
		FROM alerts a LEFT JOIN acknowledgements k ON k.alert = a.id `+which, args...)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer rows.Close()
	var out []ListedAlert
	for rows.Next() {
		var a ListedAlert
		var created, acknowledged int64
		var alert, message string
		if err := rows.Scan(&a.ID, &created, &alert, &message, &acknowledged, &a.AcknowledgedBy); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		if err := errors.Join(decode(alert, &a.Alert), decode(message, &a.Message)); err != nil {
			return nil, fmt.Errorf("read alert %s: %w", a.ID, err)
		}
		a.Created = time.Unix(0, created).UTC()
		if acknowledged != 0 {
			a.Acknowledged = time.Unix(0, acknowledged).UTC()
		}
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return out, s.addDeliveries(ctx, out)
}

func (s *Store) addDeliveries(ctx context.Context, all []ListedAlert) error {
	for i := range all {
		var err error
		if all[i].Deliveries, err = s.deliveriesOf(ctx, all[i].ID); err != nil {
			return fmt.Errorf("read deliveries: %w", err)
		}
	}
	return nil
}

func (s *Store) deliveriesOf(ctx context.Context, alert string) ([]ListedDelivery, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT notifier, fate, attempts, settled_at, next_at, reason, digest FROM deliveries WHERE alert = $1 ORDER BY notifier`, alert)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []ListedDelivery
	for rows.Next() {
		var d ListedDelivery
		var settled, next int64
		if err := rows.Scan(&d.Notifier, &d.Fate, &d.Attempts, &settled, &next, &d.Reason, &d.Digest); err != nil {
			return nil, err
		}
		if settled != 0 {
			d.Settled = time.Unix(0, settled).UTC()
		}
		if d.Fate == alerts.Pending && next != 0 {
			d.Next = time.Unix(0, next).UTC()
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// Acknowledge notes who took note of an alert, and when. The first stands.
// [ErrNoAlert] when there is none of that id.
func (s *Store) Acknowledge(ctx context.Context, id, name string, at time.Time) error {
	return s.anyonesTx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alerts WHERE id = $1`, id).Scan(&n); err != nil {
			return fmt.Errorf("acknowledge: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("acknowledge %q: %w", id, ErrNoAlert)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO acknowledgements (alert, at, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, id, at.UnixNano(), plain(name))
		return err
	})
}

// AlertCount counts alerts of a kind and reason.
type AlertCount struct {
	Kind, Reason string
	Count        int
}

// AlertCounts counts all alerts ever made.
func (s *Store) AlertCounts(ctx context.Context) ([]AlertCount, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT kind, reason, count(*) FROM alerts GROUP BY 1, 2 ORDER BY 1, 2`)
	if err != nil {
		return nil, fmt.Errorf("count alerts: %w", err)
	}
	defer rows.Close()
	var out []AlertCount
	for rows.Next() {
		var c AlertCount
		if err := rows.Scan(&c.Kind, &c.Reason, &c.Count); err != nil {
			return nil, fmt.Errorf("count alerts: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// QueueState is how much waits to be delivered, and since when.
type QueueState struct {
	Waiting, Dead int
	Oldest        time.Time // zero when nothing waits
}

// Queue is the state of the outbox.
func (s *Store) Queue(ctx context.Context) (QueueState, error) {
	var q QueueState
	var oldest int64
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE fate = 'pending'), count(*) FILTER (WHERE fate = 'dead'),
		coalesce(min(created) FILTER (WHERE fate = 'pending'), 0) FROM deliveries`).Scan(&q.Waiting, &q.Dead, &oldest)
	if err != nil {
		return q, fmt.Errorf("look at the outbox: %w", err)
	}
	if oldest != 0 {
		q.Oldest = time.Unix(0, oldest).UTC()
	}
	return q, nil
}

// LoadMutes are the rules that are muted, with until when; see [alerts.MuteKeeper].
func (s *Store) LoadMutes(ctx context.Context) (map[string]alerts.Mute, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT rule, until, name FROM mutes`)
	if err != nil {
		return nil, fmt.Errorf("read mutes: %w", err)
	}
	defer rows.Close()
	out := map[string]alerts.Mute{}
	for rows.Next() {
		var rule, name string
		var until int64
		if err := rows.Scan(&rule, &until, &name); err != nil {
			return nil, fmt.Errorf("read mutes: %w", err)
		}
		out[rule] = alerts.Mute{Until: time.Unix(0, until).UTC(), By: name}
	}
	return out, rows.Err()
}

// SaveMute keeps a mute; one that has no time ends it.
func (s *Store) SaveMute(ctx context.Context, rule string, m alerts.Mute) error {
	return s.anyonesTx(ctx, func(tx *sql.Tx) error {
		if m.Until.IsZero() {
			_, err := tx.ExecContext(ctx, `DELETE FROM mutes WHERE rule = $1`, rule)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO mutes (rule, until, name) VALUES ($1, $2, $3)
			ON CONFLICT (rule) DO UPDATE SET until = excluded.until, name = excluded.name`, rule, m.Until.UnixNano(), plain(m.By))
		return err
	})
}
