package vaults

import (
	"fmt"
	"math/big"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/notes"
)

// audit finds the vaults whose books contradict themselves, by their own arithmetic
// over the whole history. A vault is left out when, at the end of a block,
//
//   - it holds less than no collateral (by more than a millionth),
//   - it owes less than nothing, by more than the debt that counts as closed,
//   - it owes more than that without any collateral, or
//   - its owner has just borrowed or withdrawn and it is unsafe by more than the
//     tolerance at the best of the three prices around: the Vat would have refused,
//     so its book or our price is wrong, and either way it cannot be scored.
func (h *History) audit() error {
	l := newLedger(h.closeBelow)
	for i := range h.events {
		e := &h.events[i]
		rate, err := h.rateAt(e.Time)
		if err != nil {
			return fmt.Errorf("audit %s: %w", e.where(), err)
		}
		if _, known := l.accounts[e.Vault]; !known && e.Kind == Liquidate {
			h.notes.Add(notes.Unseen, "liquidations of vaults that no event opened", e.where())
		}
		l.apply(e, rate)
		if h.moreInBlock(i) {
			continue
		}
		if why := h.contradiction(l.account(e.Vault), e, rate); why != "" && h.leftOut[e.Vault] == "" {
			h.leftOut[e.Vault] = fmt.Sprintf("%s at %s", why, e.where())
			h.notes.Add(notes.Inconsistent, "vaults whose own arithmetic contradicts itself are left out", "vault "+e.Vault+": "+h.leftOut[e.Vault])
		}
	}
	for v, a := range l.accounts {
		h.liquidations[v] = a.liquidations
	}
	return nil
}

// moreInBlock reports that the vault has a later event in the same block: only the
// state after all of them must make sense.
func (h *History) moreInBlock(i int) bool {
	e := &h.events[i]
	for _, next := range h.events[i+1:] {
		if next.Block != e.Block {
			return false
		}
		if next.Vault == e.Vault {
			return true
		}
	}
	return false
}

// millionth is how far below zero collateral may be by the export's rounding (wad).
var millionth = big.NewInt(1_000_000_000_000)

func (h *History) contradiction(a *account, e *Event, rate *big.Int) string {
	debt := a.debt(rate)
	least := millionth
	if e.Kind == Liquidate {
		least = bigWad // the export rounds what was taken to whole units
	}
	switch {
	case new(big.Int).Neg(a.ink).Cmp(millionth) > 0:
		return fmt.Sprintf("collateral is %s", units(a.ink))
	case new(big.Int).Neg(debt).Cmp(h.closeBelow) > 0:
		return fmt.Sprintf("debt is %s", units(debt))
	case a.ink.Cmp(least) < 0 && debt.Cmp(h.closeBelow) > 0:
		return fmt.Sprintf("%s of debt without collateral", units(debt))
	case (e.Kind == Borrow || e.Kind == Withdraw) && debt.Cmp(h.closeBelow) > 0:
		return h.refused(a, debt, e)
	}
	return ""
}

// refused says by how much the Vat would have refused what the owner just did.
func (h *History) refused(a *account, debt *big.Int, e *Event) string {
	best, ok := h.bestPrice(e.Time)
	if !ok {
		return ""
	}
	value := new(big.Int).Mul(a.ink, best) // wad*wad
	ratio := decimal.NewFromBigInt(value.Quo(value, debt), -18)
	least := h.mat(e.Time).Mul(decimal.NewFromInt(1).Sub(h.opt.Tolerance))
	if ratio.LessThan(least) {
		return fmt.Sprintf("%s leaves %s of collateral per debt, where %s is needed", e.Kind, ratio.StringFixed(4), h.mat(e.Time))
	}
	return ""
}

// bestPrice is the highest of the oracle prices before, at and after a time (wad).
func (h *History) bestPrice(t uint64) (*big.Int, bool) {
	hour := t - t%hop
	var best *big.Int
	for _, at := range []uint64{hour - hop, hour, hour + hop} {
		p, ok := h.oracle(at)
		if !ok {
			return nil, false
		}
		if x := p.ToBig(); best == nil || x.Cmp(best) > 0 {
			best = x
		}
	}
	return best, true
}

func units(x *big.Int) string { return decimal.NewFromBigInt(x, -18).StringFixed(2) }
