package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/notes"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// BandOptions are the question: what the bands said at one moment.
type BandOptions struct {
	Axis      string
	Reference string // market whose oracle names the price; empty takes the first
	// Snapshot is the moment of the bands, To the end of what is scored against them;
	// unix seconds.
	Snapshot, To uint64
	// Edges cuts the ladder of the snapshot into bands.
	Edges func(*thresholds.Ladder) ([]decimal.Decimal, error)
	// MinDebtUSD leaves smaller debts out: nobody liquidates dust.
	MinDebtUSD decimal.Decimal
	// Hours, when set, receives every account at every change of the price.
	Hours func(AccountHour) error
}

// What can be wrong with the question.
var (
	// ErrWindow: a window outside of the history.
	ErrWindow = errors.New("outside of the history")
	// ErrNoBooks: no positions at the snapshot.
	ErrNoBooks = errors.New("no positions at the snapshot")
)

// ScoreBands makes the bands of the snapshot as the watcher would have shown them,
// then runs history and sees what became of every account in them.
func ScoreBands(ctx context.Context, h history.History, opt BandOptions) (*BandReport, error) {
	first, last := h.Span()
	if opt.Snapshot < first || opt.To > last || opt.To < opt.Snapshot {
		return nil, fmt.Errorf("score bands from %s to %s: %w, which runs from %s to %s",
			stamp(opt.Snapshot), stamp(opt.To), ErrWindow, stamp(first), stamp(last))
	}
	s := &bandScorer{h: h, opt: opt, leftOut: h.LeftOut(), byKey: map[thresholds.Key][]*account{}, seen: map[thresholds.Key]bool{}}
	if err := h.Replay(ctx, opt.Snapshot, opt.To, s.step); err != nil {
		return nil, fmt.Errorf("score bands: %w", err)
	}
	if s.report == nil {
		return nil, fmt.Errorf("score bands: %w", ErrNoBooks)
	}
	return s.finish(), nil
}

// bandScorer follows the accounts of one snapshot through a history.
type bandScorer struct {
	h       history.History
	opt     BandOptions
	leftOut map[thresholds.Key]string
	report  *BandReport
	// accounts in bands, and all of the snapshot by key with those left out for dust.
	accounts []*account
	byKey    map[thresholds.Key][]*account
	seen     map[thresholds.Key]bool // of the snapshot, in a band or not
	dust     map[thresholds.Key]bool
	errors   []decimal.Decimal // of triggers at liquidation
	notes    notes.Notes
	before   []protocols.Book // of the step before
}

func (s *bandScorer) step(step *history.Step) error {
	if s.report == nil {
		return s.snapshot(step)
	}
	for _, k := range step.Acted {
		for _, a := range s.byKey[k] {
			a.acted(step.Block.Time)
		}
	}
	m, err := newMoment(step, s.opt.Axis, s.report.Reference)
	if err != nil {
		return err
	}
	for i := range step.Liquidated {
		l := step.Liquidated[i]
		if l.Price == nil {
			l.Price = &m.price
		}
		if err := s.liquidated(&l); err != nil {
			return err
		}
	}
	s.report.see(step.Block.Time, m.price)
	for _, a := range s.accounts {
		if err := a.look(step.Block.Time, m); err != nil {
			return err
		}
	}
	s.before = step.Books()
	if s.opt.Hours != nil && step.Priced {
		return s.hours(step)
	}
	return nil
}

// snapshot cuts the first step's books into bands.
func (s *bandScorer) snapshot(step *history.Step) error {
	books := step.Books()
	l, err := thresholds.Build(s.opt.Axis, s.opt.Reference, books)
	if err != nil {
		return err
	}
	edges, err := s.opt.Edges(l)
	if err != nil {
		return err
	}
	s.dust, s.before = map[thresholds.Key]bool{}, books
	s.report = newBandReport(s.opt, l, edges)
	s.report.LeftOut.Inconsistent = len(s.leftOut)
	m, err := newMoment(step, s.opt.Axis, l.Axis().Reference)
	if err != nil {
		return err
	}
	s.report.see(step.Block.Time, m.price)
	for _, b := range books {
		for i := range b.Len() {
			if err := s.take(l, m, b.Market(), i); err != nil {
				return err
			}
		}
	}
	return nil
}

// take sorts one position of the snapshot into its bands.
func (s *bandScorer) take(l *thresholds.Ladder, m *moment, market string, i int) error {
	b := m.books[market]
	k := thresholds.Key{Market: market, Position: b.ID(i)}
	s.seen[k] = true
	now := m.figures(market, i, m.now[market])
	switch {
	case b.Unpriced(i):
		s.report.Unpriced++
		return nil
	case now.debt.LessThan(s.opt.MinDebtUSD):
		s.dust[k] = true
		s.report.LeftOut.Dust++
		return nil
	case now.liquidatable:
		s.report.LiquidatableAtSnapshot++
		return nil
	}
	s.report.Accounts++
	t, err := l.Triggers(market, i)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		direction string
		trigger   *decimal.Decimal
	}{{Down, t.Down}, {Up, t.Up}} {
		if side.trigger == nil {
			continue
		}
		band := s.report.band(side.direction, *side.trigger)
		if band < 0 {
			continue
		}
		at, err := m.at(market, i, *side.trigger)
		if err != nil {
			return err
		}
		a := &account{AccountScore: AccountScore{
			Market: market, Position: k.Position, Direction: side.direction, Band: band,
			Trigger: *side.trigger, DebtUSD: now.debt, AtRiskUSD: at.atRisk, SeizableUSD: at.seizable,
		}, debtAtTrigger: at.debt}
		s.accounts = append(s.accounts, a)
		s.byKey[k] = append(s.byKey[k], a)
	}
	return nil
}

