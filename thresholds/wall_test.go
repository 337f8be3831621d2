package thresholds

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/protocols"
)

// longsAt has a long of that many ETH (in thousandths) with its trigger at each price.
func longsAt(loans ...[2]uint64) *FixtureBook {
	b := &FixtureBook{Name: "m", Network: "c", Quote: 8, QuoteUSD: decimal.NewFromInt(1), Tokens: []FixtureToken{
		{Symbol: "ETH", Decimals: 3, Ratio: 1e8, LT: 8000}, {Symbol: "USDC", Decimals: 6, Price: 1e8, LT: 8000},
	}}
	for i, l := range loans {
		b.Loans = append(b.Loans, FixtureLoan{ID: fmt.Sprint(i), Legs: []FixtureLeg{
			{0, protocols.Collateral, l[1]}, {1, protocols.Debt, l[0] * l[1] * 800},
		}})
	}
	return b.Reprice(2500e8)
}

func TestWallsAreFoundInABackground(t *testing.T) {
	var loans [][2]uint64
	for p := uint64(1500); p < 2490; p += 3 {
		loans = append(loans, [2]uint64{p, 1000}) // a carpet of one ETH each
	}
	for k := range uint64(40) {
		loans = append(loans, [2]uint64{2190 + k%10, 9000}) // a wall just below 2,200
	}
	loans = append(loans, [2]uint64{1801, 900_000}) // a whale is a wall of one
	l, err := Build("ETH", "m", []protocols.Book{longsAt(loans...)})
	require.NoError(t, err)
	walls, err := l.Walls(WallOptions{})
	require.NoError(t, err)
	require.Len(t, walls, 2)
	require.Equal(t, "down", walls[0].Direction)
	require.True(t, walls[0].From.LessThanOrEqual(decimal.NewFromInt(2190)) && walls[0].From.GreaterThan(decimal.NewFromInt(2150)), walls[0].From)
	require.True(t, walls[0].Edge().GreaterThan(decimal.NewFromInt(2199)) && walls[0].To.LessThan(decimal.NewFromInt(2230)), walls[0].To)
	require.True(t, walls[1].From.LessThanOrEqual(decimal.NewFromInt(1801)) && walls[1].To.GreaterThan(decimal.NewFromInt(1801)))

	m, err := l.Map(WallEdges(walls), MapOptions{})
	require.NoError(t, err)
	for _, w := range walls {
		for _, b := range m.Bands {
			if b.From != nil && b.From.Equal(w.From) {
				require.Equal(t, toJSON(t, w.Totals), toJSON(t, b.AtTrigger), "a wall holds what its band holds")
			}
		}
	}

	one, err := l.Walls(WallOptions{Max: 1})
	require.NoError(t, err)
	require.Equal(t, walls[1:], one, "the largest is kept")
	none, err := l.Walls(WallOptions{MinAtRiskUSD: decimal.NewFromInt(1e9)})
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestACarpetHasNoWalls(t *testing.T) {
	var loans [][2]uint64
	for p := uint64(600); p < 2499; p++ {
		loans = append(loans, [2]uint64{p, 1000})
	}
	l, err := Build("ETH", "m", []protocols.Book{longsAt(loans...)})
	require.NoError(t, err)
	walls, err := l.Walls(WallOptions{})
	require.NoError(t, err)
	require.Empty(t, walls)
}

func TestMapAndWallsAreTheMapAndTheWalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, err := Build("ETH", "", anyBooks(t, 12))
		require.NoError(t, err)
		edges := anyEdges(t, l.Spot())
		m, walls, err := l.MapAndWalls(edges, MapOptions{}, WallOptions{})
		require.NoError(t, err)
		wantMap, err := l.Map(edges, MapOptions{})
		require.NoError(t, err)
		wantWalls, err := l.Walls(WallOptions{})
		require.NoError(t, err)
		require.Equal(t, toJSON(t, wantMap), toJSON(t, m))
		require.Equal(t, toJSON(t, wantWalls), toJSON(t, walls))
	})
}
