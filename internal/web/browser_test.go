package web_test

import (
	"bufio"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/web/webtest"
)

const demoToken = "a-token-of-the-test"

// demo runs `liqwatch demo` and gives the address of its page.
func demo(t *testing.T, length string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "liqwatch")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../cmd/liqwatch").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.CommandContext(t.Context(), bin, "demo", "--for", length, "--listen", "127.0.0.1:0", "--token", demoToken, "--stay")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "The page: "); ok {
			go func() {
				for lines.Scan() { // a full pipe would stop the story
				}
			}()
			return url
		}
	}
	t.Fatal("the demo did not say where its page is")
	return ""
}

// The story of the demo in a real browser: the price falls, bars and heatmap move,
// an alert appears and is acknowledged, and nothing was asked of anybody else.
func TestDemoInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser and plays the demo")
	}
	url := demo(t, "25s")
	b := chromium(t)
	b.On(webtest.Screen{Width: 1280, Height: 1000, Scheme: "light"})
	b.LogIn(url, demoToken)
	b.Until("bars", `document.querySelectorAll(".bar").length > 10`)

	price := `document.querySelector(".spot strong").textContent`
	bars := `[...document.querySelectorAll(".bar rect")].map(r => r.getAttribute("width")).join()`
	firstPrice, firstBars := webtest.Eval[string](b, price), webtest.Eval[string](b, bars)
	b.Until("the price falls", price+` !== "`+firstPrice+`"`)
	b.Until("the bars move", bars+` !== "`+firstBars+`"`)
	b.Until("a heatmap of several columns", `Number(document.querySelector("svg.map")?.getAttribute("viewBox").split(" ")[2]) > 3`)
	columns := webtest.Eval[string](b, `document.querySelector("svg.map").getAttribute("viewBox")`)
	b.Until("the heatmap grows", `document.querySelector("svg.map").getAttribute("viewBox") !== "`+columns+`"`)

	b.Until("an alert", `document.querySelectorAll("#alerts [data-alert]").length > 0`)
	id := webtest.Eval[string](b, `document.querySelector("#alerts [data-alert]:has(.ack)").dataset.alert`)
	b.Click(`[data-alert="` + id + `"] .ack`)
	b.Until("it is acknowledged", `document.querySelector('[data-alert="`+id+`"]')?.textContent.includes("seen by page")`)
	b.Until("liquidations", `document.querySelectorAll("#tape tbody tr").length > 0`)

	b.Run(`const p = document.getElementById("whatif-price"); p.value = "2000"; p.dispatchEvent(new Event("input"))`)
	b.Until("the what-if", `/\$\d/.test(document.querySelector("#whatif-at-risk")?.textContent || "")`)

	others := webtest.Eval[[]string](b, `performance.getEntriesByType("resource").map(e => new URL(e.name).origin).filter(o => o !== location.origin)`)
	require.Empty(t, others, "no request leaves the page's own server")
	pictures(b, t, url)
}

// pictures looks at the page on several screens, in the middle of the story. With
// LIQWATCH_PICTURES naming a folder they are kept, as `make page-pictures` does for
// docs/. On no screen anything sticks out at the side.
func pictures(b *webtest.Browser, t *testing.T, url string) {
	t.Helper()
	for _, p := range []struct {
		webtest.Screen
		query, part string
	}{
		{webtest.Screen{Name: "page-desktop", Width: 1280, Height: 1420, Scheme: "light"}, "stack=collateral", ""},
		{webtest.Screen{Name: "page-dark", Width: 1280, Height: 1420, Scheme: "dark"}, "stack=collateral", ""},
		{webtest.Screen{Name: "page-phone", Width: 390, Height: 1500, Scheme: "light"}, "stack=collateral", ""},
		{webtest.Screen{Name: "page-phone-dark", Width: 360, Height: 1500, Scheme: "dark"}, "", "#accounts"},
		{webtest.Screen{Name: "ladder-cumulative", Width: 1280, Height: 920, Scheme: "light"}, "cumulative=1&scale=log", ""},
		{webtest.Screen{Name: "heatmap", Width: 1280, Height: 900, Scheme: "dark"}, "", "#heatmap"},
		{webtest.Screen{Name: "tables", Width: 1280, Height: 1900, Scheme: "light"}, "", "#walls"},
	} {
		b.On(p.Screen)
		b.Go(url + "/?axis=ETH&range=1h&" + p.query)
		b.Until("bars", `document.querySelectorAll(".bar").length > 10`)
		b.Until("the heatmap's image", `document.querySelector("svg.map image") && performance.getEntriesByType("resource").some(e => e.name.includes("heatmap.png"))`)
		if p.Width > 1000 {
			b.Run(`const p = document.getElementById("whatif-price"); p.value = "2200"; p.dispatchEvent(new Event("input"))`)
			b.Until("the what-if", `!!document.getElementById("whatif-at-risk")`)
			b.Run(`document.querySelector(".bar.down .amount").closest(".bar").dispatchEvent(new PointerEvent("pointerover", {bubbles: true}))`)
		}
		require.Empty(t, sticksOut(b, p.Width), p.Name)
		b.Run("document.querySelector(`" + cmp.Or(p.part, "header") + "`).scrollIntoView()")
		b.Picture(p.Name)
	}
}

// What a keyboard and a screen reader need is there.
func TestPageIsNamedForThoseWhoDoNotSeeIt(t *testing.T) {
	html := get(t, demoPage(t), "/?axis=ETH")
	for _, m := range regexp.MustCompile(`<(input|button|svg|section|nav)\b[^>]*>`).FindAllString(html, -1) {
		if strings.HasPrefix(m, "<section") || strings.HasPrefix(m, "<nav") || strings.Contains(m, `class="bars"`) || strings.Contains(m, `class="map"`) {
			require.Regexp(t, `aria-label(ledby)?="[^"]+"`, m)
		}
	}
	require.Contains(t, html, `<html lang="en">`)
	require.Regexp(t, `<a href="#band-[^"]+" class="bar down" data-row="[^"]+" aria-label="[^"]+accounts">`, html)
	require.NotContains(t, html, " style=", "the policy forbids styles in the page")
	require.NotRegexp(t, `<script[^>]*>[^<]`, html, "and scripts in it")
}
