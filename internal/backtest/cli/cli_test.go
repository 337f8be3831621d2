package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/backtest/parquetfile"
)

var errUsage = errors.New("usage")

// run runs the command and returns what it printed on stdout.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := Command(Env{Usage: func(err error) error { return fmt.Errorf("%w: %w", errUsage, err) }})
	cmd.Writer, cmd.ErrWriter = &out, &bytes.Buffer{}
	err := cmd.Run(context.Background(), append([]string{"backtest"}, args...))
	return out.String(), err
}

// maker are the flags for the real history beside the project.
func maker(t *testing.T) []string {
	t.Helper()
	const dir = "../../../../shared/data"
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("the real history that this test replays is missing: %v. Put the data directory beside the project at ../shared/data", err)
	}
	return []string{"--history", "vaults:" + dir + "/maker-ethb", "--prices", dir + "/prices/eth-usd-1h.csv"}
}

var may = []string{"--snapshot", "2021-05-17T00:00:00Z", "--to", "2021-05-24T12:00:00Z", "--step", "200"}

// The JSON that scripts were promised.
func TestBandsJSONHasItsShape(t *testing.T) {
	out, err := run(t, append(append([]string{"bands", "--format", "json"}, maker(t)...), may...)...)
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &doc))
	for _, k := range []string{"from", "to", "snapshot", "spot", "lowest_oracle_price", "accounts", "left_out", "bands", "totals_crossed", "trigger_error"} {
		require.Contains(t, doc, k)
	}
	require.Equal(t, "3582.1", doc["spot"])
	require.Equal(t, "1848.11", doc["lowest_oracle_price"])
	require.Equal(t, map[string]any{"inconsistent": 31.0, "dust": 6.0}, doc["left_out"])
	band := doc["bands"].([]any)[1].(map[string]any)
	for _, k := range []string{"from", "to", "direction", "crossed", "accounts", "debt_usd", "at_risk_usd", "seizable_usd", "outcome"} {
		require.Contains(t, band, k)
	}
	for _, k := range []string{"liquidated", "saved", "late", "not_reached", "untouched"} {
		c := band["outcome"].(map[string]any)[k].(map[string]any)
		require.IsType(t, "", c["debt_usd"], "money is a string")
		require.IsType(t, 0.0, c["accounts"])
	}
	again, err := run(t, append(append([]string{"bands", "--format", "json"}, maker(t)...), may...)...)
	require.NoError(t, err)
	require.Equal(t, out, again, "the same history gives the same bytes")
}

func TestThePageFetchesNothing(t *testing.T) {
	dir := t.TempDir()
	outside := regexp.MustCompile(`(?i)https?:|src=|<link|@import|url\(|<script`)
	for name, args := range map[string][]string{
		"bands": append([]string{"bands"}, may...),
		"rules": {"rules", "--from", "2021-05-10T00:00:00Z", "--to", "2021-05-24T12:00:00Z", "--step", "400", "--sweep"},
		"path":  {"path", "--snapshot", "2022-01-19T00:00:00Z", "--replay-path", "may-2021"},
	} {
		file := filepath.Join(dir, name+".html")
		_, err := run(t, append(append(args, "--format", "html", "-o", file), maker(t)...)...)
		require.NoError(t, err, name)
		page, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(page), "<svg")
		require.Empty(t, outside.FindAllString(string(page), -1), name)
	}
}

func TestTablesSayThatBandsOverstate(t *testing.T) {
	out, err := run(t, append(append([]string{"bands"}, maker(t)...), may...)...)
	require.NoError(t, err)
	require.Contains(t, out, "static bands overstated 6.17 times")
	require.Contains(t, out, "static bands overstate liquidations")
	out, err = run(t, append([]string{"path", "--snapshot", "2022-01-19", "--impact-depth-usd", "50000000"}, maker(t)...)...)
	require.NoError(t, err)
	require.Contains(t, out, "every 50000000 USD of collateral sold moves the price by 1 % for good")
	require.Contains(t, out, "no-zone: times without a zone are read as UTC")
}

