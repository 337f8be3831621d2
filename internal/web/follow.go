package web

import (
	"context"
	"time"
)

// lookEvery is how often the page looks around when no pass wakes it: ages grow by themselves.
const lookEvery = 5 * time.Second

// follow takes over what passes bring, until the context ends.
func (s *Server) follow(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	s.refresh(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-s.passes:
			s.take(p)
			for more := true; more; { // several at once are one look
				select {
				case p := <-s.passes:
					s.take(p)
				default:
					more = false
				}
			}
		case <-tick.C:
		}
		s.refresh(ctx)
	}
}

// take takes note of a pass; what it brought is in the store already.
func (s *Server) take(p pass) { s.meter.pass(p.chain, p.took) }

// Recorded tells whoever looks that history has grown.
func (s *Server) Recorded() { s.hub.tell("history") }

// refresh looks at the source, and has the ladders that somebody looks at built anew.
func (s *Server) refresh(ctx context.Context) {
	moved := s.views.take()
	// Of what has stopped nobody hears by itself: viewers are told when there are more
	// or fewer reasons not to rely on what they see.
	if why := len(s.notReady(ctx)); moved || why != s.reasons {
		s.reasons = why
		s.hub.tell("state")
	}
	for _, axis := range s.hub.watched() {
		_, _ = s.views.begin(axis, false) // an axis that has gone is told to those who ask for it
	}
	s.views.warm(s.opt.Axes)
}
