package web

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/thresholds"
)

// Texts beside lines never cover each other, keep their order and stay on the
// picture, as long as there is room for all.
func TestTextsStandApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.SliceOfN(rapid.Float64Range(0, ladderHeight), 0, ladderHeight/textHeight).Draw(t, "at")
		slices.Sort(at)
		out := apart(at, textHeight, ladderHeight)
		require.Len(t, out, len(at))
		for i, y := range out {
			require.GreaterOrEqual(t, y, textHeight/2-1e-6)
			require.LessOrEqual(t, y, ladderHeight-textHeight/2+1e-6)
			if i > 0 {
				require.GreaterOrEqual(t, y-out[i-1], textHeight-1e-6)
			}
		}
		if free := slices.IndexFunc(at, func(y float64) bool { return y < textHeight || y > ladderHeight-textHeight }) < 0; free && len(at) == 1 {
			require.Equal(t, at, out, "what is clear of others stays where it is")
		}
	})
}

// The parts of a bar are as long as the bar, on either scale, and of cumulative
// ones too; what is more is longer.
func TestBarsAreAsLongAsTheirParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.Uint64Range(0, 1e12), 1, 12).Draw(t, "usd")
		from, to := decimal.NewFromInt(90), decimal.NewFromInt(100)
		b := thresholds.Band{From: &from, To: &to, Direction: "down"}
		for i, usd := range parts {
			one := thresholds.MarketTotals{Market: "m" + strconv.Itoa(i), Totals: thresholds.Totals{AtRiskUSD: decimal.NewFromUint64(usd)}}
			b.ByMarket = append(b.ByMarket, one)
			b.AtTrigger.AtRiskUSD = b.AtTrigger.AtRiskUSD.Add(one.AtRiskUSD)
		}
		l := lengthsOf{query: query{Measure: "at_risk", Stack: "market", Cumulative: rapid.Bool().Draw(t, "cumulative")}}
		l.sums, l.sumParts = map[string]thresholds.Totals{"90": b.AtTrigger}, map[string][]thresholds.MarketTotals{"90": b.ByMarket}
		sum := b.AtTrigger.AtRiskUSD.InexactFloat64()
		d := drawing{low: 50, high: 150, most: sum * (1 + rapid.Float64Range(0, 100).Draw(t, "more")), logSums: rapid.Bool().Draw(t, "log")}
		got := d.bar(b, l, l.series([]thresholds.Band{b}))
		x := 0.0
		for _, s := range got.Segments {
			at, err := strconv.ParseFloat(strings.TrimSuffix(s.X, "%"), 64)
			require.NoError(t, err)
			w, err := strconv.ParseFloat(strings.TrimSuffix(s.W, "%"), 64)
			require.NoError(t, err)
			require.InDelta(t, x, at, 0.1)
			x = at + w
		}
		require.InDelta(t, d.width(sum), x, 0.1)
		require.LessOrEqual(t, len(got.Segments), mostSeries+1)
		require.LessOrEqual(t, d.width(sum/2), d.width(sum))
		require.LessOrEqual(t, x, float64(widest)+0.1)
	})
}

// Amounts and prices are written so that a person reads them at a glance.
func TestNumbersAsWritten(t *testing.T) {
	for text, want := range map[string]string{"0": "$0", "999": "$999", "1000": "$1.00k", "12345": "$12.3k", "999999": "$1.00M", "999.9": "$1.00k", "123456789": "$123M", "1234567": "$1.23M", "-5000": "-$5.00k", "2.5e12": "$2.50T"} {
		require.Equal(t, want, money(decimal.RequireFromString(text)), text)
	}
	for text, want := range map[string]string{"2514.53": "2,514.53", "2400": "2,400", "0.1234567891": "0.12345679", "1.18001": "1.18", "68123.456": "68,123.46"} {
		require.Equal(t, want, priceText(decimal.RequireFromString(text)), text)
	}
	require.Equal(t, "2,515", priceText(brief(decimal.RequireFromString("2514.53"))))
	require.InDelta(t, 0.1235, brief(decimal.RequireFromString("0.12345678")).InexactFloat64(), 1e-9)
	require.False(t, math.IsNaN(drawing{low: 1, high: 2}.width(5)))
}
