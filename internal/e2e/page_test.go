package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/debian"
	"liqwatch/internal/web/webtest"
)

const pageToken = "the-token-of-the-page"

const pageRules = `
rules:
  - {name: eth, axis: ETH, levels: [2400], approach: [5%, 2%], rearm: 1%, notify: [terminal]}
notifiers:
  terminal: {type: stdout}
log: {level: debug}
`

// shown is a devnet, a watcher of it and its page.
type shown struct {
	*world
	t       *testing.T
	config  string
	watcher *daemon
	url     string
}

func show(t *testing.T) *shown {
	t.Helper()
	s := &shown{world: populated(t, aave.V36, anvil.Options{}), t: t}
	s.config = s.configuration(t, pageRules)
	text, err := os.ReadFile(s.config)
	require.NoError(t, err)
	page := fmt.Sprintf("web: {listen: 127.0.0.1:0, token: %s}", pageToken)
	require.NoError(t, os.WriteFile(s.config, []byte(strings.Replace(string(text), `web: {listen: "off"}`, page, 1)), 0o600))
	s.watcher = watch(t, s.config)
	require.Eventually(t, func() bool { s.url = s.watcher.page(); return s.url != "" }, time.Minute, 10*time.Millisecond)
	return s
}

// page is where the log says that the page is.
func (d *daemon) page() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, text := range d.lines {
		var l struct{ Message, URL string }
		if json.Unmarshal([]byte(text), &l) == nil && l.Message == "the page is open" {
			return l.URL
		}
	}
	return ""
}

// set moves ETH and waits until the watcher has looked.
func (s *shown) set(usd int64) {
	s.t.Helper()
	before := s.watcher.seen()
	require.NoError(s.t, s.SetETH(s.t.Context(), big.NewInt(usd*1e8)))
	s.watcher.hasLooked(s.t, before, s.head(s.t).Number)
}

// get asks the page's API.
func (s *shown) get(path string) []byte {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), time.Minute)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	require.NoError(s.t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, res.StatusCode, "%s: %s", path, body)
	return body
}

// A devnet's market in a real browser: the price falls by transactions, bars and
// heatmap move, an alert appears and is acknowledged, its rule is muted, and a
// liquidation shows up on the tape. Before it, the numbers of the page are held
// against those of the commands.
func TestThePageOfAWatchedDevnet(t *testing.T) {
	s := show(t)
	borrower, liquidator := chains.Address{0xB0}, chains.Address{0x11}
	ctx := t.Context()
	require.NoError(t, s.Supply(ctx, borrower, "WETH", s.Amount("WETH", 10)))
	require.NoError(t, s.Borrow(ctx, borrower, "USDC", s.Amount("USDC", 20_500)))
	require.NoError(t, s.Mint(ctx, liquidator, "USDC", s.Amount("USDC", 10_000)))
	s.watcher.hasLooked(t, 0, s.head(t).Number)
	s.whatIfIsTheMap()

	b := webtest.Open(t, debian.Program(t, "chromium", "chromium"))
	b.On(webtest.Screen{Width: 1280, Height: 1000, Scheme: "light"})
	b.LogIn(s.url, pageToken)
	b.Until("bars at 2,700", `document.querySelectorAll(".bar").length > 10 && document.querySelector(".spot strong").textContent.startsWith("2,700")`)
	bars := `[...document.querySelectorAll(".bar")].map(r => r.getAttribute("aria-label")).join()`
	first := webtest.Eval[string](b, bars)
	b.Until("a heatmap", `!!document.querySelector("svg.map image")`)
	heat := webtest.Eval[string](b, `document.querySelector("svg.map image").getAttribute("href")`)

	s.set(2490)
	b.Until("the price falls", `document.querySelector(".spot strong").textContent.startsWith("2,490")`)
	b.Until("the bars move", bars+" !== "+quoted(first))
	b.Until("an alert", `document.querySelectorAll("#alerts [data-alert] .ack").length > 0`)
	id := webtest.Eval[string](b, `document.querySelector("#alerts [data-alert]:has(.ack)").dataset.alert`)
	b.Click(`[data-alert="` + id + `"] .ack`)
	b.Until("it is acknowledged", `document.querySelector('[data-alert="`+id+`"]')?.textContent.includes("seen by page")`)
	b.Click(`#alerts form[action^="/mute"] button`)
	b.Until("the rule is muted", `/muted until/.test(document.getElementById("alerts").textContent)`)

	s.set(2405)
	b.Until("the price falls on", `document.querySelector(".spot strong").textContent.startsWith("2,405")`)
	_, err := s.Liquidate(ctx, liquidator, borrower, "WETH", "USDC", s.Amount("USDC", 5_000), false)
	require.NoError(t, err)
	b.Until("the liquidation is on the tape", `[...document.querySelectorAll("#tape tbody tr")].some(r => r.textContent.includes("5,000 USDC"))`)
	b.Until("a muted rule is still told of on the page", `document.querySelectorAll("#alerts [data-alert]").length > 1`)
	s.whatIfIsTheMap()
	b.Until("the heatmap moves with the next minute", `document.querySelector("svg.map image").getAttribute("href") !== `+quoted(heat))
	require.Empty(t, webtest.Eval[[]string](b, `performance.getEntriesByType("resource").map(e => new URL(e.name).origin).filter(o => o !== location.origin)`))
	code, _ := s.watcher.interrupt(t)
	require.Zero(t, code)
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// whatIfIsTheMap holds what the page says of prices against `liqwatch map` and
// `liqwatch stress` at the same block, digit for digit.
func (s *shown) whatIfIsTheMap() {
	t := s.t
	t.Helper()
	block := s.head(t).Number
	var ladder struct{ Blocks []struct{ Number uint64 } }
	require.Eventually(t, func() bool {
		require.NoError(t, json.Unmarshal(s.get("/api/v1/ladder?axis=ETH&levels=2200"), &ladder))
		return ladder.Blocks[0].Number == block
	}, time.Minute, 200*time.Millisecond, "the page comes to block %d", block)

	prices := []string{"1500", "2199.99", "2200", "2399.5", "2404.123456789", "2950", "3500"}
	out, errs, code := liqwatch(t, "map", "-c", s.config, "--axis", "ETH", "--levels", strings.Join(prices, ","), "--block", fmt.Sprint(block), "--format", "json")
	require.Zero(t, code, errs)
	require.JSONEq(t, string(out), string(s.get("/api/v1/ladder?axis=ETH&levels="+strings.Join(prices, ","))))
	var m struct{ Down, Up []map[string]any }
	require.NoError(t, json.Unmarshal(out, &m))
	edges := slices.Concat(m.Down, m.Up)
	require.Len(t, edges, len(prices))
	for _, edge := range edges {
		price := edge["price"].(string)
		delete(edge, "price")
		var got struct {
			Then   map[string]any
			Blocks []struct{ Number uint64 }
		}
		require.NoError(t, json.Unmarshal(s.get("/api/v1/whatif?axis=ETH&price="+price), &got))
		require.Equal(t, block, got.Blocks[0].Number)
		require.Equal(t, edge, got.Then, "at %s", price)
	}
	var joint struct{ Joint json.RawMessage }
	require.NoError(t, json.Unmarshal(s.get("/api/v1/whatif?axis=ETH&price=2100&shock=BTC=-10%25"), &joint))
	out, errs, code = liqwatch(t, "stress", "-c", s.config, "--shock", "ETH=2100", "--shock", "BTC=-10%", "--block", fmt.Sprint(block), "--format", "json")
	require.Zero(t, code, errs)
	require.JSONEq(t, string(out), string(joint.Joint))
}
