package watch

import (
	"cmp"
	"container/heap"
	"slices"

	"liqwatch/protocols"
)

// census is what floats say of a book's positions. It chooses candidates; what is
// reported of them is the protocol's own number.
type census struct {
	book protocols.Book
	// suspects may be liquidatable: floats are not sure that they are healthy.
	suspects []int32
	// largest have the largest debts, in descending order.
	largest []debtor
}

type debtor struct {
	position int32
	usd      float64
}

// surely is the part of a position's value within which floats decide nothing.
const surely = 2.5e-4

// census is made once for a book, whoever asks for it.
func (e *Engine) census(b protocols.Book) *census {
	if c := e.counted[b.Market()]; c != nil && c.book == b {
		return c
	}
	c := takeCensus(b, e.debtors())
	e.counted[b.Market()] = c
	return c
}

// debtors is how many of the largest debts of a book some rule needs to know.
func (e *Engine) debtors() int {
	n := 0
	for _, g := range e.gauges {
		if h, ok := g.meter.(*health); ok {
			n = max(n, h.reach())
		}
	}
	return n
}

func takeCensus(b protocols.Book, largest int) *census {
	c := &census{book: b}
	prices := b.Prices()
	now := make([]float64, len(prices.Raw))
	for a := range now {
		now[a] = prices.Raw[a].Float64()
	}
	quote, _ := prices.QuoteUSD.Shift(-b.QuoteDecimals()).Float64()
	var top debtHeap
	var terms []protocols.Term
	for i := range b.Len() {
		terms = b.Terms(i, terms[:0])
		var coll, debt float64
		for _, t := range terms {
			if v := t.Coef * now[t.Asset]; v > 0 {
				coll += v
			} else {
				debt -= v
			}
		}
		if coll-debt <= surely*(coll+debt) {
			c.suspects = append(c.suspects, int32(i))
		}
		if usd := debt * quote; len(top) < largest {
			heap.Push(&top, debtor{int32(i), usd})
		} else if largest > 0 && usd > top[0].usd {
			top[0] = debtor{int32(i), usd}
			heap.Fix(&top, 0)
		}
	}
	slices.SortFunc(top, byDebt)
	c.largest = top
	return c
}

// byDebt puts the largest first, and equals in the order of the book.
func byDebt(a, b debtor) int {
	return cmp.Or(cmp.Compare(b.usd, a.usd), cmp.Compare(a.position, b.position))
}

// debtHeap has the smallest debt on top.
type debtHeap []debtor

func (h debtHeap) Len() int           { return len(h) }
func (h debtHeap) Less(i, j int) bool { return h[i].usd < h[j].usd }
func (h debtHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *debtHeap) Push(x any) { *h = append(*h, x.(debtor)) }

// Pop is for container/heap.
func (h *debtHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
