package compoundv2

import (
	"fmt"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// staked is what JustLend's staking token says of itself: TRX per sTRX with 18
// decimals (exchangeRate), and how many there are.
type staked struct {
	rate, supply uint256.Int
}

// stakedPlace is the row of the coin's staking token, or -1.
func (t *table) stakedPlace() int {
	if !t.profile.PricesInNative {
		return -1
	}
	for i := range t.list {
		if t.list[i].Symbol == "sTRX" && t.list[i].Decimals == 18 {
			return i
		}
	}
	return -1
}

// askStaked reads the staking token, where the market has one.
func (p *pass) askStaked() {
	i := p.table.stakedPlace()
	if i < 0 {
		return
	}
	token := p.table.list[i].Address
	p.ask(func(a []chains.Answer) error {
		p.table.staked = staked{rate: orZero(a[0]), supply: orZero(a[1])}
		return nil
	}, call(token, "exchangeRate()"), call(token, "totalSupply()"))
}

// explainStaked holds the posted price of the staking token against its own rate.
// Prices are in TRX, so that a posted price that is the rate moves with TRX by
// construction, and nothing has to be believed of its symbol.
func (t *table) explainStaked() {
	i, coin := t.stakedPlace(), t.quoteAsset()
	if i < 0 || coin < 0 || t.staked.rate.IsZero() || t.prices[i].IsZero() || t.prices[coin].IsZero() {
		return
	}
	posted := quotient(&t.prices[i], t.list[i].Decimals, &t.prices[coin], t.list[coin].Decimals)
	ratio := decimal.NewFromBigInt(posted.ToBig(), 0).DivRound(decimal.NewFromBigInt(t.staked.rate.ToBig(), 0), 6)
	rate := decimal.NewFromBigInt(t.staked.rate.ToBig(), -18).StringFixed(5)
	if ratio.Sub(decimal.NewFromInt(1)).Abs().GreaterThan(decimal.New(1, -2)) {
		t.classes[i] = class{base: t.list[coin].Symbol, how: "list", note: fmt.Sprintf("its posted price is %s of its own rate %s to TRX: the poster is late or follows something else", ratio, rate)}
		return
	}
	t.classes[i] = class{base: t.list[coin].Symbol, how: "structure", note: "posted at its own rate of " + rate + " TRX"}
}

// Beside is the TRX staked for sTRX, most of which is not in the market.
func (b *book) Beside() []protocols.Beside {
	t := b.table
	coin := t.quoteAsset()
	if t.stakedPlace() < 0 || coin < 0 || t.staked.rate.IsZero() {
		return nil
	}
	amount := truncated(&t.staked.rate, &t.staked.supply)
	million := uint256.NewInt(1_000_000_000_000)
	amount.Div(&amount, million) // sTRX has 18 decimals, TRX has 6
	value := truncated(&t.prices[coin], &amount)
	return []protocols.Beside{{
		Name: "sTRX staking", Symbol: t.list[coin].Symbol,
		Amount: protocols.Amount{Raw: amount, Decimals: t.list[coin].Decimals}, USD: b.now.USD(&value, t.unitDigits),
	}}
}

var _ protocols.WithBeside = (*book)(nil)
