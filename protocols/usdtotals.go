package protocols

import (
	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
)

// USDTotals are what a market holds, in USD.
type USDTotals struct {
	Supplied, Borrowed decimal.Decimal
	// TVL is the tokens held: supplied minus borrowed, borrowed apart.
	TVL decimal.Decimal
}

// TotalsUSD values a market's own totals at its own prices, without rounding. An
// asset without a price counts nothing.
func TotalsUSD(b Book) USDTotals {
	var out USDTotals
	assets, prices := b.Assets(), b.Prices()
	for _, t := range b.Totals() {
		a := assets[t.Asset]
		price := Amount{Raw: prices.Raw[t.Asset], Decimals: a.PriceDecimals}.Decimal().Mul(prices.QuoteUSD)
		value := func(raw *uint256.Int) decimal.Decimal {
			return Amount{Raw: *raw, Decimals: a.Decimals}.Decimal().Mul(price)
		}
		out.Supplied = out.Supplied.Add(value(&t.Supplied))
		out.Borrowed = out.Borrowed.Add(value(&t.Borrowed))
		out.TVL = out.TVL.Add(value(&t.Available))
	}
	return out
}
