package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// A server that does not answer must not keep a process that no longer leads from
// standing by.
const (
	longestWrite  = 2 * time.Minute
	longestSettle = 5 * time.Second
)

var errReadOnly = errors.New("the store was opened for reading only")

// tx runs f in one transaction of the writer. Of a shared store only who leads writes:
// else, and when another has taken over, the error is [ErrNotLeading] and nothing is kept.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	if s.Shared() {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, longestWrite)
		defer stop()
	}
	return s.begun(ctx, func(tx *sql.Tx) error {
		if err := s.fence(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}

// anyonesTx is tx for what any process may write: it does not come of a look at the
// chains, and has a guard of its own.
func (s *Store) anyonesTx(ctx context.Context, f func(*sql.Tx) error) error {
	if s.Shared() {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, longestSettle)
		defer stop()
	}
	return s.begun(ctx, f)
}

func (s *Store) begun(ctx context.Context, f func(*sql.Tx) error) error {
	if s.write == nil {
		return errReadOnly
	}
	return transact(ctx, s.write, f)
}

func transact(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
