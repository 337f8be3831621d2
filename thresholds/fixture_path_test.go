package thresholds

import (
	"math"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// fixturePath moves some tokens: along ETH by their ratio, along "market" by a
// factor of the price now, along a peg by the ratio to ETH's price now.
type fixturePath struct {
	b    *FixtureBook
	axis string
	peg  int
}

func (b *FixtureBook) Path(axis string) (protocols.Path, bool) {
	switch axis {
	case "ETH", "market":
		return &fixturePath{b: b, axis: axis}, b.eth() >= 0
	}
	symbol, base, _ := strings.Cut(axis, "/")
	for i, t := range b.Tokens {
		if base == "ETH" && t.Symbol == symbol && t.Ratio != 0 && b.eth() >= 0 {
			return &fixturePath{b: b, axis: "peg", peg: i}, true
		}
	}
	return nil, false
}

func (b *FixtureBook) eth() int {
	for i, t := range b.Tokens {
		if t.Symbol == "ETH" {
			return i
		}
	}
	return -1
}

func (p *fixturePath) Decimals() int32 {
	if p.axis == "ETH" {
		return p.b.Quote
	}
	return 8
}

func (p *fixturePath) Spot() uint256.Int {
	switch p.axis {
	case "ETH":
		return p.b.Raw[p.b.eth()]
	case "market":
		return *uint256.NewInt(1e8)
	}
	return *uint256.NewInt(p.b.Tokens[p.peg].Ratio)
}

func (p *fixturePath) At(place *uint256.Int, dst *protocols.Prices) {
	dst.QuoteUSD = p.b.QuoteUSD
	dst.Raw = append(dst.Raw[:0], p.b.Raw...)
	eth := &p.b.Raw[p.b.eth()]
	switch p.axis {
	case "ETH":
		for a := range p.b.Tokens {
			dst.Raw[a] = p.b.Tokens[a].priceAt(place)
		}
	case "market":
		for a, t := range p.b.Tokens {
			if t.Ratio != 0 {
				dst.Raw[a].Mul(&p.b.Raw[a], place)
				dst.Raw[a].Div(&dst.Raw[a], uint256.NewInt(1e8))
			}
		}
	default:
		dst.Raw[p.peg].Mul(eth, place)
		dst.Raw[p.peg].Div(&dst.Raw[p.peg], uint256.NewInt(1e8))
	}
}

func (p *fixturePath) Segments() []protocols.Segment {
	cuts := []float64{0}
	if p.axis == "ETH" {
		for _, t := range p.b.Tokens {
			if t.Cap != 0 && t.Ratio != 0 {
				cuts = append(cuts, float64(t.Cap)*1e8/float64(t.Ratio))
			}
		}
	}
	// Few tokens: insertion is enough.
	for i := range cuts {
		for j := i; j > 0 && cuts[j] < cuts[j-1]; j-- {
			cuts[j], cuts[j-1] = cuts[j-1], cuts[j]
		}
	}
	var out []protocols.Segment
	for k, from := range cuts {
		s := protocols.Segment{From: from, To: math.Inf(1)}
		if k+1 < len(cuts) {
			s.To = cuts[k+1]
		}
		for a := range p.b.Tokens {
			s.Lines = append(s.Lines, p.line(a, from))
		}
		out = append(out, s)
	}
	return out
}

func (p *fixturePath) line(a int, from float64) protocols.Line {
	t, now := p.b.Tokens[a], p.b.Raw[a].Float64()
	switch {
	case p.axis == "ETH" && t.Ratio != 0:
		if slope := float64(t.Ratio) / 1e8; t.Cap == 0 || from*slope < float64(t.Cap)*(1-1e-12) {
			return protocols.Line{Slope: slope}
		}
		return protocols.Line{Const: float64(t.Cap)}
	case p.axis == "market" && t.Ratio != 0:
		return protocols.Line{Slope: now / 1e8}
	case p.axis == "peg" && a == p.peg:
		return protocols.Line{Slope: p.b.Raw[p.b.eth()].Float64() / 1e8}
	}
	return protocols.Line{Const: now}
}

func (b *FixtureBook) Move(moves []protocols.Move) (protocols.Prices, error) {
	p := protocols.Prices{QuoteUSD: b.QuoteUSD}
	eth, ratios := b.Raw[b.eth()], map[int]uint64{}
	for _, m := range moves {
		to := func(now decimal.Decimal) decimal.Decimal {
			if m.To != nil {
				return *m.To
			}
			return now.Mul(m.Factor)
		}
		if m.Axis == "ETH" {
			v, err := placeOf(to(priceAt(&eth, b.Quote)), b.Quote)
			if err != nil {
				return p, err
			}
			eth = larger(&v, uint256.NewInt(1)) // finer than the oracle's own step
		} else if path, ok := b.Path(m.Axis); ok {
			fp := path.(*fixturePath)
			ratios[fp.peg] = uint64(to(decimal.New(int64(b.Tokens[fp.peg].Ratio), -8)).Shift(8).IntPart())
		}
	}
	for a, t := range b.Tokens {
		if r, ok := ratios[a]; ok {
			t.Ratio = r
		}
		p.Raw = append(p.Raw, t.priceAt(&eth))
	}
	return p, nil
}
