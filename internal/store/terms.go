package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"liqwatch/internal/alerts"
)

// paceWindow is the minute in which sends are counted, and a little more: what is
// sent a minute apart may arrive a little nearer together.
const paceWindow = 61 * time.Second

// Take hands a notifier one delivery under its terms; see [alerts.Outbox]. What is
// to be skipped or told as one is settled first, in the same transaction.
func (s *Store) Take(ctx context.Context, notifier string, now time.Time, t alerts.Terms) (alerts.Taken, error) {
	for n := 1; ; n++ {
		out, err := s.takeOnce(ctx, notifier, now, t)
		if n == takes || !errors.Is(err, errHeapChanged) {
			return out, err
		}
	}
}

// takes is how often a heap that grows meanwhile is put together anew.
const takes = 5

func (s *Store) takeOnce(ctx context.Context, notifier string, now time.Time, t alerts.Terms) (out alerts.Taken, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		ahead, err := s.ahead(ctx, tx)
		if err != nil {
			return err
		}
		k := taking{s, ctx, tx, notifier, now.Add(ahead), ahead, t}
		k.t.HeldFrom, k.t.HeldTo = later(t.HeldFrom, ahead), later(t.HeldTo, ahead)
		k.t.Until = later(t.Until, ahead)
		defer func() {
			backDate(out.Deliveries, ahead)
			out.Next = later(out.Next, -ahead)
		}()
		waits, held, err := k.waits()
		if err != nil || !waits {
			return err
		}
		if out.Skipped, err = k.skip(); err != nil {
			return fmt.Errorf("skip what is not for %s: %w", notifier, err)
		}
		if held.After(k.now) {
			out.Next = held
			return nil
		}
		return k.take(&out)
	})
	return out, err
}

// later moves a time that is one.
func later(t time.Time, d time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(d)
}

// taking is one notifier being handed something. All times are the store's.
type taking struct {
	*Store
	ctx      context.Context
	tx       *sql.Tx
	notifier string
	now      time.Time
	ahead    time.Duration // of this process's clock
	t        alerts.Terms
}

// waits reports whether anything waits, and until when the receiver asked to be left alone.
func (k taking) waits() (bool, time.Time, error) {
	var id sql.NullInt64
	var until int64
	err := k.tx.QueryRowContext(k.ctx, `SELECT (SELECT id FROM deliveries WHERE notifier = $1 AND fate = 'pending' LIMIT 1),
		coalesce((SELECT until FROM holds WHERE notifier = $1), 0)`, k.notifier).Scan(&id, &until)
	return id.Valid, time.Unix(0, until).UTC(), err
}

func (k taking) take(out *alerts.Taken) error {
	p := pace{}
	if k.t.Limits != (alerts.Limits{}) {
		var err error
		if p, err = k.pace(); err != nil {
			return fmt.Errorf("read the pace of %s: %w", k.notifier, err)
		}
	}
	least, gate, err := k.gate()
	if err != nil {
		return fmt.Errorf("see what %s may be sent: %w", k.notifier, err)
	}
	if out.Digested, err = k.digests(least, p); err != nil {
		return fmt.Errorf("put together what waits for %s: %w", k.notifier, err)
	}
	free := p.free(k.now, k.t.Limits)
	if !free.After(k.now) {
		if out.Deliveries, err = k.claim(k.ctx, k.tx, k.notifier, k.now, k.t.Lease, least, 1); err != nil {
			return err
		}
	}
	if len(out.Deliveries) == 0 {
		due, err := k.next(least)
		if err != nil {
			return fmt.Errorf("look for what is due: %w", err)
		}
		if !due.IsZero() && free.After(due) {
			due = free
		}
		out.Next = earliest(due, gate)
		return nil
	}
	if k.t.PerMinute > 0 || k.t.Gap > 0 {
		return k.note(append(p, k.now.UnixNano()))
	}
	return nil
}

// earliest is the first of two times that is not zero.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// gate is the least urgency that is handed out now, and when that changes.
func (k taking) gate() (least int, changes time.Time, err error) {
	least = k.t.Least
	if least > 0 {
		changes = k.t.Until
	}
	if k.t.Group <= 0 {
		return least, changes, nil
	}
	// Once one has waited long enough all go: a digest is to take in what came since.
	critical := alerts.Critical.Rank()
	var oldest sql.NullInt64
	err = k.tx.QueryRowContext(k.ctx, `SELECT min(created) FROM deliveries WHERE notifier = $1 AND fate = 'pending' AND urgency < $2 AND urgency >= $3`,
		k.notifier, critical, least).Scan(&oldest)
	if err != nil || !oldest.Valid {
		return least, changes, err
	}
	// A clock that was set back makes messages of the future: they do not wait for it.
	ripe := time.Unix(0, oldest.Int64).Add(k.t.Group)
	if ripe.After(k.now) && oldest.Int64 <= k.now.UnixNano() {
		return critical, earliest(ripe.UTC(), changes), nil
	}
	return least, changes, nil
}

