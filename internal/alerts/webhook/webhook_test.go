package webhook

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
)

func secret(fill string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(fill, 32)[:32]))
}

func build(t testing.TB, values map[string]any) *Notifier {
	t.Helper()
	n, err := try(values)
	require.NoError(t, err)
	return n
}

func try(values map[string]any) (*Notifier, error) {
	s, err := config.FromMap("test", values)
	if err != nil {
		return nil, err
	}
	return New(s)
}

func message(t testing.TB) alerts.Message {
	t.Helper()
	m, err := alerts.Test("hook", time.Unix(1_700_000_000, 0).UTC())
	require.NoError(t, err)
	m.ID = "msg_1"
	return m
}

// receiver keeps what it gets.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	bodies  [][]byte
	headers []http.Header
}

func receive(t *testing.T, answer func(w http.ResponseWriter, n int)) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.bodies, r.headers = append(r.bodies, body), append(r.headers, req.Header)
		n := len(r.bodies)
		r.mu.Unlock()
		if req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		answer(w, n)
	}))
	t.Cleanup(func() { r.CloseClientConnections(); r.Close() })
	return r
}

func ok(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusNoContent) }

func TestTheOfficialLibraryVerifiesEveryAttempt(t *testing.T) {
	r := receive(t, ok)
	n := build(t, map[string]any{"url": r.URL + "/in?key=k", "secret": secret("a"), "allow_private": true})
	m := message(t)
	for range 3 {
		require.NoError(t, n.Send(t.Context(), m))
	}
	wh, err := standardwebhooks.NewWebhook(secret("a"))
	require.NoError(t, err)
	other, err := standardwebhooks.NewWebhook(secret("b"))
	require.NoError(t, err)
	for i := range r.bodies {
		require.NoError(t, wh.Verify(r.bodies[i], r.headers[i]))
		require.Error(t, other.Verify(r.bodies[i], r.headers[i]))
		require.Equal(t, r.bodies[0], r.bodies[i])
		require.Equal(t, "msg_1", r.headers[i].Get("webhook-id"))
		require.Error(t, wh.Verify(append([]byte(" "), r.bodies[i]...), r.headers[i]))
	}
	var got alerts.Body
	require.NoError(t, json.Unmarshal(r.bodies[0], &got))
	require.Equal(t, "liqwatch.test", got.Type)
	require.Equal(t, alerts.BodyVersion, got.Data.Version)
}

func TestWhileASecretChangesBothVerify(t *testing.T) {
	r := receive(t, ok)
	n := build(t, map[string]any{"url": r.URL, "secrets": []string{secret("new"), secret("old")}, "allow_private": true})
	require.NoError(t, n.Send(t.Context(), message(t)))
	for _, s := range []string{"new", "old"} {
		wh, err := standardwebhooks.NewWebhook(secret(s))
		require.NoError(t, err)
		require.NoError(t, wh.Verify(r.bodies[0], r.headers[0]))
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		status int
		after  string
		want   string
	}{
		{200, "", "sent"}, {201, "", "sent"}, {202, "60", "sent"}, {204, "", "sent"}, {299, "", "sent"},
		{301, "", "retry"}, {302, "", "retry"}, {304, "", "retry"}, {400, "", "retry"}, {401, "", "retry"},
		{404, "", "retry"}, {410, "", "gone"}, {410, "60", "gone"}, {413, "", "retry"}, {500, "", "retry"},
		{429, "", "retry"}, {429, "7", "wait 7s"}, {429, "0", "retry"}, {503, "3600", "wait 1h0m0s"},
		{429, "Fri, 02 Jan 2026 03:04:35 GMT", "wait 30s"}, {429, "Fri, 02 Jan 2026 03:04:00 GMT", "retry"},
		{429, "soon", "retry"}, {429, "-5", "retry"}, {502, "", "retry"}, {504, "2", "wait 2s"},
		{429, "999999999", "wait 24h0m0s"},
	}
	for _, tc := range tests {
		r := receive(t, func(w http.ResponseWriter, _ int) {
			if tc.after != "" {
				w.Header().Set("Retry-After", tc.after)
			}
			if tc.status/100 == 3 {
				w.Header().Set("Location", "http://169.254.169.254/latest/meta-data")
			}
			w.WriteHeader(tc.status)
		})
		n := build(t, map[string]any{"url": r.URL, "secret": secret("a"), "allow_private": true})
		n.now = func() time.Time { return at }
		require.Equal(t, tc.want, meaning(n.Send(t.Context(), message(t))), "%d %q", tc.status, tc.after)
		require.Len(t, r.bodies, 1, "one attempt a call")
	}
}

