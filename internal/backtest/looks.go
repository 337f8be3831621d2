package backtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/backtest/history"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// Look is what a watcher sees of an axis at one moment.
type Look struct {
	Observation alerts.Observation
	// Next is the price that the oracle will take and is known already; zero for none.
	Next   decimal.Decimal
	NextAt uint64
}

// at is the moment, unix seconds.
func (l *Look) at() uint64 { return l.Observation.Blocks[0].Time }

// Film is a history as a watcher of some levels saw it, and what was liquidated.
// Rules are run on it as often as one likes.
type Film struct {
	Axis, Reference string
	From, To        uint64
	Levels          []decimal.Decimal
	Looks           []Look
	Incidents       []Incident
}

// FilmOptions are the question.
type FilmOptions struct {
	Axis, Reference string
	From, To        uint64
	Levels          []decimal.Decimal
}

// Shoot replays a history once and keeps, at every change of the price, what
// becomes liquidatable between it and each level: the watcher's own observation.
func Shoot(ctx context.Context, h history.History, opt FilmOptions) (*Film, error) {
	first, last := h.Span()
	if opt.From < first || opt.To > last || opt.To < opt.From {
		return nil, fmt.Errorf("run rules from %s to %s: %w, which runs from %s to %s",
			stamp(opt.From), stamp(opt.To), ErrWindow, stamp(first), stamp(last))
	}
	f := &Film{Axis: opt.Axis, Reference: opt.Reference, From: opt.From, To: opt.To, Levels: opt.Levels}
	c := &camera{film: f, leftOut: h.LeftOut()}
	if err := h.Replay(ctx, opt.From, opt.To, c.step); err != nil {
		return nil, fmt.Errorf("run rules: %w", err)
	}
	f.Incidents = c.incidents.list
	return f, nil
}

// camera makes the film.
type camera struct {
	film      *Film
	leftOut   map[thresholds.Key]string
	recent    []*past
	incidents incidents
}

func (c *camera) step(step *history.Step) error {
	var ladder *thresholds.Ladder
	if step.Priced {
		var err error
		if ladder, err = thresholds.Build(c.film.Axis, c.film.Reference, step.Books()); err != nil {
			return err
		}
		c.film.Reference = ladder.Axis().Reference
	}
	// Accounts are looked up in the looks before this one: after a liquidation they
	// have other triggers.
	for i := range step.Liquidated {
		l := &step.Liquidated[i]
		if _, out := c.leftOut[l.Key]; !out {
			trigger, up, err := c.trigger(l, ladder)
			if err != nil {
				return err
			}
			c.incidents.add(l, trigger, up)
		}
	}
	if !step.Priced {
		return nil
	}
	c.keep(ladder, step.Books())
	look, err := c.look(step, ladder)
	if err != nil {
		return err
	}
	c.film.Looks = append(c.film.Looks, look)
	return nil
}

// keep remembers a look's books.
func (c *camera) keep(l *thresholds.Ladder, books []protocols.Book) {
	p := &past{ladder: l, books: map[string]protocols.Book{}}
	for _, b := range books {
		p.books[b.Market()] = b
	}
	c.recent = append(c.recent, p)
	if len(c.recent) > remembered {
		c.recent = slices.Delete(c.recent, 0, 1)
	}
}

// remembered is how many looks back an account is searched that was healthy before it
// was liquidated.
const remembered = 64

// moment kept to look an account up in.
type past struct {
	ladder *thresholds.Ladder
	books  map[string]protocols.Book
}

// trigger is where the account stood before it was liquidated, and whether it lay
// above the price: as the history says, or as the last look had it at which the
// account was healthy.
func (c *camera) trigger(l *history.Liquidation, now *thresholds.Ladder) (*decimal.Decimal, bool, error) {
	if l.Trigger != nil {
		return l.Trigger, false, nil
	}
	for _, p := range slices.Backward(c.recent) {
		after := now
		now = p.ladder
		b := p.books[l.Key.Market]
		if b == nil {
			continue
		}
		i, ok := b.Find(l.Key.Position)
		if !ok {
			continue
		}
		t, err := p.ladder.Triggers(l.Key.Market, i)
		if err != nil {
			return nil, false, err
		}
		// Of two triggers it met the one on the side that the price went to next.
		switch {
		case t.Down != nil && (t.Up == nil || after == nil || after.Spot().LessThan(p.ladder.Spot())):
			return t.Down, false, nil
		case t.Up != nil:
			return t.Up, true, nil
		}
	}
	return nil, false, nil
}

// Reach is how far from a level, as a part of it, amounts are still looked up: no
// rule may speak from further away.
var Reach = decimal.RequireFromString("0.25")

func (c *camera) look(step *history.Step, l *thresholds.Ladder) (Look, error) {
	number := uint64(len(c.film.Looks) + 1)
	o := alerts.Observation{
		Axis: c.film.Axis, Reference: c.film.Reference, Price: compact(l.Spot()),
		Blocks: []alerts.BlockRef{{Chain: filmChain, Number: number, Time: step.Block.Time}},
		Seen:   time.Unix(int64(step.Block.Time), 0).UTC(),
		Final:  map[string]uint64{filmChain: number},
	}
	m, err := newMoment(step, c.film.Axis, c.film.Reference)
	if err != nil {
		return Look{}, err
	}
	for _, level := range c.film.Levels {
		view := alerts.LevelView{Level: level}
		if !thresholds.Distance(o.Price, level).GreaterThan(Reach) {
			if view.Totals, err = ahead(l, m, level); err != nil {
				return Look{}, err
			}
		}
		o.Levels = append(o.Levels, view)
	}
	look := Look{Observation: o}
	for _, p := range m.books[c.film.Reference].Coming() {
		look.Next = compact(decimal.NewFromBigInt(p.Price.ToBig(), -m.books[c.film.Reference].QuoteDecimals()))
		look.NextAt = p.At
	}
	return look, nil
}

// compact drops trailing zeros: the same number with a smaller coefficient, on which
// the thousands of comparisons to come are faster.
func compact(d decimal.Decimal) decimal.Decimal {
	short, err := decimal.NewFromString(d.String())
	if err != nil {
		return d
	}
	return short
}

// filmChain is the chain that looks are numbered on: one block a look.
const filmChain = "history"

// ahead is what becomes liquidatable between the price and a level: Crossing without
// the triggers of the largest, which nobody reads here.
func ahead(l *thresholds.Ladder, m *moment, level decimal.Decimal) (alerts.Totals, error) {
	var t alerts.Totals
	refs, err := l.Liquidatable(level)
	if err != nil {
		return t, err
	}
	for _, r := range refs {
		k := l.Key(r)
		b := m.books[k.Market]
		if b.Liquidatable(int(r.Position), m.now[k.Market]) {
			continue
		}
		f, err := m.at(k.Market, int(r.Position), level)
		if err != nil {
			return t, err
		}
		t.Accounts++
		t.AtRiskUSD, t.SeizableUSD, t.DebtUSD = t.AtRiskUSD.Add(f.atRisk), t.SeizableUSD.Add(f.seizable), t.DebtUSD.Add(f.debt)
	}
	return t, nil
}
