// Package notifiertest is what every notifier must do, above all: keep its secrets to
// itself, whatever the server does to it.
package notifiertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
)

// Subject is a notifier under test.
type Subject struct {
	// New makes it to call the server at a URL.
	New func(url string) (alerts.Notifier, error)
	// Secrets are texts that must never show. At least one.
	Secrets []string
	// Mirror is the address of a server in the notifier's own protocol, where that is
	// not HTTP, that refuses and repeats all it was told. Empty for none.
	Mirror string
	// Takes names the servers whose answers it wrongly takes for a success: a fault of
	// a library that cannot be mended here.
	Takes []string
}

// all is everything that a request says, on one line.
func all(r *http.Request) string {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(r.URL.String() + " " + fmt.Sprint(r.Header) + " " + body.String())
}

// mirror answers with all that it was sent, as a careless server or proxy would.
func mirror(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text := all(r)
		description, _ := json.Marshal(text)
		w.Header().Set("Location", r.URL.String())
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"ok":false,"error_code":%d,"description":%[2]s,"error":%[2]s,"message":%[2]s,"status":%[2]s}`, status, description)
	}
}

// Servers are all the ways in which a server treats a sender badly.
func Servers() map[string]http.Handler {
	list := map[string]http.Handler{
		"hangs": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Second):
			}
		}),
		"hangs up": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"answers in part": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "999")
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "half")
		}),
		"answers in no HTTP":  raw(func(*http.Request) string { return "SSH-2.0-OpenSSH_9.2\r\n" }),
		"answers no status":   raw(func(*http.Request) string { return "HTTP/1.1 2x0 OK\r\n\r\n" }),
		"mirrors as a status": raw(func(r *http.Request) string { return "HTTP/1.1 " + all(r) + "\r\n\r\n" }),
		"mirrors as no HTTP":  raw(func(r *http.Request) string { return all(r) + "\r\n\r\n" }),
		"mirrors as a header": raw(func(r *http.Request) string { return "HTTP/1.1 500 Oh\r\n" + all(r) + "\r\n\r\n" }),
		"redirects elsewhere": http.RedirectHandler("http://127.0.0.1:1/elsewhere", http.StatusPermanentRedirect),
	}
	for _, status := range []int{300, 302, 307, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504} {
		list[fmt.Sprint("mirrors with ", status)] = mirror(status)
	}
	return list
}

func raw(answer func(*http.Request) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text := answer(r)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = conn.Write([]byte(text))
		_ = conn.Close()
	}
}

// Run tests one notifier.
func Run(t *testing.T, s Subject) {
	require.NotEmpty(t, s.Secrets)
	for name, h := range Servers() {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(h)
			defer srv.Close()
			if slices.Contains(s.Takes, name) {
				require.NoError(t, s.send(t, srv.URL), "this fault is mended")
				return
			}
			require.Error(t, s.send(t, srv.URL))
		})
	}
	if s.Mirror != "" {
		t.Run("mirrors in its own protocol", func(t *testing.T) { require.Error(t, s.send(t, s.Mirror)) })
	}
	t.Run("nobody listens", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		srv.Close()
		require.Error(t, s.send(t, srv.URL))
	})
	t.Run("no such host", func(t *testing.T) { require.Error(t, s.send(t, "http://no-such-host.invalid")) })
	t.Run("speaks no TLS", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		defer srv.Close()
		require.Error(t, s.send(t, strings.Replace(srv.URL, "http://", "https://", 1)))
	})
	t.Run("untrusted certificate", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(http.NotFoundHandler())
		srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo) // it is told of every client that does not trust it
		srv.StartTLS()
		defer srv.Close()
		require.Error(t, s.send(t, srv.URL))
	})
}

// send sends to a bad server and looks at every form of the error.
func (s Subject) send(t *testing.T, url string) error {
	t.Helper()
	n, err := s.New(url)
	require.NoError(t, err)
	m, err := alerts.Test("x", time.Unix(1_700_000_000, 0))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	sent := n.Send(ctx, m)
	for e := sent; e != nil; e = errors.Unwrap(e) {
		s.Hides(t, fmt.Sprintf("%v %+v %#v %q", e, e, e, e))
	}
	if noticer, ok := n.(alerts.Noticer); ok {
		s.Hides(t, fmt.Sprint(noticer.Notices()))
	}
	return sent
}

// Hides fails the test when a secret is in a text.
func (s Subject) Hides(t testing.TB, text string) {
	t.Helper()
	for _, secret := range s.Secrets {
		if strings.Contains(text, secret) {
			t.Fatalf("the secret %q is in: %s", secret, text)
		}
	}
}

// Meaning is what an error says of the next attempt, in a word.
func Meaning(err error) string {
	if err == nil {
		return "sent"
	}
	var e *alerts.SendError
	switch {
	case !errors.As(err, &e):
		return "retry"
	case e.Gone:
		return "gone"
	case e.Permanent:
		return "dead"
	case e.After > 0:
		return "wait " + e.After.String()
	case e.Uncertain:
		return "unsure"
	}
	return "retry"
}