func meaning(err error) string {
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

func TestAnEndlessAnswerIsNotRead(t *testing.T) {
	var wrote int
	done := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		for chunk := []byte(strings.Repeat("x", 64<<10)); r.Context().Err() == nil; {
			n, err := w.Write(chunk)
			if wrote += n; err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	n := build(t, map[string]any{"url": srv.URL, "secret": secret("a"), "allow_private": true})
	require.NoError(t, n.Send(t.Context(), message(t)))
	<-done
	require.Less(t, wrote, 64<<20, "what the sockets hold, and no more")
}

func TestASlowReceiverIsGivenUpAndMayHaveTheMessage(t *testing.T) {
	r := receive(t, func(w http.ResponseWriter, _ int) { time.Sleep(2 * time.Second) })
	n := build(t, map[string]any{"url": r.URL, "secret": secret("a"), "allow_private": true})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Equal(t, "unsure", meaning(n.Send(ctx, message(t))))
	require.Equal(t, 15*time.Second, n.client.Timeout)
}

func TestARefusedConnectionIsSurelyNotDelivered(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	url := srv.URL
	srv.Close()
	n := build(t, map[string]any{"url": url, "secret": secret("a"), "allow_private": true})
	require.Equal(t, "retry", meaning(n.Send(t.Context(), message(t))))
}

func TestScheduleIsTheConventions(t *testing.T) {
	var sum time.Duration
	s := (&Notifier{}).Schedule()
	for _, d := range s {
		sum += d
	}
	require.Len(t, s, 10)
	require.Equal(t, 75*time.Hour+35*time.Minute+5*time.Second, sum)
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	good := func() map[string]any { return map[string]any{"url": "https://example.org", "secret": secret("a")} }
	tests := map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"no url":          {func(m map[string]any) { delete(m, "url") }, "url"},
		"not http":        {func(m map[string]any) { m["url"] = "ftp://example.org" }, "want http"},
		"no secret":       {func(m map[string]any) { delete(m, "secret") }, "secret is missing"},
		"no prefix":       {func(m map[string]any) { m["secret"] = "hunter2hunter2" }, "starts with whsec_"},
		"no base64":       {func(m map[string]any) { m["secret"] = "whsec_hunter2!" }, "base64"},
		"too short":       {func(m map[string]any) { m["secret"] = "whsec_aHVudGVyMg==" }, "24 to 64 bytes"},
		"unknown setting": {func(m map[string]any) { m["sekret"] = "x" }, "sekret"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			m := good()
			tc.change(m)
			_, err := try(m)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
	_, err := try(good())
	require.NoError(t, err)
}

func TestAnOversizedMessageIsRefused(t *testing.T) {
	n := build(t, map[string]any{"url": "https://example.org", "secret": secret("a")})
	m := message(t)
	m.Data = []byte(`"` + strings.Repeat("x", 20_000) + `"`)
	require.Equal(t, "dead", meaning(n.Send(t.Context(), m)))
}

func TestNoErrorHoldsTheURLOrTheSecret(t *testing.T) {
	for _, target := range []string{"http://127.0.0.1:1/hunter2?key=hunter2", "http://hunter2:hunter2@127.0.0.1:1/", "https://127.0.0.1:1/hunter2", "http://[::1]:1/hunter2"} {
		for _, open := range []bool{true, false} {
			n := build(t, map[string]any{"url": target, "secret": secret("k"), "allow_private": open})
			err := n.Send(t.Context(), message(t))
			require.Error(t, err)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), secret("k")[6:20])
			require.NotContains(t, fmt.Sprintf("%+v %#v", err, errors.Unwrap(err)), "hunter2")
		}
	}
}
