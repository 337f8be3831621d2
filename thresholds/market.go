package thresholds

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// market is one book seen along one axis.
type market struct {
	name          string
	book          protocols.Book
	valuer        protocols.Valuer // the book, where it is one
	quoteDecimals int32
	now           protocols.Prices
	assets        []protocols.Asset

	// On the axis; path is nil when the market does not have it.
	path     protocols.Path
	decimals int32
	spot     uint256.Int
	segments []protocols.Segment
	cols     columns
	view     view
	loadedAt uint64 // block time at which the columns were read

	spotFloat float64
	scale     float64 // places per unit of price
	// offPath: the path at spot is not the current prices to the last unit, so that
	// floats of the path decide nothing about now.
	offPath bool
}

func newMarkets(axis string, books []protocols.Book) ([]*market, error) {
	books = slices.Clone(books)
	slices.SortStableFunc(books, func(a, b protocols.Book) int { return strings.Compare(a.Market(), b.Market()) })
	out := make([]*market, 0, len(books))
	for i, b := range books {
		if i > 0 && books[i-1].Market() == b.Market() {
			return nil, fmt.Errorf("market %q is given twice", b.Market())
		}
		m, err := newMarket(axis, b)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func newMarket(axis string, b protocols.Book) (*market, error) {
	m := &market{name: b.Market(), book: b, quoteDecimals: b.QuoteDecimals(), now: b.Prices(), assets: b.Assets()}
	m.valuer, _ = b.(protocols.Valuer)
	path, ok := b.Path(axis)
	if !ok {
		return m, nil
	}
	m.path, m.decimals, m.spot, m.segments = path, path.Decimals(), path.Spot(), path.Segments()
	if m.spot.IsZero() {
		// The market is read, but its oracle has no price for the axis now.
		m.path = nil
		return m, nil
	}
	if len(m.segments) == 0 {
		return nil, fmt.Errorf("market %q: path %q has no segments", m.name, axis)
	}
	for k, s := range m.segments {
		if len(s.Lines) < len(m.now.Raw) {
			return nil, fmt.Errorf("market %q: path %q: segment %d has %d lines for %d prices",
				m.name, axis, k, len(s.Lines), len(m.now.Raw))
		}
	}
	return m, nil
}

// point is one state of a market's prices: the vector and, for the columns, the
// place on the path.
type point struct {
	prices *protocols.Prices
	place  float64
	exact  bool // floats say nothing of it: ask the predicate of every position
}

// point is where the axis' price is price.
func (m *market) point(price decimal.Decimal) (point, error) {
	if m.path == nil {
		return m.nowPoint(), nil
	}
	place, err := placeOf(price, m.decimals)
	if err != nil {
		return point{}, err
	}
	if place.IsZero() {
		// Finer than the oracle's own step: the last price before nothing.
		place.SetOne()
	}
	var p protocols.Prices
	m.path.At(&place, &p)
	return point{prices: &p, place: placeFloat(&place)}, nil
}

// nowPoint is the market's current prices.
func (m *market) nowPoint() point {
	return point{prices: &m.now, place: m.spotFloat, exact: m.offPath}
}

// members appends the positions that are liquidatable at a point, by number.
func (m *market) members(at point, dst []int32) []int32 {
	return m.membersIn(&at, piece{to: m.book.Len()}, dst)
}

// membersIn appends those of a piece.
func (m *market) membersIn(at *point, in piece, dst []int32) []int32 {
	if at.exact {
		for i := in.from; i < in.to; i++ {
			if !m.book.Unpriced(i) && m.book.Liquidatable(i, *at.prices) {
				dst = append(dst, int32(i))
			}
		}
		return dst
	}
	return m.cols.members(at.place, in, dst, func(i int) bool { return m.book.Liquidatable(i, *at.prices) })
}

// load reads the book into the hot columns.
func (m *market) load() {
	m.look()
	m.loadedAt = m.book.Block().Time
	m.cols.load(m.book)
	m.cols.rebuild(&m.view)
}

// look prepares what the columns are placed against.
func (m *market) look() {
	m.view.usd = m.now.QuoteUSD.Shift(-m.quoteDecimals).InexactFloat64()
	m.view.top = 4
	if m.path == nil {
		// Off the axis nothing moves: one segment in which every price is what it is.
		still := protocols.Segment{From: 0, To: math.Inf(1), Lines: make([]protocols.Line, len(m.now.Raw))}
		for a := range m.now.Raw {
			still.Lines[a].Const = m.now.Raw[a].Float64()
		}
		m.segments, m.spotFloat = []protocols.Segment{still}, 2
	} else {
		m.scale = math.Pow(10, float64(m.decimals))
		m.spotFloat = placeFloat(&m.spot)
		var p protocols.Prices
		m.path.At(&m.spot, &p)
		m.offPath = !slices.EqualFunc(p.Raw, m.now.Raw, func(a, b uint256.Int) bool { return a.Eq(&b) })
		top := topOf(m)
		m.view.top = placeFloat(&top)
	}
	m.view.segments = m.segments
	m.view.slopes = make([]slope, len(m.now.Raw))
	for a := range m.view.slopes {
		p := &m.segments[0].Lines[a]
		gc, gs := tolerance(p)
		m.view.slopes[a] = slope{p.Const, p.Slope, gc, gs, m.now.Raw[a].Float64()}
	}
}
