package compoundv2

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// MarketAxis is the axis along which all volatile assets move by the same part.
const MarketAxis = "market"

// placeDecimals of axes whose reference is not one raw oracle price.
const placeDecimals = 18

// class is what an asset's price follows.
type class struct {
	base string // "ETH", "BTC", "TRX", ...; the asset's own symbol where nothing else is known; "" for a stable
	how  string // "structure", "list" or "none"
	note string
}

func (c class) stable() bool { return c.base == "" }

// movers says which assets move in USD along an axis; false when the market has
// none that the axis names.
func (t *table) movers(axis string) (moves []bool, found bool) {
	moves = make([]bool, len(t.list))
	for i := range t.list {
		c := t.classes[i]
		if moves[i] = c.base == axis; axis == MarketAxis {
			moves[i] = !c.stable()
		}
		found = found || moves[i]
	}
	return moves, found || axis == MarketAxis
}

// Axes are the bases of the market's assets, and market.
func (b *book) Axes() []string {
	seen := map[string]bool{}
	axes := []string{MarketAxis}
	for _, c := range b.table.classes {
		if !c.stable() && !seen[c.base] {
			seen[c.base] = true
			axes = append(axes, c.base)
		}
	}
	slices.Sort(axes[1:])
	return axes
}

// Path is the market along an axis: a base, "market", or a peg "A/B" of two symbols.
func (b *book) Path(axis string) (protocols.Path, bool) {
	if one, other, peg := strings.Cut(axis, "/"); peg {
		return b.peg(one, other)
	}
	moves, found := b.table.movers(axis)
	if !found {
		return nil, false
	}
	if axis == MarketAxis {
		return &path{b: b, moves: moves, decimals: placeDecimals, spot: *wad}, true
	}
	ref := b.table.reference(axis)
	spot, decimals := b.table.usdPlace(ref)
	if spot.IsZero() {
		return nil, false
	}
	return &path{b: b, moves: moves, decimals: decimals, spot: spot}, true
}

// peg is asset one moving against everything else; its place is the quotient of
// the two prices per whole token.
func (b *book) peg(one, other string) (protocols.Path, bool) {
	i, j := b.bySymbol(one), b.bySymbol(other)
	if i < 0 || j < 0 || b.table.prices[i].IsZero() || b.table.prices[j].IsZero() {
		return nil, false
	}
	moves := make([]bool, len(b.table.list))
	moves[i] = true
	spot := quotient(&b.table.prices[i], b.table.list[i].Decimals, &b.table.prices[j], b.table.list[j].Decimals)
	if spot.IsZero() {
		return nil, false
	}
	return &path{b: b, moves: moves, decimals: placeDecimals, spot: spot}, true
}

// quotient of the prices of two whole tokens, with 18 decimals, rounded down.
func quotient(p *uint256.Int, pDecimals int32, q *uint256.Int, qDecimals int32) uint256.Int {
	up := tenTo(placeDecimals + pDecimals)
	down := tenTo(qDecimals)
	var den uint256.Int
	if _, over := den.MulOverflow(q, &down); over {
		return den
	}
	return mulDiv(p, &up, &den)
}

func tenTo(n int32) uint256.Int {
	var x uint256.Int
	x.Exp(uint256.NewInt(10), uint256.NewInt(uint64(max(n, 0))))
	return x
}

func (b *book) bySymbol(symbol string) int {
	for i := range b.assets {
		if strings.EqualFold(b.assets[i].Symbol, symbol) {
			return i
		}
	}
	return -1
}

// reference is the asset whose price names an axis: the base itself or its
// wrapped form before any other that follows it, one with a price before one without.
func (t *table) reference(axis string) int {
	best, rank := -1, math.MaxInt
	for i := range t.list {
		if t.classes[i].base != axis {
			continue
		}
		r := 2
		switch symbol := strings.ToUpper(t.list[i].Symbol); symbol {
		case axis:
			r = 0
		case "W" + axis, axis + "B":
			r = 1
		}
		if t.prices[i].IsZero() {
			r += 3
		}
		if r < rank {
			best, rank = i, r
		}
	}
	return best
}

// usdPlace is an asset's price in USD as a place. Where the oracle quotes in USD it
// is the oracle's own integer; on JustLend the quotient with USDT.
func (t *table) usdPlace(asset int) (uint256.Int, int32) {
	if !t.profile.PricesInNative {
		return t.prices[asset], 36 - t.list[asset].Decimals
	}
	usdt := t.dollar()
	if usdt < 0 || t.prices[usdt].IsZero() {
		return uint256.Int{}, placeDecimals
	}
	return quotient(&t.prices[asset], t.list[asset].Decimals, &t.prices[usdt], t.list[usdt].Decimals), placeDecimals
}

// path implements [protocols.Path]: some assets move in USD, in one proportion.
type path struct {
	b        *book
	moves    []bool
	decimals int32
	spot     uint256.Int
}

// Decimals of a place.
func (p *path) Decimals() int32 { return p.decimals }

// Spot is where the oracle is now.
func (p *path) Spot() uint256.Int { return p.spot }

// At is the price vector at a place.
func (p *path) At(place *uint256.Int, dst *protocols.Prices) {
	t := p.b.table
	dst.Raw = append(dst.Raw[:0], t.prices...)
	t.move(dst.Raw, p.moves, place, &p.spot)
	dst.QuoteUSD = t.quoteUSD(dst.Raw)
}

