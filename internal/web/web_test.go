package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/internal/web"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// What the page says of a price is what `liqwatch map` prints for it, digit for digit.
func TestWhatIfEqualsTheMap(t *testing.T) {
	w := demoPage(t)
	l, err := thresholds.Build("ETH", "", w.books)
	require.NoError(t, err)
	for _, price := range []string{"1500", "2199.99", "2200", "2399.5", "2680.123456789", "2950", "3500"} {
		m, err := l.Map([]decimal.Decimal{decimal.RequireFromString(price)}, thresholds.MapOptions{})
		require.NoError(t, err)
		edges := slices.Concat(m.Down, m.Up)
		require.Len(t, edges, 1)
		want, err := json.Marshal(edges[0].Totals)
		require.NoError(t, err)
		var got struct{ Then json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(get(t, w, "/api/v1/whatif?axis=ETH&price="+price)), &got))
		require.Equal(t, string(want), string(got.Then), price)
		// Moved as a shock, through the other way, it is the same.
		require.NoError(t, json.Unmarshal([]byte(get(t, w, "/api/v1/whatif?axis=ETH&shock=ETH="+price)), &got))
		require.Equal(t, string(want), string(got.Then), price)
	}
}

// Without a script the what-if is a form whose answer stands in the page, and the
// fields of other axes are joint shocks.
func TestWhatIfWithoutAScript(t *testing.T) {
	w := demoPage(t)
	exact := func(page string) string {
		m := regexp.MustCompile(`data-exact="([^"]+)" id="whatif-at-risk"`).FindStringSubmatch(page)
		require.NotNil(t, m, page)
		return m[1]
	}
	of := func(path string) string {
		return object(t, get(t, w, path))["then"].(map[string]any)["at_risk_usd"].(string)
	}
	require.Equal(t, of("/api/v1/whatif?axis=ETH&price=2200"), exact(get(t, w, "/?axis=ETH&price=2200&move.BTC=&move.market=0")))
	joint := get(t, w, "/?axis=ETH&price=2200&move.BTC=-10&move.wstETH/ETH=-3%25")
	require.Equal(t, of("/api/v1/whatif?axis=ETH&price=2200&shock=BTC=-10%25&shock=wstETH/ETH=-3%25"), exact(joint))
	require.Contains(t, joint, "Moved together:")
	require.Contains(t, get(t, w, "/?axis=ETH&price=x"), "is no number above 0")
	require.Contains(t, get(t, w, "/?axis=ETH&price=2200&move.DOGE=-1"), "DOGE", "what is not known is said")
}

// Pegs are offered beside the axes: what follows another asset at about its price.
func TestPegsAreOffered(t *testing.T) {
	w := demoPage(t)
	var axes struct{ Axes []struct{ Axis string } }
	require.NoError(t, json.Unmarshal([]byte(get(t, w, "/api/v1/axes")), &axes))
	var names []string
	for _, a := range axes.Axes {
		names = append(names, a.Axis)
		get(t, w, "/api/v1/ladder?levels=0.5&axis="+url.QueryEscape(a.Axis))
	}
	require.Subset(t, names, []string{"ETH", "BTC", "market", "wstETH/ETH", "weETH/ETH"})
	require.NotContains(t, names, "LINK/ETH", "a price is no peg")
	require.NotContains(t, names, "CRV/USDC")
}

// The answer of the API is the document that the command prints.
func TestLadderIsTheMapOfTheCommand(t *testing.T) {
	w := demoPage(t)
	l, err := thresholds.Build("ETH", "", w.books)
	require.NoError(t, err)
	m, err := l.Map([]decimal.Decimal{decimal.NewFromInt(2200), decimal.NewFromInt(2400)}, thresholds.MapOptions{})
	require.NoError(t, err)
	want, err := json.Marshal(m)
	require.NoError(t, err)
	require.JSONEq(t, string(want), get(t, w, "/api/v1/ladder?axis=ETH&levels=2200,2400"))
	require.Contains(t, get(t, w, "/api/v1/ladder?axis=ETH&format=csv"), "axis,direction,from,to,accounts")
	require.True(t, strings.HasPrefix(get(t, w, "/api/v1/ladder?axis=ETH&format=parquet"), "PAR1"))
}

