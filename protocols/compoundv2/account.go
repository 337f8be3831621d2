package compoundv2

import (
	"github.com/holiman/uint256"

	"liqwatch/chains"
)

// leg is one entered market of an account.
type leg struct {
	market int
	tokens uint256.Int
	// The debt is ⌊principal*borrowIndex/interestIndex⌋. Where the two are not known
	// (inexact) they are the debt and the index as read, which is the same debt
	// until the market accrues, and within two units of it after.
	principal, interestIndex uint256.Int
	inexact                  bool
	forced                   bool // this account's debt may be liquidated without shortfall
}

// account is everything of one account. It never changes once made.
type account struct {
	address chains.Address
	pool    uint64
	legs    []leg
	vai     vaiDebt
	read    *chains.Block // where reads are not pinned: the block they were taken at
}

// vaiDebt is what VAIController keeps of a minter.
type vaiDebt struct {
	minted, past, index uint256.Int
}

func (v vaiDebt) none() bool { return v.minted.IsZero() }

// owed is VAIController.getVAIRepayAmount:
// minted + ⌊(vaiMintIndex-minterIndex)*(minted-pastInterest)/1e18⌋.
func (v vaiDebt) owed(index *uint256.Int) uint256.Int {
	if v.none() || index.Lt(&v.index) || v.minted.Lt(&v.past) {
		return v.minted
	}
	var grown, base uint256.Int
	grown.Sub(index, &v.index)
	base.Sub(&v.minted, &v.past)
	interest := truncated(&grown, &base)
	var sum uint256.Int
	sum.Add(&v.minted, &interest)
	return sum
}

func (a *account) hasDebt() bool {
	if a == nil {
		return false
	}
	for i := range a.legs {
		if !a.legs[i].principal.IsZero() {
			return true
		}
	}
	return !a.vai.none()
}

// same reports that two readings of an account tell of the same position. Debts
// are compared at an index, since an inexact one has another principal.
func (a *account) same(b *account, t *table) bool {
	if len(a.legs) != len(b.legs) || a.pool != b.pool || a.vai != b.vai {
		return false
	}
	for i := range a.legs {
		x, y := &a.legs[i], &b.legs[i]
		if x.market != y.market || x.tokens != y.tokens || x.forced != y.forced {
			return false
		}
		if x.inexact || y.inexact {
			dx, dy := t.debt(x), t.debt(y)
			var gap uint256.Int
			if gap.Sub(&dx, &dy); dx.Lt(&dy) {
				gap.Sub(&dy, &dx)
			}
			if gap.GtUint64(2) {
				return false
			}
			continue
		}
		if x.principal != y.principal || x.interestIndex != y.interestIndex {
			return false
		}
	}
	return true
}

// debt is a leg's debt in token units at the market's stored index.
func (t *table) debt(l *leg) uint256.Int {
	return borrowed(&l.principal, &t.states[l.market].index, &l.interestIndex)
}
