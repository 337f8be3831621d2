package compoundv2

import (
	"fmt"
	"slices"
	"strings"
)

// Profile is what a descendant of Compound v2 does in its own way.
type Profile struct {
	Name string
	// HalfUp: products of mantissas are rounded half up (Exponential.mulExp) and not
	// truncated (ExponentialNoError.mul_).
	HalfUp bool
	// Seconds: interest accrues by time (accrualBlockTimestamp) and not by block.
	Seconds bool
	// IndexInLogs: Borrow and RepayBorrow carry the market's borrowIndex, and have
	// topics of their own.
	IndexInLogs bool
	// PricesInNative: oracle prices are in the chain's own coin, so that the coin's
	// price falling means that every other price rises.
	PricesInNative bool
	// Pools: liquidation thresholds apart from collateral factors, per pool, and VAI
	// debt (Venus' core pool).
	Pools bool
	// SkipsEmpty: an entered market that holds nothing of the account is skipped
	// before its price is asked (ComptrollerLens since Venus 10.2).
	SkipsEmpty bool
}

// The profiles. "plain" is Compound v2 as it runs on Ethereum.
var (
	JustLend = Profile{Name: "justlend", HalfUp: true, IndexInLogs: true, PricesInNative: true}
	Venus    = Profile{Name: "venus", Pools: true, SkipsEmpty: true}
	Moonwell = Profile{Name: "moonwell", Seconds: true}
	Benqi    = Profile{Name: "benqi", Seconds: true}
	Plain    = Profile{Name: "plain"}
)

var profiles = []Profile{JustLend, Venus, Moonwell, Benqi, Plain}

// ProfileNamed is the profile of that name; "auto" and "" mean that Open finds out.
func ProfileNamed(name string) (Profile, bool, error) {
	if name == "" || name == "auto" {
		return Profile{}, false, nil
	}
	i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		var names []string
		for _, p := range profiles {
			names = append(names, p.Name)
		}
		return Profile{}, false, fmt.Errorf("profile %q: want auto, %s", name, strings.Join(names, ", "))
	}
	return profiles[i], true, nil
}