func TestBadQuestionsAreAnsweredInWords(t *testing.T) {
	w := demoPage(t)
	for path, status := range map[string]int{
		"/api/v1/ladder?axis=DOGE": 404, "/api/v1/ladder?axis=" + strings.Repeat("x", 3000): 404, "/api/v1/ladder?axis=ETH&step=0.0001": 400,
		"/api/v1/ladder?axis=ETH&levels=a": 400, "/api/v1/ladder?axis=ETH&format=exe": 400, "/api/v1/whatif?axis=ETH": 400,
		"/api/v1/whatif?axis=ETH&price=-1": 400, "/api/v1/whatif?axis=ETH&price=1e999999999": 400, "/api/v1/whatif?axis=ETH&price=NaN": 400,
		"/api/v1/whatif?axis=ETH&shock=DOGE=-5%25": 400, "/api/v1/history?axis=ETH&range=5y": 400, "/api/v1/history?axis=ETH&market=none": 404,
		"/api/v1/alerts?limit=0": 400, "/api/v1/nothing": 404, "/static/nothing.js": 404, "/heatmap.png?axis=BTC": 404, "/nothing": 404,
	} {
		code, _, body := ask(t, w, "GET "+path, "")
		require.Equal(t, status, code, "%s: %s", path, body)
		if strings.HasPrefix(path, "/api") {
			require.NotEmpty(t, object(t, body)["error"].(map[string]any)["message"], path)
		}
	}
	require.Contains(t, get(t, w, "/?axis=DOGE"), "no such axis", "the page says so and stands")
	require.Empty(t, object(t, get(t, w, "/api/v1/history?axis=BTC&range=1y"))["columns"], "a time without history is no error")
}

func TestReadOnlyWithoutTheToken(t *testing.T) {
	w := demoPage(t)
	post := alerts.Post{Alert: alerts.Alert{Key: "k", Kind: alerts.KindApproach, Rule: "eth"}, Message: alerts.Message{Title: "<b>ETH</b> nears"}, Notify: []string{"risk"}}
	require.NoError(t, w.store.Post(context.Background(), w.now, post))
	id := object(t, get(t, w, "/api/v1/alerts"))["alerts"].([]any)[0].(map[string]any)["id"].(string)
	for _, head := range []string{"POST /api/v1/alerts/" + id + "/acknowledge", "POST /api/v1/rules/eth/mute?for=1h", "DELETE /api/v1/rules/eth/mute", "POST /acknowledge", "POST /mute"} {
		code, _, _ := ask(t, w, head, "")
		require.Equal(t, 401, code, head)
		code, _, _ = ask(t, w, head, "", "Authorization", "Bearer wrong-token-of-the-world")
		require.Equal(t, 401, code, head)
		code, _, _ = ask(t, w, head, "", "Authorization", "Bearer "+worldToken, "Sec-Fetch-Site", "cross-site")
		require.Equal(t, 403, code, "%s from somebody else's page", head)
	}
	bearer := []string{"Authorization", "Bearer " + worldToken}
	code, _, _ := ask(t, w, "POST /api/v1/alerts/"+id+"/acknowledge", "name=ada", bearer...)
	require.Equal(t, 204, code)
	code, _, _ = ask(t, w, "POST /api/v1/alerts/none/acknowledge", "", bearer...)
	require.Equal(t, 404, code)
	code, _, _ = ask(t, w, "POST /api/v1/rules/eth/mute", "for=1h", bearer...)
	require.Equal(t, 204, code)
	for _, bad := range []string{"for=9999h", "for=x", "for=-1h"} {
		code, _, _ = ask(t, w, "POST /api/v1/rules/eth/mute", bad, bearer...)
		require.Equal(t, 400, code, bad)
	}
	page := get(t, w, "/")
	require.Contains(t, page, "seen by ada")
	require.Contains(t, page, "muted until")
	require.Contains(t, page, "&lt;b&gt;ETH&lt;/b&gt; nears")
	require.NotContains(t, page, worldToken)

	none := newWorld(t, func(o *web.Options) { o.Token = "" })
	code, _, body := ask(t, none, "POST /mute", "rule=eth&for=1h", "Authorization", "Bearer ")
	require.Equal(t, 403, code)
	require.Contains(t, body, "read-only")
}

