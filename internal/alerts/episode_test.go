package alerts

import (
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
)

func ethRule() Rule {
	return Rule{
		Name: "eth", Axis: "ETH", Levels: decs("2400"), Approach: decs("0.05", "0.02", "0.005"),
		Rearm: dec("0.01"), MinAtRiskUSD: dec("1000000"), Notify: []string{"risk", "hook"},
	}
}

// step is a price with the amount ahead of every level, and what is decided on one side.
type step struct {
	price  string
	amount int64
	want   string // "from>to reason" of the decision, with ! when told; empty for none
}

func TestEveryTransition(t *testing.T) {
	const m = 1_000_000
	tests := map[string]struct {
		side  Side
		steps []step
	}{
		"a journey down to the level and back": {Down, []step{
			{"2700", m, "armed>armed started"},
			{"2600", m, ""},
			{"2520", m, "armed>approaching approach!"},
			{"2519", m, ""},
			{"2440", m, "approaching>approaching approach!"},
			{"2412", m, "approaching>approaching approach!"},
			{"2400", 0, "approaching>crossed crossed!"},
			{"2399", 0, ""},
			{"2401", m, "crossed>receding receding"},
			{"2423.99999999", m, ""},
			{"2400", 0, "receding>crossed returned"},
			{"2424", m, "crossed>approaching rearmed!"},
			{"2413", m, ""}, // 2% and 5% count as said, 0.5% does not
			{"2411", m, "approaching>approaching approach!"},
			{"2600", m, "approaching>armed rearmed!"},
		}},
		"up to the level": {Up, []step{
			{"2200", m, "armed>armed started"},
			{"2280", m, "armed>approaching approach!"},
			{"2400", m, "approaching>crossed crossed!"},
			{"2376", m, "crossed>approaching rearmed!"},
			{"2256", m, "approaching>armed nothing-said"},
		}},
		"receding within the margin and coming back is silent": {Down, []step{
			{"2700", m, "armed>armed started"},
			{"2450", m, "armed>approaching approach!"},
			{"2543", m, "approaching>receding receding"},
			{"2450", m, "receding>approaching returned"},
			{"2544", m, "approaching>armed rearmed!"},
			{"2450", m, "armed>approaching approach!"},
		}},
		"too little, then enough, while the price stands": {Down, []step{
			{"2700", m, "armed>armed started"},
			{"2500", m - 1, "armed>approaching below-minimum"},
			{"2500", m - 1, ""},
			{"2500", m, "approaching>approaching grew!"},
			{"2500", 2 * m, ""},
		}},
		"nothing on the way, and nothing to re-arm": {Down, []step{
			{"2700", 0, "armed>armed started"},
			{"2500", 0, "armed>approaching nothing-at-risk"},
			{"2300", 0, "approaching>crossed nothing-at-risk"},
			{"2700", 0, "crossed>armed nothing-said"},
		}},
		"whoever was told that it comes is told that it came": {Down, []step{
			{"2700", m, "armed>armed started"},
			{"2500", m, "armed>approaching approach!"},
			{"2405", 5, "approaching>approaching below-minimum"},
			{"2390", 0, "approaching>crossed crossed!"},
		}},
		"a jump speaks of what lay ahead before it": {Down, []step{
			{"2700", m, "armed>armed started"},
			{"2300", 0, "armed>crossed crossed!"},
		}},
		"past the level at the first look": {Down, []step{
			{"2390", 0, "crossed>crossed beyond-at-start"},
			{"2380", 0, ""},
			{"2430", m, "crossed>approaching nothing-said"},
			{"2399", m, "approaching>crossed crossed!"},
		}},
		"on the level at the first look": {Down, []step{
			{"2400", 0, "crossed>crossed beyond-at-start"},
			{"2390", 0, ""},
		}},
		"within a distance at the first look": {Down, []step{
			{"2440", m, "armed>approaching approach!"},
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r, s := ethRule(), State{}
			for i, st := range tc.steps {
				o := look(r, block(uint64(i)+1, 0), dec(st.price), func(decimal.Decimal) int64 { return st.amount })
				next, out, err := Advance(r, s, o)
				require.NoError(t, err)
				s = next
				require.Equal(t, st.want, last(out, tc.side), "step %d, price %s", i, st.price)
			}
		})
	}
}

