package web_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
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

// browser is a headless Chromium; Debian's is installed where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := debian(t, "chromium", "chromium")
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	return ctx
}

func do[T any](ctx context.Context, t *testing.T, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	require.NoError(t, err)
	return v
}

func eval[T any](ctx context.Context, t *testing.T, js string) T {
	t.Helper()
	return do(ctx, t, chromedp.Evaluate[T](js))
}

// until waits for a condition of the page.
func until(ctx context.Context, t *testing.T, what, js string) {
	t.Helper()
	require.Eventually(t, func() bool { return eval[bool](ctx, t, js) }, 90*time.Second, 200*time.Millisecond, what)
}

// The story of the demo in a real browser: the price falls, bars and heatmap move,
// an alert appears and is acknowledged, and nothing was asked of anybody else.
func TestDemoInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser and plays the demo")
	}
	url := demo(t, "40s")
	ctx := browser(t)
	do(ctx, t, chromedp.EmulateViewport(1440, 1000))
	do(ctx, t, chromedp.Navigate(url+"/login"))
	do(ctx, t, chromedp.SendKeys("#token", demoToken))
	do(ctx, t, chromedp.Submit("#token"))
	until(ctx, t, "bars", `document.querySelectorAll(".bar").length > 10`)

	price := `document.querySelector(".spot strong").textContent`
	bars := `[...document.querySelectorAll(".bar rect")].map(r => r.getAttribute("width")).join()`
	firstPrice, firstBars := eval[string](ctx, t, price), eval[string](ctx, t, bars)
	until(ctx, t, "the price falls", price+` !== "`+firstPrice+`"`)
	until(ctx, t, "the bars move", bars+` !== "`+firstBars+`"`)
	until(ctx, t, "a heatmap of several columns", `Number(document.querySelector("svg.map")?.getAttribute("viewBox").split(" ")[2]) > 3`)
	columns := eval[string](ctx, t, `document.querySelector("svg.map").getAttribute("viewBox")`)
	until(ctx, t, "the heatmap grows", `document.querySelector("svg.map").getAttribute("viewBox") !== "`+columns+`"`)

	until(ctx, t, "an alert", `document.querySelectorAll("#alerts [data-alert]").length > 0`)
	id := eval[string](ctx, t, `document.querySelector("#alerts [data-alert]:has(.ack)").dataset.alert`)
	eval[chromedp.Void](ctx, t, `void document.querySelector('[data-alert="`+id+`"] .ack').click()`)
	until(ctx, t, "it is acknowledged", `document.querySelector('[data-alert="`+id+`"]')?.textContent.includes("seen by page")`)
	until(ctx, t, "liquidations", `document.querySelectorAll("#tape tbody tr").length > 0`)

	eval[chromedp.Void](ctx, t, `void (p => { p.value = "2000"; p.dispatchEvent(new Event("input")) })(document.getElementById("whatif-price"))`)
	until(ctx, t, "the what-if", `/\$\d/.test(document.querySelector("#whatif-at-risk")?.textContent || "")`)

	others := eval[[]string](ctx, t, `performance.getEntriesByType("resource").map(e => new URL(e.name).origin).filter(o => o !== location.origin)`)
	require.Empty(t, others, "no request leaves the page's own server")
	pictures(ctx, t, url)
}

// pictures are taken for docs/ when LIQWATCH_PICTURES names a folder. On a phone
// nothing may stick out at the side.
func pictures(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	for _, p := range []struct {
		name, query, scheme string
		width               int64
	}{{"desktop", "range=1h", "light", 1440}, {"phone", "range=1h", "light", 360}, {"dark", "range=1h&stack=collateral", "dark", 1440}} {
		do(ctx, t, chromedp.EmulateViewport(p.width, 900))
		do(ctx, t, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: p.scheme}},
			})
			return chromedp.Void{}, err
		})
		do(ctx, t, chromedp.Navigate(url+"/?axis=ETH&"+p.query))
		until(ctx, t, "bars", `document.querySelectorAll(".bar").length > 10`)
		require.LessOrEqual(t, eval[int](ctx, t, `document.documentElement.scrollWidth`), int(p.width), p.name)
		if dir := os.Getenv("LIQWATCH_PICTURES"); dir != "" {
			time.Sleep(time.Second) // the heatmap's image
			require.NoError(t, os.WriteFile(filepath.Join(dir, "page-"+p.name+".png"), do(ctx, t, chromedp.FullScreenshot(100)), 0o600))
		}
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
