package notifiertest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Episode is what is said of one level from the first warning to the last word, with
// a correction between, and of a source that stops and comes back.
func Episode(t testing.TB) []alerts.Message {
	t.Helper()
	seen := time.Date(2026, 1, 2, 3, 4, 19, 0, time.UTC)
	dec := decimal.RequireFromString
	level := alerts.Alert{
		Rule: "eth", Axis: "ETH", Reference: "aave-v3-ethereum", Level: dec("2400"), Side: alerts.Down, Episode: 3, Previous: dec("2530.5"),
		Totals:  alerts.Totals{Accounts: 1234, Owners: 1200, AtRiskUSD: dec("312345678.12"), SeizableUSD: dec("156000000"), DebtUSD: dec("249870000.5")},
		Markets: []alerts.MarketTotals{{Market: "aave-v3-ethereum", Totals: alerts.Totals{Accounts: 1000, AtRiskUSD: dec("250345678.12")}}},
		Blocks:  []alerts.BlockRef{{Chain: "ethereum", Number: 21_000_000, Time: 1767323045}}, Advice: "Call the desk; see the runbook.",
	}
	approach, crossing, correction, rearmed := level, level, level, level
	approach.Kind, approach.Severity, approach.Price, approach.Mark = alerts.KindApproach, alerts.Warning, dec("2440.12"), dec("0.02")
	approach.Claims = []string{"eth|ETH|2400|down|3|0.02"}
	crossing.Kind, crossing.Severity, crossing.Price = alerts.KindCrossing, alerts.Critical, dec("2391.2")
	crossing.Claims, crossing.Passed = []string{"eth|ETH|2500|down|1|0", "eth|ETH|2400|down|3|0"}, []decimal.Decimal{dec("2500")}
	correction.Kind, correction.Severity, correction.Price, correction.Withdraws = alerts.KindCorrection, alerts.Warning, dec("2405"), []string{"eth|ETH|2400|down|3|0"}
	correction.Corrects = &alerts.Corrected{Kind: alerts.KindCrossing, Levels: []decimal.Decimal{dec("2400")}, Side: alerts.Down, Price: dec("2398.7"), Blocks: level.Blocks}
	rearmed.Kind, rearmed.Severity, rearmed.Price = alerts.KindRearmed, alerts.Info, dec("2655")
	rearmed.Claims, rearmed.Passed = []string{"eth|ETH|2400|down|3|rearmed", "eth|ETH|2500|down|1|rearmed"}, []decimal.Decimal{dec("2400")}
	rearmed.Level = dec("2500")
	source := &alerts.Source{Name: "ethereum", What: "chain", Block: level.Blocks[0], Fed: seen.Add(-3 * time.Minute), Limit: time.Minute, Why: "no node gave a usable answer"}
	stale := alerts.Alert{Key: "stale|chain|ethereum|1", Kind: alerts.KindStale, Severity: alerts.Critical, Rule: "data-stale", Source: source}
	fresh := alerts.Alert{Key: "fresh|chain|ethereum|1", Kind: alerts.KindFresh, Severity: alerts.Info, Rule: "data-stale", Source: source}
	var out []alerts.Message
	for i, a := range []alerts.Alert{approach, crossing, correction, rearmed, stale, fresh} {
		a.Seen = seen.Add(time.Duration(i) * time.Minute)
		if a.Key == "" {
			claims := slices.Concat(a.Claims, a.Withdraws)
			a.Key = claims[len(claims)-1]
		}
		m, err := alerts.Compose(a)
		require.NoError(t, err)
		m.ID = fmt.Sprintf("msg_%d", i)
		out = append(out, m)
	}
	return out
}

// Golden holds a text against testdata/NAME.golden.
func Golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test -update to write it")
	require.Equal(t, string(want), string(got), "run go test -update when this is meant")
}

// GoldenJSON holds what a channel is sent for each message of [Episode] against its
// golden file.
func GoldenJSON(t testing.TB, compose func(alerts.Message) any) {
	t.Helper()
	for _, m := range Episode(t) {
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		require.NoError(t, enc.Encode(compose(m)))
		Golden(t, string(m.Kind), text.Bytes())
	}
}