func TestParquetHoldsEveryAccountHourAndAlert(t *testing.T) {
	dir := t.TempDir()
	_, err := run(t, append([]string{"bands", "--parquet", dir, "--snapshot", "2021-05-17T00:00:00Z", "--to", "2021-05-17T12:00:00Z", "--step", "200"}, maker(t)...)...)
	require.NoError(t, err)
	hours, err := parquetfile.Read[AccountHourRow](filepath.Join(dir, "account_hours.parquet"))
	require.NoError(t, err)
	require.Greater(t, len(hours), 12*70)
	for _, h := range hours {
		require.NotEmpty(t, h.Position)
		require.Positive(t, h.DebtUSD)
		require.True(t, h.Liquidatable || h.TriggerDown != nil && *h.TriggerDown < h.Price)
	}
	out, err := run(t, append([]string{"rules", "--parquet", dir, "--format", "json", "--from", "2021-05-17T00:00:00Z", "--to", "2021-05-24T00:00:00Z", "--step", "200"}, maker(t)...)...)
	require.NoError(t, err)
	var doc struct {
		Rules []struct {
			Alerts int `json:"alerts"`
		} `json:"rules"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &doc))
	rows, err := parquetfile.Read[AlertRow](filepath.Join(dir, "alerts.parquet"))
	require.NoError(t, err)
	require.Len(t, rows, doc.Rules[0].Alerts)
	require.NotEmpty(t, rows)
}

func TestLiquidationsAloneScoreRules(t *testing.T) {
	dir := t.TempDir()
	events := filepath.Join(dir, "e.csv")
	require.NoError(t, os.WriteFile(events, []byte("time,account,debt_usd\n2021-05-19T13:30:00Z,a,100000\n"), 0o600))
	prices := maker(t)[3]
	out, err := run(t, "rules", "--history", "events:"+events, "--prices", prices, "--from", "2021-05-18T00:00:00Z", "--to", "2021-05-20T00:00:00Z", "--levels", "2200,2400,2600")
	require.NoError(t, err)
	require.Contains(t, out, "1 accounts liquidated")
	require.Contains(t, out, "missing-column")
	_, err = run(t, "bands", "--history", "events:"+events, "--prices", prices)
	require.ErrorIs(t, err, errUsage)
	require.ErrorContains(t, err, "have no positions")
}

func TestWrongUseIsSaid(t *testing.T) {
	good := maker(t)
	for want, args := range map[string][]string{
		"want KIND:PATH":                     {"bands", "--history", "vault"},
		"--prices is missing":                {"bands", "--history", good[1]},
		"--format yaml":                      append([]string{"bands", "--format", "yaml"}, good...),
		"exclude each other":                 append([]string{"bands", "--step", "5", "--levels", "7"}, good...),
		"--step 0":                           append([]string{"bands", "--step", "0"}, good...),
		`--from: time "soon"`:                append([]string{"bands", "--from", "soon"}, good...),
		"--to is before --from":              append([]string{"bands", "--from", "2022-01-01T00:00:00Z", "--to", "2021-01-01T00:00:00Z"}, good...),
		"outside of the history":             append([]string{"bands", "--snapshot", "2019-01-01T00:00:00Z"}, good...),
		"--confirm: want 1 or more":          append([]string{"rules", "--confirm", "0", "--levels", "2000"}, good...),
		"rearm 0%":                           append([]string{"rules", "--rearm", "0", "--levels", "2000"}, good...),
		"cannot play recordings":             {"bands", "--history", "recording:x"},
		"no vault events":                    {"bands", "--history", "vaults:" + t.TempDir(), "--prices", good[3]},
		"read prices: open no-such-file.csv": append([]string{"path", "--replay-path", "no-such-file.csv"}, good...),
	} {
		_, err := run(t, args...)
		require.ErrorIs(t, err, errUsage, "%v", args)
		require.ErrorContains(t, err, want)
	}
}

// glitchy writes a vault history whose price has one candle 25 % off, and whose one
// vault would be liquidated in it.
func glitchy(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	const head = "BLOCK_NUMBER,BLOCK_TIMESTAMP,VAULT_NUMBER,"
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("deposits.csv", head+"DEPOSIT_AMOUNT_ADJ\n1,2021-01-01 00:00:01,1,10\n9,2021-01-01 09:00:00,2,1\n")
	write("borrows.csv", head+"DAI_MINTED\n1,2021-01-01 00:00:01,1,13000\n")
	write("withdrawals.csv", head+"WITHDRAWN_AMOUNT_ADJ\n")
	write("repayments.csv", head+"DAI_REPAYED\n")
	write("liquidations.csv", head+"COLLATERAL_LIQUIDATED_AMOUNT,DAI_REPAYED_AMOUNT\n")
	write("parameters.csv", "TIMESTAMP,PARAMETER,TO_VALUE\n2020-01-01 1:00:00,SPOTTER.ilks.mat,1.3\n2020-01-01 1:00:00,JUG.ilks.duty,0\n")
	text := "time,open,high,low,close\n"
	for i := range 12 {
		p := "2000"
		if i == 6 {
			p = "1500"
		}
		text += fmt.Sprintf("2021-01-01T%02d:00:00Z,%s,%s,%s,%s\n", i, p, p, p, p)
	}
	write("prices.csv", text)
	return []string{"--history", "vaults:" + dir, "--prices", filepath.Join(dir, "prices.csv")}
}

func TestAGlitchIsScoredWithAndWithout(t *testing.T) {
	out, err := run(t, append([]string{"bands", "--format", "json", "--snapshot", "2021-01-01T04:00:00Z", "--levels", "1600,1800"}, glitchy(t)...)...)
	require.NoError(t, err)
	type scored struct {
		Lowest  string `json:"lowest_oracle_price"`
		Account []struct {
			Outcome string `json:"outcome"`
		} `json:"per_account"`
	}
	var doc struct {
		scored
		Without *scored `json:"without_glitches"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &doc))
	require.Equal(t, "1500", doc.Lowest)
	require.Equal(t, "untouched", doc.Account[0].Outcome)
	require.NotNil(t, doc.Without)
	require.Equal(t, "2000", doc.Without.Lowest)
	require.Equal(t, "not_reached", doc.Without.Account[0].Outcome)
	require.Contains(t, out, "prices.csv:8: open 1500")
}
