package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v3"

	"liqwatch/chains"
	"liqwatch/chains/evm"
	"liqwatch/chains/tron"
	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
	"liqwatch/internal/web"
	"liqwatch/protocols"
)

// watched is what the page asks: the engine, and what only the wiring knows.
type watched struct {
	engine *watch.Engine
	chains map[string]chains.Chain
	byName map[string][]protocols.Market

	mu    sync.Mutex
	swept map[string]time.Time // by market
}

func newWatched(engine *watch.Engine, byName map[string][]protocols.Market) *watched {
	return &watched{engine: engine, byName: byName, chains: map[string]chains.Chain{}, swept: map[string]time.Time{}}
}

// Books are the newest.
func (w *watched) Books() []protocols.Book { return w.engine.Books() }

// sweep notes when the markets of a follower were last read whole.
func (w *watched) sweep(f *watch.Follower) {
	swept := f.Swept()
	w.mu.Lock()
	defer w.mu.Unlock()
	for market, at := range swept {
		w.swept[market] = at
	}
}

// Chains are where all chains stand.
func (w *watched) Chains() []web.ChainState {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []web.ChainState
	for _, s := range w.engine.Status() {
		c := web.ChainState{
			Name: s.Chain, Block: s.Block, Final: s.Final, Fed: s.Fed, Why: s.Why,
			BlockTime: blockTime(w.chains[s.Chain]), Nodes: nodesOf(w.chains[s.Chain]),
		}
		for _, m := range w.byName[s.Chain] {
			name := m.Name()
			c.Markets = append(c.Markets, web.MarketState{Name: name, Fed: s.Markets[name], Why: s.Unread[name], Verified: w.swept[name]})
		}
		for axis, p := range s.Spots {
			c.Spots = append(c.Spots, web.SpotPrice{Axis: axis, Price: p.Price, Updated: time.Unix(int64(p.Updated), 0)})
		}
		out = append(out, c)
	}
	return out
}

// blockTime is the usual time between two blocks as far as the client knows it
// without asking; 0 when it does not.
func blockTime(chain chains.Chain) time.Duration {
	if c, ok := chain.(chains.Hopeful); ok {
		return c.Expected().BlockTime
	}
	return 0
}

// nodesOf are the request counts of the clients that keep them.
func nodesOf(chain chains.Chain) []web.NodeState {
	switch c := chain.(type) {
	case interface{ Stats() evm.Stats }:
		var out []web.NodeState
		for _, n := range c.Stats().Nodes {
			out = append(out, web.NodeState{Name: n.Node, State: n.State, Why: n.Why, Requests: n.Requests, Failed: n.Failed})
		}
		return out
	case interface{ Stats() tron.Stats }:
		return []web.NodeState{{Name: "all nodes", Requests: c.Stats().Requests}}
	}
	return nil
}

// openPage makes the page and listens.
func openPage(ctx context.Context, opt web.Options, log zerolog.Logger) (*web.Server, net.Listener, error) {
	page := web.New(opt, log)
	l, err := page.Open(ctx)
	return page, l, err
}

// pageOptions are what the file says of the page.
func pageOptions(cfg *config.Config, from *watched, kept *store.Store, tracker *alerts.Tracker) web.Options {
	opt := web.Options{
		Source: from, Keeper: kept, Muter: tracker, Rules: func() []web.Rule { return rulesNow(cfg, tracker) },
		Axes: axesOf(cfg), References: map[string]string{}, StaleAfter: staleAfter(cfg), Token: cfg.Web.Token.Reveal(),
		Listen: cfg.Web.Listen, Version: version,
	}
	for name, a := range cfg.Axes {
		opt.References[name] = a.Reference
	}
	return opt
}

// rulesNow are the rules with the levels they have now: those of walls move.
func rulesNow(cfg *config.Config, tracker *alerts.Tracker) []web.Rule {
	out := make([]web.Rule, 0, len(cfg.Rules))
	for _, r := range cfg.Rules {
		one := web.Rule{Name: r.Name, Axis: r.Axis, Levels: r.Levels.Prices, Watch: watchText(r)}
		if followsWalls(r) && r.Watch == "" {
			one.Levels = tracker.WatchedLevels(r.Name)
		}
		out = append(out, one)
	}
	return out
}

