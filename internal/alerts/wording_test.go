package alerts

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sample(kind Kind) Alert {
	a := Alert{
		Key: "eth|ETH|2400|down|1|0.02", Kind: kind, Reason: ReasonApproach, Severity: Warning, Rule: "eth", Notify: []string{"risk"},
		Seen: time.Date(2026, 1, 2, 3, 4, 19, 0, time.UTC), Axis: "ETH", Reference: "aave-v3-ethereum",
		Level: dec("2400"), Side: Down, Episode: 1, Mark: dec("0.02"), Passed: decs("0.05"), Price: dec("2440.12345678"), Previous: dec("2530.5"),
		Totals: Totals{Accounts: 1234, Owners: 1200, AtRiskUSD: dec("312345678.12345678"), SeizableUSD: dec("156000000"), DebtUSD: dec("249870000.5")},
		Markets: []MarketTotals{
			{Market: "aave-v3-ethereum", Totals: Totals{Accounts: 1000, AtRiskUSD: dec("250345678.12345678")}},
			{Market: "spark", Totals: Totals{Accounts: 234, AtRiskUSD: dec("62000000")}},
		},
		Now:    Totals{Accounts: 34, Owners: 34, AtRiskUSD: dec("1234567"), DebtUSD: dec("1200000"), BadDebtUSD: dec("12")},
		Blocks: []BlockRef{{Chain: "ethereum", Number: 21_000_000, Time: 1767323045}},
	}
	switch kind {
	case KindApproach:
		a.Beyond = &Beyond{To: dec("2200"), Totals: Totals{Accounts: 2345, AtRiskUSD: dec("812345678")}}
		a.Market = dec("2438.5")
	case KindCrossing:
		a.Reason, a.Severity, a.Price, a.Mark, a.Passed = ReasonCrossed, Critical, dec("2391.2"), decimal.Zero, decs("2500", "2450")
		a.Advice = "Call the desk; see the runbook."
	case KindRearmed:
		a.Reason, a.Severity, a.Price, a.Passed = ReasonRearmed, Info, dec("2425"), nil
	case KindCorrection:
		a.Reason, a.Price, a.Passed = ReasonOrphaned, dec("2431"), nil
		a.Corrects = &Corrected{Key: a.Key, Kind: KindCrossing, Levels: decs("2400"), Side: Down, Price: dec("2398.7"), Blocks: a.Blocks}
	case KindFault, KindMended:
		a = Alert{Key: "fault|aave-v3-ethereum|sum|1", Kind: kind, Reason: ReasonFault, Severity: Critical, Rule: "data-fault", Seen: a.Seen,
			Fault: &Fault{Market: "aave-v3-ethereum", Kind: "sum", Detail: "the debts of the accounts known add up to 12 less than the token's total: USDC"}}
	case KindStale, KindFresh:
		a = Alert{Key: "stale|chain|ethereum|1", Kind: kind, Reason: ReasonStale, Severity: Critical, Rule: "data-stale", Seen: a.Seen,
			Source: &Source{Name: "ethereum", What: "chain", Block: a.Blocks[0], Fed: a.Seen.Add(-3 * time.Minute), Limit: time.Minute, Why: "no node gave a usable answer"}}
	case KindUndelivered, KindNotice, KindTest:
		a = Alert{Key: string(kind), Kind: kind, Severity: Warning, Rule: "delivery", Seen: a.Seen, Note: `The notifier "hook" did not deliver "ETH fell to 2,400".`}
	}
	return a
}

var kinds = []Kind{KindApproach, KindCrossing, KindRearmed, KindCorrection, KindStale, KindFresh, KindFault, KindMended, KindUndelivered, KindNotice, KindTest}

func TestWording(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			m, err := Compose(sample(kind))
			require.NoError(t, err)
			var data bytes.Buffer
			require.NoError(t, json.Indent(&data, m.Data, "", "  "))
			var got strings.Builder
			got.WriteString(m.Title + "\n\n" + m.Text + "\n\n")
			for _, f := range m.Fields {
				got.WriteString(f.Name + ": " + f.Value + "\n")
			}
			got.WriteString("\n" + data.String() + "\n")
			path := filepath.Join("testdata", string(kind)+".golden")
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(got.String()), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "run go test -update to write it")
			require.Equal(t, string(want), got.String(), "run go test -update when this is meant")
			require.Less(t, len(m.Title), 100, "a title fits a lock screen")
			require.Less(t, len(m.Text), 700, "a text fits a phone")
		})
	}
}

func TestAPriceThatIsGoneIsNoBlock(t *testing.T) {
	a := sample(KindStale)
	a.Source = &Source{Name: "ETH", What: "price", Fed: a.Seen.Add(-10 * time.Minute)}
	m, err := Compose(a)
	require.NoError(t, err)
	require.Equal(t, "No new data for 10 min: the price of ETH", m.Title)
	require.NotContains(t, m.Text+string(m.Data), "block")
}

func TestNumbersForPeople(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0 USD", "999.4": "999 USD", "1000": "1 k USD", "999499": "999 k USD", "999500": "1 M USD", "312345678": "312 M USD",
		"45612": "45.6 k USD", "1254000000": "1.25 B USD", "-2500": "-2.5 k USD", "1234567890123456": "1,235 T USD", "999999999999": "1 T USD",
	} {
		require.Equal(t, want, usd(dec(in)), in)
	}
	for in, want := range map[string]string{
		"2440.12345678": "2,440.12", "0.000012345678": "0.000012346", "1.00000001": "1", "99.123456": "99.123", "0": "0", "1234567": "1,234,567", "0.30000": "0.3",
	} {
		require.Equal(t, want, price(dec(in)), in)
	}
	require.Equal(t, "under 0.01%", distanceText(dec("0.000001")))
	require.Equal(t, "0%", distanceText(dec("0")))
	require.Equal(t, "119 s", span(119*time.Second+999*time.Millisecond))
	require.Equal(t, "2 min", span(2*time.Minute))
	require.Equal(t, "0 s", span(-time.Hour))
	require.Equal(t, "3 days", span(80*time.Hour))
}

func TestNamesFromOutsideCannotBreakALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := sample(KindApproach)
		a.Markets[0].Market = rapid.String().Draw(t, "name") + "\u202e\n<b>\x00"
		m, err := Compose(a)
		require.NoError(t, err)
		lines := strings.Split(m.Text, "\n")
		require.Len(t, lines, 8)
		for _, r := range strings.Join(lines, "") {
			require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Cf, r), "%q", r)
		}
		require.True(t, json.Valid(m.Data))
	})
}

func TestTheLargestBodyStaysUnderTwentyKilobytes(t *testing.T) {
	a := sample(KindCrossing)
	for i := range 5000 {
		a.Passed = append(a.Passed, decimal.New(int64(i)+100_000_000_000, -6))
	}
	for range 10 {
		a.Markets = append(a.Markets, a.Markets[0])
		a.Blocks = append(a.Blocks, a.Blocks[0])
	}
	a.Advice = strings.Repeat("x", 10_000)
	m, err := Compose(a)
	require.NoError(t, err)
	require.Less(t, len(m.Data), 20_000)
}
