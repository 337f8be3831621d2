// Package recording replays a recording of real markets, block by block, through
// the watcher's own pass.
package recording

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/notes"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// Pass is what one block brought, as the watcher's pass left it.
type Pass struct {
	Block        chains.Block
	Books        []protocols.Book // of all markets on all chains
	Liquidations []protocols.Liquidation
}

// Player plays a recording from its start.
type Player interface {
	// Next is the next block, false at the end.
	Next(ctx context.Context) (Pass, bool, error)
	Close() error
}

// Opener starts a recording from its beginning. A history is played more than once.
type Opener func(ctx context.Context) (Player, error)

// ErrEmpty: a recording without a block.
var ErrEmpty = errors.New("the recording holds no block")

// History is a recording. It is a [history.History].
type History struct {
	open     Opener
	from, to uint64
	notes    notes.Notes
}

var _ history.History = (*History)(nil)

// New plays the recording once to learn its span.
func New(ctx context.Context, open Opener) (*History, error) {
	h := &History{open: open}
	err := h.play(ctx, func(p Pass) error {
		if h.from == 0 {
			h.from = p.Block.Time
		}
		h.to = max(h.to, p.Block.Time)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if h.from == 0 {
		return nil, fmt.Errorf("replay the recording: %w", ErrEmpty)
	}
	return h, nil
}

func (h *History) play(ctx context.Context, visit func(Pass) error) (err error) {
	p, err := h.open(ctx)
	if err != nil {
		return fmt.Errorf("replay the recording: %w", err)
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for {
		pass, more, err := p.Next(ctx)
		if err != nil {
			return fmt.Errorf("replay the recording: %w", err)
		}
		if !more {
			return nil
		}
		if err := visit(pass); err != nil {
			return err
		}
	}
}

// Kind is "recording".
func (h *History) Kind() string { return "recording" }

// Span is the first and last block's time.
func (h *History) Span() (from, to uint64) { return h.from, h.to }

// LeftOut is empty: a recording's books are the contracts' own.
func (h *History) LeftOut() map[thresholds.Key]string { return nil }

// Notes are what was odd.
func (h *History) Notes() []notes.Note { return h.notes.All() }

// Replay streams the blocks: the last one at or before from is the first step.
func (h *History) Replay(ctx context.Context, from, to uint64, visit func(*history.Step) error) error {
	h.notes = notes.Notes{}
	r := &replay{h: h, visit: visit, from: from, to: to, known: map[thresholds.Key]bool{}}
	if err := h.play(ctx, r.pass); err != nil {
		return err
	}
	return r.start()
}

// replay turns passes into steps.
type replay struct {
	h        *History
	visit    func(*history.Step) error
	from, to uint64
	held     *Pass // the newest block not after from
	started  bool
	before   map[string]protocols.Book
	known    map[thresholds.Key]bool
	legs     map[thresholds.Key][]protocols.Leg
}

func (r *replay) pass(p Pass) error {
	switch {
	case p.Block.Time > r.to:
		return nil
	case p.Block.Time <= r.from:
		r.learn(&p)
		r.held = &p
		return nil
	}
	if err := r.start(); err != nil {
		return err
	}
	step := &history.Step{Block: p.Block, Priced: true, Books: func() []protocols.Book { return p.Books }}
	taken := map[thresholds.Key]bool{}
	for i := range p.Liquidations {
		l := r.liquidation(&p.Liquidations[i], p.Block.Time)
		taken[l.Key] = true
		step.Liquidated = append(step.Liquidated, l)
	}
	step.Acted = r.acted(&p, taken)
	r.learn(&p)
	return r.visit(step)
}

// start visits the state as of from, once.
func (r *replay) start() error {
	if r.started || r.held == nil {
		return nil
	}
	r.started = true
	books := r.held.Books
	return r.visit(&history.Step{Block: r.held.Block, Priced: true, Books: func() []protocols.Book { return books }})
}

// learn keeps a block's books and legs to compare the next with.
func (r *replay) learn(p *Pass) {
	r.before, r.legs = map[string]protocols.Book{}, map[thresholds.Key][]protocols.Leg{}
	for _, b := range p.Books {
		r.before[b.Market()] = b
		for i := range b.Len() {
			k := thresholds.Key{Market: b.Market(), Position: b.ID(i)}
			r.known[k], r.legs[k] = true, b.Position(i).Legs
		}
	}
}

// acted are positions whose stored amounts changed without a liquidation. Accrual
// changes none: amounts are compared as the chain stores them.
func (r *replay) acted(p *Pass, taken map[thresholds.Key]bool) []thresholds.Key {
	var out []thresholds.Key
	open := map[thresholds.Key]bool{}
	for _, b := range p.Books {
		for i := range b.Len() {
			k := thresholds.Key{Market: b.Market(), Position: b.ID(i)}
			open[k] = true
			if old, ok := r.legs[k]; ok && !taken[k] && !sameLegs(old, b.Position(i).Legs) {
				out = append(out, k)
			}
		}
	}
	for k := range r.legs {
		if !open[k] && !taken[k] {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b thresholds.Key) int {
		if a.Market != b.Market {
			return cmpString(a.Market, b.Market)
		}
		return cmpString(a.Position, b.Position)
	})
	return out
}

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func sameLegs(a, b []protocols.Leg) bool {
	return slices.EqualFunc(a, b, func(x, y protocols.Leg) bool {
		return x.Asset == y.Asset && x.Side == y.Side && x.Raw == y.Raw && x.Counts == y.Counts
	})
}

// liquidation values an executed one at the block's own prices.
func (r *replay) liquidation(l *protocols.Liquidation, at uint64) history.Liquidation {
	k := thresholds.Key{Market: l.Market, Position: l.Position}
	out := history.Liquidation{Key: k, Time: at, Known: r.known[k], Line: fmt.Sprintf("block %d log %d", l.Block, l.LogIndex)}
	b := r.before[l.Market]
	if b == nil {
		return out
	}
	if i, ok := b.Find(l.Position); ok {
		out.Key.Position, out.Known = b.ID(i), true
	}
	usd := b.Prices()
	if l.RepaidQuote != nil {
		out.DebtUSD = usd.USD(&l.RepaidQuote.Raw, l.RepaidQuote.Decimals)
	} else {
		r.h.notes.Add(notes.Assumption, "executed debts without a price count as zero USD", out.Line)
	}
	if l.SeizedQuote != nil {
		d := usd.USD(&l.SeizedQuote.Raw, l.SeizedQuote.Decimals)
		out.CollateralUSD = ptr(d)
	}
	return out
}

func ptr(d decimal.Decimal) *decimal.Decimal { return &d }