// next is when something of at least an urgency is due; zero when nothing of it waits.
func (k taking) next(least int) (time.Time, error) {
	var at sql.NullInt64
	err := k.tx.QueryRowContext(k.ctx, `SELECT min(CASE WHEN next_at > lease_until THEN next_at ELSE lease_until END)
		FROM deliveries WHERE notifier = $1 AND fate = 'pending' AND urgency >= $2`, k.notifier, least).Scan(&at)
	if err != nil || !at.Valid {
		return time.Time{}, err
	}
	return time.Unix(0, at.Int64).UTC(), nil
}

// unfiltered are the kinds whose receivers were chosen one by one, or that are about
// the delivery itself.
const unfiltered = `'undelivered', 'notice', 'test', 'digest', 'daily'`

func (k taking) skip() (int, error) {
	args := []any{k.notifier, k.now.UnixNano(), k.t.Skip.Below}
	list := func(of []alerts.Kind) string {
		var marks []string
		for _, kind := range of {
			args = append(args, string(kind))
			marks = append(marks, fmt.Sprintf("$%d", len(args)))
		}
		return strings.Join(marks, ", ")
	}
	kinds, kept := list(k.t.Skip.Kinds), list(k.t.Skip.Keep)
	if k.t.Skip.Below == 0 && len(kinds) == 0 {
		return 0, nil
	}
	spared := unfiltered
	if kept != "" {
		spared += ", " + kept
	}
	which := `(deliveries.urgency < $3 AND a.kind NOT IN (` + spared + `))`
	if kinds != "" {
		which += ` OR a.kind IN (` + kinds + `)`
	}
	res, err := k.tx.ExecContext(k.ctx, `UPDATE deliveries SET fate = 'skipped', settled_at = $2, reason = 'this notifier does not want it'
		WHERE notifier = $1 AND fate = 'pending' AND lease_until <= $2
		AND EXISTS (SELECT 1 FROM alerts a WHERE a.id = deliveries.alert AND (`+which+`))`, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// pace are the sends of the last minute, oldest first, in nanoseconds.
type pace []int64

// pace reads them, and keeps whoever else sends there waiting until the transaction ends.
func (k taking) pace() (pace, error) {
	var text string
	read := func() error {
		return k.tx.QueryRowContext(k.ctx, `SELECT sends FROM paces WHERE notifier = $1`+k.dialect.locked, k.notifier).Scan(&text)
	}
	err := read()
	if errors.Is(err, sql.ErrNoRows) {
		if _, err := k.tx.ExecContext(k.ctx, `INSERT INTO paces (notifier, sends) VALUES ($1, '[]') ON CONFLICT DO NOTHING`, k.notifier); err != nil {
			return nil, err
		}
		err = read()
	}
	if err != nil {
		return nil, err
	}
	var all, p pace
	if err := decode(text, &all); err != nil {
		return nil, err
	}
	now := k.now.UnixNano()
	for _, at := range all {
		if at > now-int64(paceWindow) {
			p = append(p, min(at, now))
		}
	}
	if len(all) > 0 && all[len(all)-1] > now {
		// The clock was set back: they were sent before now all the same, and that must
		// not move on with it.
		return p, k.note(p)
	}
	return p, nil
}

func (k taking) note(p pace) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = k.tx.ExecContext(k.ctx, `UPDATE paces SET sends = $2 WHERE notifier = $1`, k.notifier, string(text))
	return err
}

// free is from when on the next may be sent.
func (p pace) free(now time.Time, l alerts.Limits) time.Time {
	at := now
	if len(p) == 0 {
		return at
	}
	if last := time.Unix(0, p[len(p)-1]).Add(l.Gap); last.After(at) {
		at = last
	}
	if n := len(p) - l.PerMinute; l.PerMinute > 0 && n >= 0 {
		if open := time.Unix(0, p[n]).Add(paceWindow); open.After(at) {
			at = open
		}
	}
	return at.UTC()
}

// room is how many more may be sent within this minute.
func (p pace) room(l alerts.Limits) int {
	if l.PerMinute <= 0 {
		return l.DigestOver + 1
	}
	return max(0, l.PerMinute-len(p))
}
