package pricing

import (
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// Axes are the names Path knows besides pegs: the named groups that something
// follows, and the market.
func (s *Sheet) Axes(named []string) []string {
	var out []string
	for _, name := range append(append([]string(nil), named...), Market) {
		if _, ok := s.Path(name); ok {
			out = append(out, name)
		}
	}
	return out
}

// Explain says for every asset what it does on an axis and how that is known.
func (s *Sheet) Explain(axis string) []protocols.Sensitivity {
	out := make([]protocols.Sensitivity, len(s.Models))
	p, ok := s.Path(axis)
	for i := range s.Models {
		m := &s.Models[i]
		out[i] = protocols.Sensitivity{Symbol: s.Symbols[i], How: m.How, Note: m.Note}
		if !ok {
			continue
		}
		segment := segmentAt(p)
		if k := segment.Lines[i].Slope; k != 0 {
			out[i].Moves = true
			out[i].Ratio = ratio(p, m, k)
		} else if slices.Contains(s.Measured, axis) {
			out[i].How = Measured
		}
	}
	return out
}

// ratio is the asset's price per unit of the axis; from the model's own integers
// where the place is the feed's answer.
func ratio(p protocols.Path, m *Model, slope float64) decimal.Decimal {
	if at, ok := p.(*path); ok && len(at.assets) > 0 && at.assets[0].scale == nil && !m.Den.IsZero() {
		num := decimal.NewFromBigInt(m.Num.ToBig(), 0)
		return num.DivRound(decimal.NewFromBigInt(m.Den.ToBig(), 0), 18)
	}
	return decimal.NewFromFloat(slope) //nolint:forbidigo // a sensitivity that is only known as a slope, for people
}

func segmentAt(p protocols.Path) protocols.Segment {
	spot := p.Spot()
	x := float(&spot)
	segments := p.Segments()
	for _, s := range segments {
		if x >= s.From && x < s.To {
			return s
		}
	}
	return segments[len(segments)-1]
}
