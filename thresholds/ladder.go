package thresholds

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// Ladder is all positions of several markets, on any chains, along one axis. It
// is a snapshot like its books: nothing changes it but [Ladder.Replace], and any
// number of goroutines may ask it.
type Ladder struct {
	axis    Axis
	markets []*market // by name
	ref     *market
	spot    decimal.Decimal
	people  *people
}

// BlockRef is a block that a ladder's books stand at.
type BlockRef struct {
	Chain  string      `json:"chain"`
	Number uint64      `json:"number"`
	Hash   chains.Hash `json:"hash"`
	Time   uint64      `json:"time"` // unix seconds
}

// Build reads books into a ladder. reference names the market whose oracle names
// the axis' price; empty takes the first, by name, that has the axis.
//
// A book without the axis cannot move, but its positions that are liquidatable
// now are counted. The order of the books does not matter. Errors: [ErrNoAxis],
// [ErrUnknownMarket], [ErrPrice] when the reference's oracle reads zero, and a
// market given twice.
func Build(axis, reference string, books []protocols.Book) (*Ladder, error) {
	markets, err := newMarkets(axis, books)
	if err != nil {
		return nil, fmt.Errorf("build ladder %s: %w", axis, err)
	}
	l := &Ladder{markets: markets, people: newPeople(markets)}
	if l.ref, err = referenceOf(markets, axis, reference); err != nil {
		return nil, fmt.Errorf("build ladder %s: %w", axis, err)
	}
	l.axis = Axis{Name: axis, Reference: l.ref.name}
	l.spot = priceAt(&l.ref.spot, l.ref.decimals)
	for _, m := range markets {
		m.load()
	}
	return l, nil
}

func referenceOf(markets []*market, axis, reference string) (*market, error) {
	for _, m := range markets {
		if reference != "" && m.name != reference || reference == "" && m.path == nil {
			continue
		}
		if m.path != nil {
			return m, nil
		}
		if p, ok := m.book.Path(axis); ok && m.spot.IsZero() && p != nil {
			return nil, fmt.Errorf("reference %q: %w: its oracle reads 0", reference, ErrPrice)
		}
		return nil, fmt.Errorf("reference %q: %w %q: it has %s", reference, ErrNoAxis, axis, strings.Join(m.book.Axes(), ", "))
	}
	if reference != "" {
		return nil, fmt.Errorf("reference: %w %q", ErrUnknownMarket, reference)
	}
	return nil, fmt.Errorf("%w %q: the markets have %s, and pegs such as wstETH/ETH", ErrNoAxis, axis, axesOf(markets))
}

// Axis is the ladder's axis and its reference market.
func (l *Ladder) Axis() Axis { return l.axis }

// Spot is the price that the reference's own oracle reads now.
func (l *Ladder) Spot() decimal.Decimal { return l.spot }

// Blocks are the blocks the books stand at, by chain and number, each once.
func (l *Ladder) Blocks() []BlockRef {
	books := make([]protocols.Book, len(l.markets))
	for i, m := range l.markets {
		books[i] = m.book
	}
	return blocksOf(books)
}

func blocksOf(books []protocols.Book) []BlockRef {
	out := make([]BlockRef, 0, len(books))
	for _, b := range books {
		at := b.Block()
		out = append(out, BlockRef{b.Chain(), at.Number, at.Hash, at.Time})
	}
	slices.SortFunc(out, func(a, b BlockRef) int {
		if c := strings.Compare(a.Chain, b.Chain); c != 0 {
			return c
		}
		if a.Number != b.Number {
			return int(math.Copysign(1, float64(a.Number)-float64(b.Number)))
		}
		return slices.Compare(a.Hash[:], b.Hash[:])
	})
	return slices.Compact(out)
}

// Key names a position for people.
func (l *Ladder) Key(r Ref) Key {
	m := l.markets[r.Market]
	return Key{m.name, m.book.ID(int(r.Position))}
}

// Len is the number of positions with debt, over all markets.
func (l *Ladder) Len() int {
	n := 0
	for _, m := range l.markets {
		n += m.book.Len()
	}
	return n
}

func (l *Ladder) market(name string) *market {
	i, ok := slices.BinarySearchFunc(l.markets, name, func(m *market, n string) int { return strings.Compare(m.name, n) })
	if !ok {
		return nil
	}
	return l.markets[i]
}

// Liquidatable is the exact set of positions that are liquidatable when the
// axis' price is price, in the order of markets and positions.
func (l *Ladder) Liquidatable(price decimal.Decimal) ([]Ref, error) {
	var out []Ref
	var members []int32
	for k, m := range l.markets {
		at, err := m.point(price)
		if err != nil {
			return nil, err
		}
		members = m.members(at, members[:0])
		for _, i := range members {
			out = append(out, Ref{int32(k), i})
		}
	}
	return out, nil
}

// At adds up all that is liquidatable when the axis' price is price: the amounts
// are the protocols' own at that price.
func (l *Ladder) At(price decimal.Decimal) (Totals, error) {
	t, _, err := l.AtByMarket(price)
	return t, err
}

// AtByMarket is At with the part of every market that has one, by name.
func (l *Ladder) AtByMarket(price decimal.Decimal) (Totals, []MarketTotals, error) {
	far, err := l.points(price)
	if err != nil {
		return Totals{}, nil, err
	}
	t, byMarket := l.gather(nil, far, (*set).addTotals).totals.totals(l.people)
	return t, byMarket, nil
}

// Now adds up what is liquidatable at the markets' own current prices.
func (l *Ladder) Now() Totals { return l.totalsOf(nil, l.nowPoints()) }

func (l *Ladder) nowPoints() []point {
	out := make([]point, len(l.markets))
	for k, m := range l.markets {
		out[k] = m.nowPoint()
	}
	return out
}

func (l *Ladder) totalsOf(near, far []point) Totals {
	out, _ := l.gather(near, far, (*set).addTotals).totals.totals(l.people)
	return out
}