// Without a minimum the price alone is news.
func TestWithoutAMinimumALevelIsToldWithNothingAtRisk(t *testing.T) {
	r := ethRule()
	r.MinAtRiskUSD = decimal.Zero
	_, got := run(t, r, State{}, prices(r, 0, "2700", "2500", "2400", "2600"))
	require.Equal(t, []string{
		"approach 2400 down 0.05 passed []",
		"crossing 2400 down 0 passed []",
		"rearmed 2400 down 0 passed []",
	}, summary(got))
	for _, a := range got {
		m, err := Compose(a)
		require.NoError(t, err)
		require.Contains(t, m.Text, "0 accounts", a.Kind)
	}
}

// last is the latest decision about a side.
func last(out Outcome, side Side) string {
	text := ""
	for _, d := range out.Decisions {
		if d.Side != side {
			continue
		}
		text = fmt.Sprintf("%s>%s %s", d.From, d.To, d.Reason)
		if d.Sent {
			text += "!"
		}
	}
	return text
}

func prices(r Rule, amount int64, list ...string) []Observation {
	var path []Observation
	for i, p := range list {
		path = append(path, look(r, block(uint64(i)+1, 0), dec(p), func(decimal.Decimal) int64 { return amount }))
	}
	return path
}

func summary(alerts []Alert) []string {
	var out []string
	for _, a := range alerts {
		out = append(out, fmt.Sprint(a.Kind, " ", a.Level, " ", a.Side, " ", a.Mark, " passed ", a.Passed))
	}
	return out
}

func TestAJumpOverSeveralLevelsIsOneMessage(t *testing.T) {
	r := ethRule()
	r.Levels = decs("2200", "2400", "2300", "2000")
	_, got := run(t, r, State{}, prices(r, 5_000_000, "2700", "2199"))
	require.Equal(t, "crossing 2200 down 0 passed [2400 2300]", summary(got)[0])
	require.Len(t, got[0].Claims, 3)

	_, got = run(t, r, State{}, prices(r, 5_000_000, "2150", "2700"))
	require.Equal(t, "crossing 2400 up 0 passed [2200 2300]", summary(got)[len(got)-1])

	r.Approach = nil
	_, got = run(t, r, State{}, prices(r, 5_000_000, "2700", "2150", "2700"))
	require.Equal(t, []string{
		"crossing 2200 down 0 passed [2400 2300]",
		"rearmed 2400 down 0 passed [2200 2300]",
		"crossing 2400 up 0 passed [2200 2300]",
	}, summary(got))
}

func TestSeveralApproachDistancesAtOnceAreOneMessage(t *testing.T) {
	r := ethRule()
	_, got := run(t, r, State{}, prices(r, 5_000_000, "2700", "2410"))
	require.Equal(t, []string{"approach 2400 down 0.005 passed [0.05 0.02]"}, summary(got))
}

func TestALevelThatLeavesTheRuleAndComesBackBeginsANewEpisode(t *testing.T) {
	r := ethRule()
	r.Levels = decs("2400", "2200")
	path := prices(r, 5_000_000, "2700", "2448")
	s, first := run(t, r, State{}, path)
	require.Len(t, first, 1)

	without := r
	without.Levels = decs("2200")
	s, got := run(t, without, s, []Observation{look(without, block(3, 0), dec("2448"), func(decimal.Decimal) int64 { return 5_000_000 })})
	require.Empty(t, got)
	require.True(t, s.Episodes()[0].Retired)

	_, got = run(t, r, s, []Observation{look(r, block(4, 0), dec("2448"), func(decimal.Decimal) int64 { return 5_000_000 })})
	require.Equal(t, []string{"approach 2400 down 0.02 passed [0.05]"}, summary(got))
	require.NotEqual(t, first[0].Key, got[0].Key)
}

func TestOneRuleWithOneLevelInTwoWritingsIsOneLevel(t *testing.T) {
	a, b := ethRule(), ethRule()
	b.Levels = decs("2400.00")
	_, one := run(t, a, State{}, prices(a, 5_000_000, "2700", "2450"))
	_, two := run(t, b, State{}, prices(b, 5_000_000, "2700", "2450"))
	require.Equal(t, one[0].Key, two[0].Key)
}

