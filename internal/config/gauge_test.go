package config

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// gaugeBase ends where the lines of a rule begin that make it what it is: on line 8, column 5.
const gaugeBase = base + "axes: {ETH: {reference: m, spot: {feed: \"0x1\"}}}\nnotifiers: {n: {type: webhook}}\nrules:\n  - name: r\n    notify: [n]\n    "

func gaugeRule(lines ...string) string { return gaugeBase + strings.Join(lines, "\n    ") + "\n" }

func TestEveryGaugeIsRead(t *testing.T) {
	for _, c := range []struct {
		lines []string
		check func(t *testing.T, r Rule)
	}{
		{[]string{"watch: health_factor", "below: [1.1, 1.03]", "accounts: [0x2f39d218133AFaB8F2B819B1066c7E434Ad94E9e, TMuA6YqfCeX8EhbfYEg5y7S4DqzSJireY9]", "largest: 20", "markets: [m]", "blocks: 2"}, func(t *testing.T, r Rule) {
			require.Equal(t, 20, r.Largest)
			require.Len(t, r.Accounts, 2)
			require.Equal(t, "1.03", r.Bounds()[1].String())
			require.Equal(t, "5%", r.Rearm.Percent())
			require.Equal(t, 2, r.Blocks)
		}},
		{[]string{"watch: bad_debt", "above: [100000]"}, func(t *testing.T, r Rule) { require.Equal(t, "20%", r.Rearm.Percent()) }},
		{[]string{"watch: utilization", "above: [95%, 99%]", "assets: [USDC]", "rearm: 1%"}, func(t *testing.T, r Rule) {
			require.Equal(t, "0.95", r.Bounds()[0].Decimal.String())
			require.Equal(t, "1%", r.Rearm.Percent())
		}},
		{[]string{"watch: tvl", "below: [-10%]"}, func(t *testing.T, r Rule) {
			require.Equal(t, "-0.1", r.Bounds()[0].Decimal.String())
			require.Equal(t, 24*time.Hour, r.Within)
		}},
		{[]string{"watch: supplied", "above: [10%]", "within: 6h"}, func(t *testing.T, r Rule) { require.Equal(t, 6*time.Hour, r.Within) }},
		{[]string{"watch: borrowed", "below: [-5%]", "markets: [m]"}, func(t *testing.T, r Rule) { require.Equal(t, []string{"m"}, r.Markets) }},
		{[]string{"watch: at_risk_share", "axis: ETH", "above: [5%]"}, func(t *testing.T, r Rule) { require.Equal(t, "-10%", r.Shock.Percent()) }},
		{[]string{"watch: liquidations", "above: [1000000]"}, func(t *testing.T, r Rule) { require.Equal(t, time.Hour, r.Within) }},
		{[]string{"watch: divergence", "axis: ETH", "above: [1%]"}, func(t *testing.T, r Rule) { require.Equal(t, "25%", r.Rearm.Percent()) }},
		{[]string{"watch: hours_to_touch", "axis: ETH", "levels: [2200]", "below: [6, 2]"}, func(t *testing.T, r Rule) { require.Len(t, r.Levels.Prices, 1) }},
		{[]string{"watch: hours_to_touch", "axis: ETH", "walls: {count: 2}", "below: [6]"}, func(t *testing.T, r Rule) { require.Equal(t, 2, r.Walls.Count) }},
	} {
		t.Run(c.lines[0]+" "+c.lines[1], func(t *testing.T) {
			got, err := Parse("good.yaml", []byte(gaugeRule(c.lines...)))
			require.NoError(t, err)
			require.Empty(t, got.Warnings)
			require.Empty(t, got.Rules[0].Approach, "a number has no approach distances")
			c.check(t, got.Rules[0])
		})
	}
}

func TestGaugesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, c := range []struct{ rule, place, problem, hint string }{
		{gaugeRule("watch: helth_factor", "below: [1]", "largest: 1"), "8:12", `no number "helth_factor"`, `did you mean "health_factor"?`},
		{gaugeRule("watch: health_factor", "largest: 1"), "6:5", "no bounds", "below: [1.1, 1.03]"},
		{gaugeRule("watch: health_factor", "largest: 1", "below: []"), "10:12", "0 bounds", "below: [1.1, 1.03]"},
		{gaugeRule("watch: health_factor", "largest: 1", "above: [2]"), "10:12", "the other side", "below: [1.1, 1.03]"},
		{gaugeRule("watch: health_factor", "largest: 1", "below: [110%]"), "10:13", "a number", "leave out the percent sign"},
		{gaugeRule("watch: health_factor", "largest: 1", "below: [0]"), "10:13", "cannot be reached", "more than 0"},
		{gaugeRule("watch: health_factor", "largest: 1", "below: [1.1, 1.10]"), "10:18", "appears twice", "keep one"},
		{gaugeRule("watch: health_factor", "below: [1.1]"), "6:5", "whose health factor", "largest: 20"},
		{gaugeRule("watch: health_factor", "below: [1.1]", "largest: 0"), "10:14", "the largest 0", "1 to 20000"},
		{gaugeRule("watch: health_factor", "below: [1.1]", "accounts: []"), "10:15", "accounts is empty", "leave it out"},
		{gaugeRule("watch: health_factor", "below: [1.1]", "accounts: [\"0x1\", \"0x1\"]"), "10:23", "appears twice", "keep one"},
		{gaugeRule("watch: health_factor", "below: [1.1]", "largest: 1", "axis: ETH"), "11:11", "does not understand axis", "accounts, largest, markets"},
		{gaugeRule("watch: health_factor", "below: [1.1]", "largest: 1", "approach: [5%]"), "11:15", "does not understand approach", "beside its bounds"},
		{gaugeRule("watch: health_factor", "below: [1.1]", "largest: 1", "markets: [mm]"), "11:15", `market "mm"`, `did you mean "m"?`},
		{gaugeRule("watch: health_factor", "below: [1.1]", "largest: 1", "levels: [1]"), "11:13", "does not understand levels", ""},
		{gaugeRule("watch: health_factor", "below: [1.1]", "largest: 1", "min_at_risk_usd: 1"), "11:22", "does not understand min_at_risk_usd", ""},
		{gaugeRule("watch: utilization", "above: [0.95]"), "9:13", "a percentage", "such as above: [95%]"},
		{gaugeRule("watch: utilization", "above: [101%]"), "9:13", "cannot be reached", "at most 100%"},
		{gaugeRule("watch: utilization", "above: [95%]", "within: 1h"), "10:13", "does not understand within", "markets, assets"},
		{gaugeRule("watch: tvl", "below: [10%]"), "9:13", "a change in percent", "such as -10%"},
		{gaugeRule("watch: tvl", "below: [-100%]"), "9:13", "cannot be reached", "-100% and 0%"},
		{gaugeRule("watch: tvl", "above: [-10%]"), "9:13", "cannot be reached", "more than 0"},
		{gaugeRule("watch: tvl", "below: [-10%]", "above: [10%]"), "10:12", "looks both ways", "two rules"},
		{gaugeRule("watch: tvl", "below: [-10%]", "within: 90d"), "10:13", "not a time", "6h"},
		{gaugeRule("watch: tvl", "below: [-10%]", "within: 1m"), "10:13", "tvl within 1m", "10m to 720h"},
		{gaugeRule("watch: at_risk_share", "above: [5%]"), "6:5", "of an axis", "axis: ETH"},
		{gaugeRule("watch: at_risk_share", "axis: ETH", "above: [5%]", "shock: 0%"), "11:12", "a shock of 0%", "-10%"},
		{gaugeRule("watch: at_risk_share", "axis: ETH", "above: [5%]", "shock: -100%"), "11:12", "a shock of -100%", "-10%"},
		{gaugeRule("watch: divergence", "axis: BTC", "above: [1%]"), "9:11", "no spot feed", "axes: {BTC: {spot:"},
		{gaugeRule("watch: divergence", "axis: EHT", "above: [1%]"), "9:11", `no axis "EHT"`, `did you mean "ETH"?`},
		{gaugeRule("watch: hours_to_touch", "axis: ETH", "below: [6]"), "6:5", "no levels", "levels: [2200, 2400]"},
		{gaugeRule("watch: hours_to_touch", "axis: ETH", "below: [6]", "levels: [1]", "walls: {}"), "12:12", "levels and walls", "keep one"},
		{gaugeRule("watch: bad_debt", "above: [1]", "blocks: 0"), "10:13", "blocks is 0", "first touch"},
		{gaugeRule("watch: bad_debt", "above: [1]", "rearm: 50%"), "10:12", "rearm is 50%", "less than 50%"},
		{gaugeRule("axis: ETH", "levels: [1]", "below: [1]"), "10:12", "does not understand", "add watch:"},
		{gaugeRule("axis: ETH", "levels: [1]", "largest: 1"), "10:14", "does not understand", "add watch:"},
		{gaugeRule("axis: ETH", "levels: [1]", "growth: 0%"), "10:13", "growth is 0%", "50%"},
		{gaugeRule("levels: [1]"), "6:5", `"axis" is missing`, "watch: health_factor"},
	} {
		t.Run(c.place+" "+c.problem, func(t *testing.T) {
			_, err := Parse("bad.yaml", []byte(c.rule))
			require.Error(t, err, c.rule)
			first := strings.SplitN(err.Error(), "\n", 2)[0]
			require.True(t, strings.HasPrefix(first, "bad.yaml:"+c.place+": "), "%s: want place %s", first, c.place)
			require.Contains(t, first, c.problem)
			require.Contains(t, first, c.hint)
		})
	}
}

