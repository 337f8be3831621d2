package web_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/web"
	"liqwatch/internal/web/webtest"
	"liqwatch/protocols"
)

// fullPage has something in every part: alerts, liquidations, history.
func fullPage(t *testing.T, set ...func(*web.Options)) *world {
	t.Helper()
	w := newWorld(t, set...)
	w.fill(t)
	return w
}

func (w *world) fill(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	post := alerts.Post{
		Alert:   alerts.Alert{Key: "k", Kind: alerts.KindApproach, Rule: "eth"},
		Message: alerts.Message{Title: hostile, Text: hostile}, Notify: []string{"risk"},
	}
	require.NoError(t, w.store.Post(ctx, w.now, post))
	require.NoError(t, w.store.SaveLiquidations(ctx, "devnet", w.now.Add(-time.Minute), someLiquidations(), quoteUSD))
	time.Sleep(1100 * time.Millisecond) // answers live for a second
}

// hostile is a name that would do harm: as HTML, as script, by turning the direction
// of writing, by its length without a place to break.
const hostile = `</script><img src=x onerror="window.harmed=1"><b onclick=alert(1)>'"` + "\u202eevil\u2066" + `{{.Token}}` + "\x00\x1b[2J" + `WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW`

// renamed is a book whose tokens have hostile names.
type renamed struct{ protocols.Book }

func (r renamed) Assets() []protocols.Asset {
	out := append([]protocols.Asset(nil), r.Book.Assets()...)
	for i := range out {
		out[i].Symbol = hostile
		if i%2 == 1 {
			out[i].Symbol += strings.Repeat("A", 1<<20)
		}
	}
	return out
}

// However hostile the names of tokens, no script runs, nothing is asked for, and the
// page keeps its shape.
func TestHostileNamesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	good := newWorld(t)
	w := worldOf(t, []protocols.Book{renamed{good.books[0]}})
	w.fill(t)
	b := chromium(t)
	for _, width := range []int64{360, 1280} {
		b.On(webtest.Screen{Width: width, Height: 900, Scheme: "light"})
		for query, renewed := range map[string]int{"?axis=ETH&stack=collateral": 1, "?axis=" + strings.Repeat("%3Cimg%20src%3Dx%20onerror%3Dharmed%3D1%3E", 20): 0} {
			b.Go(w.server.URL + "/" + query)
			b.Run(`document.querySelectorAll("details").forEach(d => { d.open = true })`)
			b.Until("it has been renewed", fmt.Sprintf(`Number(document.documentElement.dataset.renewed || 0) >= %d`, renewed))
			require.True(t, webtest.Eval[bool](b, `window.harmed === undefined`))
			require.Zero(t, webtest.Eval[int](b, `document.querySelectorAll("img, [onerror], [onclick]").length`))
			require.Empty(t, sticksOut(b, width), query)
			require.Less(t, webtest.Eval[int](b, `document.documentElement.outerHTML.length`), 1<<20)
			require.False(t, webtest.Eval[bool](b, `/[\u202a-\u202e\u2066-\u2069]/.test(document.documentElement.outerHTML)`), "nothing turns the direction of writing")
			require.Empty(t, webtest.Eval[[]string](b, `performance.getEntriesByType("resource").map(e => new URL(e.name).pathname).filter(p => p === "/x")`))
		}
	}
}

// sticksOut names what makes the page wider than its screen.
func sticksOut(b *webtest.Browser, width int64) []string {
	return webtest.Eval[[]string](b, fmt.Sprintf(`document.documentElement.scrollWidth <= %d ? [] :
		[...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > %d && !e.closest(".scroll")).map(e => e.outerHTML.slice(0, 80))`, width, width))
}

// valve is a line between the browser and the page that can be cut.
type valve struct {
	to string
	at string

	mu    sync.Mutex
	l     net.Listener
	conns map[net.Conn]bool
}

func newValve(t *testing.T, to string) *valve {
	v := &valve{to: to, at: "127.0.0.1:0", conns: map[net.Conn]bool{}}
	v.open(t)
	v.at = v.l.Addr().String()
	t.Cleanup(v.cut)
	return v
}

