package thresholds

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Crossing is what a level means: everything that is not liquidatable now and is
// when the axis' price is the level.
type Crossing struct {
	Axis      string          `json:"axis"`
	Reference string          `json:"reference"`
	Spot      decimal.Decimal `json:"spot"`
	Level     decimal.Decimal `json:"level"`
	// Distance is |spot/level - 1|.
	Distance decimal.Decimal `json:"distance"`
	// Direction is "down" for a level at or below spot, else "up".
	Direction string     `json:"direction"`
	Blocks    []BlockRef `json:"blocks"`
	// Totals, ByMarket, ByAsset and Largest are valued at the level.
	Totals
	ByMarket []MarketTotals `json:"by_market"`
	ByAsset  []AssetRisk    `json:"by_asset"`
	// Largest are the ten largest, with their triggers on the level's side.
	Largest []Largest `json:"largest"`
	// Keys are all positions, by market and id; Digest is a hash of them, so that
	// equal digests mean the same positions.
	Keys   []Key  `json:"-"`
	Digest string `json:"digest"`
}

// Crossing says what becomes liquidatable between the current price and a level.
func (l *Ladder) Crossing(level decimal.Decimal) (*Crossing, error) {
	c := &Crossing{
		Axis: l.axis.Name, Reference: l.axis.Reference, Spot: l.spot, Level: level,
		Distance: Distance(l.spot, level), Direction: down.String(), Blocks: l.Blocks(),
	}
	side := down
	if level.GreaterThan(l.spot) {
		side, c.Direction = up, up.String()
	}
	far, err := l.points(level)
	if err != nil {
		return nil, fmt.Errorf("level %s: %w", level, err)
	}
	s := l.gather(l.nowPoints(), far, (*set).addKey)
	c.Totals, c.ByMarket = s.totals.totals(l.people)
	c.ByAsset = s.assets.list(l.markets)
	l.findTriggers(s.top.first(mostLargest), side)
	c.Largest = s.top.largest(mostLargest)
	c.Keys = l.keys(s.refs)
	c.Digest = digest(c.Keys)
	return c, nil
}

// findTriggers refines the entries that will be shown.
func (l *Ladder) findTriggers(entries []entry, d direction) {
	for i := range entries {
		e := &entries[i]
		if m := l.markets[e.ref.Market]; m.path != nil {
			e.trigger, e.has = newWalker(m).trigger(int(e.ref.Position), d)
		}
	}
}

func (l *Ladder) keys(refs []Ref) []Key {
	out := make([]Key, len(refs))
	for i, r := range refs {
		out[i] = l.Key(r)
	}
	slices.SortFunc(out, func(a, b Key) int {
		if c := strings.Compare(a.Market, b.Market); c != 0 {
			return c
		}
		return strings.Compare(a.Position, b.Position)
	})
	return out
}

// digest hashes keys; lengths go in too, so that no two lists look alike.
func digest(keys []Key) string {
	h := sha256.New()
	for _, k := range keys {
		fmt.Fprintf(h, "%d:%s%d:%s", len(k.Market), k.Market, len(k.Position), k.Position)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
