package aavev3

import "fmt"

// Profile is the arithmetic of one version of the pool. The versions differ in
// roundings and in rules, each of which moves the last digits of a health factor.
type Profile struct {
	// Revision is the pool's POOL_REVISION.
	Revision uint64
	// Version is what people call it.
	Version string
	// TaylorByProducts: interest compounds by the expansion of 3.4 and later (see compound).
	TaylorByProducts bool
	// Directed: balances round against the user (supplied down, owed up) and health
	// divides the weighted sum itself; before 3.5 both round to nearest and health
	// goes through the truncated average threshold.
	Directed bool
	// NearestBorrows: availableBorrowsBase rounds to nearest although Directed (SparkLend revision 2).
	NearestBorrows bool
	// ZeroLTCounts: collateral whose reserve has a liquidation threshold of 0 is part
	// of totalCollateralBase (3.6 and later).
	ZeroLTCounts bool
	// EModeBeforeLTV: the e-mode's LTV holds even where the reserve's own is 0 (3.6 and later).
	EModeBeforeLTV bool
	// Bitmaps: e-mode categories list their assets in bitmaps (3.2 and later); before, an
	// asset names its one category, and a category can have a price source of its own.
	Bitmaps bool
	// StableDebt: the pool can hold debts at stable rates (3.0 and 3.1).
	StableDebt bool
	// WholeDebt: the whole debt of a reserve may be liquidated unless both sides are
	// worth 2,000 and health is above 0.95 (3.3 and later); before, half above 0.95.
	WholeDebt bool
	// DirectedSeize: liquidation amounts round in the pool's favour (3.7).
	DirectedSeize bool
	// CeilNeeded: the debt needed for all the collateral is rounded up (3.5 and later).
	CeilNeeded bool
	// Grace: reserves have a liquidation grace period (3.1 and later).
	Grace bool
	// Sentinel: the price oracle sentinel is asked (before 3.7).
	Sentinel bool
}

// newestRevision is the newest pool revision this package knows (Aave 3.7).
const newestRevision = 11

// Fork names a descendant with a numbering of its own.
type Fork string

// The forks with a profile of their own.
const (
	NoFork    Fork = ""
	SparkLend Fork = "sparklend"
)

// ProfileOf chooses the arithmetic for a POOL_REVISION.
// Revisions follow PoolInstance.POOL_REVISION of aave-v3-origin's tags; core-v3
// packages have 1 to 3. SparkLend forked at 3.0.2 and counts on its own: its
// revision 2 has balances and health of 3.5 with everything else of 3.0.
func ProfileOf(revision uint64, fork Fork) (Profile, error) {
	p := Profile{Revision: revision, StableDebt: true, Sentinel: true}
	if fork == SparkLend {
		return sparkLendProfile(p)
	}
	switch {
	case revision == 0 || revision > newestRevision:
		return Profile{}, fmt.Errorf("unknown POOL_REVISION %d: this version of liqwatch knows 1 to %d, a newer one may know it", revision, newestRevision)
	case revision <= 3:
		p.Version = "3.0"
	case revision == 4:
		p.Version, p.Grace = "3.1", true
	default:
		p.StableDebt, p.Bitmaps, p.Grace = false, true, true
		p.Version = map[uint64]string{5: "3.2", 6: "3.2", 7: "3.3", 8: "3.4", 9: "3.5", 10: "3.6", 11: "3.7"}[revision]
		p.WholeDebt = revision >= 7
		p.TaylorByProducts = revision >= 8
		p.Directed, p.CeilNeeded = revision >= 9, revision >= 9
		p.ZeroLTCounts, p.EModeBeforeLTV = revision >= 10, revision >= 10
		p.DirectedSeize, p.Sentinel = revision >= 11, revision < 11
	}
	return p, nil
}

func sparkLendProfile(p Profile) (Profile, error) {
	switch p.Revision {
	case 1:
		p.Version = "SparkLend 1"
	case 2:
		p.Version, p.Directed, p.NearestBorrows = "SparkLend 2", true, true
	default:
		return Profile{}, fmt.Errorf("unknown POOL_REVISION %d of SparkLend: this version of liqwatch knows 1 and 2, a newer one may know it", p.Revision)
	}
	return p, nil
}
