package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"liqwatch/internal/alerts"
)

// LoadState is what a rule remembers; see [alerts.Ledger].
func (s *Store) LoadState(ctx context.Context, rule string) (alerts.State, error) {
	st := alerts.State{Rule: rule}
	var doubts, revisions string
	err := s.read.QueryRowContext(ctx, `SELECT pruned, doubts, revisions FROM rule_states WHERE rule = $1`, rule).
		Scan(&st.Pruned, &doubts, &revisions)
	if errors.Is(err, sql.ErrNoRows) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	if err := errors.Join(decode(doubts, &st.Doubts), decode(revisions, &st.Revisions)); err != nil {
		return st, err
	}
	return st, s.each(ctx, `SELECT body FROM checkpoints WHERE rule = $1 ORDER BY seq`, []any{rule}, func(body string) error {
		var c alerts.Checkpoint
		err := decode(body, &c)
		st.Checkpoints = append(st.Checkpoints, c)
		return err
	})
}

// Kept are the rules that a state is kept of.
func (s *Store) Kept(ctx context.Context) ([]string, error) {
	var rules []string
	return rules, s.each(ctx, `SELECT rule FROM rule_states ORDER BY rule`, nil, func(rule string) error {
		rules = append(rules, rule)
		return nil
	})
}

// LoadBeats are those of all sources.
func (s *Store) LoadBeats(ctx context.Context) ([]alerts.Beat, error) {
	var beats []alerts.Beat
	return beats, s.each(ctx, `SELECT body FROM beats`, nil, func(body string) error {
		var b alerts.Beat
		err := decode(body, &b)
		beats = append(beats, b)
		return err
	})
}

// Commit keeps a change whole or not at all.
func (s *Store) Commit(ctx context.Context, c alerts.Change) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, st := range c.States {
			if err := saveState(ctx, tx, st); err != nil {
				return fmt.Errorf("save the state of rule %q: %w", st.Rule, err)
			}
		}
		for _, b := range c.Beats {
			body, err := json.Marshal(b)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO beats (source, body) VALUES ($1, $2)
				ON CONFLICT (source) DO UPDATE SET body = excluded.body`, b.Source, string(body))
			if err != nil {
				return fmt.Errorf("save the state of %s: %w", b.Source, err)
			}
		}
		if err := saveDecisions(ctx, tx, c.At, c.Decisions); err != nil {
			return fmt.Errorf("save decisions: %w", err)
		}
		return s.savePosts(ctx, tx, c.At, c.Posts)
	})
}

func saveState(ctx context.Context, tx *sql.Tx, c alerts.StateChange) error {
	doubts, err := json.Marshal(c.Doubts)
	if err != nil {
		return err
	}
	revisions, err := json.Marshal(c.Revisions)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO rule_states (rule, pruned, doubts, revisions) VALUES ($1, $2, $3, $4)
		ON CONFLICT (rule) DO UPDATE SET pruned = excluded.pruned, doubts = excluded.doubts, revisions = excluded.revisions`,
		c.Rule, flag(c.Pruned), string(doubts), string(revisions))
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM checkpoints WHERE rule = $1 AND (seq < $2 OR seq > $3)`, c.Rule, c.From, c.To); err != nil {
		return err
	}
	for _, p := range c.Add {
		body, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO checkpoints (rule, seq, body) VALUES ($1, $2, $3)
			ON CONFLICT (rule, seq) DO UPDATE SET body = excluded.body`, c.Rule, p.Seq, string(body)); err != nil {
			return err
		}
	}
	return nil
}

