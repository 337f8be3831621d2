package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/config"
)

func TestTheRulesThatMostServicesShare(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := &Client{Name: "x", Now: func() time.Time { return at }}
	for _, tc := range []struct {
		status int
		after  string
		want   string
	}{
		{200, "", "sent"}, {204, "60", "sent"}, {301, "", "retry"}, {308, "", "retry"}, {400, "", "dead"}, {401, "", "dead"}, {403, "", "dead"},
		{404, "", "dead"}, {408, "", "retry"}, {409, "", "retry"}, {410, "", "dead"}, {413, "", "dead"}, {425, "", "retry"},
		{429, "", "wait 30s"}, {429, "0", "wait 30s"}, {429, "7", "wait 7s"}, {429, "soon", "wait 30s"}, {429, "999999999", "wait 24h0m0s"},
		{429, "Fri, 02 Jan 2026 03:04:35 GMT", "wait 30s"}, {429, "Fri, 02 Jan 2026 03:00:00 GMT", "wait 30s"}, {429, "-5", "wait 30s"},
		{500, "", "unsure"}, {502, "", "unsure"}, {503, "9", "wait 9s"}, {503, "Fri, 02 Jan 2026 03:00:00 GMT", "unsure"}, {599, "", "unsure"},
	} {
		a := Answer{Status: tc.status, Header: http.Header{"Retry-After": {tc.after}}, Body: []byte("hunter2")}
		err := c.Judge(a, "")
		require.Equal(t, tc.want, notifiertest.Meaning(err), "%d %q", tc.status, tc.after)
		require.NotContains(t, fmt.Sprint(err), "hunter2")
	}
}

func TestAnAnswerIsReadInPart(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for chunk := []byte(strings.Repeat("x", 64<<10)); r.Context().Err() == nil; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	a, err := New("x", true).Post(t.Context(), srv.URL, nil, "hello")
	require.NoError(t, err)
	require.Len(t, a.Body, MaxAnswer)
}

func TestHeadersWithoutEndAreNotRead(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 2*MaxAnswer))
	}))
	defer srv.Close()
	_, err := New("x", true).Post(t.Context(), srv.URL, nil, "hello")
	require.Equal(t, "unsure", notifiertest.Meaning(err))
}

// A client is told apart what was surely not sent from what may have arrived.
func TestWhetherItMayHaveArrived(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Second):
		}
	}))
	defer slow.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, tc := range map[string]struct {
		url     string
		private bool
		want    string
		text    string
	}{
		"nobody listens": {closed.URL, true, "retry", "connection refused"},
		"blocked":        {closed.URL, false, "retry", "allow_private"},
		"no such host":   {"http://no-such-host.invalid/", true, "retry", "no-such-host"},
		"cut":            {cut.URL, true, "unsure", "closed before there was an answer"},
		"slow":           {slow.URL, true, "unsure", "no answer in time"},
		"no TLS":         {strings.Replace(plain.URL, "http:", "https:", 1), true, "retry", "speaks no TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			c := New("x", tc.private)
			c.HTTP.Timeout = 200 * time.Millisecond
			_, err := c.Post(t.Context(), tc.url+"?key=hunter2", nil, "hello")
			require.Equal(t, tc.want, notifiertest.Meaning(err), "%v", err)
			require.ErrorContains(t, err, tc.text)
			require.NotContains(t, err.Error(), "hunter2")
			require.Equal(t, !tc.private, errors.Is(err, ErrBlocked))
		})
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	hit := false
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer inner.Close()
	outer := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusTemporaryRedirect))
	defer outer.Close()
	c := New("x", true)
	a, err := c.Post(t.Context(), outer.URL, nil, "hello")
	require.NoError(t, err)
	require.ErrorContains(t, c.Judge(a, ""), "redirects are not followed")
	require.False(t, hit)
}

func TestAddressesAndLinks(t *testing.T) {
	for _, bad := range []string{"", "hunter2", "ftp://hunter2", "http://", "://hunter2", "http:///hunter2", "http://hunter2 x/%zz"} {
		_, err := Address("x: url", config.NewURL(bad))
		require.ErrorContains(t, err, "x: url", bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
	good, err := Address("x", config.NewURL("https://[::1]:8443/a?b=c"))
	require.NoError(t, err)
	require.Equal(t, "https://[::1]:8443/a?b=c", good)
	for _, bad := range []string{"", "javascript:alert(1)", "https://me:x@y.example", "https://x.example/<b>", "https://x.example/a|b", "https://x.example/" + strings.Repeat("x", 500)} {
		require.Error(t, new(Link).UnmarshalText([]byte(bad)), bad)
	}
	require.NoError(t, new(Link).UnmarshalText([]byte("https://x.example/page?a=b#c")))
}

func TestADialerJudgesWhatItConnectsTo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	_, err = Dialer(false).DialContext(t.Context(), "tcp", strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1))
	require.ErrorIs(t, err, ErrBlocked)
	conn, err := Dialer(true).DialContext(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}
