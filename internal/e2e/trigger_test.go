package e2e

import (
	"bytes"
	"context"
	"math/big"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/naive"
)

// positionLine is what `positions --format jsonl` promises, as far as this test reads it.
type positionLine struct {
	Market, Position string
	Liquidatable     bool
	Triggers         map[string]struct{ Down, Up *decimal.Decimal }
}

// flip is a trigger: the first place on the way at which an account can be liquidated.
type flip struct {
	account string
	at      int64 // 1e-8 USD
	step    int64 // towards the trigger: -1 on the way down, 1 on the way up
}

// Every trigger that is printed is moved to on the chain itself: one unit before it
// the account is healthy, on it it can be liquidated.
func TestTriggersAreWhereTheChainFlips(t *testing.T) {
	for _, v := range []aave.Version{aave.V30, aave.V36} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			w := populated(t, v, anvil.Options{})
			out, stderr, code := liqwatch(t, "positions", "-c", w.configuration(t, ""), "--format", "jsonl")
			require.Zero(t, code, stderr)
			var flips []flip
			accounts := map[string]bool{}
			for l := range bytes.Lines(out) {
				p := one[positionLine](t, l)
				eth := p.Triggers["ETH"]
				if p.Liquidatable {
					continue
				}
				for step, price := range map[int64]*decimal.Decimal{-1: eth.Down, 1: eth.Up} {
					if price == nil {
						continue
					}
					at := price.Shift(8)
					require.True(t, at.IsInteger(), "a trigger is a price that the feed can report: %s", price)
					flips = append(flips, flip{p.Position, at.IntPart(), step})
					accounts[p.Position] = true
				}
			}
			down, up := 0, 0
			for _, f := range flips {
				if f.step < 0 {
					down++
				} else {
					up++
				}
			}
			require.GreaterOrEqual(t, len(accounts), 200)
			require.Positive(t, down)
			require.Positive(t, up)
			start := w.head(t).Time
			require.NoError(t, w.AtSameTime(t.Context(), func() error {
				for _, f := range flips {
					w.crosses(t, f)
				}
				return nil
			}))
			require.Equal(t, start, w.head(t).Time, "no second passed")
			t.Logf("Aave %s: %d accounts, %d triggers down and %d up, each moved to by transactions", v, len(accounts), down, up)
		})
	}
}

// crosses really moves both ETH feeds to one unit before a trigger and onto it.
func (w *world) crosses(t *testing.T, f flip) {
	t.Helper()
	for _, c := range []struct {
		place        int64
		liquidatable bool
	}{{f.at - f.step, false}, {f.at, true}} {
		if c.place <= 0 {
			continue
		}
		v := w.movedTo(t.Context(), t, c.place, f.account)
		assert.Equal(t, c.liquidatable, v.Liquidatable(), "%s at %d, trigger %d, health %s", f.account, c.place, f.at, v.HealthFactor)
	}
}

func (w *world) movedTo(ctx context.Context, t *testing.T, price int64, account string) naive.Verdict {
	t.Helper()
	require.NoError(t, w.SetETH(ctx, big.NewInt(price)))
	head, err := w.node.BlockNumber(ctx)
	require.NoError(t, err)
	v, err := w.judge.At(ctx, head, []string{account})
	require.NoError(t, err)
	return v[0]
}
