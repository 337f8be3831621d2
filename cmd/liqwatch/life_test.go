package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
)

// A watch over a real market calls the heartbeat's URL once all is read, and sends
// the daily digest; its log holds no part of the URL that is secret. One that cannot
// reach its node calls nobody.
func TestWatchShowsThatItLives(t *testing.T) {
	node := anvil.Run(t, anvil.Options{})
	w, err := aave.Deploy(t.Context(), node, aave.V36, aave.Options{})
	require.NoError(t, err)
	// The local chain's own clock stands in 2023, and who watches old blocks is not well.
	require.NoError(t, node.SetNextTime(t.Context(), uint64(time.Now().Unix())))
	require.NoError(t, node.Mine(t.Context()))
	const secret = "c0ffee-c0ffee"
	beats, bodies := make(chan string, 64), make(chan string, 64)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			beats <- r.URL.Path
			return
		}
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
	}))
	defer srv.Close()
	const more = `
store: sqlite:%s
heartbeat: {url: "%s/%s", every: 10s, allow_private: true}
digest: {at: "08:00", zone: Asia/Kathmandu, notify: [hook]}
rules:
  - {name: eth, axis: ETH, levels: [1000], approach: [1%%], notify: [hook], remind: 1h, escalate: {after: 15m, notify: [hook]}}
notifiers:
  hook: {type: webhook, url: "%s/hook", secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=, allow_private: true}
`
	for name, rpc := range map[string]string{"alive": node.URL, "dead": "http://127.0.0.1:1"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, writeConfig(dir, "liqwatch", rpc, w.Provider, w.FromBlock))
			file := filepath.Join(dir, "liqwatch.yaml")
			f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = fmt.Fprintf(f, more, filepath.Join(dir, "liqwatch.db"), srv.URL, secret, srv.URL)
			require.NoError(t, err)
			require.NoError(t, f.Close())
			log, stop := watching(t, file)
			defer func() {
				code, _ := stop()
				require.Equal(t, exitDone, code)
				require.NotContains(t, log.String(), secret)
			}()
			if name == "dead" {
				log.says(t, "no heartbeat is sent")
				require.Empty(t, beats)
				return
			}
			require.Equal(t, "/"+secret, receive(t, beats, log))
			body := receive(t, bodies, log)
			for _, want := range []string{`"type":"liqwatch.daily"`, "all is well", `"axis":"ETH"`} {
				require.True(t, strings.Contains(body, want), "%s is not in %s", want, body)
			}
		})
	}
}

func receive(t *testing.T, from <-chan string, log *lockedText) string {
	t.Helper()
	select {
	case text := <-from:
		return text
	case <-time.After(60 * time.Second):
		t.Fatalf("nothing came\n%s", log)
		return ""
	}
}
