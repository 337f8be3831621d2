package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// LiquidationPoint is one liquidation as sums need it.
type LiquidationPoint struct {
	At        time.Time
	SeizedUSD decimal.Decimal // to the cent
	Short     bool
}

// ChainLiquidations are those of a chain after from and not after to, oldest first;
// of the markets named, or of all when none is.
func (s *Store) ChainLiquidations(ctx context.Context, chain string, markets []string, from, to time.Time) ([]LiquidationPoint, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT at, market, cents, short FROM liquidations
		WHERE chain = $1 AND at > $2 AND at <= $3 ORDER BY at, block, log`, chain, from.Unix(), to.Unix())
	if err != nil {
		return nil, fmt.Errorf("read the liquidations of %s: %w", chain, err)
	}
	defer rows.Close()
	wanted := map[string]bool{}
	for _, m := range markets {
		wanted[m] = true
	}
	var out []LiquidationPoint
	for rows.Next() {
		var at, cents, short int64
		var market string
		if err := rows.Scan(&at, &market, &cents, &short); err != nil {
			return nil, fmt.Errorf("read the liquidations of %s: %w", chain, err)
		}
		if len(markets) == 0 || wanted[market] {
			out = append(out, LiquidationPoint{At: time.Unix(at, 0).UTC(), SeizedUSD: decimal.New(cents, -2), Short: short != 0})
		}
	}
	return out, rows.Err()
}

// LargestLiquidations are, of the liquidations from..to inclusive, of one market or of
// all when market is empty, the limit largest, oldest first; and how many there are in all.
func (s *Store) LargestLiquidations(ctx context.Context, market string, from, to time.Time, limit int) ([]LiquidationPoint, int, error) {
	const among = ` FROM liquidations WHERE at >= $1 AND at <= $2 AND ($3 = '' OR market = $3)`
	n := 0
	if err := s.read.QueryRowContext(ctx, `SELECT count(*)`+among, from.Unix(), to.Unix(), market).Scan(&n); err != nil {
		return nil, 0, fmt.Errorf("count liquidations: %w", err)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT at, cents, short`+among+` ORDER BY cents DESC, at, chain, block, log LIMIT $4`, from.Unix(), to.Unix(), market, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("read the largest liquidations: %w", err)
	}
	defer rows.Close()
	var out []LiquidationPoint
	for rows.Next() {
		var at, cents, short int64
		if err := rows.Scan(&at, &cents, &short); err != nil {
			return nil, 0, fmt.Errorf("read the largest liquidations: %w", err)
		}
		out = append(out, LiquidationPoint{At: time.Unix(at, 0).UTC(), SeizedUSD: decimal.New(cents, -2), Short: short != 0})
	}
	slices.SortStableFunc(out, func(a, b LiquidationPoint) int { return a.At.Compare(b.At) })
	return out, n, rows.Err()
}