// The kinds and the list of their names are the same, and every example is one
// that the rule takes.
func TestGaugesAndTheirKindsAgree(t *testing.T) {
	require.Len(t, gaugeKinds, len(Gauges))
	for _, name := range Gauges {
		kind, ok := gaugeKinds[name]
		require.True(t, ok, name)
		more := map[string]string{"health_factor": "largest: 1", "hours_to_touch": "levels: [1]"}[name]
		lines := []string{"watch: " + name, kind.example}
		if kind.axis {
			lines = append(lines, "axis: ETH")
		}
		if more != "" {
			lines = append(lines, more)
		}
		_, err := Parse("good.yaml", []byte(gaugeRule(lines...)))
		require.NoError(t, err, name)
	}
}

// The examples of docs/rules.md are right, there is one of every number, and its table
// says what the program does.
func TestTheRulesOfTheDocumentationAreRight(t *testing.T) {
	raw, err := os.ReadFile("../../docs/rules.md")
	require.NoError(t, err)
	text := "chains: {e: {rpc: [http://h]}}\nmarkets: [aave-v3-ethereum]\naxes: {ETH: {reference: aave-v3-ethereum, spot: {feed: \"0x1\", chain: e}}}\n" +
		"notifiers: {risk: {type: webhook}}\nrules:\n"
	rows := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "    - {name: ") {
			text += line
		}
		if cells := strings.Split(line, " | "); len(cells) == 5 {
			for _, name := range strings.Split(strings.Trim(cells[0], "| "), ", ") {
				rows[strings.Trim(name, "`")] = line
			}
		}
	}
	c, err := Parse("docs/rules.md", []byte(text))
	require.NoError(t, err)
	require.Empty(t, c.Findings())
	shown := map[string]bool{}
	for _, r := range c.Rules {
		shown[r.Watch] = true
	}
	for _, name := range Gauges {
		kind := gaugeKinds[name]
		if !contains([]string{"supplied"}, name) { // stands with tvl
			require.True(t, shown[name], "no example of %s", name)
		}
		require.Contains(t, rows[name], "| "+kind.rearm+" |", name)
		for _, word := range append(kind.sides, kind.keys...) {
			require.Contains(t, rows[name], "`"+word+"`", name)
		}
	}
}

