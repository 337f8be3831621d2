package thresholds

import (
	"github.com/shopspring/decimal"
)

// Map is a ladder read into bands. Its JSON is a promise to scripts; money and
// prices are strings there, and the order of everything is fixed.
type Map struct {
	Axis      string          `json:"axis"`
	Spot      decimal.Decimal `json:"spot"`
	Reference string          `json:"reference"`
	Blocks    []BlockRef      `json:"blocks"`
	// Positions are all with debt; Unpriced those of which nothing can be said;
	// NoTrigger those healthy at every price of the axis.
	Positions       int    `json:"positions"`
	Unpriced        int    `json:"unpriced"`
	NoTrigger       int    `json:"no_trigger"`
	LiquidatableNow Totals `json:"liquidatable_now"`
	// Bands are those below spot, from spot outward, then those above, likewise.
	Bands []Band `json:"bands"`
	// Down and Up give at every edge on that side, from spot outward, all that is
	// liquidatable when the price is that edge.
	Down []Edge `json:"down"`
	Up   []Edge `json:"up"`
}

// Band is a stretch of prices on one side of spot: [From, To) below it, (From,
// To] above. It holds the positions, healthy now, whose trigger on that side
// lies in it. A trigger that the reference's oracle has passed already, while the
// market's own has not, belongs to the band next to spot.
type Band struct {
	From      *decimal.Decimal `json:"from"` // nil in the outermost below
	To        *decimal.Decimal `json:"to"`   // nil in the outermost above
	Direction string           `json:"direction"`
	// AtTrigger values each position at its own trigger, AtSpot at current prices.
	AtTrigger Totals `json:"at_trigger"`
	AtSpot    Totals `json:"at_spot"`
	// ByMarket, ByAsset, Top10Share and Largest are at the triggers.
	ByMarket []MarketTotals `json:"by_market"`
	ByAsset  []AssetRisk    `json:"by_asset"`
	// Top10Share is the part of the at-risk sum in the ten largest positions,
	// rounded down to six decimals; zero for an empty band.
	Top10Share decimal.Decimal `json:"top10_share"`
	Largest    []Largest       `json:"largest"`
}

// Edge is one price with all that is liquidatable at it.
type Edge struct {
	Price decimal.Decimal `json:"price"`
	Totals
}

// MapOptions shape a map.
type MapOptions struct {
	// Largest is how many of the largest positions a band lists; 0 means 10.
	Largest int
	// BandsOnly leaves Down and Up empty. Each of their edges asks the books for the
	// amounts of everything liquidatable there, which the bands do not need.
	BandsOnly bool
}

// Map cuts the ladder at edges; spot is always one, and edges equal to it or
// given twice do no harm.
//
// Every position's triggers are refined with its protocol's own predicate, and
// every amount is the protocol's own.
func (l *Ladder) Map(edges []decimal.Decimal, opt MapOptions) (*Map, error) {
	m, _, err := l.read(edges, opt)
	return m, err
}

// MapAndWalls is [Ladder.Map] and [Ladder.Walls] for the price of one: each trigger
// is searched for once.
func (l *Ladder) MapAndWalls(edges []decimal.Decimal, opt MapOptions, walls WallOptions) (*Map, []Wall, error) {
	m, cut, err := l.read(edges, opt)
	if err != nil {
		return nil, nil, err
	}
	return m, l.walls(cut, walls), nil
}

func (l *Ladder) read(edges []decimal.Decimal, opt MapOptions) (*Map, *cuts, error) {
	below, above, err := splitEdges(edges, l.spot)
	if err != nil {
		return nil, nil, err
	}
	if opt.Largest == 0 {
		opt.Largest = mostLargest
	}
	m := &Map{
		Axis: l.axis.Name, Spot: l.spot, Reference: l.axis.Reference,
		Blocks: l.Blocks(), Positions: l.Len(), LiquidatableNow: l.Now(),
		Bands: []Band{}, Down: []Edge{}, Up: []Edge{},
	}
	cut, err := l.cut(below, above)
	if err != nil {
		return nil, nil, err
	}
	m.Unpriced, m.NoTrigger = cut.unpriced, cut.noTrigger
	for k, b := range cut.down {
		m.Bands = append(m.Bands, l.band(b, below, k, down, opt.Largest))
	}
	for k, b := range cut.up {
		m.Bands = append(m.Bands, l.band(b, above, k, up, opt.Largest))
	}
	if opt.BandsOnly {
		return m, cut, nil
	}
	if m.Down, err = l.edges(below); err != nil {
		return nil, nil, err
	}
	m.Up, err = l.edges(above)
	return m, cut, err
}

func (l *Ladder) edges(prices []decimal.Decimal) ([]Edge, error) {
	out := make([]Edge, 0, len(prices))
	for _, p := range prices {
		t, err := l.At(p)
		if err != nil {
			return nil, err
		}
		out = append(out, Edge{p, t})
	}
	return out, nil
}
