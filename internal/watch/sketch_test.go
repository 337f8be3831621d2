package watch

import (
	"encoding/json"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestASketchReachesTheLevelsThatAreNear(t *testing.T) {
	spot := decimal.NewFromInt(2000)
	for name, c := range map[string]struct {
		levels   []decimal.Decimal
		down, up string
	}{
		"none":                         {nil, "0.06", "0.04"},
		"one near below":               {decimals("1980"), "0.06", "0.04"},
		"one further below":            {decimals("1800"), "0.13", "0.04"},
		"all within a seventh":         {decimals("1980", "1800", "1720"), "0.17", "0.04"},
		"a far one beside a near one":  {decimals("1960", "1300"), "0.06", "0.04"},
		"only a far one":               {decimals("1300"), "0.38", "0.04"},
		"one that is out of all reach": {decimals("500"), "0.06", "0.04"},
		"above":                        {decimals("2200", "2000"), "0.06", "0.13"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.down, reach(spot, c.levels, true).String())
			require.Equal(t, c.up, reach(spot, c.levels, false).String())
		})
	}
}

func TestStepsOfASketchAreRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := decimal.New(rapid.Int64Range(1, 1<<40).Draw(t, "width"), rapid.Int32Range(-12, 3).Draw(t, "exponent"))
		step := niceStep(width, sketchBars)
		require.True(t, step.IsPositive())
		require.True(t, width.LessThanOrEqual(step.Mul(decimal.NewFromInt(sketchBars)).Add(decimal.New(1, -16))), "%s by %s", width, step)
		require.True(t, width.GreaterThan(step.Mul(decimal.NewFromInt(sketchBars)).Mul(decimal.RequireFromString("0.39"))), "%s by %s is too coarse", width, step)
		digits, err := json.Marshal(step)
		require.NoError(t, err)
		require.Regexp(t, `^"0*\.?0*(1|2|25|5)0*(\.0*)?"$|^"[0.]*2\.5"$`, string(digits))
	})
}
