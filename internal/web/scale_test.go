package web_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/devnet/debian"
	"liqwatch/internal/store"
	"liqwatch/internal/web/webtest"

	"liqwatch/protocols"
)

// positions is how many the tests of scale take: LIQWATCH_POSITIONS (make scale), or
// as many as fit in a quick test.
func positions(t testing.TB, few int) int {
	t.Helper()
	text := os.Getenv("LIQWATCH_POSITIONS")
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// bigWorld is the page over many positions and, where wanted, a year of their history.
func bigWorld(t testing.TB, n int, history bool) *world {
	t.Helper()
	small := newWorld(t)
	w := worldOf(t, []protocols.Book{crowdOf(small.books[0], n)})
	if history {
		pastYear(t, w, n)
	}
	return w
}

// pastYear writes the buckets that thinning leaves of a year: days, two months of
// hours, a day of minutes. Few positions stand for a quick test: then a week of hours
// and an hour of minutes.
func pastYear(t testing.TB, w *world, n int) {
	t.Helper()
	hours, minutes := 60*24, 24*60
	if n < halfAMillion {
		hours, minutes = 7*24, 60
	}
	sample := func(before time.Duration) {
		at := w.now.Add(-before)
		price := 2500 + 400*float64(at.Unix()/3600%97)/97
		s := store.Sample{At: at, Prices: map[string]decimal.Decimal{"ETH": decimal.NewFromFloat(price).Round(2)}}
		var bands []store.BandPoint
		for k := store.Bucket(price / 2); k <= store.Bucket(price*1.5); k++ {
			bands = append(bands, store.BandPoint{Bucket: k, USD: uint64(at.Unix()) * uint64(k) % 1_000_000_007})
		}
		s.Bands = map[string]map[string][]store.BandPoint{"ETH": {w.books[0].Market(): bands}}
		s.Totals = map[string]store.MarketTotals{w.books[0].Market(): {SuppliedUSD: decimal.NewFromInt(5e9), BorrowedUSD: decimal.NewFromInt(2e9), TVLUSD: decimal.NewFromInt(3e9)}}
		require.NoError(t, w.store.Record(t.Context(), s))
	}
	for d := 365; d > 60; d-- {
		sample(time.Duration(d) * 24 * time.Hour)
	}
	for h := hours; h > 24; h-- {
		sample(time.Duration(h) * time.Hour)
	}
	for m := minutes; m > 0; m-- {
		sample(time.Duration(m) * time.Minute)
	}
}

// firstView is what the browser says of one: bytes over the network, milliseconds.
type firstView struct {
	Bytes, Body, Answered, Painted, Loaded float64
	Resources                              []string
}

// The first view in a real browser: all that it loads together fits in 300 KB, over a
// year of history as over an hour. How long it takes is told, not judged: this machine
// may be busy with other tests.
func TestFirstViewOfManyPositions(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	w := bigWorld(t, positions(t, 20_000), true)
	get(t, w, "/healthz")
	b := webtest.Open(t, debian.Program(t, "chromium", "chromium"))
	b.On(webtest.Screen{Width: 1280, Height: 1000, Scheme: "light"})
	for _, span := range []string{"1h", "1y"} {
		b.Go(w.server.URL + "/?axis=ETH&range=" + span)
		b.Until("bars", `document.querySelectorAll(".bar").length > 10`)
		b.Until("everything is loaded", `performance.getEntriesByType("navigation")[0].loadEventEnd > 0`)
		seen := webtest.Eval[firstView](b, `(() => {
			const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
			const page = all[0], paint = performance.getEntriesByName("first-contentful-paint")[0];
			return {
				Bytes: all.reduce((n, e) => n + e.transferSize, 0), Body: page.decodedBodySize,
				Answered: page.responseEnd, Painted: paint ? paint.startTime : 0, Loaded: page.loadEventEnd,
				Resources: all.map((e) => new URL(e.name).pathname + " " + e.transferSize),
			};
		})()`)
		t.Logf("%d positions, %s: %.0f bytes (page %.0f unpacked), answered after %.0f ms, painted after %.0f ms, loaded after %.0f ms; %v",
			w.books[0].Len(), span, seen.Bytes, seen.Body, seen.Answered, seen.Painted, seen.Loaded, seen.Resources)
		require.Less(t, seen.Bytes, 300e3)
		require.Greater(t, seen.Bytes, 5e3)
	}
}

// A million accounts that all break within one band (fewer in a quick test): whoever
// asks gets bounded lists, right totals and an answer that is no larger than another.
func TestAllAccountsInOneBand(t *testing.T) {
	small := newWorld(t)
	n := positions(t, 30_000)
	one, at := oneTrigger(t, small.books[0])
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	w := worldOf(t, []protocols.Book{crowd{Book: small.books[0], some: []int{one}, n: n}})
	part := get(t, w, "/parts?axis=ETH")
	runtime.GC()
	runtime.ReadMemStats(&after)
	perAccount := (float64(after.HeapAlloc) - float64(before.HeapAlloc)) / float64(n)
	t.Logf("%d accounts in one band at %s: ready after %s, %.0f bytes an account kept", n, at, time.Since(start).Round(time.Millisecond), perAccount)

	alone := worldOf(t, []protocols.Book{crowd{Book: small.books[0], some: []int{one}, n: 1}})
	sum := totalsOf(t, alone, "/api/v1/ladder?axis=ETH")
	all := totalsOf(t, w, "/api/v1/ladder?axis=ETH")
	require.Equal(t, n, all.accounts)
	require.Equal(t, n, all.owners)
	require.Equal(t, sum.atRisk.Mul(decimal.NewFromInt(int64(n))).String(), all.atRisk.String(), "each as much as the other")

	what := object(t, get(t, w, "/api/v1/whatif?axis=ETH&price="+at.Sub(decimal.NewFromInt(1)).String()))
	require.Equal(t, float64(n), what["then"].(map[string]any)["accounts"])
	shock := object(t, get(t, w, "/api/v1/whatif?axis=ETH&shock=ETH="+at.Sub(decimal.NewFromInt(1)).String()))
	require.Equal(t, what["then"], shock["then"])
	require.Len(t, shock["joint"].(map[string]any)["largest"], 10)

	accounts := object(t, get(t, w, "/api/v1/accounts?axis=ETH"))["accounts"].([]any)
	require.LessOrEqual(t, len(accounts), 25)
	require.NotEmpty(t, accounts)
	require.Contains(t, part, fmt.Sprint(n)[:2], "the number of accounts is shown")
	for _, path := range []string{"/?axis=ETH", "/parts?axis=ETH", "/api/v1/ladder?axis=ETH", "/api/v1/ladder?axis=ETH&format=csv", "/api/v1/walls?axis=ETH"} {
		code, _, body := ask(t, w, "GET "+path, "")
		require.Equal(t, http.StatusOK, code, path)
		require.Less(t, len(body), 600_000, path)
		t.Logf("%s: %d bytes", path, len(body))
	}
	require.Less(t, perAccount, 200.0)
}

type bandSums struct {
	accounts, owners int
	atRisk           decimal.Decimal
}

// totalsOf adds up the bands of an answer.
func totalsOf(t *testing.T, w *world, path string) (out bandSums) {
	t.Helper()
	for _, b := range object(t, get(t, w, path))["bands"].([]any) {
		band := b.(map[string]any)
		sums := band["at_trigger"].(map[string]any)
		out.accounts += int(sums["accounts"].(float64))
		out.owners += int(sums["owners"].(float64))
		out.atRisk = out.atRisk.Add(decimal.RequireFromString(sums["at_risk_usd"].(string)))
		require.LessOrEqual(t, len(band["largest"].([]any)), 10)
	}
	return out
}

// oneTrigger is a position that is healthy now and breaks when ETH falls, and where.
func oneTrigger(t *testing.T, b protocols.Book) (int, decimal.Decimal) {
	t.Helper()
	path, _ := b.Path("ETH")
	spot := path.Spot()
	for cut := uint64(97); cut > 60; cut-- {
		place := spot
		place.Mul(&place, uint256.NewInt(cut))
		place.Div(&place, uint256.NewInt(100))
		var p protocols.Prices
		path.At(&place, &p)
		for i := range b.Len() {
			if !b.Unpriced(i) && !b.Liquidatable(i, b.Prices()) && b.Liquidatable(i, p) {
				return i, decimal.NewFromBigInt(place.ToBig(), -path.Decimals())
			}
		}
	}
	t.Fatal("nobody breaks")
	return 0, decimal.Zero
}

// BenchmarkAnswers are whole answers over HTTP with 500,000 positions, each time
// another question, and the page as it is asked for again and again.
func BenchmarkAnswers(b *testing.B) {
	w := bigWorld(b, halfAMillion, true)
	n := 0
	for _, q := range []struct{ name, path string }{
		{"what-if", "/api/v1/whatif?axis=ETH&price=2200.%d"}, {"what-if-part", "/whatif?axis=ETH&price=1700.%d"},
		{"shocks", "/api/v1/whatif?axis=ETH&shock=ETH=-20.%d%%25&shock=BTC=-15%%25"},
		{"page-1h", "/?axis=ETH&range=1h&market=&n=%d"}, {"page-1y", "/?axis=ETH&range=1y&n=%d"}, {"heatmap-1y", "/heatmap.png?axis=ETH&range=1y&at=%d"},
	} {
		b.Run(q.name, func(b *testing.B) {
			start := processorTime(b)
			size := 0
			for b.Loop() {
				n++
				size = len(get(b, w, fmt.Sprintf(q.path, n)))
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Millisecond), "ms")
			b.ReportMetric(float64(processorTime(b)-start)/float64(b.N)/float64(time.Millisecond), "cpu-ms")
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
