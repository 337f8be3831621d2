package thresholds

import (
	"fmt"
	"slices"

	"liqwatch/protocols"
)

// staleAfter is for how long, in seconds of block time, floats of untouched
// positions are kept: interest moves them, and must stay well within [Tolerance].
const staleAfter = 600

// Replace puts a newer book of one market into the ladder. changed are the
// positions whose legs differ from the book before; all others must be numbered
// as before, and positions may have been added at the end (and be in changed).
//
// When nothing else moved, the cost is that of the changed positions; when prices
// did, every position is placed anew without asking the book; a book that cannot
// be compared is read whole. Replace must not run while others ask the ladder.
func (l *Ladder) Replace(book protocols.Book, changed []int) error {
	old := l.market(book.Market())
	if old == nil {
		return fmt.Errorf("replace: %w %q", ErrUnknownMarket, book.Market())
	}
	m, err := newMarket(l.axis.Name, book)
	if err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	if old == l.ref && m.path == nil {
		return fmt.Errorf("replace reference %q: %w %q", m.name, ErrNoAxis, l.axis.Name)
	}
	at := slices.Index(l.markets, old)
	if !m.adopt(old, changed) {
		m.load()
	}
	l.markets[at] = m
	l.people = newPeople(l.markets)
	if old == l.ref {
		l.ref, l.spot = m, priceAt(&m.spot, m.decimals)
	}
	return nil
}

// adopt takes over the columns of the book before; false when they are of no use.
func (m *market) adopt(old *market, changed []int) bool {
	n, before := m.book.Len(), old.book.Len()
	if n < before || (m.path == nil) != (old.path == nil) || m.decimals != old.decimals ||
		len(m.assets) != len(old.assets) || m.book.Block().Time > old.loadedAt+staleAfter ||
		m.book.Block().Time < old.loadedAt {
		return false
	}
	for _, i := range changed {
		if i < 0 || i >= n {
			return false
		}
	}
	m.cols, m.loadedAt = old.cols, old.loadedAt
	m.cols.grow(n)
	m.look()
	same := slices.EqualFunc(m.segments, old.segments, sameSegment) && m.view.usd == old.view.usd &&
		slices.Equal(m.view.slopes, old.view.slopes)
	var terms []protocols.Term
	for _, i := range changed {
		terms = m.book.Terms(i, terms[:0])
		if same {
			m.cols.change(i, &m.view, terms, m.book.Unpriced(i))
		} else {
			m.cols.store(i, terms, m.book.Unpriced(i))
		}
	}
	if m.cols.waste > len(m.cols.coef)/4 {
		return false
	}
	if !same {
		m.cols.rebuild(&m.view)
	}
	return true
}

func sameSegment(a, b protocols.Segment) bool {
	return a.From == b.From && a.To == b.To && slices.Equal(a.Lines, b.Lines)
}
