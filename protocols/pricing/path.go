package pricing

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// Path implements the market's side of [protocols.Book].Path.
func (s *Sheet) Path(axis string) (protocols.Path, bool) {
	if base, quote, ok := strings.Cut(axis, "/"); ok {
		return s.pegPath(base, quote)
	}
	p := &path{sheet: s, decimals: s.Decimals}
	if equalFold(axis, Market) {
		p.decimals, p.spot = FactorDecimals, *pow10(FactorDecimals)
		for i := range s.Models {
			if f := s.Models[i].Feed; f >= 0 && s.Feeds[f].Volatile {
				p.assets = append(p.assets, mover{i, &s.Models[i], &s.Feeds[f].Answer})
			}
		}
		return p, len(p.assets) > 0
	}
	spot, ok := s.group(strings.ToUpper(axis))
	if !ok || spot.IsZero() {
		return nil, false
	}
	p.spot = spot
	for i := range s.Models {
		if f := s.Models[i].Feed; f >= 0 && s.Feeds[f].Group == strings.ToUpper(axis) {
			p.assets = append(p.assets, mover{i, &s.Models[i], nil})
		}
	}
	return p, true
}

// mover is an asset that moves on a path: its model's base is the place itself, or
// the place as a factor of scale.
type mover struct {
	asset int
	model *Model
	scale *uint256.Int
}

type path struct {
	sheet    *Sheet
	decimals int32
	spot     uint256.Int
	assets   []mover
}

func (p *path) Decimals() int32   { return p.decimals }
func (p *path) Spot() uint256.Int { return p.spot }

// At implements [protocols.Path].
func (p *path) At(place *uint256.Int, dst *protocols.Prices) {
	copyPrices(dst, &p.sheet.Prices)
	for i := range p.assets {
		m := &p.assets[i]
		base := place
		if m.scale != nil {
			moved, overflow := new(uint256.Int).MulDivOverflow(place, m.scale, pow10(p.decimals))
			if overflow {
				moved.SetAllOne()
			}
			base = moved
		}
		dst.Raw[m.asset] = m.model.At(base)
	}
}

func copyPrices(dst, src *protocols.Prices) {
	dst.Raw = append(dst.Raw[:0], src.Raw...)
	dst.QuoteUSD = src.QuoteUSD
}

// slope is the asset's price per unit of place, below its cap.
func (p *path) slope(m *mover) float64 {
	k := float(&m.model.Num) / float(&m.model.Den)
	if m.scale != nil {
		k *= float(m.scale) / math.Pow10(int(p.decimals))
	}
	return k
}

// Segments implements [protocols.Path]: one, and one more for every cap.
func (p *path) Segments() []protocols.Segment {
	edges := []float64{0, math.Inf(1)}
	for i := range p.assets {
		m := &p.assets[i]
		if k := p.slope(m); m.model.Cap != nil && k > 0 {
			edges = append(edges, float(m.model.Cap)/k)
		}
	}
	sort.Float64s(edges)
	edges = slices.Compact(edges)
	out := make([]protocols.Segment, 0, len(edges)-1)
	for i := range len(edges) - 1 {
		out = append(out, protocols.Segment{From: edges[i], To: edges[i+1], Lines: p.lines(edges[i])})
	}
	return out
}

func (p *path) lines(from float64) []protocols.Line {
	lines := make([]protocols.Line, len(p.sheet.Prices.Raw))
	for i := range lines {
		lines[i].Const = float(&p.sheet.Prices.Raw[i])
	}
	for i := range p.assets {
		m := &p.assets[i]
		k := p.slope(m)
		if m.model.Cap != nil && k > 0 && from >= float(m.model.Cap)/k {
			lines[m.asset] = protocols.Line{Const: float(m.model.Cap)}
			continue
		}
		lines[m.asset] = protocols.Line{Slope: k}
	}
	return lines
}
