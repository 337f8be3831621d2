package store

import (
	"context"
	"fmt"
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
