package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// batchRows is how many rows one statement writes. A statement for each costs more
// than the row itself: in SQLite to be prepared, in Postgres a way to the server. One
// for many more costs again: SQLite's driver looks up the name of every value among all.
const batchRows = 25

// batch writes many rows of a table, many at a time.
type batch struct {
	tx *sql.Tx
	// insert is the statement up to VALUES, row one row of it with a ? for each value,
	// and tail what follows the rows.
	insert, row, tail string
	args              []any
	rows              int
	// returned is told what a RETURNING of one text gives; nil where there is none.
	returned func(string)

	full *sql.Stmt // for batchRows rows: SQLite takes longer to read such a statement than to run it
}

// add writes a row, now or with others.
func (b *batch) add(ctx context.Context, values ...any) error {
	b.args = append(b.args, values...)
	if b.rows++; b.rows < batchRows {
		return nil
	}
	if b.full == nil {
		stmt, err := b.tx.PrepareContext(ctx, b.query())
		if err != nil {
			return err
		}
		b.full = stmt
	}
	return b.write(ctx, b.full.ExecContext, b.full.QueryContext)
}

// flush writes what has gathered; nothing can be added afterwards.
func (b *batch) flush(ctx context.Context) error {
	if b.full != nil {
		defer b.full.Close() //nolint:errcheck // it ends with the transaction at the latest
	}
	if b.rows == 0 {
		return nil
	}
	query := b.query()
	return b.write(ctx,
		func(ctx context.Context, args ...any) (sql.Result, error) {
			return b.tx.ExecContext(ctx, query, args...)
		},
		func(ctx context.Context, args ...any) (*sql.Rows, error) {
			return b.tx.QueryContext(ctx, query, args...)
		})
}

// write runs the statement for the rows gathered.
func (b *batch) write(ctx context.Context, exec func(context.Context, ...any) (sql.Result, error), query func(context.Context, ...any) (*sql.Rows, error)) error {
	args := b.args
	b.args, b.rows = b.args[:0], 0
	if b.returned == nil {
		_, err := exec(ctx, args...)
		return err
	}
	rows, err := query(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		b.returned(text)
	}
	return rows.Err()
}

// query is the statement for the rows gathered, with its placeholders numbered.
func (b *batch) query() string {
	var q strings.Builder
	q.WriteString(b.insert + " VALUES ")
	n := 0
	for i := range b.rows {
		if i > 0 {
			q.WriteString(", ")
		}
		for _, c := range b.row {
			if c != '?' {
				q.WriteRune(c)
				continue
			}
			n++
			q.WriteString("$" + strconv.Itoa(n))
		}
	}
	return q.String() + " " + b.tail
}
