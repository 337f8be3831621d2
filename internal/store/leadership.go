package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// How long a leadership lasts unless it is renewed, by the database's clock, and how
// often that is done. A process that is stopped, dead or cut off is followed after at
// most leaseTime; session (postgres.go) gives its locks back sooner.
const (
	leaseTime  = 5 * time.Second
	renewEvery = time.Second
	renewRetry = 250 * time.Millisecond
	// lookEvery is how often a standby asks at most, for a leader that resigns.
	lookEvery = time.Second
	// sendGrace is how long after a takeover what the last leader had in hand stays
	// its own: a send that had begun may still arrive and be told.
	sendGrace = 10 * time.Second
)

// ErrNotLeading: this process does not lead, or no longer: what it wanted to write
// was not written.
var ErrNotLeading = errors.New("this process does not lead")

// Standing is why a process waits.
type Standing struct {
	// Leader is the one who leads, HOST:PID; Since is when it began, by its database's clock.
	Leader string
	Since  time.Time
	// Names are those of ours that it leads.
	Names []string
}

// Leadership is the right to write what belongs to the names led, until it is lost.
type Leadership struct {
	// Term grows with every leadership of a database; 0 for SQLite, whose file has a lock.
	Term int64

	store  *Store // bound to the term
	ctx    context.Context
	lose   context.CancelCauseFunc
	until  heldUntil
	ended  chan struct{}
	resign func(context.Context) error
}

// Store is the store with which this leadership writes. What is written with it after
// the leadership has ended is refused, as [ErrNotLeading].
func (l *Leadership) Store() *Store { return l.store }

// Context ends when the leadership does; its cause is [ErrNotLeading].
func (l *Leadership) Context() context.Context { return l.ctx }

// Holds reports whether nobody else can lead yet, as far as this process can know
// without asking: it is true for less long than the database thinks. A process that
// was stopped finds it false when it wakes.
func (l *Leadership) Holds() bool {
	return !l.store.Shared() || l.ctx.Err() == nil && l.until.holds(time.Now())
}

// Resign gives the leadership back, so that another takes over at once.
func (l *Leadership) Resign(ctx context.Context) error {
	l.lose(ErrNotLeading)
	<-l.ended
	if l.resign == nil {
		return nil
	}
	return l.resign(ctx)
}