func TestAnObservationThatLacksALevelIsRefused(t *testing.T) {
	r := ethRule()
	o := look(r, block(1, 0), dec("2700"), func(decimal.Decimal) int64 { return 1 })
	o.Levels = nil
	_, _, err := Advance(r, State{}, o)
	require.ErrorContains(t, err, "says nothing of level 2400")
	o.Price = decimal.Zero
	_, _, err = Advance(r, State{}, o)
	require.ErrorContains(t, err, "want a price above 0")
}

func TestAReorgBelowWhatIsKeptIsRefused(t *testing.T) {
	r := ethRule()
	path := prices(r, 5_000_000, "2700", "2600", "2550", "2500")
	for i := range path {
		path[i].Final = map[string]uint64{"ethereum": path[i].Blocks[0].Number - 1}
	}
	s, _ := run(t, r, State{}, path)
	require.Len(t, s.Checkpoints, 2)
	_, err := Rewind(s, "ethereum", 1)
	require.ErrorIs(t, err, ErrTooDeep)
	back, err := Rewind(s, "ethereum", 3)
	require.NoError(t, err)
	require.Len(t, back.Checkpoints, 1)
	same, err := Rewind(s, "tron", 0)
	require.NoError(t, err)
	require.Equal(t, s, same)
}

func TestAReorgOfAChainThatGivesNoPriceTakesNothingBack(t *testing.T) {
	r := ethRule()
	path := prices(r, 5_000_000, "2700", "2500", "2450")
	for i := range path {
		path[i].PriceChain = "ethereum"
		path[i].Blocks = append([]BlockRef{{Chain: "base", Number: 100 + uint64(i), Hash: chains.Hash{1}}}, path[i].Blocks...)
	}
	s, said := run(t, r, State{}, path)
	require.NotEmpty(t, said)
	same, err := Rewind(s, "base", 0)
	require.NoError(t, err)
	require.Equal(t, s, same)
	other := path[2] // the same heights, another branch of base
	other.Blocks = append([]BlockRef{{Chain: "base", Number: 102, Hash: chains.Hash{2}}}, other.Blocks[1])
	next, out, err := Advance(r, s, other)
	require.NoError(t, err)
	require.Empty(t, out.Alerts)
	require.Equal(t, chains.Hash{2}, next.Blocks()[0].Hash)
	back, err := Rewind(next, "ethereum", 2)
	require.NoError(t, err)
	require.Len(t, back.Checkpoints, 2)
}

func TestPulse(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	src := Source{Name: "ethereum", What: "chain", Fed: at, Limit: time.Minute}
	rule := StaleRule{Notify: []string{"risk"}}
	var b Beat
	var kinds []string
	for _, after := range []time.Duration{0, time.Minute, time.Minute + 1, 2 * time.Minute, time.Hour} {
		var made []Alert
		b, made = Pulse(rule, b, src, at.Add(after))
		for _, a := range made {
			kinds = append(kinds, fmt.Sprint(after, " ", a.Key, " ", a.Severity))
		}
	}
	src.Fed = at.Add(time.Hour)
	b, made := Pulse(rule, b, src, at.Add(time.Hour))
	require.Equal(t, []string{"1m0.000000001s stale|chain|ethereum|1 critical"}, kinds)
	require.Len(t, made, 1)
	require.Equal(t, "fresh|chain|ethereum|1", made[0].Key)
	require.Equal(t, Info, made[0].Severity)
	_, made = Pulse(rule, b, src, at.Add(3*time.Hour))
	require.Equal(t, "stale|chain|ethereum|2", made[0].Key)
}

func TestValidateNamesEveryFault(t *testing.T) {
	r := Rule{Name: "x", Levels: decs("0", "5", "5.0"), Approach: decs("0", "1", "0.1", "0.10"), Rearm: dec("0"), MinAtRiskUSD: dec("-1"), Severity: "loud"}
	err := r.Validate()
	for _, want := range []string{"axis is missing", "level 0:", "level 5 is given twice", "approach 0%:", "approach 100%:", "approach 10% is given twice", "rearm 0%", "min_at_risk_usd -1", `severity "loud"`} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, ethRule().Validate())
	require.ErrorContains(t, Rule{}.Validate(), "levels are missing")
}
