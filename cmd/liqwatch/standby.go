package main

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
	"liqwatch/internal/web"
)

// standby is what a process does while another leads: it says so.
type standby struct {
	*turns
	says  atomic.Pointer[string]
	shown bool
	stop  func() // ends the page
}

func newStandby(t *turns) *standby {
	return &standby{turns: t, stop: func() {}}
}

// tell is told again and again; it logs what is new.
func (s *standby) tell(ctx context.Context, st store.Standing, err error) {
	text := fmt.Sprintf("%s leads since %s", st.Leader, st.Since.UTC().Format(time.RFC3339))
	if err != nil {
		text = "the store does not answer"
	}
	before := s.says.Swap(&text)
	if err == nil && !s.shown && !s.cfg.Web.Off() {
		s.shown = s.show(ctx)
	}
	if before != nil && *before == text {
		return
	}
	if err != nil {
		s.log.Error().Err(err).Msg("standing by; the store does not answer")
		return
	}
	s.log.Info().Str("leader", st.Leader).Time("since", st.Since).Strs("leads", st.Names).Msg("standing by: another process leads")
}

// show serves the page of a process that stands by until stop; false: try again.
func (s *standby) show(ctx context.Context) bool {
	page, l, err := s.open(ctx)
	if err != nil {
		s.log.Error().Err(err).Msg("the page of a process that stands by")
		return false
	}
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{})
	s.stop = func() { end(); <-done }
	go func() {
		defer close(done)
		if err := page.Run(ctx, l); err != nil {
			s.log.Error().Err(err).Msg("the page of a process that stands by")
		}
	}()
	return true
}

// longestOpen is how long the store may take to give what the page begins with.
const longestOpen = 2 * time.Second

// open makes a page that shows what is in the store. Nothing is watched here, so
// there are no prices and no positions.
func (s *standby) open(ctx context.Context) (*web.Server, net.Listener, error) {
	ctx, stop := context.WithTimeout(ctx, longestOpen)
	defer stop()
	rules, err := rulesOf(s.cfg)
	if err != nil {
		return nil, nil, err
	}
	tracker, err := alerts.NewTracker(ctx, s.store, rules, staleRule(s.cfg), s.log, nil)
	if err != nil {
		return nil, nil, err
	}
	if err := tracker.KeepMutes(ctx, s.store); err != nil {
		return nil, nil, err
	}
	opt := pageOptions(s.cfg, newWatched(watch.NewEngine(tracker, rules, nil, s.log), nil), s.store, tracker)
	opt.Note = "This process stands by: another one watches, and its page shows the prices. Alerts and liquidations are those of both."
	opt.Standby = func() string { return *s.says.Load() }
	page := web.New(opt, s.log)
	l, err := s.enter(ctx, page)
	return page, l, err
}