// liquidated books an executed liquidation on its account, or says why it has none.
func (s *bandScorer) liquidated(l *history.Liquidation) error {
	s.report.Executed.add(l)
	if l.Error != nil && s.leftOut[l.Key] == "" {
		s.errors = append(s.errors, *l.Error)
	}
	accounts := s.byKey[l.Key]
	if err := s.judge(l, accounts); err != nil {
		return err
	}
	for _, a := range accounts {
		a.liquidated(l)
	}
	if l.Above && s.leftOut[l.Key] == "" {
		s.notes.Add(notes.AboveTrigger, "accounts liquidated while our predicate says healthy at the oracle's price",
			fmt.Sprintf("%s %s at %s: trigger %s, price %s", l.Key.Position, l.Line, stamp(l.Time), l.Trigger.StringFixed(2), l.Price.StringFixed(2)))
	}
	if len(accounts) > 0 {
		return nil
	}
	o := &s.report.Outside
	switch {
	case s.leftOut[l.Key] != "":
		o.Inconsistent.add(l)
	case s.dust[l.Key]:
		o.Dust.add(l)
	case s.seen[l.Key]:
		o.OtherBand.add(l)
	case l.Known:
		o.OpenedLater.add(l)
	default:
		o.Unseen.add(l)
		s.notes.Add(notes.Unseen, "liquidations of accounts never seen", l.Key.Position+" "+l.Line)
	}
	return nil
}

// judge holds our trigger against a liquidation whose amounts imply none: it is off by
// as much as the oracle's price still was on the healthy side of it. Zero when our
// predicate had said liquidatable, or says so at this price.
func (s *bandScorer) judge(l *history.Liquidation, accounts []*account) error {
	if l.Trigger != nil || len(accounts) == 0 || accounts[0].Liquidations > 0 {
		return nil
	}
	off := decimal.Zero
	if !slices.ContainsFunc(accounts, func(a *account) bool { return a.since != 0 }) {
		ladder, err := thresholds.Build(s.opt.Axis, s.report.Reference, s.before)
		if err != nil {
			return err
		}
		if off, err = missing(ladder, s.before, l); err != nil {
			return err
		}
	}
	s.errors = append(s.errors, off)
	if off.IsPositive() {
		s.notes.Add(notes.AboveTrigger, "accounts liquidated while the oracle's price had not come to our trigger",
			fmt.Sprintf("%s %s: %s %% away", l.Key.Position, l.Line, off.Shift(2).StringFixed(3)))
	}
	return nil
}

// missing is how far the price of a liquidation is from the nearest trigger that the
// account had before, as a part of it; zero when it is past one.
func missing(ladder *thresholds.Ladder, books []protocols.Book, l *history.Liquidation) (decimal.Decimal, error) {
	nearest := decimal.Zero
	for _, b := range books {
		i, ok := b.Find(l.Key.Position)
		if b.Market() != l.Key.Market || !ok {
			continue
		}
		t, err := ladder.Triggers(b.Market(), i)
		if err != nil {
			return nearest, err
		}
		if t.Down != nil && l.Price.LessThanOrEqual(*t.Down) || t.Up != nil && l.Price.GreaterThanOrEqual(*t.Up) {
			return decimal.Zero, nil
		}
		for _, trigger := range []*decimal.Decimal{t.Down, t.Up} {
			if trigger == nil {
				continue
			}
			if d := thresholds.Distance(*l.Price, *trigger); nearest.IsZero() || d.LessThan(nearest) {
				nearest = d
			}
		}
	}
	return nearest, nil
}

// finish gives every account its class and adds up.
func (s *bandScorer) finish() *BandReport {
	r := s.report
	for _, a := range s.accounts {
		a.settle(r.Bands[a.Band].reached(r, a.Trigger))
		r.Bands[a.Band].add(a)
		if a.Outcome == Untouched {
			s.notes.Add("untouched", "accounts that the price passed and nobody touched", a.Position+": "+a.Explanation)
		}
	}
	slices.SortStableFunc(s.accounts, func(a, b *account) int { return b.Trigger.Cmp(a.Trigger) })
	for _, a := range s.accounts {
		r.PerAccount = append(r.PerAccount, a.AccountScore)
	}
	r.TriggerError = newErrorStats(s.errors)
	r.total()
	if r.Crossed == 0 {
		s.notes.Add("no-crossing", "the price crossed no band in this window: nothing can be said of these bands", "")
	}
	r.History = s.h.Kind()
	r.NoteList = append(s.h.Notes(), s.notes.All()...)
	return r
}