// Segments is one: prices are proportional to the place. Where the coin that
// prices are quoted in moves, the lines are those of the same vector times
// place/spot, which has the same sign of health everywhere.
func (p *path) Segments() []protocols.Segment {
	t := p.b.table
	seg := protocols.Segment{To: math.Inf(1), Lines: make([]protocols.Line, len(t.list))}
	for i := range t.list {
		now := t.prices[i].Float64()
		if p.moves[i] {
			seg.Lines[i].Slope = now / p.spot.Float64()
		} else {
			seg.Lines[i].Const = now
		}
	}
	return []protocols.Segment{seg}
}

// ceiling keeps prices in reach of the arithmetic when the coin they are quoted in
// becomes worthless.
var ceiling = tenTo(45)

// move multiplies the USD prices of the movers by num/den, rounding down. Where the
// quote coin itself moves, its own raw price stays and all that do not move with
// it are divided: posted prices are what the poster would then post.
func (t *table) move(prices []uint256.Int, moves []bool, num, den *uint256.Int) {
	if *num == *den {
		return
	}
	quote := t.quoteAsset()
	divide := t.profile.PricesInNative && quote >= 0 && moves[quote]
	from, to := den, num
	if divide {
		from, to = num, den
	}
	if from.IsZero() {
		from = one
	}
	for i := range prices {
		if moves[i] == divide || prices[i].IsZero() {
			continue
		}
		prices[i] = mulDiv(&prices[i], to, from)
		if divide && prices[i].Gt(&ceiling) {
			prices[i] = ceiling
		}
	}
}

// Move is the price vector after joint moves: bases first, then pegs.
func (b *book) Move(moves []protocols.Move) (protocols.Prices, error) {
	out := protocols.Prices{Raw: append([]uint256.Int(nil), b.table.prices...)}
	ordered := slices.Clone(moves)
	slices.SortStableFunc(ordered, func(x, y protocols.Move) int {
		return boolInt(strings.Contains(x.Axis, "/")) - boolInt(strings.Contains(y.Axis, "/"))
	})
	for _, m := range ordered {
		any, ok := b.Path(m.Axis)
		if !ok {
			continue
		}
		p := any.(*path)
		target, err := p.place(m)
		if err != nil {
			return protocols.Prices{}, err
		}
		b.table.move(out.Raw, p.moves, &target, &p.spot)
	}
	out.QuoteUSD = b.table.quoteUSD(out.Raw)
	return out, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// place is where a move leads.
func (p *path) place(m protocols.Move) (uint256.Int, error) {
	if m.To != nil {
		if m.To.IsNegative() {
			return uint256.Int{}, fmt.Errorf("move %s to %s: a price is not negative", m.Axis, m.To)
		}
		var x uint256.Int
		x.SetFromBig(m.To.Shift(p.decimals).Truncate(0).BigInt())
		return x, nil
	}
	if m.Factor.IsNegative() {
		return uint256.Int{}, fmt.Errorf("move %s by %s: a factor is not negative", m.Axis, m.Factor)
	}
	return scaled(&p.spot, m.Factor), nil
}

// scaled is ⌊x*factor⌋.
func scaled(x *uint256.Int, factor decimal.Decimal) uint256.Int {
	var out uint256.Int
	out.SetFromBig(decimal.NewFromBigInt(x.ToBig(), 0).Mul(factor).Truncate(0).BigInt())
	return out
}

// priceFactor is what an asset's raw price is multiplied by for it to be worth so
// many USD.
func (b *book) priceFactor(asset int, usd decimal.Decimal) (decimal.Decimal, error) {
	now := b.now.USD(valueOf(&b.table.prices[asset], b.table.list[asset].Decimals), b.table.unitDigits)
	if now.IsZero() {
		return decimal.Zero, fmt.Errorf("set the price of %s: it has none now", b.assets[asset].Symbol)
	}
	return usd.DivRound(now, 36), nil
}

// valueOf is one whole token in quote units.
func valueOf(price *uint256.Int, decimals int32) *uint256.Int {
	whole := tenTo(decimals)
	v := truncated(price, &whole)
	return &v
}

// Explain says what every asset does on an axis.
func (b *book) Explain(axis string) []protocols.Sensitivity {
	any, ok := b.Path(axis)
	var out []protocols.Sensitivity
	for i := range b.table.list {
		c := b.table.classes[i]
		s := protocols.Sensitivity{Symbol: b.assets[i].Symbol, How: c.how, Note: c.note}
		if ok {
			p := any.(*path)
			s.Moves = p.moves[i]
			if s.Moves && !b.table.prices[i].IsZero() {
				s.Ratio = b.ratio(p, i)
			}
		}
		out = append(out, s)
	}
	return out
}

// ratio is an asset's price in USD per unit of the axis' price.
func (b *book) ratio(p *path, asset int) decimal.Decimal {
	usd := b.now.USD(valueOf(&b.table.prices[asset], b.table.list[asset].Decimals), b.table.unitDigits)
	spot := decimal.NewFromBigInt(p.spot.ToBig(), -p.decimals)
	if spot.IsZero() {
		return decimal.Zero
	}
	// The place is rounded down to its decimals; beyond a billionth the quotient is noise.
	return usd.DivRound(spot, 9)
}
