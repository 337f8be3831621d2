package thresholds

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// FixtureBook is a lending market in memory with an exact integer predicate of
// its own, after Aave's: values floored, debts rounded up (or floored), health in
// 1e-18, and, in the old profile, the average threshold cut to whole basis points.
type FixtureBook struct {
	Name, Network string
	At            chains.Block
	Tokens        []FixtureToken
	Quote         int32
	QuoteUSD      decimal.Decimal
	Old           bool // Aave 3.0 to 3.4: rounds M = C*avgLT, compares with D
	Raw           []uint256.Int
	Loans         []FixtureLoan
	NoHealth      bool // a protocol without a health number
}

// FixtureToken is an asset whose price may follow ETH through a ratio.
type FixtureToken struct {
	Symbol   string
	Decimals int32
	Ratio    uint64 // price = floor(eth*Ratio/1e8); 0: does not follow
	Cap      uint64 // the price never exceeds this; 0: no cap
	Price    uint64 // when it does not follow
	LT       uint64 // basis points
	Bonus    uint64 // basis points, 10500
}

// FixtureLoan is one position.
type FixtureLoan struct {
	ID       string
	Owner    chains.Address
	Legs     []FixtureLeg
	Unpriced bool
}

// FixtureLeg is one side of one token, in token units.
type FixtureLeg struct {
	Token  int
	Side   protocols.Side
	Amount uint64
}

// Reprice sets every price from ETH's.
func (b *FixtureBook) Reprice(eth uint64) *FixtureBook { return b.RepriceTo(uint256.NewInt(eth)) }

// RepriceTo is Reprice for oracles of many decimals.
func (b *FixtureBook) RepriceTo(eth *uint256.Int) *FixtureBook {
	c := *b
	c.Raw = make([]uint256.Int, len(b.Tokens))
	for a := range b.Tokens {
		c.Raw[a] = b.Tokens[a].priceAt(eth)
	}
	return &c
}

func (t *FixtureToken) priceAt(eth *uint256.Int) uint256.Int {
	var p uint256.Int
	if t.Ratio == 0 {
		p.SetUint64(t.Price)
	} else {
		p.Mul(eth, uint256.NewInt(t.Ratio))
		p.Div(&p, uint256.NewInt(1e8))
	}
	if t.Cap != 0 && p.GtUint64(t.Cap) {
		p.SetUint64(t.Cap)
	}
	return p
}

func (b *FixtureBook) Market() string       { return b.Name }
func (b *FixtureBook) Chain() string        { return b.Network }
func (b *FixtureBook) Protocol() string     { return "fixture" }
func (b *FixtureBook) Block() chains.Block  { return b.At }
func (b *FixtureBook) QuoteDecimals() int32 { return b.Quote }
func (b *FixtureBook) Len() int             { return len(b.Loans) }
func (b *FixtureBook) ID(i int) string      { return b.Loans[i].ID }
func (b *FixtureBook) Unpriced(i int) bool  { return b.Loans[i].Unpriced }

func (b *FixtureBook) Owner(i int) chains.Address { return b.Loans[i].Owner }

func (b *FixtureBook) Assets() []protocols.Asset {
	out := make([]protocols.Asset, len(b.Tokens))
	for i, t := range b.Tokens {
		out[i] = protocols.Asset{Symbol: t.Symbol, Decimals: t.Decimals}
	}
	return out
}

func (b *FixtureBook) Find(id string) (int, bool) {
	for i := range b.Loans {
		if strings.EqualFold(b.Loans[i].ID, id) {
			return i, true
		}
	}
	return 0, false
}

func (b *FixtureBook) Terms(i int, dst []protocols.Term) []protocols.Term {
	for _, l := range b.Loans[i].Legs {
		coef := float64(l.Amount) / math.Pow10(int(b.Tokens[l.Token].Decimals))
		if l.Side == protocols.Debt {
			coef = -coef
		} else {
			coef *= float64(b.Tokens[l.Token].LT) / 1e4
		}
		dst = append(dst, protocols.Term{Asset: l.Token, Coef: coef})
	}
	return dst
}

func (b *FixtureBook) Prices() protocols.Prices {
	return protocols.Prices{Raw: b.Raw, QuoteUSD: b.QuoteUSD}
}

func (b *FixtureBook) Axes() []string { return []string{"ETH", "market"} }

// values are collateral, weighted collateral (basis points) and debt.
func (b *FixtureBook) values(i int, p protocols.Prices) (coll, weighted, debt uint256.Int) {
	for _, l := range b.Loans[i].Legs {
		v := b.value(l, p)
		if l.Side == protocols.Debt {
			debt.Add(&debt, &v)
			continue
		}
		coll.Add(&coll, &v)
		weighted.Add(&weighted, v.Mul(&v, uint256.NewInt(b.Tokens[l.Token].LT)))
	}
	return
}

