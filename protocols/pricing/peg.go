package pricing

import (
	"math"
	"strings"

	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

// peg is the quotient of two prices: what is above the line moves.
type peg struct {
	sheet *Sheet
	// movers are the assets above the line: one asset that has its price moved whole,
	// or the assets of a group, through their models.
	asset int // -1 for a group
	group string
	quote uint256.Int // the price below the line
	spot  uint256.Int
}

// price is the current price of an asset's symbol or of a group.
func (s *Sheet) price(name string) (asset int, group string, price uint256.Int, ok bool) {
	if i, has := s.asset(name); has {
		return i, "", s.Prices.Raw[i], !s.Prices.Raw[i].IsZero()
	}
	group = strings.ToUpper(name)
	price, ok = s.group(group)
	return -1, group, price, ok && !price.IsZero()
}

func (s *Sheet) pegPath(base, quote string) (protocols.Path, bool) {
	asset, group, price, ok := s.price(base)
	_, _, below, ok2 := s.price(quote)
	if !ok || !ok2 || equalFold(base, quote) {
		return nil, false
	}
	p := &peg{sheet: s, asset: asset, group: group, quote: below}
	p.spot = quotient(&price, &below)
	return p, true
}

// quotient is the smallest place whose product with below is at least price.
func quotient(price, below *uint256.Int) uint256.Int {
	num := new(uint256.Int).Mul(price, pow10(PegDecimals))
	num.Add(num, below)
	num.SubUint64(num, 1)
	return *num.Div(num, below)
}

func (p *peg) Decimals() int32   { return PegDecimals }
func (p *peg) Spot() uint256.Int { return p.spot }

func (p *peg) At(place *uint256.Int, dst *protocols.Prices) {
	copyPrices(dst, &p.sheet.Prices)
	moved, overflow := new(uint256.Int).MulDivOverflow(place, &p.quote, pow10(PegDecimals))
	if overflow {
		moved.SetAllOne()
	}
	if p.asset >= 0 {
		dst.Raw[p.asset] = *moved
		return
	}
	for i := range p.sheet.Models {
		m := &p.sheet.Models[i]
		if m.Feed >= 0 && p.sheet.Feeds[m.Feed].Group == p.group {
			dst.Raw[i] = m.At(moved)
		}
	}
}

func (p *peg) Segments() []protocols.Segment {
	k := float(&p.quote) / math.Pow10(PegDecimals)
	if p.asset < 0 {
		inner, _ := p.sheet.Path(p.group)
		segments := inner.Segments()
		for i := range segments {
			segments[i].From, segments[i].To = segments[i].From/k, segments[i].To/k
			for j := range segments[i].Lines {
				segments[i].Lines[j].Slope *= k
			}
		}
		return segments
	}
	s := protocols.Segment{To: math.Inf(1), Lines: make([]protocols.Line, len(p.sheet.Prices.Raw))}
	for i := range s.Lines {
		s.Lines[i].Const = float(&p.sheet.Prices.Raw[i])
	}
	s.Lines[p.asset] = protocols.Line{Slope: k}
	return []protocols.Segment{s}
}
