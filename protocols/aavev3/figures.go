package aavev3

import (
	"math/big"
	"slices"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// Figures implements [protocols.Book]. Every position of a book has debt, so there
// always is a health; where prices make the debt worth nothing it is 2^256-1, as in
// the pool.
func (b *Book) Figures(i int, p protocols.Prices) protocols.Figures {
	var f protocols.Figures
	c, k := b.shelf.at(i)
	if b.table.quick(c, k, p.Raw, &f, nil) {
		return f
	}
	a := c.account(k)
	return b.figures(&a, p)
}

// figures are Figures with unbounded integers: where limbs do not reach, and the
// judge of those that do.
func (b *Book) figures(a *account, p protocols.Prices) protocols.Figures {
	data := b.table.accountData(a, p.Raw)
	f := protocols.Figures{AtRisk: data.collateral, Debt: data.debt, HasHealth: true, HealthRaw: data.health}
	f.Liquidatable = data.health.Lt(wad)
	if f.Liquidatable {
		if c := b.table.largestCall(a, p.Raw); c != nil {
			set(&f.Seizable, c.value)
		}
	}
	set(&f.BadDebt, b.table.badDebt(a, p.Raw))
	return f
}

var _ protocols.Valuer = (*Book)(nil)

// Values implements [protocols.Valuer].
func (b *Book) Values(i int, p protocols.Prices, legs []protocols.LegValue) (protocols.Figures, []protocols.LegValue) {
	var f protocols.Figures
	c, k := b.shelf.at(i)
	before := len(legs)
	if b.table.quick(c, k, p.Raw, &f, &legs) {
		return f, legs
	}
	return b.Figures(i, p), b.LegValues(i, p, legs[:before])
}

// LegValues implements [protocols.Book].
func (b *Book) LegValues(i int, p protocols.Prices, dst []protocols.LegValue) []protocols.LegValue {
	c, k := b.shelf.at(i)
	row := b.table.row(c.modes[k])
	for j := c.starts[k]; j < c.starts[k+1]; j++ {
		l := leg{c.tags[j], c.scaled[j]}
		d := b.table.dense[l.id()]
		if d < 0 || l.side() == protocols.Collateral && !row[d].counts {
			continue
		}
		v := protocols.LegValue{Asset: int(d), Side: l.side()}
		if h, ok := b.table.hold(c, j, row, p.Raw); ok {
			v.Amount, v.Value = h.balance.uint256(), h.value.uint256()
		} else {
			set(&v.Amount, b.table.amount(&l))
			set(&v.Value, b.table.value(&l, row, p.Raw))
		}
		dst = append(dst, v)
	}
	return dst
}

// Position implements [protocols.Book]. View are the integers of getUserAccountData.
func (b *Book) Position(i int) protocols.Position {
	a := b.shelf.account(i)
	data := b.table.accountData(&a, b.prices.Raw)
	out := protocols.Position{
		ID: a.key.String(), Owner: a.key, Figures: b.figures(&a, b.prices), Blocked: b.blockedFor(&a, &data),
	}
	for f, x := range data.fields() {
		out.View = append(out.View, protocols.ViewField{Name: fieldNames[f], Value: *x})
	}
	if out.HealthRaw != *maxUint { // which stands for debts worth nothing
		h := decimal.NewFromBigInt(out.HealthRaw.ToBig(), -18)
		out.HealthFactor = &h
	}
	row := b.table.row(a.mode)
	for j := range a.legs {
		l := &a.legs[j]
		d := b.table.dense[l.id()]
		if d < 0 {
			continue
		}
		out.Legs = append(out.Legs, b.leg(l, int(d), row))
	}
	return out
}

func (b *Book) leg(l *leg, d int, row []cell) protocols.Leg {
	out := protocols.Leg{Asset: d, Side: l.side(), Raw: l.scaled.uint256(), Counts: true}
	set(&out.Amount, b.table.amount(l))
	if l.side() == protocols.Collateral {
		out.Threshold = decimal.New(int64(row[d].lt), -4)
		out.Counts = row[d].counts && row[d].lt != 0
	}
	return out
}

// Totals implements [protocols.Book]: supplied and borrowed accrued to the book's
// time with the tokens' own rounding, available as the underlying that the aToken
// holds (what DefiLlama counts; donations included, virtual accounting is not).
func (b *Book) Totals() []protocols.AssetTotals {
	out := make([]protocols.AssetTotals, len(b.table.res))
	for i := range out {
		r, rate := &b.table.res[i], &b.table.rates[i]
		out[i] = protocols.AssetTotals{Asset: i, Available: r.held}
		set(&out[i].Supplied, mulDiv(r.scaledSupply.ToBig(), rate.incomeRay.ToBig(), bigRay, rate.incomeRounding))
		set(&out[i].Borrowed, mulDiv(r.scaledDebt.ToBig(), rate.debtRay.ToBig(), bigRay, rate.debtRounding))
	}
	return out
}

// Set implements [protocols.Book]. A threshold or bonus is changed in the reserve and
// in every e-mode category that lists it, for no account may escape the question.
func (b *Book) Set(symbol, param string, value decimal.Decimal) (protocols.Book, error) {
	i := slices.IndexFunc(b.table.res, func(r reserve) bool { return equalSymbol(r.symbol, symbol) })
	if i < 0 {
		return nil, unknownAsset(b, symbol)
	}
	next := *b
	switch param {
	case "price":
		price := value.Shift(b.shape.quoteDecimals)
		if price.IsNegative() || price.BigInt().BitLen() > 255 {
			return nil, badValue(param, value, "a price that is not negative")
		}
		raw := slices.Clone(b.prices.Raw)
		set(&raw[i], price.BigInt())
		next.assets, next.anyUnpriced = nil, false
		next.price(raw)
		next.sheet = b.sheet.With(raw)
		return &next, nil
	case "lt", "bonus":
		points := value.Shift(4)
		most := decimal.NewFromInt(10000)
		if param == "bonus" {
			most = decimal.NewFromInt(65535)
		}
		if points.IsNegative() || points.GreaterThan(most) || !points.IsInteger() {
			return nil, badValue(param, value, "a ratio in whole basis points, such as 0.80 (bonus: 1.05)")
		}
		next.table = b.table.with(i, param, uint16(points.IntPart()))
		return &next, nil
	default:
		return nil, unknownParam(param)
	}
}

// with is the table with one reserve's threshold or bonus changed in every category.
func (t *table) with(i int, param string, points uint16) *table {
	next := *t
	next.res, next.cells = slices.Clone(t.res), slices.Clone(t.cells)
	for row := range t.modes {
		c := &next.cells[row*len(t.res)+i]
		if param == "lt" {
			c.lt = points
			c.counts = t.profile.ZeroLTCounts || points != 0
		} else {
			c.bonus = points
		}
	}
	if param == "lt" {
		next.res[i].lt = points
	} else {
		next.res[i].bonus = points
	}
	return &next
}

// perUnit is a ray index as a float, per unit of token.
func perUnit(index, unit *uint256.Int) float64 {
	x, _ := new(big.Float).SetInt(index.ToBig()).Float64()
	u, _ := new(big.Float).SetInt(unit.ToBig()).Float64()
	return x / 1e27 / u
}