func (v *valve) open(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", v.at)
	require.NoError(t, err)
	v.l = l
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", v.to)
			if err != nil {
				_ = from.Close()
				continue
			}
			v.mu.Lock()
			v.conns[from], v.conns[to] = true, true
			v.mu.Unlock()
			for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
				go func() { _, _ = io.Copy(pair[0], pair[1]); _ = pair[0].Close(); _ = pair[1].Close() }()
			}
		}
	}()
}

// cut ends all connections and takes no new one.
func (v *valve) cut() {
	_ = v.l.Close()
	v.mu.Lock()
	defer v.mu.Unlock()
	for c := range v.conns {
		_ = c.Close()
	}
	clear(v.conns)
}

// A browser whose connection drops says so, lets its numbers age, and when it comes
// back after an hour shows everything as it is then.
func TestBrowserThatWasAwayForAnHour(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	w := fullPage(t, func(o *web.Options) { o.StaleAfter = 6 * time.Second })
	line := newValve(t, strings.TrimPrefix(w.server.URL, "http://"))
	b := chromium(t)
	b.Go("http://" + line.at + "/?axis=ETH")
	b.Until("it is live", `Number(document.documentElement.dataset.renewed) > 0 && document.getElementById("connection").hidden`)
	require.False(t, webtest.Eval[bool](b, `document.getElementById("ladder").classList.contains("stale")`))

	line.cut()
	b.Until("it says that it is cut off", `!document.getElementById("connection").hidden`)
	b.Until("what it shows looks old, though nobody tells it so", `document.getElementById("ladder").classList.contains("stale") && !!document.querySelector(".chip.stale")`)

	code, _, _ := ask(t, w, "POST /api/v1/rules/eth/mute", "for=2h", "Authorization", "Bearer "+worldToken)
	require.Equal(t, 204, code)
	w.late.Store(int64(time.Hour))
	line.open(t)
	b.Until("it comes back by itself", `document.getElementById("connection").hidden`)
	b.Until("with what happened since", `document.getElementById("alerts").textContent.includes("muted until")`)
	b.Until("and an hour old", `/no block for 1h/.test(document.getElementById("state-line").textContent)`)
	w.late.Store(0)
	code, _, _ = ask(t, w, "DELETE /api/v1/rules/eth/mute", "", "Authorization", "Bearer "+worldToken)
	require.Equal(t, 204, code)
	b.Until("and fresh when it is", `!document.getElementById("ladder").classList.contains("stale")`)
}

// The ladder is gone through with the keyboard alone: one stop of Tab, then arrows.
func TestLadderByKeyboard(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	w := fullPage(t)
	b := chromium(t)
	b.Go(w.server.URL + "/?axis=ETH")
	b.Until("bars", `document.querySelectorAll(".bar").length > 10`)
	b.Press("\t")
	require.Equal(t, "#ladder", webtest.Eval[string](b, `document.activeElement.getAttribute("href")`), "the first stop leads past the header")
	require.Equal(t, 1, webtest.Eval[int](b, `document.querySelectorAll('.bar[tabindex="0"]').length`))
	b.Run(`document.querySelector('.bar[tabindex="0"]').focus()`)
	text := `document.getElementById("detail-text").textContent`
	first := webtest.Eval[string](b, text)
	require.Contains(t, first, "accounts")
	b.Press(kb.ArrowDown)
	b.Until("the next band", text+" !== "+"`"+first+"`")
	require.True(t, webtest.Eval[bool](b, `document.activeElement.classList.contains("bar")`))
	b.Press(kb.End)
	require.True(t, webtest.Eval[bool](b, `document.activeElement.dataset.row === [...document.querySelectorAll(".bar.down")].at(-1).dataset.row`))
	row := webtest.Eval[string](b, `document.activeElement.dataset.row`)
	code, _, _ := ask(t, w, "POST /api/v1/rules/eth/mute", "for=2h", "Authorization", "Bearer "+worldToken)
	require.Equal(t, 204, code)
	b.Until("the page is renewed", `document.getElementById("alerts").textContent.includes("muted until")`)
	require.Equal(t, row, webtest.Eval[string](b, `document.activeElement.dataset.row`), "the focus stays")
}
