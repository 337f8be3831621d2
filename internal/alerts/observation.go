package alerts

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
)

// Observation is one look at an axis: the price, and what becomes liquidatable
// between it and each level. It is all that a rule ever sees.
type Observation struct {
	Axis string
	// Reference is the market whose oracle names the price.
	Reference string
	Price     decimal.Decimal
	// Market is the price by a feed besides the protocol's oracle; zero without one.
	Market decimal.Decimal
	// Blocks are those the numbers are of, one for each chain.
	Blocks []BlockRef
	// PriceChain is the chain the price is read on; empty for that of the first block.
	// Only its reorgs take anything back: what another chain undoes changes amounts,
	// and the next observation has them right.
	PriceChain string
	// Seen is the wall time of the look; the age of the data is told from it.
	Seen time.Time
	// Levels has an entry for every level of every rule on the axis that is not the price itself.
	Levels []LevelView
	// Stretch is what becomes liquidatable between two prices, the first one nearer to
	// the present, by the positions of this look: it tells what positions changed from
	// what the price did. Without it nobody can say, and growth is not told.
	Stretch func(from, to decimal.Decimal) (Totals, error) `json:"-"`
	// Now is what is liquidatable at the price already.
	Now Totals
	// Sketch is the ladder around the price; nil when nobody looked.
	Sketch *Sketch
	// Digest changes when the positions behind the numbers do, and not by a price alone.
	Digest string
	// Final is, by chain, the newest block that cannot be undone. States older than
	// it are forgotten. A chain without an entry keeps [KeepUnfinal] observations.
	Final map[string]uint64
}

// KeepUnfinal is how many observations are kept to go back to where a chain does
// not say what is final.
const KeepUnfinal = 1024

// BlockRef names a block of a chain.
type BlockRef struct {
	Chain  string      `json:"chain"`
	Number uint64      `json:"number"`
	Hash   chains.Hash `json:"hash"`
	Time   uint64      `json:"time"` // unix seconds
}

// Ref names a block of a chain for alerts.
func Ref(chain string, b chains.Block) BlockRef {
	return BlockRef{Chain: chain, Number: b.Number, Hash: b.Hash, Time: b.Time}
}

// Totals are the four quantities that are never mixed, over a set of positions. USD.
type Totals struct {
	Accounts    int             `json:"accounts"`
	Owners      int             `json:"owners"`
	AtRiskUSD   decimal.Decimal `json:"at_risk_usd"`
	SeizableUSD decimal.Decimal `json:"seizable_usd"`
	DebtUSD     decimal.Decimal `json:"debt_usd"`
	BadDebtUSD  decimal.Decimal `json:"bad_debt_usd"`
}

// MarketTotals are one market's part.
type MarketTotals struct {
	Market string `json:"market"`
	Totals
}

// LevelView is what becomes liquidatable between the price and a level.
type LevelView struct {
	Level decimal.Decimal
	Totals
	// Markets are the largest by collateral at risk, largest first.
	Markets []MarketTotals
	// Beyond is what comes next on the far side of the level; nil when nobody looked.
	Beyond *Beyond
}

// Beyond is the stretch from a level on to a price further from the present one:
// what the next part of the way would make liquidatable.
type Beyond struct {
	To decimal.Decimal `json:"to"`
	Totals
}

// sight is the observation as the episodes of a level see it, but for what needs the
// other levels.
func (o Observation) sight(level decimal.Decimal) sight {
	view, _ := o.view(level)
	b, _ := of(o.Blocks, o.priceChain())
	return sight{price: o.Price, time: o.time(), block: b.Number, view: view}
}

// view finds the entry of a level.
func (o Observation) view(level decimal.Decimal) (LevelView, bool) {
	for _, v := range o.Levels {
		if v.Level.Equal(level) {
			return v, true
		}
	}
	return LevelView{}, false
}

// next is the stretch that comes after what an alert speaks of: behind the level
// that is neared, or from a crossed level on to the next one that somebody watches.
func (o Observation) next(m move) *Beyond {
	switch m.kind {
	case KindApproach, KindGrowth:
		v, _ := o.view(m.after.Level)
		return v.Beyond
	case KindCrossing:
		var found *Beyond
		for _, v := range o.Levels {
			g := gap{m.after.Side, o.Price, v.Level}
			if !g.beyond() && (found == nil || distance(o.Price, v.Level).LessThan(distance(o.Price, found.To))) {
				found = &Beyond{To: v.Level, Totals: v.Totals}
			}
		}
		return found
	}
	return nil
}

// check reports what a rule misses in an observation.
func (o Observation) check(r Rule) error {
	if !o.Price.IsPositive() {
		return fmt.Errorf("rule %q: price %s on axis %s: want a price above 0", r.Name, o.Price, o.Axis)
	}
	if len(o.Blocks) == 0 {
		return fmt.Errorf("rule %q: observation of axis %s names no block", r.Name, o.Axis)
	}
	if o.time() > math.MaxInt64 {
		return fmt.Errorf("rule %q: observation of axis %s: block time %d is no time", r.Name, o.Axis, o.time())
	}
	for _, l := range r.Levels {
		if _, ok := o.view(l); !ok && !l.Equal(o.Price) {
			return fmt.Errorf("rule %q: observation of axis %s says nothing of level %s", r.Name, o.Axis, l)
		}
	}
	return nil
}

// time is the chain time of the observation: that of its newest block.
func (o Observation) time() uint64 {
	var t uint64
	for _, b := range o.Blocks {
		t = max(t, b.Time)
	}
	return t
}

// oldest is the block whose data are oldest: the age told is never better than the worst.
func oldest(blocks []BlockRef) BlockRef {
	var o BlockRef
	for i, b := range blocks {
		if i == 0 || b.Time < o.Time {
			o = b
		}
	}
	return o
}

func (o Observation) priceChain() string {
	if o.PriceChain != "" {
		return o.PriceChain
	}
	return o.Blocks[0].Chain
}

// of finds a chain's block in a list.
func of(blocks []BlockRef, chain string) (BlockRef, bool) {
	for _, b := range blocks {
		if b.Chain == chain {
			return b, true
		}
	}
	return BlockRef{}, false
}

func newestFirst(blocks map[uint64]BlockRef) []BlockRef {
	numbers := slices.Sorted(maps.Keys(blocks))
	out := make([]BlockRef, 0, len(numbers))
	for _, n := range slices.Backward(numbers) {
		out = append(out, blocks[n])
	}
	return out
}