// Where other machines reach the page, the token is needed to read as well, and
// without one a warning is logged.
func TestAWidePageAsksWhoReads(t *testing.T) {
	w := newWorld(t, func(o *web.Options) { o.Listen = "0.0.0.0:0" })
	for path, status := range map[string]int{"/": 303, "/api/v1/state": 401, "/metrics": 401, "/healthz": 200, "/readyz": 200, "/login": 200, "/static/page.js": 200} {
		code, _, _ := ask(t, w, "GET "+path, "")
		require.Equal(t, status, code, path)
	}
	code, _, _ := ask(t, w, "POST /login", "token=wrong")
	require.Equal(t, 401, code)
	code, _, _ = ask(t, w, "POST /login", "token="+worldToken)
	require.Equal(t, 401, code, "within a second of a wrong one nobody may try")
	time.Sleep(1100 * time.Millisecond)
	code, h, _ := ask(t, w, "POST /login", "token="+worldToken)
	require.Equal(t, 303, code)
	cookie := h.Get("Set-Cookie")
	require.Contains(t, cookie, "HttpOnly; SameSite=Strict")
	require.NotContains(t, cookie, worldToken)
	code, _, _ = ask(t, w, "GET /api/v1/state", "", "Cookie", strings.Split(cookie, ";")[0])
	require.Equal(t, 200, code)

	var log strings.Builder
	l, err := web.New(web.Options{Source: w, Keeper: w.store, Listen: "0.0.0.0:0"}, zerolog.New(&log)).Open(context.Background())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.Contains(t, log.String(), "other machines can read this page")
	open := newWorld(t, func(o *web.Options) { o.Listen, o.Token = "0.0.0.0:0", "" })
	require.Contains(t, get(t, open, "/"), "Everybody who reaches this machine can read this page")
	require.NotContains(t, get(t, demoPage(t), "/"), "Everybody who reaches")
}

func TestHeadersAreStrict(t *testing.T) {
	w := demoPage(t)
	_, h, _ := ask(t, w, "GET /", "")
	require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
	require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe")
	code, _, _ := ask(t, w, "GET /", "", "Host", "rebound.example.org")
	require.Equal(t, 403, code, "a name that was made to point here")
}

