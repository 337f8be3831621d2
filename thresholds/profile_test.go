package thresholds

import (
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/protocols"
)

// Every position that is healthy now counts once, at the first edge at which the
// predicate calls it liquidatable, with what it is worth there.
func TestProfileCountsEveryPositionAtItsFirstEdge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := anyBooks(t, 6)
		l, err := Build("ETH", "", books)
		require.NoError(t, err)
		edges := outward(t, l.Spot())
		got, err := l.Profile(edges)
		require.NoError(t, err)
		require.Len(t, got, len(edges))

		seen := map[Ref]bool{}
		for _, r := range now(l) {
			seen[r] = true
		}
		for k, edge := range edges {
			due, err := l.Liquidatable(edge)
			require.NoError(t, err)
			want := decimal.Zero
			for _, r := range due {
				m := l.markets[r.Market]
				if seen[r] || m.path == nil {
					continue
				}
				seen[r] = true
				at, err := m.point(edge)
				require.NoError(t, err)
				f := m.book.Figures(int(r.Position), *at.prices)
				want = want.Add(at.prices.USD(&f.AtRisk, m.quoteDecimals))
			}
			require.True(t, want.Equal(got[k]), "edge %s: %s, want %s", edge, got[k], want)
		}
	})
}

// outward draws edges on one side of spot.
func outward(t *rapid.T, spot decimal.Decimal) []decimal.Decimal {
	at, toward := int64(10_000), int64(1)
	if rapid.Bool().Draw(t, "down") {
		toward = -1
	}
	var out []decimal.Decimal
	for range rapid.IntRange(0, 12).Draw(t, "edges") {
		at += toward * rapid.Int64Range(1, 700).Draw(t, "part")
		out = append(out, spot.Mul(decimal.New(at, -4)))
	}
	return out
}

func now(l *Ladder) []Ref {
	var out []Ref
	for k, m := range l.markets {
		for _, i := range m.members(m.nowPoint(), nil) {
			out = append(out, Ref{int32(k), i})
		}
	}
	return out
}

// BenchmarkProfile is 24 steps down through 200,000 positions, against asking for
// each stretch by itself, and against what one level costs.
func BenchmarkProfile(b *testing.B) {
	book := newCompactBook(200_000)
	fixture := book.FixtureBook
	for i := range book.Len() {
		fixture.Loans = append(fixture.Loans, FixtureLoan{Legs: []FixtureLeg{
			{0, protocols.Collateral, book.eth[i]}, {1, protocols.Collateral, book.steth[i]}, {2, protocols.Debt, book.usdc[i]},
		}})
	}
	l, err := Build("ETH", "", []protocols.Book{&fixture})
	if err != nil {
		b.Fatal(err)
	}
	var edges []decimal.Decimal
	for k := range 24 {
		edges = append(edges, decimal.RequireFromString(fmt.Sprint(1990-10*k)))
	}
	for b.Loop() {
		if _, err := l.Profile(edges); err != nil {
			b.Fatal(err)
		}
	}
	own := b.Elapsed() / time.Duration(b.N)
	b.StopTimer()
	start, near := time.Now(), l.Spot()
	for _, e := range edges {
		if _, err := l.Stretch(near, e); err != nil {
			b.Fatal(err)
		}
		near = e
	}
	alone := time.Since(start)
	start = time.Now()
	if _, err := l.Crossing(edges[len(edges)-1]); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(own.Seconds()*1e3, "ms/profile")
	b.ReportMetric(float64(alone)/float64(own), "x-stretches")
	b.ReportMetric(float64(time.Since(start))/float64(own), "x-crossing")
}
