package alerts

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func decs(list ...string) []decimal.Decimal {
	var out []decimal.Decimal
	for _, s := range list {
		out = append(out, dec(s))
	}
	return out
}

// block makes the block of a number on a branch.
func block(number, branch uint64) BlockRef {
	return BlockRef{Chain: "ethereum", Number: number, Hash: chains.Keccak([]byte(fmt.Sprint(number, "/", branch))), Time: 1_700_000_000 + 12*number}
}

// look is an observation at a price; amount says what lies between it and each level.
func look(r Rule, b BlockRef, price decimal.Decimal, amount func(level decimal.Decimal) int64) Observation {
	o := Observation{Axis: r.Axis, Reference: "aave", Price: price, Blocks: []BlockRef{b}, Seen: time.Unix(int64(b.Time)+2, 0).UTC()}
	for _, l := range r.Levels {
		if l.Equal(price) {
			continue
		}
		n := amount(l)
		v := LevelView{Level: l}
		if n > 0 {
			v.Totals = Totals{Accounts: int(n/1000) + 1, Owners: 1, AtRiskUSD: decimal.NewFromInt(n), SeizableUSD: decimal.NewFromInt(n / 2), DebtUSD: decimal.NewFromInt(n - 1)}
			v.Markets = []MarketTotals{{Market: "aave", Totals: v.Totals}}
		}
		o.Levels = append(o.Levels, v)
	}
	return o
}

// naive says again what a rule promises, level by level and in float-free words,
// without any of the machine's parts: it walks the whole path for one level and one
// side and lists the claims.
func naive(r Rule, level decimal.Decimal, side Side, path []Observation) []string {
	hundred := decimal.NewFromInt(100)
	// far is the distance to the level in percent, positive while the level is ahead.
	far := func(o Observation) decimal.Decimal {
		d := o.Price.Sub(level).Mul(hundred)
		if side == Up {
			d = d.Neg()
		}
		return d // percent times level
	}
	scaled := func(f decimal.Decimal) decimal.Decimal { return f.Mul(hundred).Mul(level) }
	widest := decimal.Zero
	for _, a := range r.Approach {
		if a.GreaterThan(widest) {
			widest = a
		}
	}
	var claims []string
	episode, said := 1, false
	told := map[string]bool{}         // marks that count as said in this episode
	everIn, isCrossed := false, false // what happened in this episode
	var ahead LevelView
	name := func(mark string) string {
		return strings.Join([]string{r.Name, r.Axis, level.String(), string(side), fmt.Sprint(episode), mark}, "|")
	}
	marks := slices.Clone(r.Approach)
	sort.Slice(marks, func(i, j int) bool { return marks[i].LessThan(marks[j]) })
	tell := func(mark decimal.Decimal) {
		claims = append(claims, name(mark.String()))
		said = true
		for _, a := range marks {
			if a.GreaterThanOrEqual(mark) {
				told[a.String()] = true
			}
		}
		told[mark.String()] = true
	}
	for i, o := range path {
		d := far(o)
		past := !d.IsPositive()
		if !past {
			ahead, _ = o.view(level)
		}
		if i == 0 && past {
			isCrossed = true
			told["0"] = true
			for _, a := range marks {
				told[a.String()] = true
			}
			continue
		}
		left := (isCrossed && d.GreaterThanOrEqual(scaled(r.Rearm))) ||
			(!isCrossed && everIn && d.GreaterThanOrEqual(scaled(widest.Add(r.Rearm))))
		if left {
			if said {
				claims = append(claims, name("rearmed"))
			}
			episode++
			said, everIn, isCrossed = false, false, false
			kept := map[string]bool{}
			for _, a := range marks {
				if d.LessThanOrEqual(scaled(a)) {
					everIn = true
					kept[a.String()] = told[a.String()]
				}
			}
			told = kept
			continue
		}
		enough := ahead.AtRiskUSD.GreaterThanOrEqual(r.MinAtRiskUSD)
		if past {
			isCrossed = true
			if !told["0"] && (said || enough) {
				tell(decimal.Zero)
			}
			continue
		}
		for _, a := range marks { // the deepest first
			if d.LessThanOrEqual(scaled(a)) {
				everIn = true
				if !told[a.String()] && !told["0"] && enough {
					tell(a)
				}
				break
			}
		}
	}
	return claims
}

func drawRule(t *rapid.T) Rule {
	r := Rule{Name: "eth", Axis: "ETH", Notify: []string{"risk"}}
	pool := []string{"2000", "2200", "2300", "2400", "2500.5"}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(pool)-1), 1, 3, rapid.ID).Draw(t, "levels") {
		r.Levels = append(r.Levels, dec(pool[i]))
	}
	marks := []string{"0.005", "0.01", "0.02", "0.05"}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(marks)-1), 0, 4, rapid.ID).Draw(t, "approach") {
		r.Approach = append(r.Approach, dec(marks[i]))
	}
	r.Rearm = dec(rapid.SampledFrom([]string{"0.001", "0.01", "0.03"}).Draw(t, "rearm"))
	r.MinAtRiskUSD = decimal.NewFromInt(rapid.SampledFrom([]int64{0, 1_000_000}).Draw(t, "min"))
	return r
}

