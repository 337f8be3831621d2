// Package notifiertest is what every notifier that calls a server must do, above
// all: keep its secrets to itself, whatever the server does to it.
package notifiertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
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
}

// mirror answers with all that it was sent, as a careless server or proxy would.
func mirror(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		all := r.URL.String() + " " + fmt.Sprint(r.Header)
		description, _ := json.Marshal(all)
		w.Header().Set("Location", r.URL.String())
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"ok":false,"error_code":%d,"description":%s}`, status, description)
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
		"answers in no HTTP":  raw("SSH-2.0-OpenSSH_9.2\r\n"),
		"answers no status":   raw("HTTP/1.1 2x0 OK\r\n\r\n"),
		"redirects elsewhere": http.RedirectHandler("http://127.0.0.1:1/elsewhere", http.StatusPermanentRedirect),
	}
	for _, status := range []int{300, 302, 307, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504} {
		list[fmt.Sprint("mirrors with ", status)] = mirror(status)
	}
	return list
}

func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
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
			s.send(t, srv.URL)
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		srv.Close()
		s.send(t, srv.URL)
	})
	t.Run("no such host", func(t *testing.T) { s.send(t, "http://no-such-host.invalid") })
	t.Run("speaks no TLS", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		defer srv.Close()
		s.send(t, strings.Replace(srv.URL, "http://", "https://", 1))
	})
	t.Run("untrusted certificate", func(t *testing.T) {
		srv := httptest.NewTLSServer(http.NotFoundHandler())
		defer srv.Close()
		s.send(t, srv.URL)
	})
}

// send sends to a bad server and looks at every form of the error.
func (s Subject) send(t *testing.T, url string) {
	t.Helper()
	n, err := s.New(url)
	require.NoError(t, err)
	m, err := alerts.Test("x", time.Unix(1_700_000_000, 0))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = n.Send(ctx, m)
	require.Error(t, err)
	for e := err; e != nil; e = errors.Unwrap(e) {
		s.Hides(t, fmt.Sprintf("%v %+v %#v %q", e, e, e, e))
	}
	if noticer, ok := n.(alerts.Noticer); ok {
		s.Hides(t, fmt.Sprint(noticer.Notices()))
	}
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
