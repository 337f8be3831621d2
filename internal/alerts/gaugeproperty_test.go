package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var naiveSubjects = []string{"a|1", "a|2", "b|1", "b|2"}

// naiveGauge says again what a rule promises of one subject and one bound, without
// any of the machine's parts.
func naiveGauge(r Rule, subject string, bound decimal.Decimal, path []Readings) []string {
	var out []string
	number, crossed := 1, false
	var touched, left *uint64 // block from which on it was at the bound, or away from it
	claim := func(mark string) {
		out = append(out, strings.Join([]string{r.Name, r.Gauge, subject, bound.String(), string(r.Side), fmt.Sprint(number), mark}, "|"))
	}
	lasted := func(since **uint64, now uint64) bool {
		if *since == nil {
			*since = &now
		}
		return int(now-**since)+1 >= max(1, r.Blocks)
	}
	over := func() {
		if crossed {
			claim("rearmed")
		}
		number, crossed, touched, left = number+1, false, nil, nil
	}
	for _, look := range path {
		if slices.Contains(look.Unknown, subject[:2]) {
			continue
		}
		i := slices.IndexFunc(look.Readings, func(one Reading) bool { return one.Subject == subject && !one.Gone })
		if i < 0 {
			if crossed || touched != nil {
				over()
			}
			continue
		}
		ahead := look.Readings[i].Value.Sub(bound)
		if r.Side == Up {
			ahead = ahead.Neg()
		}
		now := look.Blocks[0].Number
		switch {
		case crossed && ahead.IsPositive() && ahead.GreaterThanOrEqual(bound.Abs().Mul(r.Rearm)):
			if lasted(&left, now) {
				over()
			}
		case crossed:
			left = nil
		case ahead.IsPositive():
			touched = nil
		case lasted(&touched, now):
			claim("0")
			crossed = true
		}
	}
	return out
}

// readAll applies looks and collects the alerts.
func readAll(t require.TestingT, r Rule, s State, path []Readings) (State, []Alert) {
	var all []Alert
	for _, look := range path {
		next, out, _, err := AdvanceGauge(r, s, look, nil)
		require.NoError(t, err)
		s = next
		all = append(all, out.Alerts...)
	}
	return s, all
}

func drawLooks(t *rapid.T, r Rule, first uint64, n int, branch uint64) []Readings {
	var path []Readings
	number := first
	for range n {
		path = append(path, drawReadings(t, r, block(number, branch)))
		number += 1 + rapid.Uint64Range(0, 2).Draw(t, "not looked at")*rapid.Uint64Range(0, 1).Draw(t, "gap")
	}
	return path
}

func TestAGaugeSaysWhatTheNaiveProgramSays(t *testing.T) {
	foldEarly(t)
	campaign(t, func(t *rapid.T) {
		r := drawGauge(t)
		path := drawLooks(t, r, 1, rapid.IntRange(1, 40).Draw(t, "n"), 0)
		for i := range path { // everything is final at once, or never
			if rapid.Bool().Draw(t, "final") {
				path[i].Final = map[string]uint64{"ethereum": path[i].Blocks[0].Number}
			}
		}
		var want []string
		for _, subject := range naiveSubjects {
			for _, bound := range r.Levels {
				want = append(want, naiveGauge(r, subject, bound, path)...)
			}
		}
		slices.Sort(want)
		_, got := readAll(t, r, State{}, path)
		require.Equal(t, want, claims(got))
		keys := map[string]bool{}
		for _, a := range got {
			require.False(t, keys[a.Key], "key %s came twice", a.Key)
			keys[a.Key] = true
		}
	})
}

// A run with reorgs ends where the canonical run ends, and what people were told,
// corrections counted, is what the canonical run told.
func TestReorgsOfNumbersEndInTheCanonicalState(t *testing.T) {
	campaign(t, func(t *rapid.T) {
		r := drawGauge(t)
		canonical := drawLooks(t, r, 1, rapid.IntRange(1, 8).Draw(t, "start"), 0)
		s, told := readAll(t, r, State{}, canonical)
		for branch := range rapid.Uint64Range(0, 5).Draw(t, "reorgs") {
			keep := rapid.IntRange(0, len(canonical)).Draw(t, "keep")
			ancestor := uint64(0)
			if keep > 0 {
				ancestor = canonical[keep-1].Blocks[0].Number
			}
			var err error
			s, err = Rewind(s, "ethereum", ancestor)
			require.NoError(t, err)
			fork := drawLooks(t, r, ancestor+1, rapid.IntRange(0, 8).Draw(t, "mined"), branch+1)
			if rapid.Bool().Draw(t, "same numbers again") {
				fork = nil
				for _, look := range canonical[keep:] {
					look.Blocks = []BlockRef{block(look.Blocks[0].Number, branch+1)}
					fork = append(fork, look)
				}
			}
			next, said := readAll(t, r, s, fork)
			s, told, canonical = next, append(told, said...), append(slices.Clone(canonical[:keep]), fork...)
		}
		last := uint64(0)
		if len(canonical) > 0 {
			last = canonical[len(canonical)-1].Blocks[0].Number
		}
		quiet := drawReadings(t, r, block(1, 0))
		for n := last + 1; n < last+100; n++ { // until nothing is in doubt any more
			quiet.Blocks = []BlockRef{block(n, 99)}
			next, said := readAll(t, r, s, []Readings{quiet})
			s, told, canonical = next, append(told, said...), append(canonical, quiet)
		}
		require.Empty(t, s.Doubts)
		end, want := readAll(t, r, State{}, canonical)
		require.Equal(t, flat(end.subjects()), flat(s.subjects()))
		require.Equal(t, claims(want), net(t, told))
	})
}

// net are the claims that were made and not taken back. No key may come twice, and
// nothing be said twice or taken back without having been said.
func net(t require.TestingT, told []Alert) []string {
	made, keys := map[string]int{}, map[string]bool{}
	for _, a := range told {
		require.False(t, keys[a.Key], "key %s came twice", a.Key)
		keys[a.Key] = true
		for _, c := range a.Claims {
			made[c]++
			require.LessOrEqual(t, made[c], 1, "%s was said twice without a correction", c)
		}
		for _, c := range a.Withdraws {
			made[c]--
			require.GreaterOrEqual(t, made[c], 0, "%s was corrected without having been said", c)
		}
	}
	var left []string
	for c, n := range made {
		if n == 1 {
			left = append(left, c)
		}
	}
	slices.Sort(left)
	return left
}
