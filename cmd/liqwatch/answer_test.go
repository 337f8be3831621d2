package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains/recorded"
	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
)

const (
	answerToken = "0123456789abcdef-token"
	answerFile  = "chains: {e: {rpc: [http://127.0.0.1:1]}}\nmarkets: [aave-v3-ethereum]\nweb: {listen: %q, token: %s}\n"
)

// command runs the program and gives its output, both streams, and its exit code.
func command(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), append([]string{"liqwatch"}, args...), &o, &e)
	return o.String(), e.String(), code
}

// People answer alerts from the command line: the commands against the page of a
// watcher that has alerts, those of the demo.
func TestAlertsAreAnsweredFromTheCommandLine(t *testing.T) {
	rec, err := recorded.Open(bytes.NewReader(demoRecording))
	require.NoError(t, err)
	p, err := newPlayer(t.Context(), rec, pageFlags{listen: "127.0.0.1:0", token: answerToken}, io.Discard, zerolog.Nop())
	require.NoError(t, err)
	defer p.Close()
	file := filepath.Join(t.TempDir(), "liqwatch.yaml")
	write := func(token string) {
		require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, answerFile, p.listener.Addr().String(), token), 0o600))
	}
	write(answerToken)
	require.NoError(t, p.play(t.Context(), func(context.Context) error { return nil }, func(ctx context.Context) error {
		answering(ctx, t, p, file)
		write("0123456789abcdef-other")
		_, errs, code := command(t, "mute", "-c", file, "*", "1h")
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "web.token")
		require.NotContains(t, errs, "abcdef")
		return nil
	}))
}

func answering(ctx context.Context, t *testing.T, p *player, file string) {
	out, errs, code := command(t, "alerts", "-c", file, "--limit", "3")
	require.Equal(t, exitDone, code, errs)
	require.Equal(t, 4, strings.Count(out, "\n"), out)
	require.Contains(t, out, "ACKNOWLEDGED")
	out, _, code = command(t, "alerts", "-c", file, "--format", "json")
	require.Equal(t, exitDone, code)
	var list struct {
		Alerts []listedAlert `json:"alerts"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.NotEmpty(t, list.Alerts)
	id, rule := list.Alerts[0].ID, list.Alerts[0].Rule

	out, errs, code = command(t, "ack", "-c", file, "--name", "ada", id)
	require.Equal(t, exitDone, code, errs)
	require.Equal(t, id+" is acknowledged\n", out)
	kept, err := p.store.Alert(ctx, id)
	require.NoError(t, err)
	require.Equal(t, "ada", kept.AcknowledgedBy)
	_, errs, code = command(t, "ack", "-c", file, "msg_nothing")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "no such alert")

	for _, scope := range []string{rule, rule + "/2400.0", "*"} {
		out, errs, code = command(t, "mute", "-c", file, "--name", "ada", scope, "2h")
		require.Equal(t, exitDone, code, errs)
		require.Contains(t, out, "is muted for 2h")
	}
	mutes, err := p.store.LoadMutes(ctx)
	require.NoError(t, err)
	require.Len(t, mutes, 3)
	require.Equal(t, "ada", mutes[rule+"/2400"].By)
	require.Equal(t, p.clock().Add(2*time.Hour).Unix(), mutes["*"].Until.Unix())
	for _, scope := range []string{rule, rule + "/2400", "*"} {
		_, errs, code = command(t, "unmute", "-c", file, scope)
		require.Equal(t, exitDone, code, errs)
	}
	mutes, err = p.store.LoadMutes(ctx)
	require.NoError(t, err)
	require.Empty(t, mutes)

	for _, c := range []struct {
		says string
		args []string
	}{
		{"no such rule", []string{"mute", "-c", file, "nothing", "1h"}},
		{"want a time such as", []string{"mute", "-c", file, rule, "soon"}},
		{"at most 168h", []string{"mute", "-c", file, rule, "169h"}},
		{"is nothing to mute", []string{"mute", "-c", file, "/", "1h"}},
		{"RULE TIME", []string{"mute", "-c", file, rule}},
		{"want 1 to 500", []string{"alerts", "-c", file, "--limit", "0"}},
		{"want http://HOST:PORT", []string{"alerts", "-c", file, "--url", "localhost"}},
	} {
		_, errs, code := command(t, c.args...)
		require.Equal(t, exitUsage, code, "%v: %s", c.args, errs)
		require.Contains(t, errs, c.says)
	}
}

// Whatever answers, or does not: a clear error, an exit code, and no token in it.
func TestAWatcherThatCannotBeAsked(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/mirror/api/v1/alerts":
			w.WriteHeader(http.StatusTeapot)
			_, _ = fmt.Fprint(w, r.Header, r.URL)
		case "/html/api/v1/alerts":
			_, _ = io.WriteString(w, "<html>\x1b[2J")
		case "/away/api/v1/alerts":
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		case "/broken/api/v1/alerts":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"error": {"code": "internal", "message": "this could not be answered\u001b[2J"}}`)
		}
	}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "liqwatch.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, answerFile, "127.0.0.1:1", answerToken), 0o600))
	for url, want := range map[string]struct {
		code int
		says string
	}{
		"":                           {exitUnreachable, "is liqwatch watch running there?"},
		srv.URL + "/mirror":          {exitFailed, "not a liqwatch of this version"},
		srv.URL + "/html":            {exitFailed, "not a liqwatch of this version"},
		srv.URL + "/away":            {exitFailed, "not a liqwatch of this version"},
		srv.URL + "/broken":          {exitFailed, "the watcher says: this could not be answered"},
		"http://user:pass@localhost": {exitUnreachable, "no answer"},
	} {
		args := []string{"alerts", "-c", file}
		if url != "" {
			args = append(args, "--url", url)
		}
		out, errs, code := command(t, args...)
		require.Equal(t, want.code, code, "%s: %s", url, errs)
		require.Contains(t, errs, want.says)
		require.Empty(t, out)
		for _, bad := range []string{answerToken, "pass", "\x1b"} {
			require.NotContains(t, errs, bad)
		}
	}
	require.NoError(t, os.WriteFile(file, []byte("chains: {e: {rpc: [http://h]}}\nmarkets: [aave-v3-ethereum]\nweb: {listen: off}\n"), 0o600))
	_, errs, code := command(t, "alerts", "-c", file)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "liqwatch.yaml:3:15")
	require.NoError(t, os.WriteFile(file, []byte("chains: {e: {rpc: [http://h]}}\nmarkets: [aave-v3-ethereum]\n"), 0o600))
	_, errs, code = command(t, "ack", "-c", file, "msg_x")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "web.token is not set")
}

