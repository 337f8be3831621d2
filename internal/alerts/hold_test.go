package alerts

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// wickStep is a price at a block, and what is decided about the level from above.
type wickStep struct {
	block uint64
	price string
	want  string
}

func walk(t *testing.T, r Rule, steps []wickStep) {
	t.Helper()
	var s State
	for i, st := range steps {
		next, out, err := Advance(r, s, look(r, block(st.block, 0), dec(st.price), func(decimal.Decimal) int64 { return 5_000_000 }))
		require.NoError(t, err)
		s = next
		require.Equal(t, st.want, last(out, Down), "step %d, block %d, price %s", i, st.block, st.price)
	}
}

func TestAWickIsToldAtFirstTouch(t *testing.T) {
	for _, blocks := range []int{0, 1} {
		r := ethRule()
		r.Blocks = blocks
		walk(t, r, []wickStep{
			{1, "2700", "armed>armed started"},
			{2, "2390", "armed>crossed crossed!"},
			{3, "2700", "crossed>armed rearmed!"},
		})
	}
}

func TestAWickPassesWhereARuleWantsSeveralBlocks(t *testing.T) {
	r := ethRule()
	r.Blocks = 3
	walk(t, r, []wickStep{
		{1, "2700", "armed>armed started"},
		{2, "2390", "armed>armed holding"},
		{3, "2700", "armed>armed wick"},
		{4, "2500", "armed>armed holding"},
		{5, "2440", "armed>armed holding"}, // the second distance begins to hold
		{6, "2440", "armed>approaching approach!"},
		{7, "2439", "approaching>approaching approach!"},
		{8, "2395", "approaching>approaching holding"},
		{9, "2405", "approaching>approaching wick"}, // 0.5% went on holding, the level did not
		{10, "2405", "approaching>approaching approach!"},
		{11, "2400", "approaching>approaching holding"},
		{12, "2380", ""},
		{13, "2370", "approaching>crossed crossed!"},
		{14, "2410", "crossed>receding receding"},
		{15, "2399", "receding>crossed returned"},
	})
}

func TestAWickAwayIsNoEndEither(t *testing.T) {
	r := ethRule()
	r.Blocks = 2
	walk(t, r, []wickStep{
		{1, "2700", "armed>armed started"},
		{2, "2390", "armed>armed holding"},
		{3, "2390", "armed>crossed crossed!"},
		{4, "2700", "crossed>receding holding"},
		{5, "2390", "receding>crossed wick"},
		{6, "2700", "crossed>receding holding"},
		{7, "2690", "receding>armed rearmed!"},
	})
}

func TestBlocksThatNobodyLookedAtCountAsHeld(t *testing.T) {
	r := ethRule()
	r.Blocks = 10
	walk(t, r, []wickStep{
		{1, "2700", "armed>armed started"},
		{20, "2390", "armed>armed holding"},
		{28, "2390", ""},
		{29, "2390", "armed>crossed crossed!"},
	})
}

func TestHoldsAreNotCountedByAnotherChainsBlocks(t *testing.T) {
	r := ethRule()
	r.Blocks = 10
	at := func(chain string, number uint64) Observation {
		b := block(number, 0)
		b.Chain = chain
		return look(r, b, dec("2390"), func(decimal.Decimal) int64 { return 5_000_000 })
	}
	s, _ := run(t, r, State{}, prices(r, 5_000_000, "2700"))
	s, _ = run(t, r, s, []Observation{at("ethereum", 2)})
	require.Len(t, s.Episodes()[0].Holds, 4)
	s, got := run(t, r, s, []Observation{at("base", 5_000_000)})
	require.Empty(t, got)
	require.Equal(t, uint64(5_000_000), s.Episodes()[0].Holds[0].Since)
}

func TestACrossingThatHeldSpeaksOfTheWayToTheLevel(t *testing.T) {
	r := ethRule()
	r.Blocks, r.Approach = 2, nil
	path := prices(r, 5_000_000, "2700", "2395", "2390")
	for i := range path[1:] {
		path[i+1].Levels[0].Totals = Totals{}
	}
	_, got := run(t, r, State{}, path)
	require.Len(t, got, 1)
	require.Equal(t, "2700", got[0].Previous.String())
	require.Equal(t, "5000000", got[0].Totals.AtRiskUSD.String())
}

func TestBetweenTwoLevelsIsInside(t *testing.T) {
	r := ethRule()
	r.Levels, r.Approach, r.MinAtRiskUSD = decs("2400", "2200"), nil, decimal.Zero
	type step struct {
		price string
		want  map[string]string
	}
	steps := []step{
		{"2700", map[string]string{"2200": "armed>armed started", "2400": "armed>armed started"}},
		{"2390", map[string]string{"2400": "armed>inside crossed!"}},
		{"2200", map[string]string{"2200": "armed>crossed crossed!", "2400": "inside>crossed passed"}},
		{"2210", map[string]string{"2200": "crossed>receding receding", "2400": "crossed>inside inside"}},
		{"2190", map[string]string{"2200": "receding>crossed returned", "2400": "inside>crossed passed"}},
		{"2410", map[string]string{"2200": "crossed>armed rearmed!", "2400": "crossed>receding receding"}},
		{"2390", map[string]string{"2400": "receding>inside returned"}},
		{"2600", map[string]string{"2400": "inside>armed rearmed!"}},
	}
	var s State
	for i, st := range steps {
		next, out, err := Advance(r, s, look(r, block(uint64(i)+1, 0), dec(st.price), func(decimal.Decimal) int64 { return 1 }))
		require.NoError(t, err)
		s = next
		got := map[string]string{}
		for _, d := range out.Decisions {
			if d.Side == Down {
				got[d.Level.String()] = last(Outcome{Decisions: []Decision{d}}, Down)
			}
		}
		require.Equal(t, st.want, got, "step %d, price %s", i, st.price)
	}
}
