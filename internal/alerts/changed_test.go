package alerts

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// dense is a look at positions spread evenly: so many USD at risk for each unit of price.
func dense(r Rule, number uint64, price decimal.Decimal, perUnit int64) Observation {
	between := func(from, to decimal.Decimal) (Totals, error) {
		usd := from.Sub(to).Abs().Mul(decimal.NewFromInt(perUnit))
		return Totals{Accounts: int(usd.IntPart()), AtRiskUSD: usd}, nil
	}
	o := look(r, block(number, 0), price, func(decimal.Decimal) int64 { return 0 })
	for i := range o.Levels {
		o.Levels[i].Totals, _ = between(price, o.Levels[i].Level)
	}
	o.Stretch = between
	return o
}

// equal compares as JSON: a decimal has more than one form.
func equal(t *testing.T, want, got any) {
	t.Helper()
	require.JSONEq(t, asJSON(t, want), asJSON(t, got))
}

func asJSON(t require.TestingT, v any) string {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func changedRule() Rule {
	r := ethRule()
	r.MinAtRiskUSD, r.Growth = decimal.Zero, dec("0.25")
	return r
}

func TestWhatChangedIsThePriceOrThePositions(t *testing.T) {
	r := changedRule()
	_, got := run(t, r, State{}, []Observation{
		dense(r, 1, dec("2700"), 10_000),
		dense(r, 2, dec("2500"), 10_000), // 1 M
		dense(r, 3, dec("2440"), 30_000), // over the same stretch 3 M, over the shorter one 1.2 M
		dense(r, 4, dec("2420"), 30_000), // on the way, nothing told
		dense(r, 5, dec("2390"), 99_000), // crossed: as of the look before
	})
	require.Equal(t, []string{"approach 2400 down 0.05 passed []", "approach 2400 down 0.02 passed []", "crossing 2400 down 0 passed []"}, summary(got))
	require.Nil(t, got[0].Changed, "nothing was told before")
	equal(t, &Changed{
		Kind: KindApproach, Time: block(2, 0).Time, Price: dec("2500"), Before: &Amount{dec("1000000"), 1_000_000}, Now: &Amount{dec("1200000"), 1_200_000},
		ByPositions: &Amount{dec("2000000"), 2_000_000}, ByPrice: &Amount{dec("-1800000"), -1_800_000},
	}, got[1].Changed)
	equal(t, &Changed{
		Kind: KindApproach, Time: block(3, 0).Time, Price: dec("2440"), Before: &Amount{dec("1200000"), 1_200_000}, Now: &Amount{dec("600000"), 600_000},
		ByPositions: &Amount{dec("0"), 0}, ByPrice: &Amount{dec("-600000"), -600_000},
	}, got[2].Changed)
}

// Price and positions add up to the difference, whatever happens; where positions
// stood still they have no part in it.
func TestTheCausesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := changedRule()
		r.Growth = decimal.Zero
		var path []Observation
		density := int64(1000)
		movedPositions := rapid.Bool().Draw(t, "positions move")
		for i := range rapid.IntRange(2, 20).Draw(t, "n") {
			price := decimal.New(rapid.Int64Range(235_000, 270_000).Draw(t, "price"), -2)
			if movedPositions {
				density = rapid.Int64Range(0, 5000).Draw(t, "density")
			}
			path = append(path, dense(r, uint64(i)+1, price, density))
		}
		_, got := run(t, r, State{}, path)
		for _, a := range got {
			c := a.Changed
			if c == nil {
				continue
			}
			require.NotNil(t, c.ByPositions)
			sum := c.ByPositions.AtRiskUSD.Add(c.ByPrice.AtRiskUSD)
			require.True(t, sum.Equal(c.Now.AtRiskUSD.Sub(c.Before.AtRiskUSD)), "%s", sum)
			require.Equal(t, c.Now.Accounts-c.Before.Accounts, c.ByPositions.Accounts+c.ByPrice.Accounts)
			require.True(t, movedPositions || c.ByPositions.AtRiskUSD.IsZero(), "positions stood still")
			require.True(t, c.Now.AtRiskUSD.Equal(a.Totals.AtRiskUSD))
		}
	})
}

func TestABandThatGrowsWhileThePriceStandsIsTold(t *testing.T) {
	r := changedRule()
	path := []Observation{dense(r, 1, dec("2700"), 10_000)}
	for i, perUnit := range []int64{
		10_000, 12_400, 12_500, // told at 1 M; 1.24 M is not a quarter more, 1.25 M is
		13_000, 10_000, 12_500, // not a quarter more than 1.25 M; shrinks by a step and comes back: nothing
		15_624, 15_625, // a quarter more than what was told
		1_000, 1_950, 1_954, // shrank to 100,000: three steps from there are news
	} {
		path = append(path, dense(r, uint64(i)+2, dec("2500"), perUnit))
	}
	_, got := run(t, r, State{}, path)
	var at []uint64
	for _, a := range got[1:] {
		require.Equal(t, KindGrowth, a.Kind)
		require.Equal(t, ReasonGrowth, a.Reason)
		require.True(t, a.Changed.ByPrice.AtRiskUSD.IsZero())
		at = append(at, a.Blocks[0].Number)
	}
	require.Equal(t, []uint64{4, 9, 12}, at)
	require.Equal(t, []string{"eth|ETH|2400|down|1|growth1"}, got[1].Claims)
	require.Equal(t, []string{"eth|ETH|2400|down|1|growth3"}, got[3].Claims)
}

