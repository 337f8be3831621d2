package alerts

import (
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
)

func whaleRule() Rule {
	return Rule{Name: "whales", Gauge: "health_factor", Side: Down, Levels: decs("1.1", "1.03"), Rearm: dec("0.05"), Notify: []string{"risk"}}
}

// numbers is a look at health factors: "a=1.2", or "a=" for one that is gone.
func numbers(b BlockRef, values map[string]string) Readings {
	look := Readings{Rule: "whales", Chain: b.Chain, Blocks: []BlockRef{b}, Seen: time.Unix(int64(b.Time)+2, 0).UTC()}
	for subject, v := range values {
		one := Reading{Subject: subject, Name: subject + " on aave", Unit: Ratio, Gone: v == ""}
		if v != "" {
			one.Value = dec(v)
		}
		look.Readings = append(look.Readings, one)
	}
	return look
}

func track(t testing.TB, ledger Ledger, rules ...Rule) *Tracker {
	tr, err := NewTracker(t.Context(), ledger, rules, StaleRule{}, zerolog.Nop(), nil)
	require.NoError(t, err)
	return tr
}

func told(a []Alert) []string {
	var out []string
	for _, x := range a {
		out = append(out, fmt.Sprint(x.Kind, " ", x.Gauge.Subject, " ", x.Level, " ", x.Reason, " passed ", x.Passed))
	}
	return out
}

func TestAGaugeIsToldAtItsBoundsAndWhenItIsOver(t *testing.T) {
	ledger := &memory{}
	tr := track(t, ledger, whaleRule())
	steps := []struct {
		values map[string]string
		want   []string
		writes bool
	}{
		{map[string]string{"a": "1.3", "b": "1.2"}, nil, false},
		{map[string]string{"a": "1.1", "b": "1.2"}, []string{"crossing a 1.1 crossed passed []"}, true},
		{map[string]string{"a": "1.095", "b": "1.2"}, nil, false}, // not a tenth of the margin
		{map[string]string{"a": "1.08", "b": "1.2"}, nil, true},
		{map[string]string{"a": "1.08", "b": "1.02"}, []string{"crossing b 1.03 crossed passed [1.1]"}, true},
		{map[string]string{"a": "1.12", "b": "1.02"}, nil, true},                                              // receding
		{map[string]string{"a": "1.155", "b": "1.02"}, []string{"rearmed a 1.1 rearmed passed []"}, true},     // 5 % over the bound
		{map[string]string{"a": "1.155", "b": ""}, []string{"rearmed b 1.1 gone passed [1.03]"}, true},        // debt repaid
		{map[string]string{"a": "1.09"}, []string{"crossing a 1.1 crossed passed []"}, true},                  // the next episode
		{map[string]string{}, []string{"rearmed a 1.1 gone passed []"}, true},                                 // left out is gone
		{map[string]string{"c": "1.01"}, []string{"crossing c 1.03 crossed passed [1.1]"}, true},              // told although it is the first look
		{map[string]string{"b": "1.01", "c": "1.01"}, []string{"crossing b 1.03 crossed passed [1.1]"}, true}, // back again
		{map[string]string{"b": "1.01", "c": "1.01", "d": "5"}, nil, false},
	}
	keys := map[string]bool{}
	for i, s := range steps {
		look := numbers(block(uint64(i)+1, 0), s.values)
		before := len(ledger.changes)
		out, err := tr.Read(t.Context(), []Readings{look})
		require.NoError(t, err)
		require.Equal(t, s.want, told(out.Alerts), "step %d", i)
		require.Equal(t, s.writes, len(ledger.changes) > before, "step %d writes", i)
		for _, a := range out.Alerts {
			require.False(t, keys[a.Key], a.Key)
			keys[a.Key] = true
		}
		again, err := tr.Read(t.Context(), []Readings{look})
		require.NoError(t, err)
		require.Empty(t, again.Alerts, "the same look again says nothing")
	}
}

