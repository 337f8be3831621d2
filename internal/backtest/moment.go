package backtest

import (
	"fmt"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/history"
	"liqwatch/protocols"
)

// The two sides of spot.
const (
	Down = "down"
	Up   = "up"
)

// moment is one step's books, ready to be asked about single accounts.
type moment struct {
	axis  string
	price decimal.Decimal // of the reference's oracle
	books map[string]protocols.Book
	now   map[string]protocols.Prices
}

func newMoment(step *history.Step, axis, reference string) (*moment, error) {
	m := &moment{axis: axis, books: map[string]protocols.Book{}, now: map[string]protocols.Prices{}}
	for _, b := range step.Books() {
		m.books[b.Market()], m.now[b.Market()] = b, b.Prices()
	}
	b, ok := m.books[reference]
	if !ok {
		return nil, fmt.Errorf("market %s has no book at %s", reference, stamp(step.Block.Time))
	}
	path, ok := b.Path(axis)
	if !ok {
		return nil, fmt.Errorf("market %s lost its axis %s at %s", reference, axis, stamp(step.Block.Time))
	}
	spot := path.Spot()
	m.price = decimal.NewFromBigInt(spot.ToBig(), -path.Decimals())
	return m, nil
}

// money are a position's figures in USD.
type money struct {
	liquidatable           bool
	debt, atRisk, seizable decimal.Decimal
}

func (m *moment) figures(market string, i int, p protocols.Prices) money {
	b := m.books[market]
	f := b.Figures(i, p)
	d := b.QuoteDecimals()
	return money{liquidatable: f.Liquidatable, debt: p.USD(&f.Debt, d), atRisk: p.USD(&f.AtRisk, d), seizable: p.USD(&f.Seizable, d)}
}

// at is a position's figures when the axis is at a price.
func (m *moment) at(market string, i int, price decimal.Decimal) (money, error) {
	path, ok := m.books[market].Path(m.axis)
	if !ok {
		return m.figures(market, i, m.now[market]), nil
	}
	place, over := uint256.FromBig(price.Shift(path.Decimals()).BigInt())
	if over {
		return money{}, fmt.Errorf("price %s is out of range", price)
	}
	var p protocols.Prices
	path.At(place, &p)
	return m.figures(market, i, p), nil
}
