package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// policy lets the page load its own files and nothing else, run no script in the
// page itself, and stand in nobody's frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// eventsPath is the one answer that lasts as long as its asker.
const eventsPath = "/api/v1/events"

// guard is around everything: headers, who may ask, how much may be sent.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		if r.URL.Path != eventsPath {
			// An answer is shared: that one asker has gone must not spoil it for the others.
			r = r.WithContext(context.WithoutCancel(r.Context()))
		}
		switch {
		case !s.wide && !localHost(r.Host):
			// A page of somebody else whose name was made to point here must not read this one.
			s.refuse(w, problem{http.StatusForbidden, "foreign-host", "this page answers to localhost only"})
		case s.wide && s.opt.Token != "" && !open(r.URL.Path) && !s.writer(r):
			s.askForToken(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// open are the paths that say nothing of what is watched.
func open(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/login" || strings.HasPrefix(path, "/static/")
}

func (s *Server) askForToken(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/" {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	s.refuse(w, problem{http.StatusUnauthorized, "token-needed", "send the token: Authorization: Bearer ..."})
}

func localHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// sessions are those who have shown the token in a browser. They end with the process.
type sessions struct {
	token string
	mu    sync.Mutex
	known map[string]time.Time
	next  time.Time // no attempt before
}

const (
	sessionCookie = "liqwatch"
	sessionLife   = 12 * time.Hour
	mostSessions  = 1000
)

func newSessions(token string) *sessions {
	return &sessions{token: token, known: map[string]time.Time{}}
}

func (s *sessions) right(token string) bool {
	return s.token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) == 1
}

// try makes a session for whoever knows the token. After a wrong one nobody may try for a second.
func (s *sessions) try(token string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.next) {
		return "", false
	}
	if !s.right(token) {
		s.next = now.Add(time.Second)
		return "", false
	}
	if len(s.known) >= mostSessions {
		clear(s.known)
	}
	id := rand.Text()
	s.known[id] = now.Add(sessionLife)
	return id, true
}

func (s *sessions) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.known[id])
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, id)
}

// writer reports that the asker has shown the token.
func (s *Server) writer(r *http.Request) bool {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return s.login.right(token)
	}
	c, err := r.Cookie(sessionCookie)
	return err == nil && s.login.has(c.Value)
}

// write lets those through who have shown the token.
func (s *Server) write(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.opt.Token == "":
			s.refuse(w, problem{http.StatusForbidden, "read-only", "this page is read-only: set web.token to allow this"})
		case !s.writer(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.refuse(w, problem{http.StatusUnauthorized, "token-needed", "send the token: Authorization: Bearer ..., or log in on the page"})
		default:
			next(w, r)
		}
	}
}

func (s *Server) logIn(w http.ResponseWriter, r *http.Request) {
	id, ok := s.login.try(r.PostFormValue("token"))
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		s.loginPage(w, "That is not the token, or the last attempt was less than a second ago.")
		return
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // on loopback there is no TLS, and a Secure cookie would be dropped
		Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https", MaxAge: int(sessionLife.Seconds()),
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) logOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.login.end(c.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil}) //nolint:gosec // an empty cookie
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
