package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"liqwatch/chains"
)

// chunk is how many rows one INSERT holds.
const chunk = 500

// Accounts are all known of a market, in no particular order.
func (s *Store) Accounts(ctx context.Context, market string) ([]chains.Address, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT address FROM accounts WHERE market = (SELECT id FROM markets WHERE name = $1)`, market)
	if err != nil {
		return nil, fmt.Errorf("read the accounts of %s: %w", market, err)
	}
	defer rows.Close()
	var accounts []chains.Address
	var raw sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("read the accounts of %s: %w", market, err)
		}
		accounts = append(accounts, chains.Address(raw))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the accounts of %s: %w", market, err)
	}
	return accounts, nil
}

// Cursor is the block up to and including which the accounts are complete; false
// for a market never saved.
func (s *Store) Cursor(ctx context.Context, market string) (chains.Block, bool, error) {
	var b chains.Block
	var hash, parent []byte
	err := s.read.QueryRowContext(ctx, `SELECT number, hash, parent, time FROM markets WHERE name = $1`, market).
		Scan(&b.Number, &hash, &parent, &b.Time)
	if errors.Is(err, sql.ErrNoRows) {
		return chains.Block{}, false, nil
	}
	if err != nil {
		return chains.Block{}, false, fmt.Errorf("read the cursor of %s: %w", market, err)
	}
	if len(hash) != len(b.Hash) || len(parent) != len(b.Parent) {
		return chains.Block{}, false, fmt.Errorf("read the cursor of %s: %w: a block hash has the wrong length", market, ErrDamaged)
	}
	b.Hash, b.Parent = chains.Hash(hash), chains.Hash(parent)
	return b, true, nil
}

// SaveAccounts adds accounts to those known of a market and moves its cursor, in
// one transaction. Accounts known already do no harm.
func (s *Store) SaveAccounts(ctx context.Context, market string, accounts []chains.Address, at chains.Block) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var id int64
		err := tx.QueryRowContext(ctx, `INSERT INTO markets (name, number, hash, parent, time) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (name) DO UPDATE SET number = excluded.number, hash = excluded.hash, parent = excluded.parent, time = excluded.time
			RETURNING id`, market, at.Number, at.Hash[:], at.Parent[:], at.Time).Scan(&id)
		if err != nil {
			return err
		}
		return insertAccounts(ctx, tx, id, accounts)
	})
	if err != nil {
		return fmt.Errorf("save the accounts of %s: %w", market, err)
	}
	return nil
}

// insertAccounts writes in the order of the key, which keeps the tree's pages warm.
func insertAccounts(ctx context.Context, tx *sql.Tx, market int64, accounts []chains.Address) error {
	sorted := slices.Clone(accounts)
	slices.SortFunc(sorted, func(a, b chains.Address) int { return bytes.Compare(a[:], b[:]) })
	for part := range slices.Chunk(slices.Compact(sorted), chunk) {
		args := make([]any, 0, len(part)+1)
		args = append(args, market)
		for i := range part {
			args = append(args, part[i][:])
		}
		if _, err := tx.ExecContext(ctx, insertOf(len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// insertOf is the statement for so many rows of a market.
func insertOf(rows int) string {
	var q strings.Builder
	q.WriteString(`INSERT INTO accounts (market, address) VALUES `)
	for i := range rows {
		if i > 0 {
			q.WriteByte(',')
		}
		fmt.Fprintf(&q, "($1,$%d)", i+2)
	}
	q.WriteString(` ON CONFLICT DO NOTHING`)
	return q.String()
}

// Forget drops a market's accounts and cursor.
func (s *Store) Forget(ctx context.Context, market string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM markets WHERE name = $1`, market)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget %s: %w", market, err)
	}
	return nil
}