func TestWhatCouldNotBeReadStaysAsItIs(t *testing.T) {
	tr := track(t, &memory{}, whaleRule())
	_, err := tr.Read(t.Context(), []Readings{numbers(block(1, 0), map[string]string{"aave|a": "1.05"})})
	require.NoError(t, err)
	look := numbers(block(2, 0), nil)
	look.Unknown = []string{"aave|"}
	out, err := tr.Read(t.Context(), []Readings{look})
	require.NoError(t, err)
	require.Empty(t, out)
	out, err = tr.Read(t.Context(), []Readings{numbers(block(3, 0), nil)})
	require.NoError(t, err)
	require.Equal(t, []string{"rearmed aave|a 1.1 gone passed []"}, told(out.Alerts))
}

func TestAReorgTakesBackWhatANumberSaid(t *testing.T) {
	tr := track(t, &memory{}, whaleRule())
	read := func(number, branch uint64, value string) []string {
		out, err := tr.Read(t.Context(), []Readings{numbers(block(number, branch), map[string]string{"a": value})})
		require.NoError(t, err)
		return told(out.Alerts)
	}
	require.Empty(t, read(1, 0, "1.2"))
	require.Len(t, read(2, 0, "1.05"), 1)
	require.NoError(t, tr.Undo(t.Context(), "ethereum", 1, time.Now()))
	require.Equal(t, []string{"correction a 1.1 orphaned passed []"}, read(2, 1, "1.2"))
	require.Equal(t, []string{"crossing a 1.1 crossed passed []"}, read(3, 1, "1.05"))
	require.NoError(t, tr.Undo(t.Context(), "ethereum", 1, time.Now()))
	require.Empty(t, read(2, 2, "1.05"), "true on the new branch too")
	require.NoError(t, tr.Undo(t.Context(), "base", 0, time.Now()), "another chain's reorg")
	require.Len(t, tr.Episodes("whales"), 1)
	require.Equal(t, []BlockRef{block(2, 2)}, tr.Seen("ethereum"))
}

func TestReadingsThatCannotBeAreRefused(t *testing.T) {
	tr := track(t, &memory{}, whaleRule(), ethRule())
	bad := func(change func(*Readings)) error {
		look := numbers(block(1, 0), map[string]string{"a": "1.05"})
		change(&look)
		_, err := tr.Read(t.Context(), []Readings{look})
		return err
	}
	require.ErrorContains(t, bad(func(l *Readings) { l.Rule = "eth" }), "no rule of that name that watches a number")
	require.ErrorContains(t, bad(func(l *Readings) { l.Chain = "base" }), `no block of chain "base"`)
	require.ErrorContains(t, bad(func(l *Readings) { l.Readings = append(l.Readings, l.Readings[0]) }), "comes twice")
	require.ErrorContains(t, bad(func(l *Readings) { l.Readings[0].Subject = "" }), "no subject")
	require.ErrorContains(t, bad(func(l *Readings) { l.Blocks = []BlockRef{{Chain: "ethereum", Hash: chains.Hash{}, Time: 1 << 63}} }), "is no time")
	r := Rule{Name: "x", Gauge: "tvl", Levels: decs("0", "1", "1.0"), Approach: decs("0.1"), Rearm: dec("0.1")}
	for _, want := range []string{"side", "bound 0", "bound 1 is given twice", "approach"} {
		require.ErrorContains(t, r.Validate(), want)
	}
}

func TestOneSubjectCanBeMuted(t *testing.T) {
	a := Alert{Rule: "whales", Level: dec("1.1"), Gauge: &GaugeReading{Subject: "aave|0xabc"}}
	mute := func(scope string) map[string]Mute { return map[string]Mute{scope: {}} }
	require.True(t, muted(mute("whales/aave|0xabc"), a))
	require.True(t, muted(mute("whales"), a))
	require.False(t, muted(mute("whales/aave|0xdef"), a))
	require.False(t, muted(mute("whales/1.1"), a), "a bound is no subject")
}
