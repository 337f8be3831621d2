package alerts

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// campaign repeats a property as often as LIQWATCH_CAMPAIGN says; once without it.
// Each repetition is as many cases as rapid is told to make, 100 by default.
func campaign(t *testing.T, property func(*rapid.T)) {
	times, err := strconv.Atoi(os.Getenv("LIQWATCH_CAMPAIGN"))
	for range max(1, times) {
		rapid.Check(t, property)
	}
	require.True(t, err == nil || os.Getenv("LIQWATCH_CAMPAIGN") == "", "LIQWATCH_CAMPAIGN is no number")
}

// foldEarly makes the checkpoints of gauge rules be added up after a few changes, as
// they are after many.
func foldEarly(t *testing.T) {
	before := leastFold
	leastFold = 2
	t.Cleanup(func() { leastFold = before })
}

// event is one thing that happens to a watcher. Reorgs and changed levels are part of
// the story; what goes wrong around it is not.
type event struct {
	reorg    bool // before the look
	ancestor uint64
	levels   []decimal.Decimal
	look     Observation
	read     Readings

	restart, repeat bool // afterwards
	fail            int  // commits that fail first
}

func drawGauge(t *rapid.T) Rule {
	r := Rule{Name: "whales", Gauge: "health_factor", Notify: []string{"risk"}, Side: rapid.SampledFrom([]Side{Down, Up}).Draw(t, "side")}
	pool := []string{"1", "1.03", "1.1", "1.25", "-0.1"}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(pool)-1), 1, 3, rapid.ID).Draw(t, "bounds") {
		r.Levels = append(r.Levels, dec(pool[i]))
	}
	r.Rearm = dec(rapid.SampledFrom([]string{"0.001", "0.02", "0.2"}).Draw(t, "gauge rearm"))
	r.Blocks = rapid.SampledFrom([]int{0, 1, 2, 4}).Draw(t, "gauge blocks")
	return r
}

// drawReadings favours the edges, leaves subjects out, and could not read some.
func drawReadings(t *rapid.T, r Rule, b BlockRef) Readings {
	look := Readings{Rule: r.Name, Chain: b.Chain, Blocks: []BlockRef{b}, Seen: time.Unix(int64(b.Time)+2, 0).UTC()}
	for _, market := range []string{"a", "b"} {
		if rapid.IntRange(0, 9).Draw(t, "unread") == 0 {
			look.Unknown = append(look.Unknown, market+"|")
			continue
		}
		for _, who := range []string{"1", "2"} {
			one := Reading{Subject: market + "|" + who, Name: who + " in " + market, Unit: Ratio}
			switch rapid.IntRange(0, 9).Draw(t, "there") {
			case 0:
				continue
			case 1:
				one.Gone = true
			default:
				bound := rapid.SampledFrom(r.Levels).Draw(t, "near")
				off := dec(rapid.SampledFrom([]string{"-0.3", "-0.02", "-0.001", "0", "0.001", "0.02", "0.2", "0.3"}).Draw(t, "off"))
				one.Value = bound.Add(bound.Abs().Mul(off)).Add(decimal.New(rapid.Int64Range(-1, 1).Draw(t, "tick"), -9))
			}
			look.Readings = append(look.Readings, one)
		}
	}
	return look
}

// drawStory draws a chain with reorgs and what is seen on it.
func drawStory(t *rapid.T, levels, gauge Rule) []event {
	var story []event
	head, final := uint64(0), uint64(0)
	for branch := range rapid.Uint64Range(1, 25).Draw(t, "looks") {
		var e event
		if rapid.IntRange(0, 4).Draw(t, "reorg") == 0 {
			head = max(final, head-min(head, rapid.Uint64Range(1, 6).Draw(t, "depth")))
			e.reorg, e.ancestor = true, head
		}
		head += 1 + rapid.Uint64Range(0, 2).Draw(t, "not looked at")*rapid.Uint64Range(0, 1).Draw(t, "gap")
		if rapid.IntRange(0, 5).Draw(t, "change levels") == 0 {
			e.levels = drawRule(t).Levels
			levels.Levels = e.levels
		}
		e.look = drawPath(t, levels, head, 1, branch)[0]
		e.read = drawReadings(t, gauge, e.look.Blocks[0])
		if behind := rapid.Uint64Range(0, 12).Draw(t, "final"); behind < head {
			final = max(final, head-behind)
			e.look.Final = map[string]uint64{"ethereum": final}
			e.read.Final = e.look.Final
		}
		e.restart, e.repeat = rapid.IntRange(0, 2).Draw(t, "restart") == 0, rapid.IntRange(0, 3).Draw(t, "repeat") == 0
		e.fail = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "fail")
		story = append(story, e)
	}
	return story
}

// live goes through a story, calmly or with all that goes wrong.
func live(t *rapid.T, story []event, rules []Rule, rough bool) (*shelf, *Tracker) {
	ctx, kept := context.Background(), newShelf()
	begin := func() *Tracker {
		tr, err := NewTracker(ctx, kept, rules, StaleRule{}, zerolog.Nop(), nil)
		require.NoError(t, err)
		return tr
	}
	tr := begin()
	for _, e := range story {
		if e.levels != nil {
			rules = slices.Clone(rules)
			rules[0].Levels = e.levels
			require.NoError(t, tr.SetLevels(rules[0].Name, e.levels))
		}
		steps := []func() error{
			func() error { _, err := tr.Observe(ctx, e.look); return err },
			func() error { _, err := tr.Read(ctx, []Readings{e.read}); return err },
		}
		if e.reorg {
			undo := func() error { return tr.Undo(ctx, "ethereum", e.ancestor, time.Time{}) }
			steps = append([]func() error{undo}, steps...)
		}
		for _, step := range steps {
			for range e.fail {
				if rough {
					kept.fail = errFull
					if err := step(); err != nil {
						require.ErrorIs(t, err, errFull)
					}
				}
			}
			kept.fail = nil
			require.NoError(t, step())
			if rough && e.restart {
				tr = begin()
			}
			if rough && e.repeat {
				require.NoError(t, step())
			}
		}
	}
	return kept, tr
}

// Restarts, commits that fail and looks that are repeated change nothing of what
// people are told, by rules about levels and about numbers together, through reorgs
// and changed levels; and what is remembered at the end is the same.
func TestWhatGoesWrongChangesNothing(t *testing.T) {
	foldEarly(t)
	campaign(t, func(t *rapid.T) {
		levels, gauge := drawRule(t), drawGauge(t)
		story := drawStory(t, levels, gauge)
		rules := []Rule{levels, gauge}
		calm, a := live(t, story, rules, false)
		rough, b := live(t, story, rules, true)
		require.Equal(t, calm.ledger(t), rough.ledger(t))
		require.Equal(t, calm.checkpoints, rough.checkpoints)
		require.Equal(t, calm.rest, rough.rest)
		for _, r := range rules {
			require.Equal(t, asJSON(t, a.Episodes(r.Name)), asJSON(t, b.Episodes(r.Name)))
		}
		require.Equal(t, a.Seen("ethereum"), b.Seen("ethereum"))
	})
}
