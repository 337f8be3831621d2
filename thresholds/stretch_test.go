package thresholds

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What lies in a stretch, and what is liquidatable at its near end and stays so,
// is all that is liquidatable at its far end.
func TestStretchIsWhatTheFarEndAdds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := anyBooks(t, 6)
		l, err := Build("ETH", "", books)
		require.NoError(t, err)
		from := l.Spot().Mul(decimal.New(rapid.Int64Range(2_000, 20_000).Draw(t, "from"), -4))
		to := l.Spot().Mul(decimal.New(rapid.Int64Range(2_000, 20_000).Draw(t, "to"), -4))
		got, err := l.Stretch(from, to)
		require.NoError(t, err)
		near, err := l.Liquidatable(from)
		require.NoError(t, err)
		far, err := l.Liquidatable(to)
		require.NoError(t, err)
		already := map[Ref]bool{}
		for _, r := range near {
			already[r] = true
		}
		added := 0
		for _, r := range far {
			if !already[r] {
				added++
			}
		}
		require.Equal(t, added, got.Accounts)
		if len(near) == 0 {
			all, err := l.At(to)
			require.NoError(t, err)
			require.Equal(t, all.Accounts, got.Accounts)
			require.True(t, all.DebtUSD.Equal(got.DebtUSD))
		}
	})
}
