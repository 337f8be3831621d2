package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// agreeing is how far clocks may be apart and still count as one: less than that is
// the way to the server and back.
const agreeing = time.Second

// queryer is a database or a transaction.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// ahead is how far the database's clock is ahead of this process's. Times that other
// processes act on are kept by the database's clock: theirs may be set wrong in
// another way. A file has no clock, and no other process.
func (s *Store) ahead(ctx context.Context, q queryer) (time.Duration, error) {
	if !s.Shared() {
		return 0, nil
	}
	asked := time.Now()
	var at time.Time
	if err := q.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&at); err != nil {
		return 0, fmt.Errorf("read the database's clock: %w", err)
	}
	d := at.Sub(asked.Round(0)) - time.Since(asked)/2 + s.slow
	if d.Abs() < agreeing {
		return 0, nil
	}
	return d, nil
}
