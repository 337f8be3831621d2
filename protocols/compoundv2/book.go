package compoundv2

import (
	"bytes"
	"fmt"
	"sort"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// book implements [protocols.Book].
type book struct {
	name, chain string
	block       chains.Block
	table       *table
	positions   []*account // with debt, by address
	assets      []protocols.Asset
	now         protocols.Prices
	faults      []protocols.Fault
	base58      bool // addresses are written as on TRON
}

var _ protocols.Book = (*book)(nil)

func newBook(name, chain string, block chains.Block, t *table, positions []*account, faults []protocols.Fault) *book {
	b := &book{name: name, chain: chain, block: block, table: t, positions: positions, faults: faults}
	for i := range t.list {
		a := t.list[i].Asset
		// A price is for the smallest unit, times 10^18.
		a.PriceDecimals = t.unitDigits + 18 - a.Decimals
		b.assets = append(b.assets, a)
	}
	b.now = protocols.Prices{Raw: t.prices, QuoteUSD: t.quoteUSD(t.prices)}
	return b
}

// Market is the market's name in the configuration.
func (b *book) Market() string { return b.name }

// Chain is the name of its chain.
func (b *book) Chain() string { return b.chain }

// Protocol is the adapter's name.
func (b *book) Protocol() string { return Name }

// Block is the block the book was brought to. Where reads cannot be pinned the
// answers are of it or of one of the next few blocks.
func (b *book) Block() chains.Block { return b.block }

// Assets are the underlyings of the markets, in the comptroller's order.
func (b *book) Assets() []protocols.Asset { return b.assets }

// QuoteDecimals is 18 where prices are in USD and 15 on JustLend (in TRX).
func (b *book) QuoteDecimals() int32 { return b.table.unitDigits }

// Len is the number of accounts with debt.
func (b *book) Len() int { return len(b.positions) }

// ID is the account's address.
func (b *book) ID(i int) string {
	if b.base58 {
		return b.positions[i].address.Base58()
	}
	return b.positions[i].address.String()
}

// Find is the position of an address.
func (b *book) Find(id string) (int, bool) {
	var a chains.Address
	if err := a.UnmarshalText([]byte(lowered(id))); err != nil {
		return 0, false
	}
	return b.find(a)
}

func (b *book) find(a chains.Address) (int, bool) {
	i := sort.Search(len(b.positions), func(i int) bool {
		return bytes.Compare(b.positions[i].address[:], a[:]) >= 0
	})
	return i, i < len(b.positions) && b.positions[i].address == a
}

// Owner is the account itself.
func (b *book) Owner(i int) chains.Address { return b.positions[i].address }

// Prices are the oracle's.
func (b *book) Prices() protocols.Prices { return b.now }

// Faults are what is wrong with the book.
func (b *book) Faults() []protocols.Fault { return b.faults }

// Terms appends CF*ER*tokens per unit of price for collateral and the negative
// debt, both divided by 1e18 as the comptroller does, a term for each.
func (b *book) Terms(i int, dst []protocols.Term) []protocols.Term {
	a, t := b.positions[i], b.table
	for j := range a.legs {
		l := &a.legs[j]
		s := &t.states[l.market]
		weight := t.risk(a.pool, l.market).weight
		up := weight.Float64() / 1e18 * (s.rate.Float64() / 1e18) * (l.tokens.Float64() / 1e18)
		if up != 0 {
			dst = append(dst, protocols.Term{Asset: l.market, Coef: up})
		}
		// Apart, so that the debts of whoever borrows what they supply can be added up.
		if owed := t.debt(l); !owed.IsZero() {
			dst = append(dst, protocols.Term{Asset: l.market, Coef: -owed.Float64() / 1e18})
		}
	}
	if at := t.vaiPlace(); at >= 0 && !a.vai.none() {
		owed := a.vai.owed(&t.vaiIndex)
		dst = append(dst, protocols.Term{Asset: at, Coef: -owed.Float64() / 1e18})
	}
	return dst
}

// Unpriced reports an account in a market whose oracle price is 0: the comptroller
// answers PRICE_ERROR for it and refuses to liquidate.
func (b *book) Unpriced(i int) bool {
	return !b.table.sum(b.positions[i], b.now.Raw, b.table.states).priced
}

// Liquidatable is a shortfall above zero, or a forced liquidation.
func (b *book) Liquidatable(i int, p protocols.Prices) bool {
	return b.table.liquidatable(b.positions[i], p.Raw)
}

// Figures are the position's amounts at prices; all zero when it is unpriced.
func (b *book) Figures(i int, p protocols.Prices) protocols.Figures {
	return b.table.figures(b.positions[i], p.Raw)
}

// LegValues appends the value of every leg; collateral first.
func (b *book) LegValues(i int, p protocols.Prices, dst []protocols.LegValue) []protocols.LegValue {
	a, t := b.positions[i], b.table
	for j := range a.legs {
		l := &a.legs[j]
		if !l.tokens.IsZero() {
			dst = append(dst, protocols.LegValue{
				Asset: l.market, Side: protocols.Collateral, Amount: t.underlying(l), Value: t.collateral(l, &p.Raw[l.market]),
			})
		}
	}
	for j := range a.legs {
		l := &a.legs[j]
		if owed := t.debt(l); !owed.IsZero() {
			dst = append(dst, protocols.LegValue{
				Asset: l.market, Side: protocols.Debt, Amount: owed, Value: truncated(&p.Raw[l.market], &owed),
			})
		}
	}
	if at := t.vaiPlace(); at >= 0 && !a.vai.none() {
		owed := a.vai.owed(&t.vaiIndex)
		dst = append(dst, protocols.LegValue{Asset: at, Side: protocols.Debt, Amount: owed, Value: truncated(&p.Raw[at], &owed)})
	}
	return dst
}

// Position is one account for people.
func (b *book) Position(i int) protocols.Position {
	a, t := b.positions[i], b.table
	out := protocols.Position{ID: b.ID(i), Owner: a.address, Figures: b.Figures(i, b.now), Blocked: b.blocked(a)}
	for j := range a.legs {
		l := &a.legs[j]
		weight := t.risk(a.pool, l.market).weight
		threshold := decimal.NewFromBigInt(weight.ToBig(), -18)
		if !l.tokens.IsZero() {
			out.Legs = append(out.Legs, protocols.Leg{
				Asset: l.market, Side: protocols.Collateral, Raw: l.tokens, Amount: t.underlying(l), Threshold: threshold, Counts: true,
			})
		}
		if owed := t.debt(l); !owed.IsZero() {
			out.Legs = append(out.Legs, protocols.Leg{Asset: l.market, Side: protocols.Debt, Raw: l.principal, Amount: owed, Counts: true})
		}
	}
	if at := t.vaiPlace(); at >= 0 && !a.vai.none() {
		out.Legs = append(out.Legs, protocols.Leg{Asset: at, Side: protocols.Debt, Raw: a.vai.minted, Amount: a.vai.owed(&t.vaiIndex), Counts: true})
	}
	s := t.sum(a, b.now.Raw, t.states)
	out.HealthFactor = ratio(s)
	out.View = b.view(a, s)
	return out
}

// view is getAccountLiquidity's answer, and what it would be after the markets of
// the account had accrued up to the next block, as they would in a liquidation.
func (b *book) view(a *account, s sums) []protocols.ViewField {
	liquidity, shortfall := s.liquidity()
	later, laterShort := b.table.sum(a, b.now.Raw, b.accruedStates(a)).liquidity()
	return []protocols.ViewField{
		{Name: "liquidity", Value: liquidity},
		{Name: "shortfall", Value: shortfall},
		{Name: "liquidity_accrued", Value: later},
		{Name: "shortfall_accrued", Value: laterShort},
	}
}

// ratio is weighted collateral over debt with 18 decimals, rounded down so that it
// is below 1 exactly when there is a shortfall; nil without debt or price.
func ratio(s sums) *decimal.Decimal {
	if !s.priced || s.debt.IsZero() {
		return nil
	}
	q := mulDiv(&s.weighted, wad, &s.debt)
	d := decimal.NewFromBigInt(q.ToBig(), -18)
	return &d
}

// blocked says why a liquidation could not happen now.
func (b *book) blocked(a *account) string {
	t := b.table
	if t.halted {
		return "paused: the whole market"
	}
	for i := range a.legs {
		l := &a.legs[i]
		symbol := t.list[l.market].Symbol
		empty := t.profile.SkipsEmpty && l.tokens.IsZero() && l.principal.IsZero()
		switch r := t.risks[l.market]; {
		case t.prices[l.market].IsZero() && !empty:
			return "no price: " + symbol
		case r.paused && (!l.principal.IsZero() || !l.tokens.IsZero()):
			return "paused: " + symbol
		case !r.listed && !l.principal.IsZero():
			return "delisted: " + symbol
		}
	}
	return ""
}

// Totals are cash held (what DefiLlama counts as TVL), borrowed, and supplied:
// cash + borrowed - reserves.
func (b *book) Totals() []protocols.AssetTotals {
	var out []protocols.AssetTotals
	for i := range b.table.list {
		if b.table.list[i].vai {
			continue
		}
		s := &b.table.states[i]
		var supplied uint256.Int
		supplied.Add(&s.cash, &s.borrows)
		if supplied.Lt(&s.reserves) {
			supplied.Clear()
		} else {
			supplied.Sub(&supplied, &s.reserves)
		}
		out = append(out, protocols.AssetTotals{Asset: i, Supplied: supplied, Borrowed: s.borrows, Available: s.cash})
	}
	return out
}

// Set is the book with one parameter of one asset changed.
func (b *book) Set(symbol, param string, value decimal.Decimal) (protocols.Book, error) {
	i := b.bySymbol(symbol)
	if i < 0 {
		return nil, fmt.Errorf("set %s of %s: %s has no asset of that symbol", param, symbol, b.name)
	}
	if value.IsNegative() {
		return nil, fmt.Errorf("set %s of %s: %s is negative", param, symbol, value)
	}
	t := b.table.clone()
	switch param {
	case "lt":
		t.setRisk(i, func(r *risk) { r.weight = mantissa(value) })
	case "bonus":
		t.setRisk(i, func(r *risk) { r.incentive = mantissa(value.Add(decimal.NewFromInt(1))) })
	case "price":
		factor, err := b.priceFactor(i, value)
		if err != nil {
			return nil, err
		}
		t.prices[i] = scaled(&b.table.prices[i], factor)
	default:
		return nil, fmt.Errorf("set %s of %s: want lt, bonus or price", param, symbol)
	}
	next := newBook(b.name, b.chain, b.block, t, b.positions, b.faults)
	next.base58 = b.base58
	return next, nil
}

// setRisk changes a market's parameters in the core and in every pool that lists it.
func (t *table) setRisk(market int, change func(*risk)) {
	change(&t.risks[market])
	for id, p := range t.pools {
		own, ok := p.risks[market]
		if !ok {
			continue
		}
		change(&own)
		risks := map[int]risk{}
		for m, r := range p.risks {
			risks[m] = r
		}
		risks[market] = own
		p.risks = risks
		t.pools[id] = p
	}
}

func mantissa(d decimal.Decimal) uint256.Int {
	var x uint256.Int
	x.SetFromBig(d.Shift(18).Truncate(0).BigInt())
	return x
}
