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
	// What lies before a level does not depend on the price here: its positions are
	// all close to it. TestWhatChangedIsThePriceOrThePositions has others.
	o.Stretch = func(_, to decimal.Decimal) (Totals, error) {
		v, _ := o.view(to)
		return v.Totals, nil
	}
	return o
}

// naive says again what a rule promises, level by level and in float-free words,
// without any of the machine's parts: it walks the whole path for one level and one
// side and lists the claims.
func naive(r Rule, level decimal.Decimal, side Side, path []Observation) []string {
	n := naiveEpisode{rule: r, level: level, side: side, number: 1, told: map[string]bool{}, first: map[string]uint64{}}
	n.marks = append(slices.Clone(r.Approach), decimal.Zero)
	sort.Slice(n.marks, func(i, j int) bool { return n.marks[i].LessThan(n.marks[j]) })
	for i, o := range path {
		if i == 0 && !n.far(o).IsPositive() {
			n.deepest = at(decimal.Zero)
			for _, m := range n.marks {
				n.told[m.String()] = true
			}
			continue
		}
		n.look(o)
	}
	return n.claims
}

// naiveEpisode is what the naive program remembers while it walks.
type naiveEpisode struct {
	rule  Rule
	level decimal.Decimal
	side  Side
	marks []decimal.Decimal // the level first

	claims  []string
	number  int
	said    bool
	told    map[string]bool     // marks that count as said in this episode
	deepest decimal.NullDecimal // mark that counted in this episode
	first   map[string]uint64   // by mark, and for leaving: the block from which on it was so in every look
	ahead   LevelView
	aheadAt decimal.Decimal // price at which the level was last ahead
	growths int
	price   decimal.Decimal // at which growth is held against base
	base    decimal.Decimal
}

// far is the distance to the level in percent of it, times the level; positive while
// the level is ahead.
func (n *naiveEpisode) far(o Observation) decimal.Decimal {
	d := o.Price.Sub(n.level).Mul(decimal.NewFromInt(100))
	if n.side == Up {
		return d.Neg()
	}
	return d
}

func (n *naiveEpisode) scaled(f decimal.Decimal) decimal.Decimal {
	return f.Mul(decimal.NewFromInt(100)).Mul(n.level)
}

// lasted reports that something has been so for as many blocks as the rule wants.
func (n *naiveEpisode) lasted(what string, so bool, o Observation) bool {
	if !so {
		delete(n.first, what)
		return false
	}
	now := o.Blocks[0].Number
	if _, ok := n.first[what]; !ok {
		n.first[what] = now
	}
	return int(now-n.first[what])+1 >= max(1, n.rule.Blocks)
}

func (n *naiveEpisode) claim(mark string) {
	n.claims = append(n.claims, strings.Join([]string{n.rule.Name, n.rule.Axis, n.level.String(), string(n.side), fmt.Sprint(n.number), mark}, "|"))
}

func (n *naiveEpisode) tell(name string, o Observation) {
	n.claim(name)
	n.said = true
	n.price = n.aheadAt
	then, _ := o.Stretch(n.price, n.level)
	n.base = then.AtRiskUSD
}

func (n *naiveEpisode) look(o Observation) {
	d := n.far(o)
	past := !d.IsPositive()
	if !past {
		n.ahead, _ = o.view(n.level)
		n.aheadAt = o.Price
	}
	within := map[string]bool{} // for as many blocks as the rule wants
	for _, m := range n.marks {
		within[m.String()] = n.lasted("mark "+m.String(), d.LessThanOrEqual(n.scaled(m)), o)
	}
	crossed := n.deepest.Valid && n.deepest.Decimal.IsZero()
	left := crossed && d.GreaterThanOrEqual(n.scaled(n.rule.Rearm)) ||
		!crossed && n.deepest.Valid && d.GreaterThanOrEqual(n.scaled(n.rule.widest().Add(n.rule.Rearm)))
	if n.lasted("leaving", left, o) {
		n.over(d)
		return
	}
	counts := func(m decimal.Decimal) bool {
		return within[m.String()] || d.LessThanOrEqual(n.scaled(m)) && n.deepest.Valid && m.GreaterThanOrEqual(n.deepest.Decimal)
	}
	var mark decimal.NullDecimal
	for _, m := range n.marks { // the deepest first
		if counts(m) && !mark.Valid {
			mark = at(m)
		}
	}
	if !mark.Valid {
		return
	}
	if !n.deepest.Valid || mark.Decimal.LessThan(n.deepest.Decimal) {
		n.deepest = mark
	}
	enough := n.ahead.AtRiskUSD.GreaterThanOrEqual(n.rule.MinAtRiskUSD)
	switch {
	case !n.told[mark.Decimal.String()]:
		if enough || mark.Decimal.IsZero() && n.said {
			n.tell(mark.Decimal.String(), o)
			for _, m := range n.marks {
				n.told[m.String()] = n.told[m.String()] || m.GreaterThanOrEqual(mark.Decimal)
			}
		}
	case !past && !n.deepest.Decimal.IsZero():
		n.grow(o, enough)
	}
}

