package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
)

// lockedText is a log that is read while it is written.
type lockedText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// watching runs the daemon until stop is called, which gives its exit code and how
// long it took to end.
func watching(t *testing.T, config string) (log *lockedText, stop func() (int, time.Duration)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	log = &lockedText{}
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"liqwatch", "watch", "-c", config}, log, log) }()
	return log, func() (int, time.Duration) {
		start := time.Now()
		cancel()
		return <-code, time.Since(start)
	}
}

func (l *lockedText) says(t *testing.T, words string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(l.String(), words) }, 30*time.Second, 5*time.Millisecond,
		"the log does not say %q", words)
}

// Whatever it is doing when it is told to end, the daemon ends soon, with 0, and
// leaves nothing running.
func TestWatchEndsAtOnceAndWhole(t *testing.T) {
	node := anvil.Run(t, anvil.Options{})
	w, err := aave.Deploy(t.Context(), node, aave.V36, aave.Options{})
	require.NoError(t, err)
	asked := make(chan struct{}, 16)
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is the end of the connection seen
		asked <- struct{}{}
		<-r.Context().Done() // a receiver that never answers
	}))
	defer sink.Close()
	defer sink.CloseClientConnections()
	sleepy := proxy(t, node.URL, sleepyLogs)
	// Goroutines of the node, of the test's servers and of the test itself are not the daemon's.
	theirs := []goleak.Option{goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction("net/http.(*conn).serve")}
	const rule = `
rules:
  - {name: eth, axis: ETH, levels: [2650], approach: [5%%], notify: [hook]}
notifiers:
  hook: {type: webhook, url: %q, secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=, allow_private: true}
`
	for name, c := range map[string]struct {
		rpc, more string
		busy      func(t *testing.T, log *lockedText)
	}{
		"waiting for a block": {node.URL, "", func(t *testing.T, log *lockedText) { log.says(t, `"message":"pass"`) }},
		"waiting for a node":  {"http://127.0.0.1:1", "", func(t *testing.T, log *lockedText) { log.says(t, "connection refused") }},
		"over websocket":      {node.WS, "", func(t *testing.T, log *lockedText) { log.says(t, `"message":"pass"`) }},
		"with an answer outstanding": {sleepy, "", func(t *testing.T, log *lockedText) {
			log.says(t, "bulk reads")
			time.Sleep(200 * time.Millisecond)
		}},
		"with a message on its way": {node.URL, fmt.Sprintf(rule, sink.URL), func(t *testing.T, _ *lockedText) {
			select {
			case <-asked:
			case <-time.After(30 * time.Second):
				t.Fatal("no message was sent")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, writeConfig(dir, "liqwatch", c.rpc, w.Provider, w.FromBlock))
			config := filepath.Join(dir, "liqwatch.yaml")
			f, err := os.OpenFile(config, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = fmt.Fprintf(f, "%s\nstore: sqlite:%s\nlog: {level: debug}\n", c.more, filepath.Join(dir, "liqwatch.db"))
			require.NoError(t, err)
			require.NoError(t, f.Close())
			log, stop := watching(t, config)
			c.busy(t, log)
			code, took := stop()
			require.Zero(t, code, log.String())
			require.Less(t, took, 2*time.Second)
			http.DefaultClient.CloseIdleConnections()
			require.NoError(t, goleak.Find(theirs...))
		})
	}
}

// sleepyLogs answers eth_getLogs only after a long time.
func sleepyLogs(q *question) *refusal {
	if q.Method == "eth_getLogs" {
		time.Sleep(4 * time.Second)
	}
	return nil
}