// drawPrice favours the edges: a level, a mark, a margin, one tick beside them.
func drawPrice(t *rapid.T, r Rule) decimal.Decimal {
	if rapid.IntRange(0, 2).Draw(t, "edge") > 0 {
		l := rapid.SampledFrom(r.Levels).Draw(t, "at level")
		off := rapid.SampledFrom([]string{"0", "0.001", "0.005", "0.01", "0.02", "0.03", "0.05", "0.06", "0.08", "0.2"}).Draw(t, "off")
		sign := decimal.NewFromInt(int64(rapid.SampledFrom([]int{-1, 1}).Draw(t, "sign")))
		tick := decimal.New(rapid.Int64Range(-1, 1).Draw(t, "tick"), -8)
		return l.Mul(one.Add(dec(off).Mul(sign))).Add(tick)
	}
	return decimal.New(rapid.Int64Range(180_000, 280_000).Draw(t, "price"), -2)
}

func drawPath(t *rapid.T, r Rule, first uint64, n int, branch uint64) []Observation {
	var path []Observation
	for i := range n {
		amounts := map[string]int64{}
		for _, l := range r.Levels {
			amounts[l.String()] = rapid.SampledFrom([]int64{0, 900_000, 1_000_000, 5_000_000}).Draw(t, "amount")
		}
		path = append(path, look(r, block(first+uint64(i), branch), drawPrice(t, r), func(l decimal.Decimal) int64 { return amounts[l.String()] }))
	}
	return path
}

// run applies a path and collects the alerts.
func run(t require.TestingT, r Rule, s State, path []Observation) (State, []Alert) {
	var all []Alert
	for _, o := range path {
		next, out, err := Advance(r, s, o)
		require.NoError(t, err)
		s = next
		all = append(all, out.Alerts...)
	}
	return s, all
}

func claims(alerts []Alert) []string {
	var out []string
	for _, a := range alerts {
		out = append(out, a.Claims...)
	}
	slices.Sort(out)
	return out
}

func TestTheMachineSaysWhatTheNaiveProgramSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t)
		path := drawPath(t, r, 1, rapid.IntRange(1, 40).Draw(t, "n"), 0)
		var want []string
		for _, l := range r.Levels {
			want = append(append(want, naive(r, l, Down, path)...), naive(r, l, Up, path)...)
		}
		slices.Sort(want)
		_, got := run(t, r, State{}, path)
		require.Equal(t, want, claims(got))
		require.Len(t, slices.Compact(slices.Clone(want)), len(want), "a claim was made twice")
		keys := map[string]bool{}
		for _, a := range got {
			require.False(t, keys[a.Key], "key %s came twice", a.Key)
			keys[a.Key] = true
		}
	})
}

func TestALookRepeatedAfterACrashSaysNothingNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t)
		path := drawPath(t, r, 1, rapid.IntRange(1, 30).Draw(t, "n"), 0)
		end, want := run(t, r, State{}, path)
		var s State
		var got []Alert
		for _, o := range path {
			for range rapid.IntRange(1, 3).Draw(t, "times") {
				next, out, err := Advance(r, s, o)
				require.NoError(t, err)
				s = next
				got = append(got, out.Alerts...)
			}
		}
		require.Equal(t, claims(want), claims(got))
		require.Equal(t, end, s)
	})
}

// A run with reorgs ends where the canonical run ends, and what people were told,
// corrections counted, is what the canonical run told.
func TestReorgsEndInTheCanonicalState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t)
		var s State
		var told []Alert
		canonical := drawPath(t, r, 1, rapid.IntRange(1, 8).Draw(t, "start"), 0)
		s, told = run(t, r, s, canonical)
		for branch := range rapid.Uint64Range(0, 5).Draw(t, "reorgs") {
			keep := rapid.IntRange(0, len(canonical)).Draw(t, "keep")
			var err error
			s, err = Rewind(s, "ethereum", uint64(keep))
			require.NoError(t, err)
			fork := drawPath(t, r, uint64(keep)+1, rapid.IntRange(0, 8).Draw(t, "mined"), branch+1)
			if rapid.Bool().Draw(t, "same prices again") { // the same story in other blocks
				fork = nil
				for i, o := range canonical[keep:] {
					o.Blocks = []BlockRef{block(uint64(keep+i)+1, branch+1)}
					fork = append(fork, o)
				}
			}
			var said []Alert
			s, said = run(t, r, s, fork)
			told = append(told, said...)
			canonical = append(slices.Clone(canonical[:keep]), fork...)
		}
		// Quiet blocks until nothing is in doubt any more.
		price := drawPrice(t, r)
		for n := uint64(len(canonical)) + 1; n < 60; n++ {
			o := look(r, block(n, 99), price, func(decimal.Decimal) int64 { return 2_000_000 })
			var said []Alert
			s, said = run(t, r, s, []Observation{o})
			told, canonical = append(told, said...), append(canonical, o)
		}
		require.Empty(t, s.Doubts)
		end, want := run(t, r, State{}, canonical)
		require.Equal(t, end.Episodes(), s.Episodes())
		require.Equal(t, end.last().Seq, s.last().Seq)

		net := map[string]int{}
		keys := map[string]bool{}
		for _, a := range told {
			require.False(t, keys[a.Key], "key %s came twice", a.Key)
			keys[a.Key] = true
			for _, c := range a.Claims {
				net[c]++
				require.LessOrEqual(t, net[c], 1, "%s was said twice without a correction", c)
			}
			for _, c := range a.Withdraws {
				net[c]--
				require.GreaterOrEqual(t, net[c], 0, "%s was corrected without having been said", c)
			}
		}
		var left []string
		for c, n := range net {
			if n == 1 {
				left = append(left, c)
			}
		}
		slices.Sort(left)
		require.Equal(t, claims(want), left)
	})
}
