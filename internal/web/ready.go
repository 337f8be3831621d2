package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"liqwatch/internal/alerts"
)

// healthz says whether the process does its work: it looks around, and the store answers.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	if since := time.Since(s.views.looked()); since > 10*lookEvery {
		s.say(w, http.StatusServiceUnavailable, fmt.Sprintf("the page has not looked around for %s", since.Round(time.Second)))
		return
	}
	if _, err := s.opt.Keeper.Queue(r.Context()); err != nil {
		s.log.Error().Err(err).Msg("health")
		s.say(w, http.StatusServiceUnavailable, "the store does not answer; the log says why")
		return
	}
	s.say(w, http.StatusOK, "ok")
}

const (
	// blocksLimit is how many block times without a block are too long ...
	blocksLimit = 5
	// ... and leastLimit how long it takes at least, for chains with many blocks a second.
	leastLimit = 30 * time.Second
	// mostReasons are told at once.
	mostReasons = 5
)

// limit is the age from which on the numbers of a chain are called stale: five of
// its block times, but not more than the rules bear.
func (s *Server) limit(c ChainState) time.Duration {
	if c.BlockTime <= 0 {
		return s.opt.StaleAfter
	}
	return min(s.opt.StaleAfter, max(blocksLimit*c.BlockTime, leastLimit))
}

// readyz says whether what is shown and sent can be relied on now: a line for
// everything that keeps it from being so.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if s.opt.Standby != nil { // it does what it is there for
		s.say(w, http.StatusOK, s.standby())
		return
	}
	if why := s.notReady(r.Context()); len(why) > 0 {
		s.say(w, http.StatusServiceUnavailable, strings.Join(why, "\n"))
		return
	}
	s.say(w, http.StatusOK, "ok")
}

// notReady are the reasons not to rely on what is shown and sent; none when it can be.
func (s *Server) notReady(ctx context.Context) []string {
	snap, now := s.views.snapshot(), s.opt.Now()
	if s.opt.Standby != nil {
		return []string{s.standby()}
	}
	if len(snap.chains) == 0 {
		return []string{"nothing has been looked at yet"}
	}
	var why []string
	for _, c := range snap.chains {
		why = append(why, s.unread(c, now)...)
	}
	why = append(why, s.undelivered(ctx, now)...)
	if n := len(why) - mostReasons; n > 0 {
		why = append(why[:mostReasons], fmt.Sprintf("and %d more", n))
	}
	return why
}

func (s *Server) standby() string { return "standby: " + s.opt.Standby() }

// unread is what of a chain is not read, or not fresh.
func (s *Server) unread(c ChainState, now time.Time) []string {
	limit := s.limit(c)
	if c.Block.Number == 0 {
		return []string{c.Name + ": the first pass has not ended" + because(c.Why)}
	}
	if age := now.Sub(c.Fed); age > limit {
		usual := ""
		if c.BlockTime > 0 {
			usual = fmt.Sprintf(", where one comes every %s", c.BlockTime.Round(100*time.Millisecond))
		}
		return []string{fmt.Sprintf("%s: no block for %s%s%s", c.Name, age.Round(time.Second), usual, because(c.Why))}
	}
	if age := now.Sub(time.Unix(int64(c.Block.Time), 0)); age > s.opt.StaleAfter {
		return []string{fmt.Sprintf("%s: its newest block is %s old by its own clock: the nodes are behind", c.Name, alerts.Span(age))}
	}
	var why []string
	for _, m := range c.Markets {
		switch age := now.Sub(m.Fed); {
		case m.Fed.IsZero():
			why = append(why, m.Name+": not read yet"+because(m.Why))
		case age > limit:
			why = append(why, fmt.Sprintf("%s: not brought to a new block for %s%s", m.Name, age.Round(time.Second), because(m.Why)))
		}
	}
	return why
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// undelivered is what keeps messages from their receivers. What quiet hours hold
// back, and what a digest will tell, is no reason.
func (s *Server) undelivered(ctx context.Context, now time.Time) []string {
	q, err := s.opt.Keeper.Queue(ctx)
	if err != nil {
		s.log.Error().Err(err).Msg("ready")
		return []string{"the store does not answer"}
	}
	sinks, err := s.sinks(ctx)
	switch {
	case err != nil:
		return []string{"the store does not answer"}
	case sinks == nil:
		if !q.Oldest.IsZero() && now.Sub(q.Oldest) > alerts.QueueLimit {
			return []string{fmt.Sprintf("%s to be delivered, the oldest for %s", wait(q.Waiting), now.Sub(q.Oldest).Round(time.Second))}
		}
		return nil
	}
	var why []string
	failing := 0
	for _, k := range sinks {
		if late := now.Sub(k.Overdue); !k.Overdue.IsZero() && late > alerts.QueueLimit {
			why = append(why, fmt.Sprintf("the notifier %s is %s late%s", k.Name, late.Round(time.Second), because(plain(k.Why))))
		}
		if !k.Failing.IsZero() {
			failing++
		}
	}
	if failing > 0 && failing == len(sinks) {
		why = append(why, fmt.Sprintf("no notifier takes messages: the last send of each of %d failed", failing))
	}
	return why
}

// sinks are how the notifiers do; nil where nobody knows.
func (s *Server) sinks(ctx context.Context) ([]alerts.Sink, error) {
	if s.opt.Sinks == nil {
		return nil, nil
	}
	out, err := s.opt.Sinks(ctx)
	if err != nil {
		s.log.Error().Err(err).Msg("look at the notifiers")
	}
	return out, err
}

func wait(n int) string {
	if n == 1 {
		return "1 message waits"
	}
	return fmt.Sprintf("%d messages wait", n)
}