// watchText says what a rule watches that is no price of an axis: "utilization above
// 90%, 95% of USDC".
func watchText(r config.Rule) string {
	if r.Watch == "" {
		return ""
	}
	side := " above "
	if len(r.Below) > 0 {
		side = " below "
	}
	var bounds []string
	for _, b := range r.Bounds() {
		bounds = append(bounds, b.String())
	}
	text := strings.ReplaceAll(r.Watch, "_", " ") + side + strings.Join(bounds, ", ")
	if of := slices.Concat(r.Assets, r.Markets); len(of) > 0 {
		text += " of " + strings.Join(of, ", ")
	}
	if n := len(r.Accounts); n > 0 {
		text += fmt.Sprintf(" of %d accounts", n)
	}
	if r.Largest > 0 {
		text += fmt.Sprintf(" of the %d largest", r.Largest)
	}
	if r.Axis != "" {
		text += " on " + r.Axis
	}
	return text
}

// openPage opens the page of the daemon, unless the file says off.
func (d *daemon) openPage(ctx context.Context, t turn, from *watched, tracker *alerts.Tracker) error {
	if t.cfg.Web.Off() {
		return nil
	}
	opt := pageOptions(t.cfg, from, d.store, tracker)
	opt.Sinks = d.posts.Sinks
	page := web.New(opt, t.log)
	l, err := t.enter(ctx, page)
	if err != nil {
		return t.cfg.At("web", "listen").Wrap(usage(err))
	}
	d.page, d.listener, d.recorder.Recorded = page, l, page.Recorded
	d.close = append(d.close, l.Close)
	return nil
}

// openPage opens the page of a player. A port that is taken is told, and the
// story goes on without a page.
func (p *player) openPage(ctx context.Context, show pageFlags, tracker *alerts.Tracker, log zerolog.Logger) {
	if show.listen == "off" {
		return
	}
	p.from = newWatched(p.engine, p.markets)
	opt := pageOptions(p.cfg, p.from, p.store, tracker)
	opt.Listen, opt.Token, opt.Now, opt.Recorded = show.listen, show.token, p.clock, true
	opt.Note = "This is a recording of real contracts on a local chain, played faster than it happened. Times are the recording's."
	page, l, err := openPage(ctx, opt, log)
	if err != nil {
		log.Error().Err(err).Msg("the story goes on without a page; --listen chooses another address")
		return
	}
	p.page, p.listener, p.recorder.Recorded = page, l, page.Recorded
	fmt.Fprintf(p.out, "The page: http://%s\n\n", l.Addr())
}

// pageFlags are those of demo and replay.
type pageFlags struct {
	listen, token string
	stay          bool
}

// servePage serves until the context ends; without a page there is nothing to do.
func servePage(ctx context.Context, page *web.Server, l net.Listener) error {
	if page == nil {
		return nil
	}
	return page.Run(ctx, l)
}

// showFlags are those of the commands that play a recording.
func showFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8787", Usage: "address and port of the page while the story is told at a pace; off for none"},
		&cli.StringFlag{Name: "token", Usage: "lets whoever knows it acknowledge and mute on the page", Sources: cli.EnvVars("LIQWATCH_WEB_TOKEN")},
		&cli.BoolFlag{Name: "stay", Usage: "keep the page open when the story is over; the default on a terminal"},
	}
}

// chosenPage reads the flags. A story told as fast as it goes has no page unless
// one is asked for: it would be gone before anybody saw it.
func chosenPage(cmd *cli.Command, pace time.Duration) pageFlags {
	f := pageFlags{listen: cmd.String("listen"), token: cmd.String("token"), stay: cmd.Bool("stay")}
	if pace == 0 && !cmd.IsSet("listen") && !f.stay {
		f.listen = "off"
	}
	if !cmd.IsSet("stay") && pace > 0 {
		f.stay = isTerminal(cmd.Root().Writer)
	}
	return f
}
