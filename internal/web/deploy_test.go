package web_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/debian"
	"liqwatch/internal/alerts"
	"liqwatch/internal/web"
)

// The alert rules and the dashboard name only metrics that exist.
func TestDeployedFilesNameMetricsThatExist(t *testing.T) {
	w := newWorld(t, func(o *web.Options) {
		o.Sinks = func(context.Context) ([]alerts.Sink, error) { return []alerts.Sink{{Name: "risk"}}, nil }
	})
	post := alerts.Post{Alert: alerts.Alert{Key: "k", Kind: alerts.KindApproach, Rule: "eth"}, Notify: []string{"risk"}}
	require.NoError(t, w.store.Post(context.Background(), w.now, post))
	w.page.Passed("devnet", 1)
	// How a fault is counted needs a book that has one; its name is what the meter declares.
	source, err := os.ReadFile("meter.go")
	require.NoError(t, err)
	require.Contains(t, string(source), `gauge("market_faults"`)
	exists := get(t, w, "/metrics") + "\nliqwatch_market_faults"
	require.Contains(t, exists, `liqwatch_alerts_total{kind="approach"`)
	require.Contains(t, exists, `liqwatch_requests_total{chain="devnet",method="eth_call"`)
	named := 0
	for _, file := range []string{"../../deploy/prometheus-rules.yml", "../../deploy/grafana-dashboard.json"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`\bliqwatch_[a-z_]+`).FindAllString(string(text), -1) {
			require.Regexp(t, `(?m)^`+name+`(\{| |$)`, exists, "%s of %s", name, file)
			named++
		}
	}
	require.Greater(t, named, 20)
}

// What keeps the page from being ready can be seen on the dashboard.
func TestDashboardShowsWhatIsLate(t *testing.T) {
	text, err := os.ReadFile("../../deploy/grafana-dashboard.json")
	require.NoError(t, err)
	var d struct {
		Panels []struct {
			ID      int
			GridPos struct{ H, W, X, Y int }
		}
	}
	require.NoError(t, json.Unmarshal(text, &d))
	ids, places := map[int]bool{}, map[[2]int]bool{}
	for _, p := range d.Panels {
		ids[p.ID], places[[2]int{p.GridPos.X, p.GridPos.Y}] = true, true
	}
	require.Len(t, ids, len(d.Panels))
	require.Len(t, places, len(d.Panels), "one panel lies on another")
	for _, name := range []string{"block_age_limit_seconds", "notifier_overdue_seconds", "notifier_failing"} {
		require.Contains(t, string(text), `"liqwatch_`+name+`"`)
	}
}

// promtool, of Debian's prometheus package, takes the rules.
func TestPromtoolTakesTheRules(t *testing.T) {
	promtool := debian.Program(t, "promtool", "prometheus")
	out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", "../../deploy/prometheus-rules.yml").CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.CommandContext(t.Context(), promtool, "test", "rules", "testdata/rules.yml").CombinedOutput()
	require.NoError(t, err, string(out))
	w := demoPage(t)
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	go func() {
		_, _ = stdin.Write([]byte(get(t, w, "/metrics")))
		_ = stdin.Close()
	}()
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}
