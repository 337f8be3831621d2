package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// batchRows is how many rows one statement writes. A statement for each costs more
// than the row itself: in SQLite to be prepared, in Postgres a way to the server.
const batchRows = 100

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
	return b.flush(ctx)
}

// flush writes what has gathered.
func (b *batch) flush(ctx context.Context) error {
	if b.rows == 0 {
		return nil
	}
	stmt, err := b.statement(ctx)
	if err != nil {
		return err
	}
	args := b.args
	b.args, b.rows = b.args[:0], 0
	if b.returned == nil {
		_, err := stmt.ExecContext(ctx, args...)
		return err
	}
	rows, err := stmt.QueryContext(ctx, args...)
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

// statement is the one for the rows gathered. It ends with the transaction.
func (b *batch) statement(ctx context.Context) (*sql.Stmt, error) {
	if b.rows < batchRows {
		return b.tx.PrepareContext(ctx, b.query())
	}
	if b.full == nil {
		stmt, err := b.tx.PrepareContext(ctx, b.query())
		if err != nil {
			return nil, err
		}
		b.full = stmt
	}
	return b.full, nil
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
