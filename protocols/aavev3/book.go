package aavev3

import (
	"slices"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/pricing"
)

// Book is one pool at one block. It implements [protocols.Book].
type Book struct {
	market protocols.Placement
	at     chains.Block
	shape  *shape
	table  *table
	shelf  *shelf
	debts  map[uint8]uint256.Int // scaled, by reserve id
	assets []protocols.Asset
	sheet  *pricing.Sheet
	prices protocols.Prices
	faults []protocols.Fault

	coming      []protocols.ComingPrice
	sentinel    sentinel
	anyUnpriced bool
}

var _ protocols.Book = (*Book)(nil)

// Market implements [protocols.Book].
func (b *Book) Market() string { return b.market.Name }

// Chain implements [protocols.Book].
func (b *Book) Chain() string { return b.market.Chain }

// Protocol implements [protocols.Book].
func (b *Book) Protocol() string { return Name }

// Block implements [protocols.Book].
func (b *Book) Block() chains.Block { return b.at }

// Assets implements [protocols.Book]: the reserves, and behind them the price sources
// that e-mode categories before 3.2 may have of their own.
func (b *Book) Assets() []protocols.Asset { return b.assets }

// QuoteDecimals implements [protocols.Book].
func (b *Book) QuoteDecimals() int32 { return b.shape.quoteDecimals }

// Len implements [protocols.Book].
func (b *Book) Len() int { return b.shelf.n }

// ID implements [protocols.Book].
func (b *Book) ID(i int) string { return b.Owner(i).String() }

// Owner implements [protocols.Book]: an account of Aave is its own owner.
func (b *Book) Owner(i int) chains.Address {
	c, k := b.shelf.at(i)
	return c.keys[k]
}

// Find implements [protocols.Book].
func (b *Book) Find(id string) (int, bool) {
	a, err := chains.ParseAddress(strings.ToLower(id))
	if err != nil {
		return 0, false
	}
	return b.shelf.find(a)
}

// Prices implements [protocols.Book]. The vector is the caller's own.
func (b *Book) Prices() protocols.Prices {
	return protocols.Prices{Raw: slices.Clone(b.prices.Raw), QuoteUSD: b.prices.QuoteUSD}
}

// Faults implements [protocols.Book].
func (b *Book) Faults() []protocols.Fault { return b.faults }

// Coming implements [protocols.Book].
func (b *Book) Coming() []protocols.ComingPrice { return b.coming }

// Path implements [protocols.Book].
func (b *Book) Path(axis string) (protocols.Path, bool) { return b.sheet.Path(axis) }

// Axes implements [protocols.Book].
func (b *Book) Axes() []string { return b.sheet.Axes([]string{"ETH", "BTC"}) }

// Move implements [protocols.Book].
func (b *Book) Move(moves []protocols.Move) (protocols.Prices, error) { return b.sheet.Move(moves) }

// Explain implements [protocols.Book].
func (b *Book) Explain(axis string) []protocols.Sensitivity { return b.sheet.Explain(axis) }

// Terms implements [protocols.Book]. Coefficients leave out the roundings, and before
// 3.5 the truncation of the average threshold.
func (b *Book) Terms(i int, dst []protocols.Term) []protocols.Term {
	c, k := b.shelf.at(i)
	row := b.table.row(c.modes[k])
	for j := c.starts[k]; j < c.starts[k+1]; j++ {
		d := b.table.dense[c.tags[j]>>1]
		if d < 0 {
			continue
		}
		cell, rate := &row[d], &b.table.rates[d]
		if c.tags[j]&1 == uint8(protocols.Debt) {
			owed := tokens(&rate.debt, c.scaled[j], rate.debtRounding, rate.debtPerUnit, rate.perWhole)
			dst = append(dst, protocols.Term{Asset: int(cell.price), Coef: -owed})
			continue
		}
		if cell.counts {
			held := tokens(&rate.income, c.scaled[j], rate.incomeRounding, rate.incomePerUnit, rate.perWhole)
			dst = append(dst, protocols.Term{Asset: int(cell.price), Coef: held * float64(cell.lt) / 10000})
		}
	}
	return dst
}

// smallBalance is a balance in smallest units of which a rounding is a part that shows.
const smallBalance = 1 << 30

// tokens is a balance in whole tokens, near enough for a float. Of a small one the
// rounding to whole units counts: 3.01 units owed are 4.
func tokens(index *factor, scaled u128, r rounding, perUnit, perWhole float64) float64 {
	if scaled.hi == 0 && scaled.lo < smallBalance {
		if balance, ok := index.apply(scaled, r); ok {
			return float(balance) / perWhole
		}
	}
	return float(scaled) * perUnit
}

// Liquidatable implements [protocols.Book]: health below 1 as
// GenericLogic.calculateUserAccountData computes it.
func (b *Book) Liquidatable(i int, p protocols.Prices) bool {
	c, k := b.shelf.at(i)
	return b.table.isLiquidatable(c, k, p.Raw)
}

// Unpriced implements [protocols.Book].
func (b *Book) Unpriced(i int) bool {
	if !b.anyUnpriced {
		return false
	}
	c, k := b.shelf.at(i)
	row := b.table.row(c.modes[k])
	for j := c.starts[k]; j < c.starts[k+1]; j++ {
		if d := b.table.dense[c.tags[j]>>1]; d >= 0 && b.prices.Raw[row[d].price].IsZero() {
			return true
		}
	}
	return false
}

// price gives the book its assets and prices.
func (b *Book) price(raw []uint256.Int) {
	for i := range b.table.res {
		r := &b.table.res[i]
		b.assets = append(b.assets, protocols.Asset{Symbol: r.symbol, Address: r.asset, Decimals: int32(r.decimals), PriceDecimals: b.shape.quoteDecimals})
	}
	for _, s := range b.table.sources {
		b.assets = append(b.assets, protocols.Asset{Symbol: "e-mode price " + s.String()[2:8], Address: s, Decimals: b.shape.quoteDecimals, PriceDecimals: b.shape.quoteDecimals})
	}
	b.prices = protocols.Prices{Raw: raw, QuoteUSD: decimal.NewFromInt(1)}
	for i := range raw {
		b.anyUnpriced = b.anyUnpriced || raw[i].IsZero()
	}
}

// hadNoPrice reports that an asset was without a price in this book.
func (b *Book) hadNoPrice(asset chains.Address) bool {
	for i := range b.assets {
		if b.assets[i].Address == asset {
			return b.prices.Raw[i].IsZero()
		}
	}
	return false
}

func float(x u128) float64 { return float64(x.hi)*(1<<64) + float64(x.lo) }
