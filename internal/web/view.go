package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// snapshot is what the source said last.
type snapshot struct {
	books  []protocols.Book
	chains []ChainState
	blocks []chains.Block // of the books, in their order
}

// view is the ladder of one axis, with all that is read off it. Nothing changes it.
type view struct {
	revision uint64
	made     time.Time
	ladder   *thresholds.Ladder
	present  *thresholds.Present
	cut      *thresholds.Map
	walls    []thresholds.Wall
	largest  []account
	books    []protocols.Book

	answered answered
	sums     sync.Once // see whole
	summed   atomic.Bool
	full     *thresholds.Map
	parts    map[string][]thresholds.MarketTotals // of the sums at every edge
	sumsErr  error
}

// views are the ladders that somebody looks at.
type views struct {
	s *Server

	mu       sync.Mutex
	now      snapshot
	lookedAt time.Time
	revision uint64
	axes     map[string]*axisView

	building sync.Mutex // one ladder at a time: the watcher needs the other core
	questions
}

type axisView struct {
	view    *view
	err     error
	of      snapshot
	asked   time.Time
	nextAt  time.Time // not built again before
	idleAt  time.Time // the same while nobody looks
	running bool
	ready   chan struct{} // closed when the first is there
}

// dutyCycle bounds what viewers cost the watcher: after a ladder took t to build,
// it is not built again for this many times t.
const dutyCycle = 12

// Configured axes are built anew although nobody looks, so that whoever comes first
// need not wait: seldom enough to be a hundredth of one processor.
const (
	idleCycle = 100
	idleLeast = time.Minute
	mostIdle  = 4 // axes
)

// mostAxes are kept; the one not asked for longest makes place.
const mostAxes = 16

func newViews(s *Server) *views { return &views{s: s, axes: map[string]*axisView{}} }

// take looks at the source. It reports whether anything moved.
func (v *views) take() bool {
	now := snapshot{books: v.s.opt.Source.Books(), chains: v.s.opt.Source.Chains()}
	for _, b := range now.books {
		now.blocks = append(now.blocks, b.Block())
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	moved := !slices.Equal(now.blocks, v.now.blocks) || len(now.chains) != len(v.now.chains)
	for i := range now.chains {
		moved = moved || now.chains[i].Why != v.now.chains[i].Why || now.chains[i].Block != v.now.chains[i].Block
	}
	v.now, v.lookedAt = now, time.Now()
	if moved {
		v.revision++
	}
	return moved
}

func (v *views) snapshot() snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// looked is when the source was last looked at.
func (v *views) looked() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lookedAt
}

// errStarting: there is nothing to show yet.
var errStarting = errors.New("the first pass has not ended: no position is known yet")

// errBusy: more is asked than can be answered.
var errBusy = problem{http.StatusServiceUnavailable, "busy", "too much is asked at once: ask again in a few seconds"}

// get is the newest ladder of an axis that there is. The first is waited for; a
// newer one is begun in the background when the books have moved.
func (v *views) get(axis string) (*view, error) {
	a, err := v.begin(axis, false)
	if err != nil {
		return nil, err
	}
	<-a.ready
	v.mu.Lock()
	defer v.mu.Unlock()
	return a.view, a.err
}

// warm has the ladders of configured axes built at the start and now and then.
func (v *views) warm(axes []string) {
	for _, axis := range axes[:min(len(axes), mostIdle)] {
		_, _ = v.begin(axis, true) // an axis that no market has is told to those who ask for it
	}
}

// begin has a newer ladder built in the background when the books have moved and it is time.
func (v *views) begin(axis string, idle bool) (*axisView, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.now.books) == 0 {
		return nil, errStarting
	}
	a := v.axes[axis]
	if a == nil {
		if !known(v.now.books, axis) {
			return nil, fmt.Errorf("%w %q: the markets have %s", thresholds.ErrNoAxis, short(axis, 40), axesOf(v.now.books))
		}
		if !v.evict() {
			return nil, errBusy
		}
		a = &axisView{ready: make(chan struct{})}
		v.axes[axis] = a
	}
	now, next := time.Now(), a.nextAt
	if a.asked = now; idle {
		next = a.idleAt
	}
	if !a.running && now.After(next) && (a.view == nil || !slices.Equal(a.of.blocks, v.now.blocks)) {
		a.running = true
		go v.build(axis, a, v.now)
	}
	return a, nil
}

