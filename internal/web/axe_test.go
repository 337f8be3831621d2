package web_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/debian"
	"liqwatch/devnet/packages"
	"liqwatch/internal/web/webtest"
)

// axeCore is the checker of accessibility, run inside the page; it is not part of it.
var axeCore = packages.Package{
	Name: "axe-core", Version: "4.14.1",
	Integrity: "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
}

func chromium(t *testing.T) *webtest.Browser {
	t.Helper()
	return webtest.Open(t, debian.Program(t, "chromium", "chromium"))
}

// violation is what axe says of a rule that is broken.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// violations runs all rules of axe over the page as it stands.
func violations(t *testing.T, b *webtest.Browser, axe string) []violation {
	t.Helper()
	b.Run(axe)
	b.Run(`delete window.found; axe.run(document, {resultTypes: ["violations"]}).then(r => { window.found = JSON.stringify(r.violations) }, e => { window.found = JSON.stringify([{id: String(e)}]) })`)
	b.Until("axe is done", `typeof window.found === "string"`)
	var out []violation
	require.NoError(t, json.Unmarshal([]byte(webtest.Eval[string](b, "window.found")), &out))
	return out
}

func TestPageIsAccessible(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	dir, err := packages.Fetch(t.Context(), axeCore)
	require.NoError(t, err)
	axe, err := os.ReadFile(filepath.Join(dir, "axe.min.js"))
	require.NoError(t, err)
	w := fullPage(t)
	b := chromium(t)
	check := func(where string) {
		t.Helper()
		var text strings.Builder
		for _, v := range violations(t, b, string(axe)) {
			fmt.Fprintf(&text, "%s (%s): %s\n", v.ID, v.Impact, v.Help)
			for _, n := range v.Nodes[:min(3, len(v.Nodes))] {
				fmt.Fprintf(&text, "    %.200s\n    %s\n", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", " "))
			}
		}
		require.Empty(t, text.String(), where)
	}
	for _, screen := range []webtest.Screen{
		{Name: "light", Width: 1280, Height: 900, Scheme: "light"}, {Name: "dark", Width: 1280, Height: 900, Scheme: "dark"}, {Name: "phone", Width: 360, Height: 780, Scheme: "light"},
	} {
		b.On(screen)
		b.Go(w.server.URL + "/login")
		check(screen.Name + ", login")
		b.Go(w.server.URL + "/?axis=ETH&stack=collateral")
		b.Run(`document.querySelectorAll("details").forEach(d => { d.open = true })`)
		b.Run(`document.querySelector(".bar").dispatchEvent(new MouseEvent("click", {bubbles: true}))`)
		b.Run(`const p = document.getElementById("whatif-price"); p.value = "2200"; p.dispatchEvent(new Event("input"))`)
		b.Until("the answer", `!!document.getElementById("whatif-at-risk")`)
		check(screen.Name + ", opened")
	}
	w.late.Store(int64(time.Hour))
	b.Until("stale", `document.getElementById("ladder").classList.contains("stale")`)
	check("stale")
}
