package web_test

import (
	"bufio"
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Two hundred viewers with open streams who each ask for the page again on every
// event: everybody is served, and ladders are built for none of them alone.
func TestTwoHundredViewers(t *testing.T) {
	w := demoPage(t)
	ctx, stop := context.WithTimeout(context.Background(), 90*time.Second)
	defer stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500}}
	var told, served atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			r, _ := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+"/api/v1/events?axis=ETH", nil)
			res, err := client.Do(r)
			if err != nil {
				return
			}
			defer res.Body.Close()
			lines := bufio.NewScanner(res.Body)
			for n := 0; n < 3 && lines.Scan(); {
				if lines.Text() != "data: {}" {
					continue
				}
				n++
				told.Add(1)
				r, _ := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+"/parts?axis=ETH", nil)
				if part, err := client.Do(r); err == nil {
					if part.StatusCode == http.StatusOK {
						served.Add(1)
					}
					_ = part.Body.Close()
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	bearer := []string{"Authorization", "Bearer " + worldToken}
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(500 * time.Millisecond):
			ask(t, w, "POST /api/v1/rules/eth/mute", "for=1h", bearer...) // something that everybody is told of
		}
	}
	require.Equal(t, int64(600), told.Load())
	require.Equal(t, int64(600), served.Load())
	require.Regexp(t, `liqwatch_ladder_build_seconds_count\{axis="ETH"\} [1-3]\n`, get(t, w, "/metrics"))
}

// The whole first view, packed, fits in 300 KB with its style and script.
func TestFirstViewIsSmall(t *testing.T) {
	w := demoPage(t)
	sum := 0
	for _, path := range []string{"/?axis=ETH", "/static/style.css", "/static/page.js", "/static/icon.svg", "/heatmap.png?axis=ETH"} {
		code, _, body := ask(t, w, "GET "+path, "", "Accept-Encoding", "gzip")
		require.Equal(t, 200, code)
		sum += len(body)
	}
	t.Logf("first view: %d bytes", sum)
	require.Less(t, sum, 300_000)
}
