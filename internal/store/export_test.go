package store

import (
	"context"
	"database/sql"
	"time"
)

// LeaseTime is how long a leadership lasts unless it is renewed.
const LeaseTime = leaseTime

// StopRenewing lets a leadership run out in the database, as if its process hung.
func StopRenewing(l *Leadership) { l.store.pulse.SetMaxOpenConns(1); hang(l) }

// hang takes the one connection that renewals have.
func hang(l *Leadership) {
	go func() {
		c, err := l.store.pulse.Conn(context.Background())
		if err == nil {
			<-l.ended
			_ = c.Close()
		}
	}()
}

// Within makes a fenced transaction that saves a beat, and calls f in the middle of it.
func Within(ctx context.Context, s *Store, source string, f func(*sql.Tx) error) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO beats (source, body) VALUES ($1, $2)`, source, `{"source": "`+source+`"}`); err != nil {
			return err
		}
		return f(tx)
	})
}

// SetBack makes a store belong to a process whose clock is behind.
func SetBack(s *Store, by time.Duration) { s.slow = by }
