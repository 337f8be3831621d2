package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
	"liqwatch/thresholds"
)

// board is what chats are shown.
type board struct {
	cfg     *config.Config
	from    *watched
	store   *store.Store
	tracker *alerts.Tracker
}

// openChats makes the listeners of the chats that take commands.
func (d *daemon) openChats(t turn, notifiers map[string]alerts.Notifier, from *watched, tracker *alerts.Tracker) {
	desk := alerts.NewDesk(tracker, d.store, time.Now)
	d.chats = telegram.Listeners(notifiers, desk, &board{t.cfg, from, d.store, tracker}, t.log)
	for _, l := range d.chats {
		l.May = t.lead.Holds
	}
}

// listen answers chats until the context ends.
func (d *daemon) listen(ctx context.Context) {
	var all sync.WaitGroup
	for _, l := range d.chats {
		all.Go(func() { l.Run(ctx) })
	}
	all.Wait()
}

// Status is how the watching stands.
func (b *board) Status(ctx context.Context) (telegram.Status, error) {
	s := telegram.Status{Version: version}
	now := time.Now()
	for _, c := range b.from.engine.Status() {
		age := now.Sub(time.Unix(int64(c.Block.Time), 0))
		s.Chains = append(s.Chains, telegram.ChainStatus{
			Name: c.Chain, Block: c.Block.Number, Age: age, Late: age > staleAfter(b.cfg), Why: b.cfg.Redact(c.Why),
		})
	}
	prices := map[string]decimal.Decimal{}
	for _, r := range rulesNow(b.cfg, b.tracker) {
		if _, known := prices[r.Axis]; !known && r.Axis != "" {
			prices[r.Axis] = b.price(r.Axis)
		}
		s.Rules = append(s.Rules, telegram.RuleStatus{Name: r.Name, Axis: r.Axis, Levels: r.Levels, Price: prices[r.Axis], Watch: r.Watch})
	}
	q, err := b.store.Queue(ctx)
	if err != nil {
		return s, err
	}
	s.Queue = telegram.QueueStatus{Waiting: q.Waiting, Dead: q.Dead}
	if !q.Oldest.IsZero() {
		s.Queue.Oldest = now.Sub(q.Oldest)
	}
	return s, nil
}

// price is that of an axis now; zero when there is none.
func (b *board) price(axis string) decimal.Decimal {
	l, err := b.ladder(axis)
	if err != nil {
		return decimal.Zero
	}
	return l.Spot()
}

func (b *board) ladder(axis string) (*thresholds.Ladder, error) {
	l, err := thresholds.Build(axis, b.cfg.Axes[axis].Reference, b.from.Books())
	if errors.Is(err, thresholds.ErrNoAxis) {
		return nil, fmt.Errorf("no axis %q is watched; there are %s", axis, strings.Join(axesOf(b.cfg), ", "))
	}
	return l, err
}

// Ladder is what comes due along an axis at some prices.
func (b *board) Ladder(_ context.Context, axis string, levels []decimal.Decimal) (telegram.Ladder, error) {
	for _, name := range axesOf(b.cfg) {
		if strings.EqualFold(name, axis) {
			axis = name
		}
	}
	l, err := b.ladder(axis)
	if err != nil {
		return telegram.Ladder{}, err
	}
	out := telegram.Ladder{Axis: axis, Spot: l.Spot()}
	if len(levels) == 0 {
		levels = b.nearLevels(axis, l.Spot())
	}
	for _, level := range levels {
		t, err := l.Stretch(l.Spot(), level)
		if err != nil {
			return out, fmt.Errorf("the ladder of %s at %s: %w", axis, level, err)
		}
		out.Steps = append(out.Steps, telegram.LadderStep{Price: level, Accounts: t.Accounts, AtRiskUSD: t.AtRiskUSD})
	}
	for _, block := range l.Blocks() {
		out.Age = max(out.Age, time.Since(time.Unix(int64(block.Time), 0)))
	}
	out.Sketch, err = watch.Sketch(l, levels)
	return out, err
}

// nearLevels are those of the rules on an axis that are nearest to the price, and
// where there are none, a few steps below it and one above.
func (b *board) nearLevels(axis string, spot decimal.Decimal) []decimal.Decimal {
	const most = 6
	var out []decimal.Decimal
	for _, r := range rulesNow(b.cfg, b.tracker) {
		for _, level := range r.Levels {
			if r.Axis == axis && !slices.ContainsFunc(out, level.Equal) && !level.Equal(spot) {
				out = append(out, level)
			}
		}
	}
	if len(out) == 0 {
		for _, part := range []string{"0.8", "0.9", "0.95", "0.98", "1.05"} {
			out = append(out, spot.Mul(decimal.RequireFromString(part)).Round(2))
		}
	}
	slices.SortStableFunc(out, func(a, b decimal.Decimal) int { return a.Sub(spot).Abs().Cmp(b.Sub(spot).Abs()) })
	out = out[:min(len(out), most)]
	slices.SortFunc(out, func(a, b decimal.Decimal) int { return b.Cmp(a) })
	return out
}
