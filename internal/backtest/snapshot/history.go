package snapshot

import (
	"context"
	"fmt"
	"path/filepath"

	"liqwatch/chains"
	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/notes"
	"liqwatch/internal/backtest/prices"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// History is a snapshot on a path of prices. It is a [history.History].
type History struct {
	axis   string
	books  []*book
	series *prices.Series
	notes  notes.Notes
}

var _ history.History = (*History)(nil)

// Open reads positions; the axis is the one that the series prices.
func Open(path, axis string, series *prices.Series) (*History, error) {
	books, n, err := read(path)
	if err != nil {
		return nil, err
	}
	h := &History{axis: axis, books: books, series: series, notes: n}
	for _, b := range books {
		if _, ok := b.Path(axis); ok {
			return h, nil
		}
	}
	return nil, fmt.Errorf("read positions %s: %w %q in any market", filepath.Base(path), thresholds.ErrNoAxis, axis)
}

// Kind is "snapshot".
func (h *History) Kind() string { return "snapshot" }

// Span is that of the prices.
func (h *History) Span() (from, to uint64) { return h.series.Span() }

// LeftOut is empty: a snapshot's books cannot contradict themselves.
func (h *History) LeftOut() map[thresholds.Key]string { return nil }

// Notes are what was odd.
func (h *History) Notes() []notes.Note { return h.notes.All() }

// Replay moves the positions along the closes of the prices. The first step is the
// snapshot at the price of that time.
func (h *History) Replay(ctx context.Context, from, to uint64, visit func(*history.Step) error) error {
	if tick, ok := h.series.At(from); ok && tick.Time < from {
		tick.Time = from
		if err := visit(h.step(tick)); err != nil {
			return err
		}
	}
	for _, t := range h.series.Between(from, to) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("replay the snapshot: %w", err)
		}
		if err := visit(h.step(t)); err != nil {
			return err
		}
	}
	return nil
}

func (h *History) step(t prices.Tick) *history.Step {
	s := &history.Step{Block: chains.Block{Time: t.Time}, Priced: true}
	var books []protocols.Book
	s.Books = func() []protocols.Book {
		if books == nil {
			for _, b := range h.books {
				books = append(books, h.moved(b, t))
			}
		}
		return books
	}
	return s
}

// moved is a book with the axis at a tick's close.
func (h *History) moved(b *book, t prices.Tick) *book {
	out := *b
	out.block.Time = t.Time
	if p, ok := b.Path(h.axis); ok {
		place := t.Close.Raw(18)
		var at protocols.Prices
		p.At(&place, &at)
		out.prices = at.Raw
	}
	return &out
}
