package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"liqwatch/internal/alerts"
)

// Told are the alerts told in each of the episodes, oldest first; see [alerts.FollowUpKeeper].
func (s *Store) Told(ctx context.Context, episodes []string) (map[string][]alerts.Told, error) {
	out := map[string][]alerts.Told{}
	ahead, err := s.ahead(ctx, s.read)
	if err != nil {
		return nil, err
	}
	for _, episode := range episodes {
		told, err := s.toldIn(ctx, episode, ahead)
		if err != nil {
			return nil, fmt.Errorf("read what was told: %w", err)
		}
		if len(told) > 0 {
			out[episode] = told
		}
	}
	return out, nil
}

func (s *Store) toldIn(ctx context.Context, episode string, ahead time.Duration) ([]alerts.Told, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT a.id, a.created, a.alert, coalesce(k.at, 0), coalesce(d.notifier, '')
		FROM told t JOIN alerts a ON a.id = t.alert LEFT JOIN acknowledgements k ON k.alert = a.id
		LEFT JOIN deliveries d ON d.alert = a.id AND d.fate = 'pending'
		WHERE t.episode = $1 ORDER BY a.created, a.rowid`, episode)
	if err != nil {
		return nil, err
	}
	var out []alerts.Told
	return out, each(rows, func() error {
		var id, body, notifier string
		var created, acknowledged int64
		if err := rows.Scan(&id, &created, &body, &acknowledged, &notifier); err != nil {
			return err
		}
		if n := len(out); n == 0 || out[n-1].ID != id {
			t := alerts.Told{ID: id, Created: time.Unix(0, created).Add(-ahead).UTC()}
			if acknowledged != 0 {
				t.Acknowledged = time.Unix(0, acknowledged).UTC()
			}
			if err := decode(body, &t.Alert); err != nil {
				return fmt.Errorf("alert %s: %w", id, err)
			}
			out = append(out, t)
		}
		if last := &out[len(out)-1]; notifier != "" {
			last.Pending = append(last.Pending, notifier)
		}
		return nil
	})
}

// Backlog is what waits, by notifier and severity; see [alerts.Outbox].
func (s *Store) Backlog(ctx context.Context) ([]alerts.Waiting, error) {
	ahead, err := s.ahead(ctx, s.read)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT notifier, urgency, count(*), min(created) FROM deliveries
		WHERE fate = 'pending' GROUP BY notifier, urgency ORDER BY notifier, urgency DESC`)
	if err != nil {
		return nil, fmt.Errorf("look at the outbox: %w", err)
	}
	var out []alerts.Waiting
	return out, each(rows, func() error {
		var w alerts.Waiting
		var urgency int
		var oldest int64
		if err := rows.Scan(&w.Notifier, &urgency, &w.Count, &oldest); err != nil {
			return err
		}
		w.Severity, w.Oldest = severityOf(urgency), time.Unix(0, oldest).Add(-ahead).UTC()
		out = append(out, w)
		return nil
	})
}

// AlertsSince counts the alerts made since a time, by rule, most first.
func (s *Store) AlertsSince(ctx context.Context, since time.Time) ([]alerts.RuleCount, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT rule, count(*) FROM alerts WHERE created >= $1 GROUP BY rule ORDER BY 2 DESC, 1`, since.UnixNano())
	if err != nil {
		return nil, fmt.Errorf("count alerts: %w", err)
	}
	var out []alerts.RuleCount
	return out, each(rows, func() error {
		var c alerts.RuleCount
		err := rows.Scan(&c.Rule, &c.Count)
		out = append(out, c)
		return err
	})
}

// DeadSince counts the deliveries given up since a time.
func (s *Store) DeadSince(ctx context.Context, since time.Time) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM deliveries WHERE fate = 'dead' AND settled_at >= $1`, since.UnixNano()).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count deliveries: %w", err)
	}
	return n, nil
}

// Writable reports why nothing can be kept, by keeping something: a full disk, a
// lost right or a server that is gone show in no other way.
func (s *Store) Writable(ctx context.Context, now time.Time) error {
	if s.write == nil {
		return errors.New("the store was opened for reading")
	}
	_, err := s.write.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('alive', $1)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, now.UTC().Format(time.RFC3339))
	if err != nil {
		return fmt.Errorf("write to the store: %w", err)
	}
	return nil
}
