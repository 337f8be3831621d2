package compoundv2

import (
	"fmt"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
)

// Prices of JustLend are TRX per whole token, times a power of ten that its own
// documents state in three ways. Nothing here depends on it: TRX and USDT are both
// in the market, and every value is a quotient with one of them.

// quoteAsset is the chain's own coin, or -1.
func (t *table) quoteAsset() int {
	for i := range t.list {
		if t.list[i].native {
			return i
		}
	}
	return -1
}

// dollar is the asset that stands for USD where prices are in the chain's coin.
func (t *table) dollar() int {
	for i := range t.list {
		if t.list[i].Symbol == "USDT" && t.list[i].Decimals == 6 {
			return i
		}
	}
	return -1
}

// quoteUSD is what one whole quote unit (10^unitDigits of the smallest) is worth in
// USD: 1 where the oracle quotes in USD, and on JustLend such that a USDT is a dollar.
// Zero where that cannot be said.
func (t *table) quoteUSD(prices []uint256.Int) decimal.Decimal {
	if !t.profile.PricesInNative {
		return decimal.NewFromInt(1)
	}
	i := t.dollar()
	if i < 0 || prices[i].IsZero() {
		return decimal.Zero
	}
	units := decimal.NewFromBigInt(valueOf(&prices[i], t.list[i].Decimals).ToBig(), -t.unitDigits)
	if units.IsZero() {
		return decimal.Zero
	}
	return decimal.NewFromInt(1).DivRound(units, 36)
}

// The price of a TRX in USD has been between 0.001 and 0.5. What lies a hundred
// times beyond is not a price but another scale.
var (
	leastCoin = decimal.New(1, -5)
	mostCoin  = decimal.New(50, 0)
)

// setUnits finds the quote unit of a market priced in its chain's coin: the power
// of ten that makes one coin worth one. An implausible scale is an error, since
// every value in USD would be wrong by it; prices of 0 are the protocol's own
// way to stop liquidations and no error.
func (t *table) setUnits() error {
	t.unitDigits = 18
	if !t.profile.PricesInNative {
		return nil
	}
	t.unitDigits = 15
	coin, usdt := t.quoteAsset(), t.dollar()
	if coin < 0 || usdt < 0 {
		return fmt.Errorf("read prices: the market has %s, so that prices in the chain's coin cannot be told in USD", missing(coin, usdt))
	}
	if t.prices[coin].IsZero() || t.prices[usdt].IsZero() {
		return nil
	}
	t.unitDigits = int32(len(valueOf(&t.prices[coin], t.list[coin].Decimals).Dec())) - 1
	usd := decimal.NewFromBigInt(valueOf(&t.prices[coin], t.list[coin].Decimals).ToBig(), -t.unitDigits).Mul(t.quoteUSD(t.prices))
	if usd.LessThan(leastCoin) || usd.GreaterThan(mostCoin) {
		return fmt.Errorf("read prices: they make one %s worth %s USD; the oracle's scale is not understood, so no value is shown (check comptroller.oracle())",
			t.list[coin].Symbol, usd.StringFixed(8))
	}
	return nil
}

func missing(coin, usdt int) string {
	var out []string
	if coin < 0 {
		out = append(out, "no market of the chain's own coin")
	}
	if usdt < 0 {
		out = append(out, "no USDT with 6 decimals")
	}
	return strings.Join(out, " and ")
}

func lowered(id string) string {
	if strings.HasPrefix(id, "0x") || strings.HasPrefix(id, "0X") {
		return "0x" + strings.ToLower(id[2:])
	}
	return id
}