func TestAPriceThatWalksAwayIsNoGrowth(t *testing.T) {
	r := changedRule()
	path := []Observation{dense(r, 1, dec("2700"), 10_000)}
	for i, p := range []string{"2450", "2500", "2519"} { // what lies before the level doubles
		path = append(path, dense(r, uint64(i)+2, dec(p), 10_000))
	}
	_, got := run(t, r, State{}, path)
	require.Len(t, got, 1)
	path[3] = dense(r, 4, dec("2519"), 12_500)
	_, got = run(t, r, State{}, path)
	require.Len(t, got, 2, "positions did grow")
	require.Equal(t, "500000", got[1].Changed.Before.AtRiskUSD.String())
	require.Equal(t, "1487500", got[1].Changed.Now.AtRiskUSD.String())
	require.Equal(t, "125000", got[1].Changed.ByPositions.AtRiskUSD.String())
}

func TestWithoutAStretchNobodySaysWhatChangedIt(t *testing.T) {
	r := changedRule()
	path := []Observation{dense(r, 1, dec("2700"), 10_000), dense(r, 2, dec("2500"), 10_000), dense(r, 3, dec("2440"), 50_000), dense(r, 4, dec("2441"), 99_000)}
	for i := range path {
		path[i].Stretch = nil
	}
	_, got := run(t, r, State{}, path)
	require.Len(t, got, 2, "growth is not told")
	require.NotNil(t, got[1].Changed.Now)
	require.Nil(t, got[1].Changed.ByPositions)
	path[2].Stretch = func(_, _ decimal.Decimal) (Totals, error) { return Totals{}, errors.New("no oracle") }
	s, _ := run(t, r, State{}, path[:2])
	_, _, err := Advance(r, s, path[2])
	require.ErrorContains(t, err, "no oracle")
}

// What a version kept that knew nothing of this goes on.
func TestStatesOfAnOlderVersionGoOn(t *testing.T) {
	r := changedRule()
	s, _ := run(t, r, State{}, []Observation{dense(r, 1, dec("2700"), 10_000), dense(r, 2, dec("2500"), 10_000)})
	old := s.clone()
	for i := range old.Checkpoints {
		for k := range old.Checkpoints[i].Episodes {
			e := &old.Checkpoints[i].Episodes[k]
			e.From, e.Last, e.Course = decimal.Zero, nil, nil
		}
	}
	crossing := dense(r, 3, dec("2390"), 10_000)
	stretch := crossing.Stretch
	crossing.Stretch = func(from, to decimal.Decimal) (Totals, error) {
		require.True(t, from.IsPositive(), "nobody knows what lies from a price of 0")
		return stretch(from, to)
	}
	old, got := run(t, r, old, []Observation{crossing})
	require.Equal(t, []string{"crossing 2400 down 0 passed []"}, summary(got))
	require.Equal(t, "2500", got[0].Previous.String())
	require.Nil(t, got[0].Changed)
	_, got = run(t, r, old, []Observation{dense(r, 4, dec("2600"), 10_000)})
	require.Equal(t, KindRearmed, got[0].Kind)
}

func TestTheEndOfAnEpisodeSaysWhatItWasLike(t *testing.T) {
	r := changedRule()
	_, got := run(t, r, State{}, []Observation{
		dense(r, 1, dec("2700"), 10_000), dense(r, 10, dec("2500"), 10_000), dense(r, 20, dec("2380"), 10_000),
		dense(r, 30, dec("2371"), 10_000), dense(r, 40, dec("2390"), 10_000), dense(r, 310, dec("2600"), 10_000),
	})
	i := slices.IndexFunc(got, func(a Alert) bool { return a.Kind == KindRearmed })
	end := got[i]
	equal(t, &Ended{
		Began: block(10, 0).Time, Time: block(310, 0).Time, Deepest: dec("2371"), Crossed: true, Most: &Amount{dec("1000000"), 1_000_000},
	}, end.Ended)
	m, err := Compose(end)
	require.NoError(t, err)
	require.Contains(t, m.Title, "Over: ")
	require.Contains(t, m.Text, "It lasted 60 min, the price came to 2,371, at most 1 M USD was said to be at risk.")
}
