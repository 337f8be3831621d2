// Package webtest looks at the page the way people do, with a real browser.
package webtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Browser is one tab of a headless Chromium.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Open starts a Chromium, whose path is given, that ends with the test.
func Open(t testing.TB, chromium string) *Browser {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	return &Browser{t, ctx}
}

func do[T any](b *Browser, a chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, a)
	require.NoError(b.t, err)
	return v
}

// Eval is what an expression of JavaScript gives.
func Eval[T any](b *Browser, js string) T {
	b.t.Helper()
	return do(b, chromedp.Evaluate[T](js))
}

// Run runs JavaScript for what it does.
func (b *Browser) Run(js string) {
	b.t.Helper()
	Eval[chromedp.Void](b, "void (() => {"+js+"})()")
}

// Go opens an address.
func (b *Browser) Go(url string) {
	b.t.Helper()
	do(b, chromedp.Navigate(url))
}

// Until waits until an expression is true. One that fails, as it does while a page
// is being loaded, is not true yet.
func (b *Browser) Until(what, js string) {
	b.t.Helper()
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var ok bool
		if ok, last = chromedp.Run(b.ctx, chromedp.Evaluate[bool](js)); ok {
			return
		}
	}
	require.FailNow(b.t, "waited in vain for: "+what, "%s\n%v", js, last)
}

// patience is how long the page may take for anything.
const patience = 90 * time.Second

// Click presses what a selector names, as a script would.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.Until("there is something to press", "!!document.querySelector(`"+selector+"`)")
	b.Run("document.querySelector(`" + selector + "`).click()")
}

// Type writes into a field by real key presses.
func (b *Browser) Type(selector, text string) {
	b.t.Helper()
	do(b, chromedp.SendKeys(selector, text))
}

// Press sends one key to whatever has the focus.
func (b *Browser) Press(key string) {
	b.t.Helper()
	do(b, chromedp.KeyEvent(key))
}

// LogIn shows the token on the login page.
func (b *Browser) LogIn(page, token string) {
	b.t.Helper()
	b.Go(page + "/login")
	b.Type("#token", token)
	do(b, chromedp.Submit("#token"))
	b.Until("logged in", `location.pathname === "/"`)
}

// Screen is a screen to look at the page on.
type Screen struct {
	Name          string
	Width, Height int64
	Scheme        string // "light" or "dark"
}

// On looks through another screen.
func (b *Browser) On(s Screen) {
	b.t.Helper()
	do(b, chromedp.EmulateViewport(s.Width, s.Height))
	do(b, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.Scheme}},
		})
		return chromedp.Void{}, err
	})
}

// Picture writes what the screen shows into the folder that LIQWATCH_PICTURES names;
// nothing where it names none.
func (b *Browser) Picture(name string) {
	b.t.Helper()
	if dir := os.Getenv("LIQWATCH_PICTURES"); dir != "" {
		file := filepath.Join(dir, name+".png")
		require.NoError(b.t, os.WriteFile(file, do(b, chromedp.CaptureScreenshot()), 0o600)) //nolint:gosec // the developer names the folder
	}
}
