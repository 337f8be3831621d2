package chart

import (
	"slices"
	"strings"

	"liqwatch/thresholds"
)

// topAssets adds up the collaterals of all bands, largest first.
func topAssets(m *thresholds.Map, n int) []thresholds.AssetRisk {
	sums := map[string]thresholds.AssetRisk{}
	for _, b := range m.Bands {
		for _, a := range b.ByAsset {
			s := sums[a.Symbol]
			s.Symbol = a.Symbol
			s.AtRiskUSD = s.AtRiskUSD.Add(a.AtRiskUSD)
			sums[a.Symbol] = s
		}
	}
	out := make([]thresholds.AssetRisk, 0, len(sums))
	for _, s := range sums {
		if s.AtRiskUSD.Sign() > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b thresholds.AssetRisk) int {
		if c := b.AtRiskUSD.Cmp(a.AtRiskUSD); c != 0 {
			return c
		}
		return strings.Compare(a.Symbol, b.Symbol)
	})
	return out[:min(n, len(out))]
}
