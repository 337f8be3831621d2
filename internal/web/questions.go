package web

import (
	"sync"
	"sync/atomic"

	"github.com/shopspring/decimal"

	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// questions are what is asked of ladders at other prices, one at a time: each takes
// all processors, and the watcher needs them too.
type questions struct {
	asking  sync.Mutex
	waiting atomic.Int32
}

// mostWaiting questions wait for their turn; more are refused.
const mostWaiting = 64

// ask answers when it is its turn.
func (q *questions) ask(answer func() error) error {
	defer q.waiting.Add(-1)
	if q.waiting.Add(1) > mostWaiting {
		return errBusy
	}
	q.asking.Lock()
	defer q.asking.Unlock()
	return answer()
}

// answered are totals that were asked for lately, by price: those of the rules' levels
// are read at every scrape of the metrics.
type answered struct {
	mu  sync.Mutex
	all map[string]thresholds.Totals
}

func (a *answered) get(price string) (thresholds.Totals, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.all[price]
	return t, ok
}

func (a *answered) put(price string, t thresholds.Totals) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil || len(a.all) >= mostLevels {
		a.all = map[string]thresholds.Totals{}
	}
	a.all[price] = t
}

// at is what is liquidatable at a price.
func (v *views) at(of *view, price decimal.Decimal) (t thresholds.Totals, err error) {
	if known, ok := of.answered.get(price.String()); ok {
		return known, nil
	}
	err = v.ask(func() error {
		if t, err = of.ladder.At(price); err == nil {
			of.answered.put(price.String(), t)
		}
		return err
	})
	return t, err
}

// joint moves several axes at once.
func (v *views) joint(of *view, moves []protocols.Move) (r *thresholds.StressResult, err error) {
	err = v.ask(func() error {
		r, err = of.present.Stress(moves, nil)
		return err
	})
	return r, err
}

// cut is the map with what is liquidatable at every edge, cut at edges .
func (v *views) cut(of *view, edges []decimal.Decimal) (m *thresholds.Map, err error) {
	err = v.ask(func() error {
		m, err = of.ladder.Map(edges, thresholds.MapOptions{})
		return err
	})
	return m, err
}

// whole is the view's own map with what is liquidatable at every edge.
func (v *views) whole(of *view) (m *thresholds.Map, err error) {
	if of.summed.Load() {
		return of.whole()
	}
	err = v.ask(func() error {
		m, err = of.whole()
		return err
	})
	return m, err
}
