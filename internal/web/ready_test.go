package web_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/web"
)

// Readiness tells the truth, in words, and the page says the same: whatever is
// missing, late or cannot be delivered, silence is never shown as safety.
func TestReadinessTellsTheTruth(t *testing.T) {
	var sinks atomic.Pointer[[]alerts.Sink]
	sinks.Store(&[]alerts.Sink{})
	var broken atomic.Bool
	w := newWorld(t, func(o *web.Options) {
		o.Sinks = func(context.Context) ([]alerts.Sink, error) {
			if broken.Load() {
				return nil, errors.New("the disk is gone")
			}
			return *sinks.Load(), nil
		}
	})
	ago := func(d time.Duration) time.Time { return w.now.Add(-d) }
	for _, c := range []struct {
		name  string
		chain func(*web.ChainState)
		sinks []alerts.Sink
		late  time.Duration
		why   string // empty: ready
	}{
		{name: "all is well"},
		{name: "five block times without a block", chain: func(c *web.ChainState) { c.BlockTime = 12 * time.Second }, late: 61 * time.Second, why: "devnet: no block for 1m4s, where one comes every 12s"},
		{name: "four are bearable", chain: func(c *web.ChainState) { c.BlockTime = 12 * time.Second }, late: 45 * time.Second},
		{name: "chains with many blocks a second get half a minute", chain: func(c *web.ChainState) { c.BlockTime = 250 * time.Millisecond }, late: 20 * time.Second},
		{name: "and no more", chain: func(c *web.ChainState) { c.BlockTime = 250 * time.Millisecond }, late: 40 * time.Second, why: "no block for 43s"},
		{name: "the reason is told", chain: func(c *web.ChainState) { c.Why = "no node answers" }, late: 6 * time.Minute, why: "no block for 6m3s: no node answers"},
		{name: "before the first pass", chain: func(c *web.ChainState) { c.Block.Number = 0 }, why: "the first pass has not ended"},
		{name: "blocks that are old themselves", chain: func(c *web.ChainState) { c.Block.Time -= 1200 }, why: "20 min old by its own clock"},
		{name: "a market that resyncs", chain: func(c *web.ChainState) {
			c.Markets = append(c.Markets, web.MarketState{Name: "spark", Why: "scanning logs"})
		}, why: "spark: not read yet: scanning logs"},
		{name: "a market left behind", chain: func(c *web.ChainState) { c.Markets[0].Fed = ago(10 * time.Minute) }, why: "not brought to a new block for 10m0s"},
		{name: "a message a minute late", sinks: []alerts.Sink{{Name: "risk", Overdue: ago(61 * time.Second), Why: "429"}}, why: "the notifier risk is 1m1s late: 429"},
		{name: "held back over quiet hours", sinks: []alerts.Sink{{Name: "risk", Overdue: ago(-time.Hour)}}},
		{name: "half a minute is nothing", sinks: []alerts.Sink{{Name: "risk", Overdue: ago(30 * time.Second)}}},
		{name: "one of two fails", sinks: []alerts.Sink{{Name: "hook"}, {Name: "risk", Failing: ago(time.Second)}}},
		{name: "all fail", sinks: []alerts.Sink{{Name: "hook", Failing: ago(time.Second)}, {Name: "risk", Failing: ago(time.Second)}}, why: "no notifier takes messages"},
	} {
		t.Run(c.name, func(t *testing.T) {
			alter := func(s *web.ChainState) {
				if c.chain != nil {
					c.chain(s)
				}
			}
			w.alter.Store(&alter)
			sinks.Store(&c.sinks)
			w.late.Store(int64(c.late))
			w.page.Passed("devnet", 0) // it looks around
			status, body := http.StatusOK, ""
			require.Eventually(t, func() bool {
				status, _, body = ask(t, w, "GET /readyz", "")
				return (status == http.StatusOK) == (c.why == "") && strings.Contains(body, c.why)
			}, 10*time.Second, 20*time.Millisecond, "%s", c.name)
			metrics := get(t, w, "/metrics?of="+strings.ReplaceAll(c.name, " ", "-"))
			state := object(t, get(t, w, "/api/v1/state?of="+strings.ReplaceAll(c.name, " ", "-")))
			if c.name == "held back over quiet hours" {
				require.Contains(t, state["notifiers"], map[string]any{"notifier": "risk", "overdue": nil, "failing": nil})
				require.NotContains(t, get(t, w, "/?of=quiet"), "behind since")
			}
			if c.why == "" {
				require.Equal(t, "ok\n", body)
				require.Contains(t, metrics, "liqwatch_ready 1")
				return
			}
			require.Contains(t, metrics, "liqwatch_ready 0")
			require.Contains(t, state["why"], c.why)
			page := get(t, w, "/?of="+strings.ReplaceAll(c.name, " ", "-"))
			require.Contains(t, page, "this silence means nothing")
			require.NotContains(t, page, ">ready<")
			if c.name == "a market left behind" {
				require.Contains(t, page, `<span class="bad">not brought to a new block`)
			}
		})
	}
	broken.Store(true)
	w.late.Store(0)
	code, _, body := ask(t, w, "GET /readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, body, "the store does not answer")
	require.NotContains(t, body, "disk", "why is for the log")
}
