package main

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/urfave/cli/v3"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
	"liqwatch/internal/web"
)

func watchCommand() *cli.Command {
	return &cli.Command{
		Name:   "watch",
		Usage:  "follow the chains and tell when a price nears a band; runs until it is stopped",
		Flags:  []cli.Flag{configFlag()},
		Action: runWatch,
	}
}

func runWatch(ctx context.Context, cmd *cli.Command) error {
	cfg, log, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	// Whoever stands by makes none of this before its turn, which is the worst time to
	// find that it cannot be made.
	if _, err := checkConfig(cmd, cfg, log); err != nil {
		return placed(cfg, err)
	}
	return placed(cfg, watchInTurns(ctx, cmd, cfg, log))
}

// daemon is everything `watch` holds open.
type daemon struct {
	store    *store.Store
	watcher  *watch.Watcher
	recorder *watch.Recorder
	posts    *alerts.Dispatcher
	after    *afterwards
	page     *web.Server // nil when it is off
	listener net.Listener
	chats    []*telegram.Listener
	close    []func() error
}

func newDaemon(ctx context.Context, t turn) (*daemon, error) {
	d := &daemon{store: t.lead.Store()}
	if err := d.build(ctx, t); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *daemon) build(ctx context.Context, t turn) error {
	cmd, cfg, log := t.cmd, t.cfg, t.log
	markets, err := catalog.Markets(cfg)
	if err != nil {
		return err
	}
	notifiers, err := catalog.Notifiers(cfg, cmd.Root().Writer)
	if err != nil {
		return err
	}
	rules, err := rulesOf(cfg)
	if err != nil {
		return err
	}
	policies, err := policies(cfg, notifiers)
	if err != nil {
		return err
	}
	d.posts = alerts.NewDispatcher(d.store, notifiers, alerts.DispatchOptions{MaySend: t.lead.Holds, Policies: policies}, log)
	tracker, err := alerts.NewTracker(ctx, d.store, rules, staleRule(cfg), log, d.posts.Wake)
	if err != nil {
		return err
	}
	if err := tracker.KeepMutes(ctx, d.store); err != nil {
		return err
	}
	spots, err := spotFeeds(cfg, markets)
	if err != nil {
		return err
	}
	byChain := groupByChain(markets)
	engine := watch.NewEngine(tracker, rules, sortedKeys(byChain), log)
	if err := setUpEngine(engine, cfg); err != nil {
		return err
	}
	engine.Past, d.recorder = d.store, newRecorder(d.store, engine, cfg, log)
	from := newWatched(engine, byChain)
	followers := map[string]*watch.Follower{}
	bar := newProgress(cmd)
	for _, name := range sortedKeys(byChain) {
		chain, stop, err := catalog.OpenChain(cfg.Chains[name], log)
		if err != nil {
			return cfg.At("chains", name).Wrap(err)
		}
		d.close = append(d.close, stop)
		f := watch.NewFollower(chain, byChain[name], d.store, log)
		f.SweepEvery, f.Progress = cfg.Sweep, bar.Report
		f.WatchSpot(spots[name]...)
		followers[name], from.chains[name] = f, chain
	}
	d.watcher = watch.NewWatcher(engine, slices.Collect(maps.Values(followers)), log)
	d.watcher.StaleAfter = staleAfter(cfg)
	d.watcher.Passed = func(name string, _ watch.Outcome, took time.Duration) {
		bar.Finish()
		from.sweep(followers[name])
		if d.page != nil {
			d.page.Passed(name, took)
		}
	}
	d.after = newAfterwards(cfg, d.store, engine, from, tracker, d.posts, log)
	d.openChats(t, notifiers, from, tracker)
	return d.openPage(ctx, t, from, tracker)
}

// run watches and delivers until the context ends, or until the configuration
// turns out to be wrong about a contract.
func (d *daemon) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	delivered := make(chan struct{})
	go func() {
		d.posts.Run(ctx)
		close(delivered)
	}()
	shown := make(chan error, 1)
	go func() { shown <- servePage(ctx, d.page, d.listener) }()
	recorded := make(chan struct{})
	go func() {
		d.recorder.Run(ctx)
		close(recorded)
	}()
	beside := make(chan struct{})
	go func() {
		var all sync.WaitGroup
		all.Go(func() { d.listen(ctx) })
		all.Go(func() { d.after.run(ctx) })
		all.Wait()
		close(beside)
	}()
	err := d.watcher.Run(ctx)
	stop()
	<-beside
	<-recorded
	<-delivered
	return errors.Join(err, <-shown)
}

// Close lets go of everything, last opened first.
func (d *daemon) Close() {
	for i := len(d.close) - 1; i >= 0; i-- {
		_ = d.close[i]()
	}
}

// staleRule tells everybody whom any rule tells that data have stopped.
func staleRule(cfg *config.Config) alerts.StaleRule {
	var s alerts.StaleRule
	seen := map[string]bool{}
	for _, r := range cfg.Rules {
		for _, n := range r.Notify {
			if !seen[n] {
				seen[n] = true
				s.Notify = append(s.Notify, n)
			}
		}
	}
	return s
}

// staleAfter is the most impatient rule's.
func staleAfter(cfg *config.Config) time.Duration {
	least := 5 * time.Minute
	for i, r := range cfg.Rules {
		if i == 0 || r.StaleAfter < least {
			least = r.StaleAfter
		}
	}
	return least
}
