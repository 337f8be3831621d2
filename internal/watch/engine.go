package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// Tracker decides about alerts and keeps what it decided.
type Tracker interface {
	Observe(ctx context.Context, o alerts.Observation) (alerts.Outcome, error)
	Undo(ctx context.Context, chain string, ancestor uint64, now time.Time) error
	Pulse(ctx context.Context, now time.Time, sources []alerts.Source) ([]alerts.Alert, error)
	Faults(ctx context.Context, now time.Time, markets []string, faults []alerts.Fault) ([]alerts.Alert, error)
	Seen(chain string) []alerts.BlockRef
	SetLevels(rule string, levels []decimal.Decimal) error
	WatchedLevels(rule string) []decimal.Decimal
	BusyLevels(rule string) []decimal.Decimal
	Read(ctx context.Context, looks []alerts.Readings) (alerts.Outcome, error)
	Episodes(rule string) []alerts.Episode
}

// Engine puts the books of all chains side by side and shows them to the rules.
type Engine struct {
	tracker Tracker
	rules   []alerts.Rule
	// References names, by axis, the market whose oracle names the price.
	References map[string]string
	// Now is the clock that ages are told by.
	Now func() time.Time
	// Past is what is kept of earlier times, for rules that look back; nil keeps nothing.
	Past Past
	log  zerolog.Logger

	mu     sync.Mutex
	chains map[string]*chainState
	priced map[string]time.Time // by axis: when it last had a price
	walls  map[string]*wallRule // by rule: those whose levels are the ladder's walls

	gauges  []*gaugeRule
	ladders map[string]*thresholds.Ladder // of this pass, by axis
	counted map[string]*census            // by market
	since   time.Time                     // when watching began
}

// chainState is what one chain's last passes brought.
type chainState struct {
	tried   bool // the first pass has ended, well or not
	books   []protocols.Book
	block   chains.Block
	final   uint64
	undo    *uint64 // ancestor of a reorg that the rules have not been told of yet
	blockAt time.Time
	clocked bool // its blocks follow the clock of the world
	bookAt  map[string]fedAt
	unread  map[string]unread       // markets without a book
	spots   map[string]SpotPrice    // by axis
	why     string                  // the last pass failed because
	done    []protocols.Liquidation // not kept yet
}

// NewEngine watches the chains named with the rules.
func NewEngine(tracker Tracker, rules []alerts.Rule, names []string, log zerolog.Logger) *Engine {
	e := &Engine{
		tracker: tracker, rules: rules, References: map[string]string{}, Now: time.Now,
		log: log.With().Str("component", "engine").Logger(), chains: map[string]*chainState{},
		priced: map[string]time.Time{}, walls: map[string]*wallRule{}, counted: map[string]*census{},
	}
	for _, n := range names {
		e.chains[n] = &chainState{blockAt: e.Now()}
	}
	return e
}

// Seen is what the rules remember of a chain, newest first: after a restart the
// newest that is still part of the chain is where they go back to.
func (e *Engine) Seen(chain string) []alerts.BlockRef { return e.tracker.Seen(chain) }

// Undo makes the rules forget a chain's blocks above the ancestor before they look again.
func (e *Engine) Undo(chain string, ancestor uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.chains[chain].lower(ancestor)
}

// hold keeps the liquidations of a pass that read its logs and then failed: the next
// one does not read them again.
func (e *Engine) hold(chain string, done []protocols.Liquidation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.chains[chain].done = append(e.chains[chain].done, done...)
}

func (c *chainState) lower(ancestor uint64) {
	if c.undo == nil || ancestor < *c.undo {
		c.undo = &ancestor
	}
	c.done = slices.DeleteFunc(c.done, func(l protocols.Liquidation) bool { return l.Block > ancestor })
}

// Take takes over the books of one chain and shows them to the rules. It commits
// what follows before it returns; on an error it can be called again.
func (e *Engine) Take(ctx context.Context, chain string, out Outcome, f *Follower) ([]alerts.Alert, error) {
	books, final := f.Books(), f.final.Number
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.chains[chain]
	c.tried, c.books, c.block, c.final, c.blockAt = true, books, out.Block, final, e.Now()
	c.why, c.spots, c.clocked = "", f.Spots(), keepsTime(f.can.ChainID)
	c.feed(books, e.Now())
	c.leave(out, books, e.Now())
	if out.Undone {
		c.lower(out.Ancestor.Number)
	}
	c.done = append(c.done, out.Liquidations...)
	made, err := e.tellFaults(ctx, books)
	if err != nil {
		return nil, err
	}
	if err := e.undo(ctx, chain, c); err != nil {
		return made, err
	}
	if err := e.keepLiquidations(ctx, chain, c); err != nil {
		return made, err
	}
	seen, err := e.look(ctx, chain)
	return append(made, seen...), err
}

// look shows the rules the axes, and the numbers of the chain that moved, once every
// chain has had its turn: half a market would make a band look small.
func (e *Engine) look(ctx context.Context, chain string) ([]alerts.Alert, error) {
	for _, c := range e.chains {
		if !c.tried {
			return nil, nil
		}
	}
	if e.since.IsZero() {
		e.since = e.Now()
	}
	e.ladders = map[string]*thresholds.Ladder{}
	defer func() { e.ladders = nil }()
	made, err := e.observe(ctx)
	if err != nil {
		return made, err
	}
	read, err := e.readGauges(ctx, chain)
	return append(made, read...), err
}