// grow holds the stretch last told of against what it was then.
func (n *naiveEpisode) grow(o Observation, enough bool) {
	if !n.said || !n.rule.Growth.IsPositive() {
		return
	}
	now, _ := o.Stretch(n.price, n.level)
	step := one.Add(n.rule.Growth)
	least := decimal.Max(n.base, n.rule.MinAtRiskUSD, decimal.NewFromInt(1000))
	if now.AtRiskUSD.GreaterThanOrEqual(least.Mul(step)) {
		if enough {
			n.growths++
			n.tell(fmt.Sprint("growth", n.growths), o)
		}
		return
	}
	n.base = decimal.Min(n.base, now.AtRiskUSD.Mul(step).Mul(step))
}

// over ends an episode: the marks that the price is still within go on as they were.
func (n *naiveEpisode) over(d decimal.Decimal) {
	if n.said {
		n.claim("rearmed")
	}
	n.number++
	n.said, n.growths, n.deepest = false, 0, decimal.NullDecimal{}
	kept := map[string]bool{}
	for _, m := range slices.Backward(n.marks) {
		if d.LessThanOrEqual(n.scaled(m)) {
			n.deepest = at(m)
			kept[m.String()] = n.told[m.String()]
		}
	}
	n.told = kept
	delete(n.first, "leaving")
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
	r.Blocks = rapid.SampledFrom([]int{0, 1, 2, 3, 5}).Draw(t, "blocks")
	r.Growth = dec(rapid.SampledFrom([]string{"0", "0.1", "0.5"}).Draw(t, "growth"))
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
	number := first
	for i := range n {
		if i > 0 {
			number += 1 + rapid.Uint64Range(0, 2).Draw(t, "blocks not looked at")*rapid.Uint64Range(0, 1).Draw(t, "gap")
		}
		amounts := map[string]int64{}
		for _, l := range r.Levels {
			amounts[l.String()] = rapid.SampledFrom([]int64{0, 900_000, 1_000_000, 5_000_000}).Draw(t, "amount")
		}
		path = append(path, look(r, block(number, branch), drawPrice(t, r), func(l decimal.Decimal) int64 { return amounts[l.String()] }))
	}
	return path
}

// newestBlock is the number of the last block of a path, 0 of none.
func newestBlock(path []Observation) uint64 {
	if len(path) == 0 {
		return 0
	}
	return path[len(path)-1].Blocks[0].Number
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
	campaign(t, func(t *rapid.T) {
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
	campaign(t, func(t *rapid.T) {
		r := drawRule(t)
		var s State
		var told []Alert
		canonical := drawPath(t, r, 1, rapid.IntRange(1, 8).Draw(t, "start"), 0)
		s, told = run(t, r, s, canonical)
		for branch := range rapid.Uint64Range(0, 5).Draw(t, "reorgs") {
			keep := rapid.IntRange(0, len(canonical)).Draw(t, "keep")
			var err error
			ancestor := newestBlock(canonical[:keep])
			s, err = Rewind(s, "ethereum", ancestor)
			require.NoError(t, err)
			fork := drawPath(t, r, ancestor+1, rapid.IntRange(0, 8).Draw(t, "mined"), branch+1)
			if rapid.Bool().Draw(t, "same prices again") { // the same story in other blocks
				fork = nil
				for _, o := range canonical[keep:] {
					o.Blocks = []BlockRef{block(o.Blocks[0].Number, branch+1)}
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
		for n := newestBlock(canonical) + 1; n < 150; n++ {
			o := look(r, block(n, 99), price, func(decimal.Decimal) int64 { return 2_000_000 })
			var said []Alert
			s, said = run(t, r, s, []Observation{o})
			told, canonical = append(told, said...), append(canonical, o)
		}
		require.Empty(t, s.Doubts)
		end, want := run(t, r, State{}, canonical)
		require.Equal(t, end.Episodes(), s.Episodes())
		require.Equal(t, end.last().Seq, s.last().Seq)

		require.Equal(t, claims(want), net(t, told))
	})
}
