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
		a.Changed = &Changed{
			Kind: KindApproach, Time: 1767315845, Price: dec("2519.8"), Before: &Amount{dec("250120000"), 1100}, Now: &Amount{dec("312345678.12345678"), 1234},
			ByPositions: &Amount{dec("82225678.12345678"), 190}, ByPrice: &Amount{dec("-20000000"), -56},
		}
	case KindGrowth:
		a.Reason, a.Passed, a.Mark = ReasonGrowth, nil, decimal.Zero
		a.Changed = &Changed{
			Kind: KindApproach, Time: 1767322745, Price: dec("2440.12345678"), Before: &Amount{dec("250120000"), 1234}, Now: &Amount{dec("312345678.12345678"), 1234},
			ByPositions: &Amount{dec("62225678.12345678"), 0}, ByPrice: &Amount{},
		}
	case KindCrossing:
		a.Reason, a.Severity, a.Price, a.Mark, a.Passed = ReasonCrossed, Critical, dec("2391.2"), decimal.Zero, decs("2500", "2450")
		a.Advice = "Call the desk; see the runbook."
		a.Changed = &Changed{Kind: KindApproach, Time: 1767322745, Price: dec("2410.5"), Before: &Amount{dec("312345678"), 1234}, Now: &Amount{dec("312345678.12345678"), 1234}}
	case KindRearmed:
		a.Reason, a.Severity, a.Price, a.Passed = ReasonRearmed, Info, dec("2425"), nil
		a.Ended = &Ended{Began: 1767310000, Time: 1767323045, Deepest: dec("2371.25"), Crossed: true, Most: &Amount{dec("312345678"), 1234}}
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

var kinds = []Kind{KindApproach, KindGrowth, KindCrossing, KindRearmed, KindCorrection, KindStale, KindFresh, KindFault, KindMended, KindUndelivered, KindNotice, KindTest}

// gaugeSamples are alerts of gauge rules, by the name of their golden file.
func gaugeSamples() map[string]Alert {
	base := sample(KindTest)
	base.Rule, base.Note, base.Severity, base.Blocks = "whales", "", Critical, []BlockRef{{Chain: "ethereum", Number: 21_000_000, Time: 1767323045}}
	whale := base
	whale.Key, whale.Kind, whale.Reason = "whales|health_factor|aave-v3-ethereum|0xabc|1.1|down|1|0", KindCrossing, ReasonCrossed
	whale.Claims = []string{whale.Key}
	whale.Level, whale.Side, whale.Episode, whale.Price, whale.Advice = dec("1.1"), Down, 1, dec("1.08123456"), "Call the owner."
	whale.Gauge = &GaugeReading{
		Gauge: "health_factor", Subject: "aave-v3-ethereum|0xabc", Name: "0x2f39…4e9e on aave-v3-ethereum", Unit: Ratio, Before: at(dec("1.15")),
		Fields: []Field{{"Collateral", "3.2 M USD"}, {"Debt", "2.6 M USD"}},
	}
	again := whale
	again.Passed, again.Level, again.Price = decs("1.1"), dec("1.03"), dec("1.0299999")
	again.Changed = &Changed{Kind: KindRearmed, Time: 1767310000, Price: dec("1.16")}
	over := whale
	over.Kind, over.Reason, over.Severity, over.Price, over.Advice = KindRearmed, ReasonRearmed, Info, dec("1.2"), ""
	over.Ended = &Ended{Began: 1767310000, Time: 1767323045, Deepest: dec("1.0412"), Crossed: true}
	gone, taken := over, *over.Gauge
	taken.Gone, taken.Before, taken.Fields = true, decimal.NullDecimal{}, nil
	gone.Reason, gone.Gauge, gone.Price = ReasonGone, &taken, decimal.Zero
	back := whale
	back.Kind, back.Reason, back.Advice, back.Claims, back.Price = KindCorrection, ReasonOrphaned, "", nil, dec("1.12")
	back.Corrects = &Corrected{Key: whale.Key, Kind: KindCrossing, Levels: decs("1.1"), Side: Down, Price: dec("1.08123456"), Blocks: base.Blocks}
	used := base
	used.Key, used.Kind, used.Reason, used.Level, used.Side, used.Episode, used.Price = "u", KindCrossing, ReasonCrossed, dec("0.95"), Up, 2, dec("0.97123")
	used.Gauge = &GaugeReading{Gauge: "utilization", Subject: "aave-v3-ethereum|USDC", Name: "USDC on aave-v3-ethereum", Unit: Part}
	fell := used
	fell.Level, fell.Side, fell.Price = dec("0.9"), Down, dec("0.8765")
	fell.Gauge = &GaugeReading{Gauge: "tvl", Subject: "aave-v3-ethereum|", Name: "aave-v3-ethereum within 24h", Unit: Quotient, Fields: []Field{{"Now", "8.1 B USD"}, {"Before", "9.24 B USD"}}}
	seized := used
	seized.Level, seized.Price = dec("1000000"), dec("1000049")
	seized.Gauge = &GaugeReading{Gauge: "liquidations", Subject: "ethereum", Name: "liquidated on ethereum within 1h", Unit: USD, Before: at(dec("640000"))}
	soon := used
	soon.Level, soon.Side, soon.Price = dec("6"), Down, dec("1.5")
	soon.Gauge = &GaugeReading{Gauge: "hours_to_touch", Subject: "ETH|2400", Name: "ETH to 2,400", Unit: Hours, Before: at(dec("7.25"))}
	return map[string]Alert{
		"gauge-crossing": whale, "gauge-deeper": again, "gauge-over": over, "gauge-gone": gone, "gauge-correction": back,
		"gauge-utilization": used, "gauge-tvl": fell, "gauge-liquidations": seized, "gauge-hours": soon,
	}
}

func TestWording(t *testing.T) {
	for _, kind := range kinds {
		golden(t, string(kind), sample(kind))
	}
	for name, a := range gaugeSamples() {
		golden(t, name, a)
	}
}

// golden holds an alert's words, fields and body against those kept in a file.
func golden(t *testing.T, name string, a Alert) {
	t.Run(name, func(t *testing.T) {
		m, err := Compose(a)
		require.NoError(t, err)
		var data bytes.Buffer
		require.NoError(t, json.Indent(&data, m.Data, "", "  "))
		var got strings.Builder
		got.WriteString(m.Title + "\n\n" + m.Text + "\n\n")
		for _, f := range m.Fields {
			got.WriteString(f.Name + ": " + f.Value + "\n")
		}
		got.WriteString("\n" + data.String() + "\n")
		path := filepath.Join("testdata", name+".golden")
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
		require.Len(t, lines, 9)
		for _, r := range strings.Join(lines, "") {
			require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Cf, r), "%q", r)
		}
		require.True(t, json.Valid(m.Data))
	})
}

func TestSubjectsFromOutsideCannotBreakALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, hostile := gaugeSamples()["gauge-deeper"], rapid.String().Draw(t, "name")+"\u202e\n<b>\x00"
		g := *a.Gauge
		g.Name, g.Subject, g.Fields = hostile, hostile, []Field{{hostile, hostile}}
		a.Gauge = &g
		m, err := Compose(a)
		require.NoError(t, err)
		require.Len(t, strings.Split(m.Text, "\n"), 6)
		text := m.Title + strings.ReplaceAll(m.Text, "\n", "")
		for _, f := range m.Fields {
			text += f.Name + f.Value
		}
		for _, r := range text {
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
