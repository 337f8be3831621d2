package thresholds

import (
	"fmt"
	"slices"
	"strings"

	"liqwatch/protocols"
)

// StressResult is the world after joint shocks and parameter changes, against now.
type StressResult struct {
	Shocks    []string   `json:"shocks"`
	Changes   []string   `json:"changes"`
	Blocks    []BlockRef `json:"blocks"`
	Positions int        `json:"positions"`
	Unpriced  int        `json:"unpriced"`
	// Now is what is liquidatable at current prices and parameters; Then what is
	// afterward, valued at the prices afterward.
	Now  Totals `json:"now"`
	Then Totals `json:"then"`
	// Added is in Then and not in Now, valued as Then; Healed is in Now and not in
	// Then, valued as Now.
	Added  Totals `json:"added"`
	Healed Totals `json:"healed"`
	// ByMarket, ByAsset and Largest are of Then.
	ByMarket []MarketTotals `json:"by_market"`
	ByAsset  []AssetRisk    `json:"by_asset"`
	Largest  []Largest      `json:"largest"`
}

// Stress applies parameter changes, then all moves at once, to every book, and
// compares. Every move must be known to at least one book, every change's market
// and asset must exist.
func Stress(books []protocols.Book, moves []protocols.Move, changes []Change) (*StressResult, error) {
	p, err := NewPresent(books)
	if err != nil {
		return nil, fmt.Errorf("stress: %w", err)
	}
	return p.Stress(moves, changes)
}

// checkMoves refuses an axis nobody has, which would otherwise read as "nothing happens".
func checkMoves(markets []*market, moves []protocols.Move) error {
	seen := map[string]bool{}
	for _, mv := range moves {
		if seen[mv.Axis] {
			return fmt.Errorf("axis %q is moved twice", mv.Axis)
		}
		seen[mv.Axis] = true
		known := slices.ContainsFunc(markets, func(m *market) bool { _, ok := m.book.Path(mv.Axis); return ok })
		if !known {
			return fmt.Errorf("%w %q: the markets have %s, and pegs such as wstETH/ETH", ErrNoAxis, mv.Axis, axesOf(markets))
		}
	}
	return nil
}

func axesOf(markets []*market) string {
	var names []string
	for _, m := range markets {
		names = append(names, m.book.Axes()...)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

func marketNames(markets []*market) string {
	names := make([]string, len(markets))
	for i, m := range markets {
		names[i] = m.name
	}
	return strings.Join(names, ", ")
}

// changed are the markets with their parameters changed.
func changed(markets []*market, changes []Change) ([]*market, error) {
	out := make([]*market, len(markets))
	for i, m := range markets {
		copied := *m
		out[i] = &copied
	}
	for _, c := range changes {
		i := slices.IndexFunc(out, func(m *market) bool { return m.name == c.Market })
		if i < 0 {
			return nil, fmt.Errorf("change %s: %w %q: there are %s", c, ErrUnknownMarket, c.Market, marketNames(out))
		}
		book, err := out[i].book.Set(c.Asset, c.Param, c.Value)
		if err != nil {
			return nil, fmt.Errorf("change %s: %w", c, err)
		}
		out[i].book, out[i].now = book, book.Prices()
		out[i].valuer, _ = book.(protocols.Valuer)
		out[i].cols = columns{} // they weigh positions by the parameters before
	}
	return out, nil
}