// Lead waits until this process leads all of names: whatever its configuration has a
// name for that is kept in the store. Processes whose names do not meet lead side by
// side; of those with a name in common one leads and the others wait. wait, if not nil,
// is told who leads now, and of an error of the database; Lead goes on trying until
// ctx ends. A store that is not shared is led by whoever has it open.
func (s *Store) Lead(ctx context.Context, holder string, names []string, wait func(Standing, error)) (*Leadership, error) {
	if s.write == nil {
		return nil, errReadOnly
	}
	if !s.Shared() {
		l := &Leadership{store: s, ended: make(chan struct{})}
		l.ctx, l.lose = context.WithCancelCause(ctx)
		close(l.ended)
		return l, nil
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for {
		standing, free, err := s.look(ctx, names)
		if err == nil && free <= 0 {
			asked := time.Now()
			var term int64
			if term, err = s.takeOver(ctx, holder, names); err == nil && term != 0 {
				return s.begin(ctx, term, asked), nil
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if wait != nil && (err != nil || standing.Leader != "") {
			wait(standing, err)
		}
		if !pause(ctx, min(lookEvery, max(free, renewRetry))) {
			return nil, ctx.Err()
		}
	}
}

// look finds who leads any of the names, and for how long yet. It takes no lock.
func (s *Store) look(ctx context.Context, names []string) (Standing, time.Duration, error) {
	ctx, stop := context.WithTimeout(ctx, leaseTime)
	defer stop()
	var st Standing
	var free time.Duration
	rows, err := s.pulse.QueryContext(ctx, `SELECT n.name, l.holder, l.since, (extract(epoch FROM l.until - clock_timestamp()) * 1000)::bigint
		FROM led n JOIN leaderships l ON l.term = n.term WHERE n.name = ANY($1) ORDER BY l.until, n.name`, names)
	if err != nil {
		return st, 0, fmt.Errorf("look who leads: %w", s.explain(err))
	}
	defer rows.Close()
	for rows.Next() {
		var name, holder string
		var since time.Time
		var left int64
		if err := rows.Scan(&name, &holder, &since, &left); err != nil {
			return st, 0, fmt.Errorf("look who leads: %w", err)
		}
		if holder != st.Leader {
			st = Standing{Leader: holder, Since: since}
		}
		st.Names, free = append(st.Names, name), time.Duration(left+1)*time.Millisecond
	}
	if err := rows.Err(); err != nil {
		return st, 0, fmt.Errorf("look who leads: %w", s.explain(err))
	}
	return st, free, nil
}

// takeOver ends the leaderships over the names that were not renewed, and begins one;
// 0 when somebody else was quicker. It waits for the commits of those it ends: their
// writers hold the row that is deleted.
func (s *Store) takeOver(ctx context.Context, holder string, names []string) (int64, error) {
	ctx, stop := context.WithTimeout(ctx, 2*leaseTime)
	defer stop()
	var term int64
	err := transact(ctx, s.pulse, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, candidacy); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM leaderships WHERE until <= clock_timestamp() AND term IN (SELECT term FROM led WHERE name = ANY($1))`, names)
		if err != nil {
			return err
		}
		var taken int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM led WHERE name = ANY($1)`, names).Scan(&taken); err != nil || taken > 0 {
			return err
		}
		err = tx.QueryRowContext(ctx, `INSERT INTO leaderships (holder, since, until)
			VALUES ($1, clock_timestamp(), clock_timestamp() + make_interval(secs => $2)) RETURNING term`, holder, leaseTime.Seconds()).Scan(&term)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO led (name, term) SELECT unnest($1::text[]), $2`, names, term); err != nil {
			return err
		}
		return s.inherit(ctx, tx, names)
	})
	if err != nil {
		return 0, fmt.Errorf("take over: %w", s.explain(err))
	}
	return term, nil
}

// candidacy is the lock of those who take over: one at a time.
const candidacy = 0x6c697177617463 // "liqwatc"

// inherit shortens the leases of what the last leader had in hand. It can begin no send
// any more, and one that it had begun is over soon, or will never be told of.
func (s *Store) inherit(ctx context.Context, tx *sql.Tx, names []string) error {
	_, err := tx.ExecContext(ctx, `UPDATE deliveries SET lease_until = (extract(epoch FROM clock_timestamp() + make_interval(secs => $2)) * 1e9)::bigint
		WHERE fate = 'pending' AND lease_until > (extract(epoch FROM clock_timestamp() + make_interval(secs => $2)) * 1e9)::bigint
		AND $3 || notifier = ANY($1)`, names, sendGrace.Seconds(), NotifierName(""))
	return err
}

// NotifierName is what a notifier is called among the names that are led.
func NotifierName(notifier string) string { return "notifier " + notifier }

// begin keeps a leadership that was asked for at a time.
func (s *Store) begin(ctx context.Context, term int64, asked time.Time) *Leadership {
	bound := *s
	bound.term = term
	l := &Leadership{Term: term, store: &bound, ended: make(chan struct{})}
	l.ctx, l.lose = context.WithCancelCause(ctx)
	l.until.set(asked.Add(leaseTime))
	l.resign = func(ctx context.Context) error {
		ctx, stop := context.WithTimeout(ctx, renewEvery)
		defer stop()
		if _, err := s.pulse.ExecContext(ctx, `UPDATE leaderships SET until = since WHERE term = $1`, term); err != nil {
			return fmt.Errorf("give the leadership back: %w", s.explain(err))
		}
		return nil
	}
	go l.keep()
	return l
}

// keep renews the leadership until it ends.
func (l *Leadership) keep() {
	defer close(l.ended)
	wait := renewEvery
	for pause(l.ctx, wait) {
		asked := time.Now()
		kept, err := l.renew()
		switch {
		case err == nil && kept:
			l.until.set(asked.Add(leaseTime))
			wait = renewEvery
			continue
		case err == nil:
			l.lose(fmt.Errorf("%w: another took over", ErrNotLeading))
			return
		}
		if !l.until.holds(time.Now()) {
			l.lose(fmt.Errorf("%w: the database did not answer for %s: %w", ErrNotLeading, leaseTime, err))
			return
		}
		wait = renewRetry
	}
}

func (l *Leadership) renew() (kept bool, err error) {
	left := l.until.left(time.Now())
	ctx, stop := context.WithTimeout(l.ctx, min(2*renewEvery, max(left, renewRetry)))
	defer stop()
	res, err := l.store.pulse.ExecContext(ctx, `UPDATE leaderships SET until = clock_timestamp() + make_interval(secs => $2) WHERE term = $1`,
		l.Term, leaseTime.Seconds())
	if err != nil {
		return false, l.store.explain(err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// fence refuses a transaction of a leadership that has ended or run out, and keeps one
// that has not from being followed before the commit. Renewals do not wait for it; who
// takes over does, and not for ever, since nothing new begins once it has run out.
func (s *Store) fence(ctx context.Context, tx *sql.Tx) error {
	if !s.Shared() {
		return nil
	}
	var term int64
	err := tx.QueryRowContext(ctx, `SELECT term FROM leaderships WHERE term = $1 AND until > clock_timestamp() FOR KEY SHARE`, s.term).Scan(&term)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotLeading
	}
	return err
}
