package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"liqwatch/internal/alerts"
)

// heaped are deliveries that can be told as one: nobody holds them, and they are no
// digest themselves.
const heaped = `d.notifier = $1 AND d.fate = 'pending' AND d.lease_until <= $2 AND d.urgency >= $3 AND a.kind <> 'digest'`

// errHeapChanged: others committed more while a digest was written. Each statement of
// Postgres sees what is committed by then, so that the last one may find more than the
// digest tells. Heaps only grow: where the count is the same, so is what was counted.
var errHeapChanged = errors.New("more came while it was put together")

// digests puts together what quiet hours held back, and what is too much to be told
// one by one, and counts how many were.
func (k taking) digests(least int, p pace) (int, error) {
	if k.t.Compose == nil {
		return 0, nil
	}
	held := 0
	if !k.t.HeldTo.IsZero() && least < k.t.HeldBelow {
		which := ` AND d.created >= $4 AND d.created < $5 AND d.urgency < $6 AND d.attempts = 0`
		args := []any{k.t.HeldFrom.UnixNano(), k.t.HeldTo.UnixNano(), k.t.HeldBelow}
		n, err := k.count(least, which, args)
		if err != nil {
			return 0, err
		}
		if n > 1 {
			if held, err = k.heap(alerts.ReasonQuiet, least, 0, which, args); err != nil {
				return 0, err
			}
		}
	}
	if k.t.DigestOver <= 0 {
		return held, nil
	}
	// One digest at a time: what comes while it waits is for the next. One that quiet
	// hours hold back does not count.
	var waiting int
	if err := k.tx.QueryRowContext(k.ctx, `SELECT count(*) FROM deliveries d JOIN alerts a ON a.id = d.alert
		WHERE d.notifier = $1 AND d.fate = 'pending' AND a.kind = 'digest' AND d.urgency >= $2`, k.notifier, least).Scan(&waiting); err != nil || waiting > 0 {
		return held, err
	}
	n, err := k.count(least, "", nil)
	if err != nil || n <= k.t.DigestOver {
		return held, err
	}
	// As many one by one as still fit into this minute beside the digest.
	keep := max(0, min(k.t.DigestOver, p.room(k.t.Limits)-1))
	n, err = k.heap(alerts.ReasonBurst, least, keep, "", nil)
	return held + n, err
}

func (k taking) args(least int, more []any) []any {
	return append([]any{k.notifier, k.now.UnixNano(), least}, more...)
}

func (k taking) count(least int, which string, more []any) (n int, err error) {
	err = k.tx.QueryRowContext(k.ctx, `SELECT count(*) FROM deliveries d JOIN alerts a ON a.id = d.alert WHERE `+heaped+which, k.args(least, more)...).Scan(&n)
	return n, err
}

// heap settles all but the most urgent as told by one digest, and keeps that to be sent.
func (k taking) heap(reason alerts.Reason, least, keep int, which string, more []any) (int, error) {
	rest := ` FROM deliveries d JOIN alerts a ON a.id = d.alert WHERE ` + heaped + which + ` AND d.id NOT IN (
		SELECT d.id FROM deliveries d JOIN alerts a ON a.id = d.alert WHERE ` + heaped + which + fmt.Sprintf(` ORDER BY d.urgency DESC, d.created, d.id LIMIT %d)`, keep)
	args := k.args(least, more)
	h, err := k.lookAt(rest, args)
	if err != nil {
		return 0, err
	}
	post, err := k.t.Compose(reason, h)
	if err != nil {
		return 0, err
	}
	id := k.alertID(post.Alert.Key)
	mark := len(args)
	res, err := k.tx.ExecContext(k.ctx, fmt.Sprintf(`UPDATE deliveries SET fate = 'digested', settled_at = $2, digest = $%d, reason = '' WHERE id IN (SELECT d.id`, mark+1)+rest+`)`,
		append(args, id)...)
	if err != nil {
		return 0, err
	}
	if n, err := res.RowsAffected(); err != nil {
		return 0, err
	} else if int(n) != h.Count {
		return 0, fmt.Errorf("%w: %d, now %d", errHeapChanged, h.Count, n)
	}
	if err := k.savePosts(k.ctx, k.tx, k.now.Add(-k.ahead), []alerts.Post{post}); err != nil {
		return 0, err
	}
	// It has waited as long as the oldest that it tells of.
	_, err = k.tx.ExecContext(k.ctx, `UPDATE deliveries SET created = $2 WHERE alert = $1 AND created > $2`, id, h.Oldest.Add(k.ahead).UnixNano())
	return h.Count, err
}

// moment is a time of the store by this process's clock.
func (k taking) moment(nanos int64) time.Time { return time.Unix(0, nanos).Add(-k.ahead).UTC() }

// lookAt reads what a digest tells.
func (k taking) lookAt(rest string, args []any) (alerts.Heap, error) {
	var h alerts.Heap
	var oldest, newest int64
	err := k.tx.QueryRowContext(k.ctx, `SELECT count(*), min(d.created), max(d.created)`+rest, args...).Scan(&h.Count, &oldest, &newest)
	if err != nil {
		return h, err
	}
	h.Oldest, h.Newest = k.moment(oldest), k.moment(newest)
	if err := k.tx.QueryRowContext(k.ctx, `SELECT d.alert`+rest+` ORDER BY d.id DESC LIMIT 1`, args...).Scan(&h.Last); err != nil {
		return h, err
	}
	//nolint:gosec // the rest is one of this file's own
	rows, err := k.tx.QueryContext(k.ctx, `SELECT a.kind, d.urgency, count(*)`+rest+` GROUP BY 1, 2 ORDER BY 2 DESC, 3 DESC, 1`, args...)
	if err != nil {
		return h, err
	}
	if err := each(rows, func() error {
		var c alerts.HeapCount
		var urgency int
		if err := rows.Scan(&c.Kind, &urgency, &c.Count); err != nil {
			return err
		}
		c.Severity = severityOf(urgency)
		h.Counts = append(h.Counts, c)
		return nil
	}); err != nil {
		return h, err
	}
	rows, err = k.tx.QueryContext(k.ctx, fmt.Sprintf(`SELECT d.alert, d.urgency, d.created, a.message`+rest+` ORDER BY d.urgency DESC, d.created, d.id LIMIT %d`, alerts.MostLines), args...)
	if err != nil {
		return h, err
	}
	return h, each(rows, func() error {
		var l alerts.HeapLine
		var urgency int
		var created int64
		var text string
		if err := rows.Scan(&l.ID, &urgency, &created, &text); err != nil {
			return err
		}
		var m alerts.Message
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return fmt.Errorf("message of alert %s: %w: %w", l.ID, ErrDamaged, err)
		}
		l.Severity, l.Title, l.Time = severityOf(urgency), m.Title, k.moment(created)
		h.Lines = append(h.Lines, l)
		return nil
	})
}

// each calls f for every row and closes them.
func each(rows *sql.Rows, f func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// severityOf is the severity that ranks so.
func severityOf(rank int) alerts.Severity {
	for _, s := range []alerts.Severity{alerts.Info, alerts.Critical} {
		if s.Rank() == rank {
			return s
		}
	}
	return alerts.Warning
}