func (b *FixtureBook) value(l FixtureLeg, p protocols.Prices) uint256.Int {
	var v, rem uint256.Int
	unit := new(uint256.Int).Exp(uint256.NewInt(10), uint256.NewInt(uint64(b.Tokens[l.Token].Decimals)))
	v.Mul(uint256.NewInt(l.Amount), &p.Raw[l.Token])
	v.DivMod(&v, unit, &rem)
	if l.Side == protocols.Debt && !b.Old && !rem.IsZero() {
		v.AddUint64(&v, 1)
	}
	return v
}

// health is the protocol's number in 1e-18, nil without debt.
func (b *FixtureBook) health(coll, weighted, debt uint256.Int) *uint256.Int {
	if debt.IsZero() {
		return nil
	}
	h, half := new(uint256.Int), new(uint256.Int).Rsh(&debt, 1)
	if b.Old {
		m := new(uint256.Int)
		if !coll.IsZero() {
			m.Div(&weighted, &coll)
			m.Mul(m, &coll)
			m.AddUint64(m, 5000)
			m.Div(m, uint256.NewInt(10000))
		}
		h.Mul(m, uint256.NewInt(1e18))
		h.Add(h, half)
		return h.Div(h, &debt)
	}
	h.Mul(&weighted, uint256.NewInt(1e18))
	h.Add(h, half)
	h.Div(h, &debt)
	return h.Div(h, uint256.NewInt(10000))
}

func (b *FixtureBook) Liquidatable(i int, p protocols.Prices) bool {
	h := b.health(b.values(i, p))
	return h != nil && h.LtUint64(1e18)
}

func (b *FixtureBook) Figures(i int, p protocols.Prices) protocols.Figures {
	coll, weighted, debt := b.values(i, p)
	h := b.health(coll, weighted, debt)
	f := protocols.Figures{HasHealth: h != nil && !b.NoHealth, AtRisk: coll, Debt: debt}
	if f.HasHealth {
		f.HealthRaw = *h
	}
	f.Liquidatable = h != nil && h.LtUint64(1e18)
	if f.Liquidatable {
		f.Seizable.Rsh(&debt, 1)
		f.Seizable.Mul(&f.Seizable, uint256.NewInt(105))
		f.Seizable.Div(&f.Seizable, uint256.NewInt(100))
		f.Seizable = smaller(&f.Seizable, &coll)
	}
	var covers uint256.Int
	covers.Mul(&coll, uint256.NewInt(100))
	covers.Div(&covers, uint256.NewInt(105))
	if debt.Gt(&covers) {
		f.BadDebt.Sub(&debt, &covers)
	}
	return f
}

func (b *FixtureBook) LegValues(i int, p protocols.Prices, dst []protocols.LegValue) []protocols.LegValue {
	for _, l := range b.Loans[i].Legs {
		v := protocols.LegValue{Asset: l.Token, Side: l.Side, Value: b.value(l, p)}
		v.Amount.SetUint64(l.Amount)
		dst = append(dst, v)
	}
	return dst
}

func (b *FixtureBook) Position(i int) protocols.Position {
	return protocols.Position{ID: b.Loans[i].ID, Owner: b.Loans[i].Owner, Figures: b.Figures(i, b.Prices())}
}

func (b *FixtureBook) Totals() []protocols.AssetTotals             { return nil }
func (b *FixtureBook) Coming() []protocols.ComingPrice             { return nil }
func (b *FixtureBook) Explain(axis string) []protocols.Sensitivity { return nil }
func (b *FixtureBook) Faults() []protocols.Fault                   { return nil }

func (b *FixtureBook) Set(symbol, param string, value decimal.Decimal) (protocols.Book, error) {
	if param != "lt" {
		return nil, errors.New("the fixture changes lt alone")
	}
	c := *b
	c.Tokens = append([]FixtureToken(nil), b.Tokens...)
	for i := range c.Tokens {
		if c.Tokens[i].Symbol == symbol {
			c.Tokens[i].LT = uint64(value.Shift(4).IntPart())
			return &c, nil
		}
	}
	return nil, fmt.Errorf("no asset %q", symbol)
}

// JointFixture is the position that per-token tools get wrong: 10 ETH at 2,000
// and 8 wstETH at 2,400 against 25,000 USD.
func JointFixture(market, network string) *FixtureBook {
	b := &FixtureBook{
		Name: market, Network: network, Quote: 8, QuoteUSD: decimal.NewFromInt(1),
		At: chains.Block{Number: 100, Time: 1_700_000_000},
		Tokens: []FixtureToken{
			{Symbol: "ETH", Decimals: 8, Ratio: 1e8, LT: 8300},
			{Symbol: "wstETH", Decimals: 8, Ratio: 1.2e8, LT: 8100},
			{Symbol: "USDC", Decimals: 6, Price: 1e8, LT: 7800},
		},
		Loans: []FixtureLoan{{ID: "0xa", Owner: chains.Address{1}, Legs: []FixtureLeg{
			{0, protocols.Collateral, 10e8}, {1, protocols.Collateral, 8e8}, {2, protocols.Debt, 25_000e6},
		}}},
	}
	return b.Reprice(2000e8)
}

var _ protocols.Book = (*FixtureBook)(nil)