func TestFindingsOfTheFileAlone(t *testing.T) {
	for _, c := range []struct {
		name, rules, place, problem string
		never                       bool
	}{
		{"market stands still", "  - {name: a, axis: market, levels: [0.9], notify: [n]}\n", "5:21", "is 1 at every look", true},
		{"hours on the market", "  - {name: a, watch: hours_to_touch, below: [2], axis: market, levels: [0.9], notify: [n]}\n", "5:56", "never sees it move", true},
		{"crowded levels", "  - {name: a, axis: ETH, levels: [2500, 2000, 2400], notify: [n], approach: [5%]}\n", "5:78", "levels 2400 and 2500 are 4.17% apart", false},
		{"the same level twice", "  - {name: a, axis: ETH, levels: [2000], notify: [n]}\n  - {name: b, axis: ETH, levels: [3000, 2000.0], notify: [n]}\n", "6:41", `level 2000 is watched by rule "a" as well: n will be told twice`, false},
		{"the same bound twice", "  - {name: a, watch: bad_debt, above: [5], notify: [n]}\n  - {name: b, watch: bad_debt, above: [9, 5], markets: [m], notify: [n]}\n", "6:43", `bad_debt above 5 is watched by rule "a"`, false},
		{"the same account twice", "  - {name: a, watch: health_factor, accounts: [0x1], below: [1.1], notify: [n]}\n  - {name: b, watch: health_factor, accounts: [0x2, 0x1], below: [1.1], notify: [n]}\n", "6:67", "health_factor below 1.1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := Parse("f.yaml", []byte(base+"notifiers: {n: {type: webhook}}\nrules:\n"+c.rules))
			require.NoError(t, err)
			found := cfg.Findings()
			require.Len(t, found, 1)
			require.Equal(t, c.never, found[0].Never)
			require.Contains(t, found[0].String(), "f.yaml:"+c.place+": ")
			require.Contains(t, found[0].Problem, c.problem)
			require.NotEmpty(t, found[0].Hint)
		})
	}
}

func TestWhatDiffersIsNoFinding(t *testing.T) {
	for _, rules := range []string{
		"  - {name: a, axis: ETH, levels: [2000], notify: [n]}\n  - {name: b, axis: BTC, levels: [2000], notify: [n]}\n",
		"  - {name: a, axis: ETH, levels: [2000], notify: [n]}\n  - {name: b, axis: ETH, levels: [2000], notify: [o]}\n",
		"  - {name: a, axis: ETH, levels: [2000, 2400], notify: [n, o]}\n",
		"  - {name: a, watch: tvl, below: [-5%], notify: [n]}\n  - {name: b, watch: tvl, below: [-5%], within: 1h, notify: [n]}\n",
		"  - {name: a, watch: health_factor, accounts: [0x1], below: [1.1], notify: [n]}\n  - {name: b, watch: health_factor, accounts: [0x2], below: [1.1], notify: [n]}\n",
		"  - {name: a, watch: health_factor, accounts: [0x1], below: [1.1], notify: [n]}\n  - {name: b, watch: health_factor, largest: 5, below: [1.1], notify: [n]}\n",
		"  - {name: a, watch: at_risk_share, axis: market, above: [5%], notify: [n]}\n",
	} {
		cfg, err := Parse("f.yaml", []byte(base+"notifiers: {n: {type: webhook}, o: {type: webhook}}\nrules:\n"+rules))
		require.NoError(t, err)
		for _, f := range cfg.Findings() {
			require.Contains(t, f.Problem, "no rule notifies", rules)
		}
	}
}
