package heartbeat

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/config"
)

// handler answers in the process, so that a fake clock rules both.
type handler func(*http.Request) int

func (h handler) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	rec.WriteHeader(h(r))
	return rec.Result(), nil
}

func TestItIsSilentExactlyWhileSomethingIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var beats []time.Duration
		begin := time.Now()
		sick := func(at time.Duration) bool { return at >= 10*time.Minute && at < 20*time.Minute }
		h := New(config.Heartbeat{URL: config.NewURL("https://h.example/x"), Every: time.Minute}, func(context.Context) []string {
			if sick(time.Since(begin)) {
				return []string{"chain ethereum: no new data for 6 min"}
			}
			return nil
		}, zerolog.Nop())
		fail := false
		h.client.Transport = handler(func(r *http.Request) int {
			require.Equal(t, http.MethodGet, r.Method)
			mu.Lock()
			defer mu.Unlock()
			if fail = !fail; time.Since(begin) > 30*time.Minute && fail {
				return http.StatusBadGateway
			}
			beats = append(beats, time.Since(begin))
			return http.StatusOK
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		h.Run(ctx)
		last := time.Duration(0)
		for _, at := range beats {
			require.False(t, sick(at), "a beat at %s", at)
			if !sick(last+time.Minute) && last < 30*time.Minute {
				require.LessOrEqual(t, at-last, time.Minute, "silent before %s", at)
			}
			require.True(t, sick(last+time.Minute) || at-last <= time.Minute+again, "a failed call is made again soon: %s", at)
			last = at
		}
		require.Greater(t, last, 58*time.Minute)
		require.Contains(t, beats, 20*time.Minute, "well again is told soon")
	})
}

// The address is a secret: whatever the server does, no log holds it.
func TestTheAddressStaysSecret(t *testing.T) {
	const secret = "0123-key-of-the-switch"
	for name, server := range notifiertest.Servers() {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(server)
			defer srv.Close()
			var log bytes.Buffer
			h := New(config.Heartbeat{URL: config.NewURL(srv.URL + "/" + secret), Every: time.Hour, AllowPrivate: true}, func(context.Context) []string { return nil }, zerolog.New(&log))
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			err := h.beat(ctx)
			require.Error(t, err)
			require.NotContains(t, err.Error(), secret)
			short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer stop()
			h.Run(short)
			require.NotContains(t, log.String(), secret)
		})
	}
}

func TestItReachesNoPrivateAddressUnasked(t *testing.T) {
	var called atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Store(true) }))
	defer srv.Close()
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		h := New(config.Heartbeat{URL: config.NewURL(strings.Replace(srv.URL, "127.0.0.1", host, 1) + "/x"), Every: time.Hour}, nil, zerolog.Nop())
		err := h.beat(t.Context())
		require.ErrorContains(t, err, "allow_private")
	}
	require.False(t, called.Load())
}
