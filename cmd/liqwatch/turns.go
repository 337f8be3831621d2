package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v3"

	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
)

// turns lets this process watch whenever it leads, and stand by while another does.
// With a store of its own it leads once, from beginning to end.
type turns struct {
	cmd   *cli.Command
	cfg   *config.Config
	log   zerolog.Logger
	store *store.Store
	door  *door // of the page, whoever shows it; nil before the first
}

// turn is one time of leading: what the daemon writes with, and sends by.
type turn struct {
	*turns
	lead *store.Leadership
}

// betweenTurns is how long a process whose turn is over leaves the next one to others.
const betweenTurns = time.Second

func watchInTurns(ctx context.Context, cmd *cli.Command, cfg *config.Config, log zerolog.Logger) error {
	s, err := store.Open(ctx, storeName(cfg))
	if err != nil {
		return usage(fmt.Errorf("open the store: %w", err))
	}
	t := &turns{cmd: cmd, cfg: cfg, log: log, store: s}
	defer t.close()
	for {
		lead, err := t.wait(ctx)
		if err != nil || lead == nil {
			return err
		}
		err = t.serve(ctx, lead)
		if ctx.Err() != nil || err != nil && !t.passes(lead, err) {
			return err
		}
		// What ended the turn may end the next one too: others come first, and nobody
		// asks the database all the time.
		select {
		case <-time.After(betweenTurns):
		case <-ctx.Done():
		}
	}
}

func (t *turns) close() {
	if t.door != nil {
		_ = t.door.Close()
	}
	_ = t.store.Close()
}

// serve is one turn, to its end.
func (t *turns) serve(ctx context.Context, lead *store.Leadership) error {
	defer func() {
		if err := lead.Resign(context.WithoutCancel(ctx)); err != nil {
			t.log.Warn().Err(err).Msg("resign; another takes over when the leadership runs out")
		}
	}()
	if t.store.Shared() {
		t.log.Info().Int64("term", lead.Term).Msg("leading")
	}
	d, err := newDaemon(lead.Context(), turn{t, lead})
	if err != nil {
		return err
	}
	defer d.Close()
	t.log.Info().Int("markets", len(t.cfg.Markets)).Int("rules", len(t.cfg.Rules)).Str("store", t.cfg.Store.String()).Msg("watching")
	return d.run(lead.Context())
}

// passes reports that the turn is over but the process is not: another leads now, or
// the database that many share did not answer. What is wrong with the configuration,
// or with what is kept, is wrong at every turn.
func (t *turns) passes(lead *store.Leadership, err error) bool {
	var wrong usageError
	var market *watch.MarketError
	if !t.store.Shared() || errors.As(err, &wrong) || errors.As(err, &market) || config.IsInvalid(err) || errors.Is(err, store.ErrDamaged) {
		return false
	}
	t.log.Warn().Err(err).AnErr("leadership", context.Cause(lead.Context())).Msg("the turn is over")
	return true
}

// wait stands by until this process leads; nil when it is told to end meanwhile. The
// page says that it stands by.
func (t *turns) wait(ctx context.Context) (*store.Leadership, error) {
	standby := newStandby(t)
	defer func() { standby.stop() }()
	lead, err := t.store.Lead(ctx, holder(), ledNames(t.cfg), func(st store.Standing, err error) { standby.tell(ctx, st, err) })
	if err != nil && ctx.Err() != nil {
		return nil, nil //nolint:nilnil // as it says
	}
	return lead, err
}

// holder names this process to the others.
func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// ledNames are all names of the file under which something is kept in the store. Two
// processes that share one of them are one watcher.
func ledNames(cfg *config.Config) []string {
	var names []string
	for _, m := range cfg.Markets {
		names = append(names, "market "+m.Name, "chain "+m.Chain)
	}
	for _, r := range cfg.Rules {
		names = append(names, "rule "+r.Name)
		if r.Axis != "" {
			names = append(names, "axis "+r.Axis)
		}
	}
	for name := range cfg.Notifiers {
		names = append(names, store.NotifierName(name))
	}
	return names
}
