package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// Liquidation is one that really happened, with when and on which chain.
type Liquidation struct {
	Chain string
	At    time.Time
	Index uint // log index in the block
	Block uint64
	Tx    string

	Market, Position string
	Collateral, Debt string // symbols
	Seized, Repaid   decimal.Decimal
	// SeizedUSD and RepaidUSD are zero when an asset had no price.
	SeizedUSD, RepaidUSD decimal.Decimal
	Short                bool
	// Rank is 1 for the largest ever recorded, by what was seized.
	Rank int
}

// SaveLiquidations adds those of a block; usd values quote units of a market.
func (s *Store) SaveLiquidations(ctx context.Context, chain string, at time.Time, done []protocols.Liquidation,
	usd func(market string, quote *protocols.Amount) decimal.Decimal,
) error {
	if len(done) == 0 {
		return nil
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, l := range done {
			var seized, repaid decimal.Decimal
			if l.SeizedQuote != nil && l.RepaidQuote != nil {
				seized, repaid = usd(l.Market, l.SeizedQuote).Round(2), usd(l.Market, l.RepaidQuote).Round(2)
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO liquidations (chain, block, log, tx, at, market, position, collateral, debt,
				seized, repaid, seized_usd, repaid_usd, cents, short)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING`,
				chain, l.Block, l.LogIndex, l.Tx.String(), at.Unix(), l.Market, l.Position, l.Collateral, l.Debt,
				l.Seized.Decimal().String(), l.Repaid.Decimal().String(), seized.String(), repaid.String(), cents(seized), flag(l.Short))
			if err != nil {
				return fmt.Errorf("save the liquidation of %s: %w", l.Position, err)
			}
		}
		return nil
	})
}

// cents are for ranking and adding up; an amount beyond what they hold counts as the most.
func cents(usd decimal.Decimal) int64 {
	const most = 1 << 53
	c := usd.Shift(2).Round(0)
	if c.GreaterThan(decimal.NewFromInt(most)) {
		return most
	}
	return c.IntPart()
}

// UndoLiquidations forgets those of a chain above the ancestor: a reorg took them back.
func (s *Store) UndoLiquidations(ctx context.Context, chain string, ancestor uint64) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM liquidations WHERE chain = $1 AND block > $2`, chain, ancestor)
		return err
	})
}

// Liquidations are those since a time, newest first, at most limit.
func (s *Store) Liquidations(ctx context.Context, since time.Time, limit int) ([]Liquidation, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT chain, block, log, tx, at, market, position, collateral, debt, seized, repaid,
		seized_usd, repaid_usd, short, 1 + (SELECT count(*) FROM liquidations b WHERE b.cents > a.cents)
		FROM liquidations a WHERE at >= $1 ORDER BY at DESC, chain, block DESC, log DESC LIMIT $2`, since.Unix(), limit)
	if err != nil {
		return nil, fmt.Errorf("read liquidations: %w", err)
	}
	defer rows.Close()
	var out []Liquidation
	for rows.Next() {
		var l Liquidation
		var at int64
		err := rows.Scan(&l.Chain, &l.Block, &l.Index, &l.Tx, &at, &l.Market, &l.Position, &l.Collateral, &l.Debt,
			&l.Seized, &l.Repaid, &l.SeizedUSD, &l.RepaidUSD, &l.Short, &l.Rank)
		if err != nil {
			return nil, fmt.Errorf("read liquidations: %w", err)
		}
		l.At = time.Unix(at, 0).UTC()
		out = append(out, l)
	}
	return out, rows.Err()
}

// LiquidationTotals add up the calls on longs and on shorts since a time.
type LiquidationTotals struct {
	Calls, Longs, Shorts int
	LongUSD, ShortUSD    decimal.Decimal // seized
}

// LiquidationTotals are those since a time; it is answered from the index by time.
func (s *Store) LiquidationTotals(ctx context.Context, since time.Time) (LiquidationTotals, error) {
	var t LiquidationTotals
	var long, short int64
	err := s.read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(1 - short), 0), coalesce(sum(short), 0),
		coalesce(sum(cents * (1 - short)), 0), coalesce(sum(cents * short), 0) FROM liquidations WHERE at >= $1`, since.Unix()).
		Scan(&t.Calls, &t.Longs, &t.Shorts, &long, &short)
	if err != nil {
		return t, fmt.Errorf("add up liquidations: %w", err)
	}
	t.LongUSD, t.ShortUSD = decimal.New(long, -2), decimal.New(short, -2)
	return t, nil
}
