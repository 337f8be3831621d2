package thresholds

import (
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// set is positions at stated prices, added up in every way that is shown.
type set struct {
	totals tally
	assets assetTally
	top    *leaders
	refs   []Ref // in no order

	// Buffers.
	legs         []protocols.LegValue
	near, inside []int32
}

func newSet(markets []*market, largest int) *set { return &set{top: newLeaders(markets, largest)} }

// add takes a position with all that is said of it.
func (s *set) add(m *market, r Ref, p *protocols.Prices) protocols.Figures {
	return s.addAll(m, p, rung{ref: r}, false)
}

// addKey is add, and remembers which position it was.
func (s *set) addKey(m *market, r Ref, p *protocols.Prices) {
	s.add(m, r, p)
	s.refs = append(s.refs, r)
}

// addRung takes a position at its trigger.
func (s *set) addRung(m *market, r rung, p *protocols.Prices) {
	s.addAll(m, p, r, true)
}

func (s *set) addAll(m *market, p *protocols.Prices, r rung, has bool) protocols.Figures {
	var f protocols.Figures
	i := int(r.ref.Position)
	if m.valuer != nil {
		f, s.legs = m.valuer.Values(i, *p, s.legs[:0])
	} else {
		f = m.book.Figures(i, *p)
		s.legs = m.book.LegValues(i, *p, s.legs[:0])
	}
	s.totals.add(r.ref, &f, p.QuoteUSD)
	s.assets.add(r.ref.Market, s.legs, p.QuoteUSD)
	s.top.add(r, has, &f.AtRisk, p.QuoteUSD)
	return f
}

// addTotals takes a position for the totals alone.
func (s *set) addTotals(m *market, r Ref, p *protocols.Prices) {
	f := m.book.Figures(int(r.Position), *p)
	s.totals.add(r, &f, p.QuoteUSD)
}

func (s *set) join(o *set) {
	s.totals.join(&o.totals)
	s.assets.join(&o.assets)
	s.top.join(o.top)
	s.refs = append(s.refs, o.refs...)
}

// points are where every market stands when the axis' price is price.
func (l *Ladder) points(price decimal.Decimal) ([]point, error) {
	out := make([]point, len(l.markets))
	for k, m := range l.markets {
		p, err := m.point(price)
		if err != nil {
			return nil, err
		}
		out[k] = p
	}
	return out, nil
}

// gather adds up everything that is liquidatable at far and not at near; near may be nil.
func (l *Ladder) gather(near, far []point, add func(*set, *market, Ref, *protocols.Prices)) *set {
	sets := inPieces(l.markets, func() *set { return newSet(l.markets, mostLargest) }, func(s *set, p piece) {
		m, at := l.markets[p.market], &far[p.market]
		s.inside = m.membersIn(at, p, s.inside[:0])
		if s.near = s.near[:0]; near != nil && len(s.inside) > 0 {
			s.near = m.membersIn(&near[p.market], p, s.near)
		}
		already := s.near
		for _, i := range s.inside {
			for len(already) > 0 && already[0] < i {
				already = already[1:]
			}
			if len(already) == 0 || already[0] != i {
				add(s, m, Ref{p.market, i}, at.prices)
			}
		}
	})
	for _, s := range sets[1:] {
		sets[0].join(s)
	}
	return sets[0]
}