func saveDecisions(ctx context.Context, tx *sql.Tx, at time.Time, decisions []alerts.Decision) error {
	all := batch{tx: tx, row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", insert: `INSERT INTO decisions
		(at, rule, axis, level, side, episode, from_phase, to_phase, reason, price, chain_time, sent)`}
	for _, d := range decisions {
		if d.Reason == alerts.ReasonAlreadySeen {
			continue // a restart looks at the last block again: nothing was decided
		}
		if err := all.add(ctx, at.UnixNano(), d.Rule, d.Axis, d.Level.String(), d.Side, d.Episode, d.From, d.To, d.Reason, d.Price.String(),
			d.Time, flag(d.Sent)); err != nil {
			return err
		}
	}
	return all.flush(ctx)
}

// savePosts writes alerts and a delivery for each notifier. An alert that is there
// already keeps its deliveries.
func (s *Store) savePosts(ctx context.Context, tx *sql.Tx, at time.Time, posts []alerts.Post) error {
	if len(posts) == 0 {
		return nil
	}
	ahead, err := s.ahead(ctx, tx)
	if err != nil {
		return err
	}
	at = at.Add(ahead)
	fresh, err := s.saveAlerts(ctx, tx, at, posts)
	if err != nil {
		return err
	}
	told := batch{tx: tx, insert: `INSERT INTO told (episode, alert)`, row: "(?, ?)", tail: `ON CONFLICT DO NOTHING`}
	// Due at once whatever the clock does: it may be set back before the first attempt.
	deliveries := batch{
		tx: tx, insert: `INSERT INTO deliveries (alert, notifier, fate, urgency, created, next_at)`, row: "(?, ?, 'pending', ?, ?, 0)",
		tail: `ON CONFLICT (alert, notifier) DO NOTHING`,
	}
	for _, p := range posts {
		id := s.alertID(p.Alert.Key)
		if !fresh[id] {
			continue
		}
		delete(fresh, id) // of two with one key the first counts
		for _, episode := range p.Alert.InEpisodes() {
			if err := told.add(ctx, episode, id); err != nil {
				return fmt.Errorf("save what alerts are told of: %w", err)
			}
		}
		for _, notifier := range p.Notify {
			if err := deliveries.add(ctx, id, notifier, p.Alert.Severity.Rank(), at.UnixNano()); err != nil {
				return fmt.Errorf("save deliveries: %w", err)
			}
		}
	}
	if err := told.flush(ctx); err != nil {
		return fmt.Errorf("save what alerts are told of: %w", err)
	}
	if err := deliveries.flush(ctx); err != nil {
		return fmt.Errorf("save deliveries: %w", err)
	}
	return nil
}

// saveAlerts writes alerts and gives the ids of those that were not there yet.
func (s *Store) saveAlerts(ctx context.Context, tx *sql.Tx, at time.Time, posts []alerts.Post) (map[string]bool, error) {
	fresh := map[string]bool{}
	all := batch{
		tx: tx, insert: `INSERT INTO alerts (id, dedup_key, kind, reason, rule, created, alert, message)`, row: "(?, ?, ?, ?, ?, ?, ?, ?)",
		tail: `ON CONFLICT (dedup_key) DO NOTHING RETURNING id`, returned: func(id string) { fresh[id] = true },
	}
	for _, p := range posts {
		p.Message.ID = s.alertID(p.Alert.Key)
		alert, err := json.Marshal(p.Alert)
		if err != nil {
			return nil, err
		}
		message, err := json.Marshal(p.Message)
		if err != nil {
			return nil, err
		}
		if err := all.add(ctx, p.Message.ID, p.Alert.Key, p.Alert.Kind, p.Alert.Reason, p.Alert.Rule, at.UnixNano(), string(alert), string(message)); err != nil {
			return nil, fmt.Errorf("save alerts: %w", err)
		}
	}
	if err := all.flush(ctx); err != nil {
		return nil, fmt.Errorf("save alerts: %w", err)
	}
	return fresh, nil
}

// alertID is the same for a key in this store for ever, and differs from that of
// any other store, so that a receiver that drops repeats never drops a new alert.
func (s *Store) alertID(key string) string {
	sum := sha256.Sum256([]byte(s.salt + "|" + key))
	return "msg_" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15]))
}

// each calls f with the one text column of every row.
func (s *Store) each(ctx context.Context, query string, args []any, f func(string) error) error {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if err := f(text); err != nil {
			return err
		}
	}
	return rows.Err()
}

// decode reads JSON that this store wrote.
func decode(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}