// What the file says of a notifier, and where it says nothing the channel, is its policy.
func TestPolicies(t *testing.T) {
	people, machine := limited{}, deaf{}
	load := func(notifiers string) (map[string]alerts.Policy, error) {
		cfg, err := config.Parse("x.yaml", []byte("chains: {e: {rpc: [http://h]}}\nmarkets: [aave-v3-ethereum]\nnotifiers: "+notifiers+"\n"))
		require.NoError(t, err)
		return policies(cfg, map[string]alerts.Notifier{"a": people, "b": machine})
	}
	p, err := load("{a: {type: telegram}, b: {type: webhook, min_severity: warning, resolved: false}}")
	require.NoError(t, err)
	require.Equal(t, alerts.ChatLimits(), p["a"].Limits)
	require.Equal(t, alerts.Policy{Least: alerts.Warning, NoResolved: true, Singly: true}, p["b"])
	p, err = load("{a: {type: telegram, group: 30s, max_per_minute: 0, digest_over: 0, quiet: {from: \"22:00\", to: \"07:00\"}}, b: {type: webhook}}")
	require.NoError(t, err)
	require.Equal(t, alerts.Limits{Group: 30 * time.Second}, p["a"].Limits)
	require.Equal(t, alerts.Clock{Hour: 22}, p["a"].Quiet.From)
	for _, key := range []string{"group: 30s", "max_per_minute: 5", "digest_over: 5"} {
		_, err = load("{a: {type: telegram}, b: {type: webhook, " + key + "}}")
		require.ErrorContains(t, err, "x.yaml:3:")
		require.ErrorContains(t, err, "machines read")
	}
}

type deaf struct{}

func (deaf) Send(context.Context, alerts.Message) error { return nil }

type limited struct{ deaf }

func (limited) Limits() alerts.Limits { return alerts.ChatLimits() }