// undo tells the rules of a reorg. One that reaches back further than they
// remember leaves them as they are: nothing known is thrown away.
func (e *Engine) undo(ctx context.Context, chain string, c *chainState) error {
	if c.undo == nil {
		return nil
	}
	if e.Past != nil {
		if err := e.Past.UndoLiquidations(ctx, chain, *c.undo); err != nil {
			return fmt.Errorf("take back the liquidations that the reorg of %s undid: %w", chain, err)
		}
	}
	err := e.tracker.Undo(ctx, chain, *c.undo, e.Now())
	switch {
	case errors.Is(err, alerts.ErrTooDeep):
		e.log.Error().Err(err).Str("chain", chain).Msg("reorg deeper than what the rules remember: they go on from where they are")
	case err != nil:
		return fmt.Errorf("take back what the reorg of %s undid: %w", chain, err)
	}
	c.undo = nil
	return nil
}

// keepLiquidations keeps those that really happened.
func (e *Engine) keepLiquidations(ctx context.Context, chain string, c *chainState) error {
	if len(c.done) == 0 {
		return nil
	}
	if e.Past != nil {
		if err := e.Past.SaveLiquidations(ctx, chain, time.Unix(int64(c.block.Time), 0), c.done, e.usd); err != nil {
			return fmt.Errorf("keep the liquidations of %s: %w", chain, err)
		}
	}
	c.done = nil
	return nil
}

// observe looks along every axis that a rule watches.
func (e *Engine) observe(ctx context.Context) ([]alerts.Alert, error) {
	var made []alerts.Alert
	for _, axis := range e.axes() {
		o, ladder, err := Observe(e.lookAlong(axis))
		if errors.Is(err, thresholds.ErrNoAxis) {
			e.log.Error().Err(err).Str("axis", axis).Msg("no price to watch")
			if _, ok := e.priced[axis]; !ok {
				e.priced[axis] = e.Now() // the silence counts from the first look
			}
			continue
		}
		if err != nil {
			return made, err
		}
		e.priced[axis], e.ladders[axis] = e.Now(), ladder
		out, err := e.tracker.Observe(ctx, o)
		if err != nil {
			return made, fmt.Errorf("apply the rules of %s: %w", axis, err)
		}
		made = append(made, out.Alerts...)
		if err := e.followWalls(axis, ladder); err != nil {
			return made, err
		}
	}
	return made, nil
}

func (e *Engine) lookAlong(axis string) Look {
	l := Look{Axis: axis, Reference: e.References[axis], Levels: e.levels(axis), Final: map[string]uint64{}, Seen: e.Now()}
	for name, c := range e.chains {
		if s, ok := c.spots[axis]; ok {
			l.Market = s.Price
		}
		l.Books = append(l.Books, c.books...)
		l.Final[name] = c.final
	}
	return l
}

func (e *Engine) axes() []string {
	var out []string
	for _, r := range e.rules {
		if r.Gauge == "" && !slices.Contains(out, r.Axis) {
			out = append(out, r.Axis)
		}
	}
	return out
}

// levels are those of all rules on an axis, each once.
func (e *Engine) levels(axis string) []decimal.Decimal {
	var out []decimal.Decimal
	for _, r := range e.rules {
		if r.Axis != axis {
			continue
		}
		levels := r.Levels
		if w := e.walls[r.Name]; w != nil {
			levels = w.levels
		}
		for _, l := range levels {
			if !slices.ContainsFunc(out, l.Equal) {
				out = append(out, l)
			}
		}
	}
	slices.SortFunc(out, decimal.Decimal.Compare)
	return out
}

// Books are the newest of all chains, by chain and market name.
func (e *Engine) Books() []protocols.Book {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []protocols.Book
	for _, c := range e.chains {
		out = append(out, c.books...)
	}
	slices.SortFunc(out, func(a, b protocols.Book) int {
		return cmp.Or(cmp.Compare(a.Chain(), b.Chain()), cmp.Compare(a.Market(), b.Market()))
	})
	return out
}

// tellFaults tells what is wrong with books, once for as long as it lasts.
func (e *Engine) tellFaults(ctx context.Context, books []protocols.Book) ([]alerts.Alert, error) {
	var names []string
	var faults []alerts.Fault
	for _, b := range books {
		names = append(names, b.Market())
		for _, f := range b.Faults() {
			faults = append(faults, alerts.Fault{Market: b.Market(), Kind: f.Kind, Detail: f.Detail})
		}
	}
	made, err := e.tracker.Faults(ctx, e.Now(), names, faults)
	if err != nil {
		return nil, fmt.Errorf("tell of faults: %w", err)
	}
	for _, a := range made {
		e.log.Warn().Str("market", a.Fault.Market).Str("fault", a.Fault.Kind).Str("is", string(a.Kind)).Msg(a.Fault.Detail)
	}
	return made, nil
}

func largestMarkets(all []thresholds.MarketTotals) []thresholds.MarketTotals {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b thresholds.MarketTotals) int { return b.AtRiskUSD.Cmp(a.AtRiskUSD) })
	return out[:min(len(out), mostMarkets)]
}
