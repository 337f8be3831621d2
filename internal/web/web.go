package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"liqwatch/internal/alerts"
)

// Options are what the page needs.
type Options struct {
	Source Source
	Keeper Keeper
	Muter  Muter
	// Sinks are how the notifiers do; nil where nobody knows.
	Sinks func(context.Context) ([]alerts.Sink, error)
	// Rules are those of now: levels that follow the walls change.
	Rules func() []Rule
	// References names, by axis, the market whose oracle names the price.
	References map[string]string
	// Axes are those to keep history of and to offer first; more may be asked for.
	Axes []string
	// StaleAfter is the age from which on a number is called stale.
	StaleAfter time.Duration
	// Token, when set, lets whoever knows it acknowledge and mute.
	Token string
	// Listen is the address and port.
	Listen  string
	Version string
	// Now is the clock that ages are told by; of a recording, the recording's.
	Now func() time.Time
	// Recorded tells that the clock is a recording's: ages do not grow by themselves.
	Recorded bool
	// Note is a line at the top of the page, such as that this is a demo.
	Note string
	// Standby says who watches, of a process that waits to; nil of one that watches.
	Standby func() string
}

// Server is the page.
type Server struct {
	opt    Options
	log    zerolog.Logger
	views  *views
	hub    *hub
	cache  *answers
	login  *sessions
	passes chan pass
	meter  *meter
	mux    http.Handler
	pegs   pegs
	// reasons is how many there were at the last look not to rely on what is shown.
	// It belongs to the goroutine that follows.
	reasons int
	wide    bool // other machines reach it
	begun   time.Time
}

// New makes the page; Run serves it.
func New(opt Options, log zerolog.Logger) *Server {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s := &Server{
		opt: opt, log: log.With().Str("component", "web").Logger(), hub: newHub(), cache: newAnswers(),
		login: newSessions(opt.Token), passes: make(chan pass, 64), wide: !onLoopback(opt.Listen), begun: opt.Now(),
	}
	s.views = newViews(s)
	s.meter = newMeter(s)
	s.mux = s.routes()
	return s
}

// onLoopback reports that only this machine reaches the address.
func onLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Open listens. It warns when other machines reach the page and nothing asks them who they are.
func (s *Server) Open(ctx context.Context) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.opt.Listen)
	if err != nil {
		return nil, fmt.Errorf("open the page on %s: %w; choose another web.listen, or off", s.opt.Listen, err)
	}
	if s.unguarded() {
		s.log.Warn().Str("listen", s.opt.Listen).
			Msg("other machines can read this page and nothing asks them who they are: set web.token, or listen on 127.0.0.1")
	}
	s.log.Info().Str("url", "http://"+l.Addr().String()).Bool("token", s.opt.Token != "").Msg("the page is open")
	return l, nil
}

// unguarded reports that other machines reach the page and nothing asks them who they are.
func (s *Server) unguarded() bool { return s.wide && s.opt.Token == "" }

// Run serves the page until the context ends.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	srv := &http.Server{
		Handler: s.mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan struct{})
	go func() {
		s.follow(ctx)
		close(done)
	}()
	ended := make(chan struct{})
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if srv.Shutdown(last) != nil {
			_ = srv.Close() // whoever still reads after two seconds is cut off
		}
		close(ended)
	}()
	err := srv.Serve(l)
	stop()
	<-done
	<-ended
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the page: %w", err)
	}
	return nil
}

// ServeHTTP answers one request, for tests and for programs that bring their own server.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// pass is a pass of the watcher that has ended. What it brought is in the store.
type pass struct {
	chain string
	took  time.Duration
}

// Passed tells the page that a pass is done. It never waits: of what comes faster
// than the page looks around, the times are not counted.
func (s *Server) Passed(chain string, took time.Duration) {
	select {
	case s.passes <- pass{chain, took}:
	default:
	}
}
