package vaults

import (
	"math/big"

	"github.com/holiman/uint256"

	"liqwatch/protocols/sky"
)

// account is one vault's book as rebuilt from its events. Signed: a vault that takes
// out more than it put in shows as negative, which the Vat would never allow.
type account struct {
	ink, art     *big.Int // wad
	liquidations int
	asUrn        sky.Urn // the same as the Vat would hold it; zero when either is not positive
}

var (
	bigRay = ray.ToBig()
	bigWad = big.NewInt(1_000_000_000_000_000_000)
)

// ledger are all vaults, by number.
type ledger struct {
	accounts map[string]*account
	// closeBelow is the debt (wad) under which a vault counts as closed.
	closeBelow *big.Int
}

func newLedger(closeBelow *big.Int) *ledger {
	return &ledger{accounts: map[string]*account{}, closeBelow: closeBelow}
}

func (l *ledger) account(vault string) *account {
	a, ok := l.accounts[vault]
	if !ok {
		a = &account{ink: new(big.Int), art: new(big.Int)}
		l.accounts[vault] = a
	}
	return a
}

// apply books an event at a rate (ray). Art is rounded as the proxy actions do:
// up when borrowing, down when repaying.
func (l *ledger) apply(e *Event, rate *big.Int) {
	a := l.account(e.Vault)
	switch e.Kind {
	case Deposit:
		a.ink.Add(a.ink, e.Amount)
	case Withdraw:
		a.ink.Sub(a.ink, e.Amount)
	case Borrow:
		a.art.Add(a.art, normalized(e.Amount, rate, true))
	case Repay:
		a.art.Sub(a.art, normalized(e.Amount, rate, false))
	case Liquidate:
		a.ink.Sub(a.ink, e.Amount)
		a.art.Sub(a.art, normalized(e.Due, rate, false))
		a.liquidations++
		// The collateral taken is rounded to whole units in the export.
		if a.ink.CmpAbs(bigWad) < 0 && a.debt(rate).CmpAbs(l.closeBelow) < 0 {
			a.ink.SetInt64(0)
			a.art.SetInt64(0)
		}
	}
	a.asUrn = sky.Urn{}
	if a.ink.Sign() > 0 && a.art.Sign() > 0 {
		a.asUrn = sky.Urn{Ink: *toUint(a.ink), Art: *toUint(a.art)}
	}
}

// normalized is DAI divided by the rate.
func normalized(dai, rate *big.Int, up bool) *big.Int {
	q, r := new(big.Int).QuoRem(new(big.Int).Mul(dai, bigRay), rate, new(big.Int))
	if up && r.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// debt is art*rate in wad, rounded toward zero.
func (a *account) debt(rate *big.Int) *big.Int {
	d := new(big.Int).Mul(a.art, rate)
	return d.Quo(d, bigRay)
}

// urn is the vault as the Vat would hold it and its debt, or false when it has no
// collateral or no debt that counts.
func (a *account) urn(rate, closeBelow *uint256.Int) (sky.Urn, uint256.Int, bool) {
	if a.asUrn.Art.IsZero() {
		return sky.Urn{}, uint256.Int{}, false
	}
	debt := a.asUrn.Debt(rate)
	return a.asUrn, debt, !debt.Lt(closeBelow)
}

// toUint takes amounts that were read from decimals of at most 60 digits.
func toUint(x *big.Int) *uint256.Int {
	z, over := uint256.FromBig(x)
	if over {
		z.SetAllOne()
	}
	return z
}