// evict makes place for one more axis; false when all are being built.
func (v *views) evict() bool {
	if len(v.axes) < mostAxes {
		return true
	}
	oldest := ""
	for name, a := range v.axes {
		if !a.running && (oldest == "" || a.asked.Before(v.axes[oldest].asked)) {
			oldest = name
		}
	}
	delete(v.axes, oldest)
	return oldest != ""
}

func (v *views) build(axis string, a *axisView, of snapshot) {
	v.building.Lock()
	start := time.Now()
	made, err := v.s.build(axis, of)
	took := time.Since(start)
	v.building.Unlock()
	v.mu.Lock()
	v.revision++
	if err == nil {
		made.revision = v.revision
		a.view = made
	}
	a.err, a.of, a.running = err, of, false
	a.nextAt, a.idleAt = time.Now().Add(dutyCycle*took), time.Now().Add(max(idleLeast, idleCycle*took))
	select {
	case <-a.ready:
	default:
		close(a.ready)
	}
	v.mu.Unlock()
	v.s.meter.built(axis, took)
	v.s.hub.tell("ladder " + axis)
}

// build reads everything off one ladder.
func (s *Server) build(axis string, of snapshot) (*view, error) {
	l, err := thresholds.Build(axis, s.opt.References[axis], of.books)
	if err != nil {
		return nil, fmt.Errorf("build the ladder: %w", err)
	}
	v := &view{made: s.opt.Now(), ladder: l, present: l.Present(), books: of.books}
	edges, err := l.StepEdges(pageStep(l.Spot()))
	if err != nil {
		return nil, fmt.Errorf("cut the ladder: %w", err)
	}
	edges = append(edges, s.levels(axis)...)
	if v.cut, v.walls, err = l.MapAndWalls(edges, thresholds.MapOptions{BandsOnly: true}, thresholds.WallOptions{}); err != nil {
		return nil, fmt.Errorf("cut the ladder: %w", err)
	}
	v.largest = largestOf(v.cut, of.books, mostAccounts)
	return v, nil
}

// levels are those of all rules on an axis.
func (s *Server) levels(axis string) []decimal.Decimal {
	var out []decimal.Decimal
	for _, r := range s.opt.Rules() {
		if r.Axis == axis {
			out = append(out, r.Levels...)
		}
	}
	slices.SortFunc(out, decimal.Decimal.Compare)
	return slices.CompactFunc(out, decimal.Decimal.Equal)
}

// pageStep is at most a fortieth of the price, and 1, 2, 2.5 or 5 with zeros: bands
// high enough to point at.
func pageStep(spot decimal.Decimal) decimal.Decimal {
	most := spot.Div(decimal.NewFromInt(40))
	power := decimal.New(1, int32(most.NumDigits())+most.Exponent()-1)
	for _, k := range []decimal.Decimal{decimal.NewFromInt(5), decimal.New(25, -1), decimal.NewFromInt(2)} {
		if step := power.Mul(k); step.LessThanOrEqual(most) {
			return step
		}
	}
	return power
}

// whole is the map with what is liquidatable at every edge, made when somebody
// first wants it: it costs more than all the rest of a view.
func (v *view) whole() (*thresholds.Map, error) {
	v.sums.Do(func() {
		m := *v.cut
		v.parts = map[string][]thresholds.MarketTotals{}
		for _, b := range m.Bands {
			edge := outer(b)
			if edge == nil {
				continue
			}
			t, byMarket, err := v.ladder.AtByMarket(*edge)
			if v.sumsErr = err; err != nil {
				return
			}
			v.parts[edge.String()] = byMarket
			if b.Direction == "down" {
				m.Down = append(m.Down, thresholds.Edge{Price: *edge, Totals: t})
			} else {
				m.Up = append(m.Up, thresholds.Edge{Price: *edge, Totals: t})
			}
		}
		v.full = &m
	})
	v.summed.Store(true)
	return v.full, v.sumsErr
}

// known reports that some market has the axis.
func known(books []protocols.Book, axis string) bool {
	return slices.ContainsFunc(books, func(b protocols.Book) bool { _, ok := b.Path(axis); return ok })
}
