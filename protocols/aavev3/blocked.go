package aavev3

import (
	"fmt"
	"slices"
	"strings"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// sentinel is what the price oracle sentinel of an L2 says (before 3.7).
type sentinel struct {
	asked, allowed bool
}

// minHealthUnderSentinel: below it the pool liquidates whatever the sentinel says
// (ValidationLogic.MINIMUM_HEALTH_FACTOR_LIQUIDATION_THRESHOLD).
var minHealthUnderSentinel = uint256.NewInt(95e16)

// readSentinel asks whether liquidations are allowed; a sentinel that reverts allows none,
// because the pool's own call would revert with it.
func (p *pass) readSentinel(r *round, dst *sentinel) {
	if !p.shape.profile.Sentinel || p.shape.sentinel.IsZero() {
		return
	}
	if p.known {
		*dst = p.shape.guard
		return
	}
	r.ask(chains.View(p.shape.sentinel, abi.Call("isLiquidationAllowed()")), func(a chains.Answer) error {
		*dst = allowedBy(a)
		return nil
	})
}

func allowedBy(a chains.Answer) sentinel {
	x, err := abi.Number(a.Data, 0)
	return sentinel{asked: true, allowed: err == nil && !a.Failed && !x.IsZero()}
}

// blockedReserve says why a reserve can be no part of a liquidation at a time; empty when it can.
func blockedReserve(r *reserve, time uint64) string {
	switch {
	case !r.active:
		return "inactive: " + r.symbol
	case r.paused:
		return "paused: " + r.symbol
	case r.graceUntil != 0 && r.graceUntil >= time:
		return fmt.Sprintf("grace period of %s until %d", r.symbol, r.graceUntil)
	}
	return ""
}

// blockedFor says why an account could not be liquidated now, when nothing but its
// health were asked: no pair of collateral and debt is free of obstacles.
func (b *Book) blockedFor(a *account, data *accountData) string {
	var reasons []string
	free := [2]bool{}
	for j := range a.legs {
		l := &a.legs[j]
		d := b.table.dense[l.id()]
		if d < 0 || l.side() == protocols.Collateral && b.table.row(a.mode)[d].lt == 0 {
			continue
		}
		why := blockedReserve(&b.table.res[d], b.at.Time)
		if b.prices.Raw[b.table.row(a.mode)[d].price].IsZero() {
			return "no price: " + b.table.res[d].symbol
		}
		if why == "" {
			free[l.side()] = true
		} else if !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
	}
	if b.sentinel.asked && !b.sentinel.allowed && !data.health.Lt(minHealthUnderSentinel) {
		return "sequencer down or just back: the price oracle sentinel allows no liquidation above health 0.95"
	}
	if free[protocols.Collateral] && free[protocols.Debt] {
		return ""
	}
	return strings.Join(reasons, "; ")
}
