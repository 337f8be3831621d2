package compoundv2

import (
	"slices"

	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

// The posted oracle lets a price move by a tenth from its anchor, and the anchor
// once in 600 blocks (PriceOracleV1: maxSwing, numBlocksPerPeriod).
const (
	swingPeriod  = 600
	swingPercent = 10
	tronBlock    = 3 // seconds
)

// Coming are prices that the poster asked for and the cap held back: the next
// period lets them go a step further.
func (b *book) Coming() []protocols.ComingPrice {
	var out []protocols.ComingPrice
	for i, p := range b.table.postings {
		if p.requested == p.taken || p.taken.IsZero() || b.table.prices[i] != p.taken {
			continue
		}
		period := b.block.Number/swingPeriod + 1
		out = append(out, protocols.ComingPrice{
			Asset: i, Price: nextStep(&p), At: b.block.Time + (period*swingPeriod-b.block.Number)*tronBlock,
			Why: "posted with a cap of 10% in 600 blocks and requested at " + p.requested.Dec() + ", so the next posting goes on from " + p.taken.Dec(),
		})
	}
	slices.SortFunc(out, func(x, y protocols.ComingPrice) int { return x.Asset - y.Asset })
	return out
}

// nextStep is what the next period allows on the way to the price asked for.
func nextStep(p *posting) uint256.Int {
	hundred := uint256.NewInt(100)
	if p.requested.Gt(&p.taken) {
		most := mulDiv(&p.taken, uint256.NewInt(100+swingPercent), hundred)
		if most.Lt(&p.requested) {
			return most
		}
		return p.requested
	}
	least := mulDiv(&p.taken, uint256.NewInt(100-swingPercent), hundred)
	if least.Gt(&p.requested) {
		return least
	}
	return p.requested
}
