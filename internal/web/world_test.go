package web_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains/recorded"
	"liqwatch/internal/alerts"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
	"liqwatch/internal/web"
	"liqwatch/protocols"
)

// world is a page over the first block of the demo's recording: real contracts,
// a real store, real HTTP.
type world struct {
	books  []protocols.Book
	server *httptest.Server
	page   *web.Server
	store  *store.Store
	now    time.Time
	late   atomic.Int64 // by how much the clock has gone on
	alter  atomic.Pointer[func(*web.ChainState)]
}

func (w *world) Books() []protocols.Book { return w.books }

func (w *world) Chains() []web.ChainState {
	b := w.books[0]
	c := web.ChainState{
		Name: "devnet", Block: b.Block(), Fed: time.Unix(int64(b.Block().Time), 0),
		Markets: []web.MarketState{{Name: b.Market(), Fed: time.Unix(int64(b.Block().Time), 0)}},
		Nodes:   []web.NodeState{{Name: "http://127.0.0.1", Requests: map[string]uint64{"eth_call": 2}}},
	}
	if alter := w.alter.Load(); alter != nil {
		(*alter)(&c)
	}
	return []web.ChainState{c}
}

const worldToken = "the-token-of-the-world"

func newWorld(t testing.TB, set ...func(*web.Options)) *world {
	t.Helper()
	ctx := context.Background()
	rec, err := recorded.OpenFile("../../cmd/liqwatch/demo.recording")
	require.NoError(t, err)
	cfg, err := config.Parse("recording", []byte(rec.Meta().Config))
	require.NoError(t, err)
	markets, err := catalog.Markets(cfg)
	require.NoError(t, err)
	chain := rec.Chains()[0]
	f := watch.NewFollower(chain, markets, &watch.MemoryAccounts{}, zerolog.Nop())
	f.Chunk = 5_000_000
	head, err := chain.Head(ctx)
	require.NoError(t, err)
	out, err := f.Pass(ctx, head)
	require.NoError(t, err)
	require.Empty(t, out.Failed)
	return worldOf(t, f.Books(), set...)
}

func worldOf(t testing.TB, books []protocols.Book, set ...func(*web.Options)) *world {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &world{books: books, now: time.Unix(int64(books[0].Block().Time), 0).Add(3 * time.Second)}
	var err error
	w.store, err = store.Open(ctx, "sqlite:"+t.TempDir()+"/web.db")
	require.NoError(t, err)
	rule := alerts.Rule{Name: "eth", Axis: "ETH", Levels: []decimal.Decimal{decimal.NewFromInt(2400)}, Approach: []decimal.Decimal{decimal.RequireFromString("0.05")}, Rearm: decimal.RequireFromString("0.01"), Notify: []string{"risk"}}
	tracker, err := alerts.NewTracker(ctx, w.store, []alerts.Rule{rule}, alerts.StaleRule{}, zerolog.Nop(), nil)
	require.NoError(t, err)
	require.NoError(t, tracker.KeepMutes(ctx, w.store))
	opt := web.Options{
		Source: w, Keeper: w.store, Muter: tracker, Axes: []string{"ETH"}, References: map[string]string{}, StaleAfter: 5 * time.Minute,
		Token: worldToken, Listen: "127.0.0.1:0", Version: "test", Now: func() time.Time { return w.now.Add(time.Duration(w.late.Load())) },
		Rules: func() []web.Rule { return []web.Rule{{Name: rule.Name, Axis: rule.Axis, Levels: rule.Levels}} },
	}
	for _, f := range set {
		f(&opt)
	}
	w.page = web.New(opt, zerolog.Nop())
	l, err := w.page.Open(ctx)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- w.page.Run(ctx, l) }()
	w.server = &httptest.Server{URL: "http://" + l.Addr().String()}
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
		require.NoError(t, w.store.Close())
	})
	recorder := watch.NewRecorder(w.store, w.Books, zerolog.Nop())
	recorder.Axes, recorder.Now, recorder.Recorded = opt.Axes, opt.Now, w.page.Recorded
	require.NoError(t, recorder.Look(ctx))
	return w
}

func demoPage(t testing.TB) *world { return newWorld(t) }

// ask sends one request; head is "METHOD path", header pairs follow.
func ask(t testing.TB, w *world, head, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	method, path, _ := strings.Cut(head, " ")
	r, err := http.NewRequestWithContext(context.Background(), method, w.server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, string(text)
}

func get(t testing.TB, w *world, path string) string {
	t.Helper()
	code, _, body := ask(t, w, "GET "+path, "")
	require.Equal(t, http.StatusOK, code, body)
	return body
}

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}
