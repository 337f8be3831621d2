package pricing

import (
	"fmt"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// Move is the price vector after joint moves: the whole market first, then single
// bases, then pegs against the bases as they have moved by then.
func (s *Sheet) Move(moves []protocols.Move) (protocols.Prices, error) {
	next := *s
	next.Feeds = append([]Feed(nil), s.Feeds...)
	// A slice of its own: the sheet's prices are those of a snapshot.
	next.Prices.Raw = append([]uint256.Int(nil), s.Prices.Raw...)
	moved := make([]bool, len(s.Feeds))
	for _, pass := range []func(protocols.Move) bool{isMarket, isBase} {
		for _, m := range moves {
			if !pass(m) {
				continue
			}
			if err := next.moveBases(m, moved); err != nil {
				return protocols.Prices{}, err
			}
		}
	}
	next.reprice(moved)
	for _, m := range moves {
		if isPeg(m) {
			if err := next.movePeg(m); err != nil {
				return protocols.Prices{}, err
			}
		}
	}
	return next.Prices, nil
}

func isMarket(m protocols.Move) bool { return equalFold(m.Axis, Market) }
func isPeg(m protocols.Move) bool    { return strings.Contains(m.Axis, "/") }
func isBase(m protocols.Move) bool   { return !isMarket(m) && !isPeg(m) }

func (s *Sheet) moveBases(m protocols.Move, moved []bool) error {
	factor := m.Factor
	if isMarket(m) && m.To != nil {
		factor = *m.To
	}
	if err := check(m); err != nil {
		return err
	}
	for i := range s.Feeds {
		f := &s.Feeds[i]
		switch {
		case isMarket(m) && !f.Volatile, !isMarket(m) && f.Group != strings.ToUpper(m.Axis):
			continue
		case !isMarket(m) && m.To != nil:
			f.Answer = raw(*m.To, s.Decimals)
		default:
			f.Answer = scaled(&f.Answer, factor)
		}
		moved[i] = true
	}
	return nil
}

// check refuses moves that no price can make.
func check(m protocols.Move) error {
	if m.To != nil && m.To.IsNegative() || m.To == nil && m.Factor.IsNegative() {
		return fmt.Errorf("move of %s: a price cannot be negative", m.Axis)
	}
	return nil
}

// scaled is x times a factor, rounded down to the integer.
func scaled(x *uint256.Int, factor decimal.Decimal) uint256.Int {
	d := decimal.NewFromBigInt(x.ToBig(), 0).Mul(factor).Floor()
	return raw(d, 0)
}

func (s *Sheet) reprice(moved []bool) {
	for i := range s.Models {
		if f := s.Models[i].Feed; f >= 0 && moved[f] {
			s.Prices.Raw[i] = s.Models[i].At(&s.Feeds[f].Answer)
		}
	}
}

func (s *Sheet) movePeg(m protocols.Move) error {
	if err := check(m); err != nil {
		return err
	}
	p, ok := s.Path(m.Axis)
	if !ok {
		return nil
	}
	place := p.Spot()
	if m.To != nil {
		place = raw(*m.To, PegDecimals)
	} else {
		place = scaled(&place, m.Factor)
	}
	p.At(&place, &s.Prices)
	return nil
}
