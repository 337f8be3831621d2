package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/chains/recorded"
	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/stdout"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
	"liqwatch/internal/web"
	"liqwatch/protocols"
)

// player plays a recording through everything that `watch` runs: followers,
// engine, rules, a store on disk and the outbox. Only the chain comes from a file,
// the clock from its blocks, and every message goes to the terminal.
type player struct {
	rec       *recorded.Recording
	cfg       *config.Config
	out       io.Writer
	followers map[string]*watch.Follower
	engine    *watch.Engine
	recorder  *watch.Recorder
	store     *store.Store
	posts     *alerts.Dispatcher
	now       atomic.Int64 // of the recording, unix seconds
	forecast  *watch.Forecast
	alerts    int
	show      pageFlags
	markets   map[string][]protocols.Market // by chain
	from      *watched
	page      *web.Server // nil without one
	listener  net.Listener
	close     []func() error
}

// terminal is the one notifier of a player.
const terminal = "terminal"

func newPlayer(ctx context.Context, rec *recorded.Recording, show pageFlags, out io.Writer, log zerolog.Logger) (*player, error) {
	p := &player{rec: rec, show: show, out: out, followers: map[string]*watch.Follower{}}
	if err := p.build(ctx, log); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *player) build(ctx context.Context, log zerolog.Logger) error {
	cfg, err := config.Parse("recording", []byte(p.rec.Meta().Config))
	if err != nil {
		return usage(fmt.Errorf("the recording's configuration is not one that this version takes: %w", err))
	}
	p.cfg = cfg
	if err := p.openStore(ctx); err != nil {
		return err
	}
	rules, err := rulesOf(cfg, terminal)
	if err != nil {
		return err
	}
	p.posts = alerts.NewDispatcher(p.store, map[string]alerts.Notifier{terminal: stdout.New(p.out)}, alerts.DispatchOptions{}, log)
	tracker, err := alerts.NewTracker(ctx, p.store, rules, alerts.StaleRule{}, log, p.posts.Wake)
	if err != nil {
		return err
	}
	if err := tracker.KeepMutes(ctx, p.store); err != nil {
		return err
	}
	if err := p.buildMarkets(tracker, rules, log); err != nil {
		return err
	}
	p.openPage(ctx, p.show, tracker, log)
	return nil
}

// openStore makes a store that lasts as long as the player.
func (p *player) openStore(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "liqwatch-")
	if err != nil {
		return fmt.Errorf("make a place for the store: %w", err)
	}
	p.close = append(p.close, func() error { return os.RemoveAll(dir) })
	if p.store, err = store.Open(ctx, "sqlite:"+filepath.Join(dir, "liqwatch.db")); err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	p.close = append(p.close, p.store.Close)
	return nil
}

func (p *player) buildMarkets(tracker *alerts.Tracker, rules []alerts.Rule, log zerolog.Logger) error {
	markets, err := catalog.Markets(p.cfg)
	if err != nil {
		return err
	}
	byChain := groupByChain(markets)
	p.markets = byChain
	p.engine = watch.NewEngine(tracker, rules, sortedKeys(byChain), log)
	p.engine.Now = p.clock
	if err := setUpEngine(p.engine, p.cfg); err != nil {
		return err
	}
	p.engine.Past, p.recorder = p.store, newRecorder(p.store, p.engine, p.cfg, log)
	for name, markets := range byChain {
		chain, err := p.rec.Chain(name)
		if err != nil {
			return fmt.Errorf("play the recording: %w", err)
		}
		f := watch.NewFollower(chain, markets, p.store, log)
		f.Now, f.Chunk = p.clock, recordChunk
		p.followers[name] = f
	}
	return nil
}

func (p *player) clock() time.Time { return time.Unix(p.now.Load(), 0) }

// play goes through the whole recording; between waits before every step, end
// after the last: only then is the page closed.
func (p *player) play(ctx context.Context, between, end func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	delivered := make(chan struct{})
	go func() {
		p.posts.Run(ctx)
		close(delivered)
	}()
	shown := make(chan error, 1)
	go func() { shown <- servePage(ctx, p.page, p.listener) }()
	err := p.steps(ctx, between)
	if err == nil {
		err = end(ctx)
	}
	stop()
	<-delivered
	return errors.Join(err, <-shown)
}

func (p *player) steps(ctx context.Context, between func(context.Context) error) error {
	for _, c := range p.rec.Chains() {
		if err := p.step(ctx, c); err != nil {
			return err
		}
	}
	for {
		if err := between(ctx); err != nil {
			return err
		}
		c, more := p.rec.Advance()
		if !more {
			return nil
		}
		if err := p.step(ctx, c); err != nil {
			return err
		}
	}
}

// step brings one chain to the head that the recording stands at.
func (p *player) step(ctx context.Context, c *recorded.Chain) error {
	f := p.followers[c.Name()]
	if f == nil {
		return nil
	}
	head, err := c.Head(ctx)
	if err != nil {
		return fmt.Errorf("play the recording: %w", err)
	}
	p.now.Store(int64(head.Time))
	out, err := f.Pass(ctx, head)
	if err != nil {
		return fmt.Errorf("play block %d: %w", head.Number, err)
	}
	for _, err := range out.Failed {
		return fmt.Errorf("play block %d: %w", head.Number, err)
	}
	p.narrate(c.Name(), head)
	made, err := p.engine.Take(ctx, c.Name(), out, f)
	if err != nil {
		return fmt.Errorf("play block %d: %w", head.Number, err)
	}
	p.alerts += len(made)
	if err := p.recorder.Look(ctx); err != nil {
		return fmt.Errorf("record block %d: %w", head.Number, err)
	}
	if p.page != nil {
		p.from.sweep(f)
		p.page.Passed(c.Name(), 0)
	}
	if p.forecast != nil {
		p.forecast.Count(out.Liquidations, p.usd)
	}
	return p.drain(ctx, len(made))
}

// drain waits until what was just posted has been told, so that the story stays in order.
func (p *player) drain(ctx context.Context, posted int) error {
	for posted > 0 {
		_, waiting, err := p.store.NextDue(ctx, terminal)
		if err != nil {
			return fmt.Errorf("look at the outbox: %w", err)
		}
		if !waiting {
			return nil
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// narrate tells the beats of a block.
func (p *player) narrate(chain string, at chains.Block) {
	for _, b := range p.rec.Beats() {
		if b.Chain == chain && b.Block == at.Number {
			fmt.Fprintf(p.out, "\n%s  block %d: %s\n", timeOf(at.Time), at.Number, b.Text)
		}
	}
}

// usd values quote units of a market by its newest book.
func (p *player) usd(market string, quote *protocols.Amount) decimal.Decimal {
	for _, b := range p.engine.Books() {
		if b.Market() == market {
			return b.Prices().USD(&quote.Raw, quote.Decimals)
		}
	}
	return decimal.Zero
}

// Close lets go of everything, last opened first.
func (p *player) Close() {
	for i := len(p.close) - 1; i >= 0; i-- {
		_ = p.close[i]()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
