package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
)

// Heads is a chain that can be waited on.
type Heads interface {
	// Wait returns a head other than after as soon as there is one.
	Wait(ctx context.Context, after chains.Block) (chains.Block, error)
}

// Watcher is the daemon: it follows every chain by itself and shows the rules
// what it finds.
type Watcher struct {
	engine    *Engine
	followers []*Follower
	log       zerolog.Logger
	// StaleAfter is the age from which on the silence of a source is told.
	StaleAfter time.Duration
	// Poll is how often a chain that cannot be waited on is looked at.
	Poll time.Duration
	// Passed, when set, is told of every pass that succeeded.
	Passed func(chain string, out Outcome, took time.Duration)

	mu     sync.Mutex
	behind map[string]string // why markets stay behind, by name
}

// NewWatcher watches with the followers of all chains.
func NewWatcher(engine *Engine, followers []*Follower, log zerolog.Logger) *Watcher {
	return &Watcher{
		engine: engine, followers: followers, StaleAfter: 5 * time.Minute, Poll: 2 * time.Second,
		log: log.With().Str("component", "watch").Logger(), behind: map[string]string{},
	}
}

// Retries after a pass that failed.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	pulseEvery = 5 * time.Second
)

// Run watches until the context ends; what a pass has begun is committed or not
// done at all. An error means that the configuration is wrong about a chain or a
// contract, so that waiting would help nobody.
func (w *Watcher) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	for _, f := range w.followers {
		wg.Go(func() {
			if err := w.follow(ctx, f); err != nil {
				stop(err)
			}
		})
	}
	wg.Go(func() { w.pulse(ctx) })
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// follow runs pass after pass on one chain.
func (w *Watcher) follow(ctx context.Context, f *Follower) error {
	log := w.log.With().Str("chain", f.chain.Name()).Logger()
	var last chains.Block
	retry := firstRetry
	resumed := false
	for ctx.Err() == nil {
		err := w.step(ctx, f, &last, &resumed)
		if err == nil {
			retry = firstRetry
			continue
		}
		if ctx.Err() != nil {
			break
		}
		if hopeless(err) {
			return err
		}
		w.engine.failed(f.chain.Name(), err)
		if lostBlock(err) {
			log.Info().Err(err).Msg("the block went away during the pass: again with the new head")
		} else {
			log.Error().Err(err).Dur("retry_in", retry).Msg("pass")
		}
		sleep(ctx, retry)
		retry = min(2*retry, lastRetry)
	}
	return nil //nolint:nilerr // the context ended, and with it the last pass
}

// step waits for the next head and brings everything to it.
func (w *Watcher) step(ctx context.Context, f *Follower, last *chains.Block, resumed *bool) error {
	head, err := w.next(ctx, f.chain, *last)
	if err != nil {
		return err
	}
	if !*resumed {
		if err := w.resume(ctx, f.chain); err != nil {
			return err
		}
		*resumed = true
	}
	start := time.Now()
	out, err := f.Pass(ctx, head)
	if err != nil {
		// The follower has gone over to the new branch; the rules must hear of it,
		// although the pass did not come to its end.
		if out.Undone {
			w.engine.Undo(f.chain.Name(), out.Ancestor.Number)
		}
		w.engine.hold(f.chain.Name(), out.Liquidations)
		return err
	}
	alerts, err := w.engine.Take(ctx, f.chain.Name(), out, f)
	if err != nil {
		return err
	}
	*last = head
	w.tell(f, out, len(alerts), time.Since(start))
	return w.leftBehind(f, out)
}

// leftBehind looks at the markets that could not be brought to the block. They
// hold up neither the others nor the next pass, which tries them again; each
// reason is logged once. One that could never be opened, although the nodes
// answered, is a mistake in the configuration and ends the watch.
func (w *Watcher) leftBehind(f *Follower, out Outcome) error {
	for name, err := range out.Failed {
		if !f.wasOpened(name) && !fromSource(err) {
			return &MarketError{Market: name, Err: err}
		}
		if w.why(name) != err.Error() {
			w.log.Error().Err(err).Str("chain", f.chain.Name()).Str("market", name).Msg("market stays behind")
		}
	}
	w.keepWhy(f, out)
	return nil
}

func (w *Watcher) why(market string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.behind[market]
}

func (w *Watcher) keepWhy(f *Follower, out Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range f.tracked {
		delete(w.behind, t.market.Name())
		if err := out.Failed[t.market.Name()]; err != nil {
			w.behind[t.market.Name()] = err.Error()
		}
	}
}

// MarketError is what went wrong with one market.
type MarketError struct {
	Market string
	Err    error
}

func (e *MarketError) Error() string { return e.Err.Error() }

func (e *MarketError) Unwrap() error { return e.Err }

func (w *Watcher) tell(f *Follower, out Outcome, alerts int, took time.Duration) {
	w.log.Debug().Str("chain", f.chain.Name()).Uint64("block", out.Block.Number).
		Int("alerts", alerts).Int("behind", len(out.Failed)).Dur("took", took).Msg("pass")
	if w.Passed != nil {
		w.Passed(f.chain.Name(), out, took)
	}
}

// next is the head to go to: another one than the last.
func (w *Watcher) next(ctx context.Context, chain chains.Chain, last chains.Block) (chains.Block, error) {
	if h, ok := chain.(Heads); ok && last != (chains.Block{}) {
		head, err := h.Wait(ctx, last)
		if err != nil {
			return chains.Block{}, fmt.Errorf("wait for a block of %s: %w", chain.Name(), err)
		}
		return head, nil
	}
	for {
		head, err := chain.Head(ctx)
		if err != nil {
			return chains.Block{}, fmt.Errorf("ask %s for its head: %w", chain.Name(), err)
		}
		if head != last {
			return head, nil
		}
		if !sleep(ctx, w.Poll) {
			return chains.Block{}, ctx.Err()
		}
	}
}

// resume looks for what a reorg undid while nobody watched: the rules go back to
// the newest block they remember that is still part of the chain.
func (w *Watcher) resume(ctx context.Context, chain chains.Chain) error {
	seen := w.engine.Seen(chain.Name())
	for i, ref := range seen {
		b, err := chain.Block(ctx, ref.Number)
		if err != nil && !errors.Is(err, chains.ErrNotFound) {
			return fmt.Errorf("look for block %d of %s: %w", ref.Number, chain.Name(), err)
		}
		if err != nil || b.Hash != ref.Hash {
			continue
		}
		if i > 0 {
			w.engine.Undo(chain.Name(), ref.Number)
		}
		return nil
	}
	if len(seen) > 0 {
		w.engine.Undo(chain.Name(), 0)
	}
	return nil
}

// pulse looks at the age of all sources.
func (w *Watcher) pulse(ctx context.Context) {
	for sleep(ctx, pulseEvery) {
		if err := w.engine.Pulse(ctx, w.StaleAfter); err != nil && ctx.Err() == nil {
			w.log.Error().Err(err).Msg("pulse")
		}
	}
}

// sleep reports whether the time passed before the context ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

var _ Tracker = (*alerts.Tracker)(nil)