// Health and readiness tell the truth: a chain that stops makes the page not ready,
// and its numbers look stale.
func TestStaleLooksStale(t *testing.T) {
	w := demoPage(t)
	require.Equal(t, "ok\n", get(t, w, "/readyz"))
	require.NotContains(t, get(t, w, "/"), "STALE")
	w.late.Store(int64(6 * time.Minute))
	time.Sleep(1100 * time.Millisecond)
	code, _, body := ask(t, w, "GET /readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, body, "no block for 6m")
	require.Contains(t, get(t, w, "/"), "STALE")
	require.Equal(t, "ok\n", get(t, w, "/healthz"))
	require.Contains(t, get(t, w, "/metrics"), "liqwatch_ready 0")
}

func quoteUSD(_ string, q *protocols.Amount) decimal.Decimal { return q.Decimal() }

func someLiquidations() []protocols.Liquidation {
	a := protocols.Amount{Raw: *uint256.NewInt(12345), Decimals: 2}
	return []protocols.Liquidation{{
		Market: "aave-v3-demo", Position: "0xabc", Block: 1, Collateral: "<script>alert(1)</script>\u202e" + strings.Repeat("x", 1<<20), Debt: "USDC",
		Seized: a, Repaid: a, SeizedQuote: &a, RepaidQuote: &a,
	}}
}

// A name that a contract chose, however hostile, is a short harmless word.
func TestHostileNamesAreHarmless(t *testing.T) {
	w := demoPage(t)
	require.NoError(t, w.store.SaveLiquidations(context.Background(), "devnet", w.now.Add(-time.Minute), someLiquidations(), quoteUSD))
	time.Sleep(1100 * time.Millisecond)
	for _, path := range []string{"/", "/api/v1/liquidations"} {
		body := get(t, w, path)
		require.NotContains(t, body, "<script>alert")
		require.NotContains(t, body, "\u202e")
		require.Less(t, len(body), 300_000)
	}
}

// Cutting a ladder costs seconds with many positions: it takes its turn like every
// other question, and the levels' totals are added up once for a ladder, however
// often metrics are read.
func TestScrapesAddLevelsUpOnce(t *testing.T) {
	small := newWorld(t)
	counted := &counting{Book: small.books[0]}
	w := worldOf(t, []protocols.Book{counted})
	first := get(t, w, "/metrics")
	require.Regexp(t, `liqwatch_level_accounts\{axis="ETH",level="2400"\} [1-9]`, first)
	before := counted.asked.Load()
	for range 5 {
		get(t, w, "/metrics")
	}
	require.Equal(t, before, counted.asked.Load())
}

// counting counts how often amounts are asked for.
type counting struct {
	protocols.Book
	asked atomic.Int64
}

func (c *counting) Figures(i int, p protocols.Prices) protocols.Figures {
	c.asked.Add(1)
	return c.Book.Figures(i, p)
}

// failing is a store that cannot read history, and says why in words that are nobody's business.
type failing struct{ web.Keeper }

func (failing) HistoryPrices(context.Context, string, store.Resolution, time.Time, time.Time) ([]store.PricePoint, error) {
	return nil, errors.New("connect to host=db.internal user=liqwatch: refused")
}

// What went wrong inside is in the log; the page only says that something has.
func TestPageKeepsCausesToItself(t *testing.T) {
	w := newWorld(t, func(o *web.Options) { o.Keeper = failing{o.Keeper} })
	for _, path := range []string{"/?axis=ETH", "/parts?axis=ETH", "/api/v1/history?axis=ETH", "/heatmap.png?axis=ETH"} {
		_, _, body := ask(t, w, "GET "+path, "")
		require.Contains(t, body, "the log says why", path)
		require.NotContains(t, body, "db.internal", path)
	}
	require.Contains(t, get(t, w, "/?axis=DOGE"), "no such axis", "what the asker did wrong is told")
}

// Of more liquidations than can be drawn the largest are, and how many there were is
// told; those after the end of the time asked for take nobody's place.
func TestHistoryTellsOfAllLiquidations(t *testing.T) {
	w := demoPage(t)
	past := w.now.Add(-time.Hour)
	require.NoError(t, w.store.Record(t.Context(), store.Sample{At: past, Prices: map[string]decimal.Decimal{"ETH": decimal.NewFromInt(2500)}}))
	calls := func(n int, block uint64) (out []protocols.Liquidation) {
		for i := range n {
			one := someLiquidations()[0]
			one.Block, one.LogIndex, one.Collateral = block, uint(i), "WETH"
			one.SeizedQuote = &protocols.Amount{Raw: *uint256.NewInt(uint64(1+i) * 1e8), Decimals: 8}
			out = append(out, one)
		}
		return out
	}
	require.NoError(t, w.store.SaveLiquidations(t.Context(), "devnet", past, calls(1, 1), quoteUSD))
	require.NoError(t, w.store.SaveLiquidations(t.Context(), "devnet", w.now.Add(-time.Second), calls(600, 2), quoteUSD))
	then := object(t, get(t, w, "/api/v1/history?axis=ETH&range=1h&to="+strconv.FormatInt(past.Unix(), 10)))
	require.Len(t, then["liquidations"], 1)
	require.EqualValues(t, 1, then["liquidations_happened"])
	now := object(t, get(t, w, "/api/v1/history?axis=ETH&range=1h"))
	require.Len(t, now["liquidations"], 500)
	require.EqualValues(t, 600, now["liquidations_happened"])
	least := decimal.NewFromInt(1000)
	for _, l := range now["liquidations"].([]any) {
		least = decimal.Min(least, decimal.RequireFromString(l.(map[string]any)["seized_usd"].(string)))
	}
	require.Equal(t, "101", least.String(), "the smallest are left out")
	require.Contains(t, get(t, w, "/?axis=ETH&range=1h"), "600 liquidations, of which the largest 500 are shown")
}
