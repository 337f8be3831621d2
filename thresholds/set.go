package thresholds

import "liqwatch/protocols"

// set is positions at stated prices, added up in every way that is shown.
type set struct {
	totals  *tally
	assets  assetTally
	entries []entry
	legs    []protocols.LegValue
}

func newSet() *set { return &set{totals: newTally(), assets: assetTally{}} }

func (s *set) add(m *market, r Ref, p *protocols.Prices) {
	i := int(r.Position)
	f := m.book.Figures(i, *p)
	s.totals.add(m, r, &f, p.QuoteUSD)
	s.legs = m.book.LegValues(i, *p, s.legs[:0])
	s.assets.add(m, s.legs, p)
	s.entries = append(s.entries, entry{ref: r, usd: p.USD(&f.AtRisk, m.quoteDecimals)})
}
