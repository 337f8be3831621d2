package alerts

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// memory is a ledger that can be told to fail.
type memory struct {
	states  map[string]State
	changes []Change
	fail    error
}

func (m *memory) LoadState(_ context.Context, rule string) (State, error) {
	return m.states[rule], m.fail
}
func (m *memory) Kept(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(m.states)), m.fail
}
func (m *memory) LoadBeats(context.Context) ([]Beat, error) { return nil, m.fail }
func (m *memory) Commit(_ context.Context, c Change) error {
	if m.fail == nil {
		m.changes = append(m.changes, c)
	}
	return m.fail
}

var errFull = errors.New("disk full")

func TestWhatCouldNotBeCommittedIsSaidTheNextTime(t *testing.T) {
	ledger, woken := &memory{}, 0
	r, other := ethRule(), ethRule()
	other.Name, other.Axis = "btc", "BTC"
	tr, err := NewTracker(t.Context(), ledger, []Rule{r, other}, StaleRule{Notify: []string{"risk"}}, zerolog.Nop(), func() { woken++ })
	require.NoError(t, err)
	path := prices(r, 5_000_000, "2700", "2450", "2390")
	_, err = tr.Observe(t.Context(), path[0])
	require.NoError(t, err)
	require.Zero(t, woken)

	ledger.fail = errFull
	_, err = tr.Observe(t.Context(), path[1])
	require.ErrorIs(t, err, errFull)
	before := tr.Episodes("eth")
	require.Equal(t, Armed, before[0].Phase)
	source := []Source{{Name: "x", What: "chain", Limit: time.Second}}
	_, err = tr.Pulse(t.Context(), time.Unix(1_700_000_000, 0), source)
	require.ErrorIs(t, err, errFull)
	require.ErrorIs(t, tr.Undo(t.Context(), "ethereum", 0, time.Now()), errFull)
	require.Equal(t, before, tr.Episodes("eth"))
	require.Zero(t, woken)

	ledger.fail = nil
	out, err := tr.Observe(t.Context(), path[1])
	require.NoError(t, err)
	require.Len(t, out.Alerts, 1)
	said, err := tr.Pulse(t.Context(), time.Unix(1_700_000_000, 0), source)
	require.NoError(t, err)
	require.Len(t, said, 1)
	require.Equal(t, 2, woken)
	require.Empty(t, tr.Episodes("btc"), "another axis")
	require.Equal(t, []BlockRef{path[1].Blocks[0], path[0].Blocks[0]}, tr.Seen("ethereum"))
}

func TestATrackerThatCannotBeginSaysWhy(t *testing.T) {
	begin := func(l Ledger, rules ...Rule) error {
		_, err := NewTracker(t.Context(), l, rules, StaleRule{}, zerolog.Nop(), nil)
		return err
	}
	require.ErrorContains(t, begin(&memory{}, ethRule(), ethRule()), "given twice")
	require.ErrorContains(t, begin(&memory{}, Rule{Name: "x"}), "axis is missing")
	require.ErrorIs(t, begin(&memory{fail: errFull}, ethRule()), errFull)
	require.ErrorIs(t, begin(&memory{fail: errFull}), errFull)
}

func TestEveryDecisionIsLoggedWithItsReason(t *testing.T) {
	var log bytes.Buffer
	r := ethRule()
	tr, err := NewTracker(t.Context(), &memory{}, []Rule{r}, StaleRule{}, zerolog.New(&log), nil)
	require.NoError(t, err)
	for _, o := range prices(r, 5, "2700", "2450") {
		_, err := tr.Observe(t.Context(), o)
		require.NoError(t, err)
	}
	require.Contains(t, log.String(), `"reason":"started"`)
	require.Contains(t, log.String(), `"reason":"below-minimum"`)
}

// The cost of one look against that of wording one alert, in the same run.
func BenchmarkAdvance(b *testing.B) {
	r := ethRule()
	r.Levels = decs("2000", "2100", "2200", "2300", "2400")
	path := prices(r, 5_000_000, "2700", "2699")
	s, _ := run(b, r, State{}, path[:1])
	b.Run("look", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := Advance(r, s, path[1]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("wording", func(b *testing.B) {
		a := sample(KindCrossing)
		for b.Loop() {
			if _, err := Compose(a); err != nil {
				b.Fatal(err)
			}
		}
	})
}
