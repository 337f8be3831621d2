package watch

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

func decimals(texts ...string) []decimal.Decimal {
	var out []decimal.Decimal
	for _, s := range texts {
		out = append(out, decimal.RequireFromString(s))
	}
	return out
}

func TestALevelStaysWhereItIsWhileItsWallMovesALittle(t *testing.T) {
	stick := decimal.RequireFromString("0.01")
	for name, c := range map[string]struct{ watched, busy, edges, want []decimal.Decimal }{
		"first look":                {nil, nil, decimals("2400", "2200"), decimals("2200", "2400")},
		"moved by less":             {decimals("2400"), nil, decimals("2420"), decimals("2400")},
		"moved by more":             {decimals("2400"), nil, decimals("2450"), decimals("2450")},
		"gone":                      {decimals("2200", "2400"), nil, decimals("2205"), decimals("2200")},
		"gone while under way":      {decimals("2200", "2400"), decimals("2400"), nil, decimals("2400")},
		"two walls at one level":    {decimals("2400"), nil, decimals("2390", "2410"), decimals("2400")},
		"under way and still there": {decimals("2400"), decimals("2400"), decimals("2399"), decimals("2400")},
	} {
		t.Run(name, func(t *testing.T) {
			got := settle(c.watched, c.busy, c.edges, stick)
			require.Len(t, got, len(c.want))
			for i := range got {
				require.True(t, c.want[i].Equal(got[i]), "%s", got)
			}
		})
	}
}
