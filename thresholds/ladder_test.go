package thresholds

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// anyBooks are markets with different decimals, chains and quote currencies that
// all have ETH, near the same price, and at times one without the axis.
func anyBooks(t *rapid.T, loans int) []protocols.Book {
	var out []protocols.Book
	for k := range rapid.IntRange(1, 3).Draw(t, "markets") {
		quote := rapid.IntRange(0, 2).Draw(t, "decimals")
		unit := []uint64{10, 100, 1000}[quote]
		eth := rapid.Uint64Range(19*unit, 21*unit).Draw(t, "eth")
		b := anyBook(t, eth, loans)
		b.Quote = int32(quote)
		b.Name, b.Network = fmt.Sprintf("m%d", k), fmt.Sprintf("c%d", k%2)
		b.QuoteUSD = decimal.New(int64(rapid.IntRange(50, 200).Draw(t, "quote usd")), -2)
		if rapid.IntRange(0, 4).Draw(t, "unpriced") == 0 {
			b.Loans[0].Unpriced = true
		}
		if k > 0 && rapid.IntRange(0, 3).Draw(t, "off axis") == 0 {
			b.Tokens[0].Symbol = "NOTETH"
		}
		out = append(out, b)
	}
	return out
}

func anyEdges(t *rapid.T, spot decimal.Decimal) []decimal.Decimal {
	var out []decimal.Decimal
	for range rapid.IntRange(0, 6).Draw(t, "edges") {
		bps := rapid.Int64Range(1, 30_000).Draw(t, "edge")
		out = append(out, spot.Mul(decimal.New(bps, -4)))
	}
	return out
}

// naive adds up every position with the predicate alone.
func naive(books []protocols.Book, prices func(protocols.Book) protocols.Prices) Totals {
	var t Totals
	owners := map[string]bool{}
	for _, b := range books {
		p := prices(b)
		for i := range b.Len() {
			if b.Unpriced(i) || !b.Liquidatable(i, p) {
				continue
			}
			f := b.Figures(i, p)
			t.Accounts++
			who := b.Owner(i).String()
			if b.Owner(i).IsZero() {
				who = b.Market() + b.ID(i)
			}
			owners[who] = true
			t.AtRiskUSD = t.AtRiskUSD.Add(p.USD(&f.AtRisk, b.QuoteDecimals()))
			t.SeizableUSD = t.SeizableUSD.Add(p.USD(&f.Seizable, b.QuoteDecimals()))
			t.DebtUSD = t.DebtUSD.Add(p.USD(&f.Debt, b.QuoteDecimals()))
			t.BadDebtUSD = t.BadDebtUSD.Add(p.USD(&f.BadDebt, b.QuoteDecimals()))
		}
	}
	t.Owners = len(owners)
	return t
}

func pricesAt(price decimal.Decimal) func(protocols.Book) protocols.Prices {
	return func(b protocols.Book) protocols.Prices {
		path, ok := b.Path("ETH")
		if !ok {
			return b.Prices()
		}
		place, _ := placeOf(price, path.Decimals())
		if place.IsZero() {
			place.SetOne()
		}
		var p protocols.Prices
		path.At(&place, &p)
		return p
	}
}

func toJSON(t require.TestingT, v any) string {
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

func TestTotalsAtAPriceAreThoseOfANaiveScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := anyBooks(t, 12)
		l, err := Build("ETH", "", books)
		require.NoError(t, err)
		require.Equal(t, toJSON(t, naive(books, protocols.Book.Prices)), toJSON(t, l.Now()))
		m, err := l.Map(anyEdges(t, l.Spot()), MapOptions{})
		require.NoError(t, err)
		for _, e := range slices.Concat(m.Down, m.Up) {
			want := naive(books, pricesAt(e.Price))
			require.Equal(t, toJSON(t, want), toJSON(t, e.Totals), "at %s", e.Price)
			moved, err := Stress(onAxis(books), []protocols.Move{{Axis: "ETH", To: &e.Price}}, nil)
			require.NoError(t, err)
			if len(onAxis(books)) == len(books) {
				require.Equal(t, toJSON(t, want), toJSON(t, moved.Then), "what-if at %s", e.Price)
			}
		}
	})
}

func onAxis(books []protocols.Book) []protocols.Book {
	return slices.DeleteFunc(slices.Clone(books), func(b protocols.Book) bool { _, ok := b.Path("ETH"); return !ok })
}

func TestEachPositionIsInOneBandPerSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := anyBooks(t, 12)
		l, err := Build("ETH", "", books)
		require.NoError(t, err)
		m, err := l.Map(anyEdges(t, l.Spot()), MapOptions{Largest: 1000})
		require.NoError(t, err)
		count, downs, ups, neither, unpriced := map[string]int{}, 0, 0, 0, 0
		for _, b := range m.Bands {
			require.Len(t, b.Largest, b.AtTrigger.Accounts)
			require.Equal(t, b.AtTrigger.Accounts, b.AtSpot.Accounts)
			sum := decimal.Zero
			for _, p := range b.Largest {
				count[b.Direction+p.Market+p.Position]++
				sum = sum.Add(p.AtRiskUSD)
			}
			require.True(t, sum.Equal(b.AtTrigger.AtRiskUSD))
			for _, a := range b.ByAsset {
				sum = sum.Sub(a.AtRiskUSD)
			}
			require.True(t, sum.IsZero(), "by asset adds up")
		}
		for _, b := range books {
			for i := range b.Len() {
				tr, err := l.Triggers(b.Market(), i)
				require.NoError(t, err)
				switch {
				case b.Unpriced(i):
					unpriced++
				case tr.Down == nil && tr.Up == nil && !b.Liquidatable(i, b.Prices()):
					neither++
				}
				downs += requireCount(t, count["down"+b.Market()+b.ID(i)], tr.Down)
				ups += requireCount(t, count["up"+b.Market()+b.ID(i)], tr.Up)
			}
		}
		require.Equal(t, downs+ups, len(count))
		require.Equal(t, neither, m.NoTrigger)
		require.Equal(t, unpriced, m.Unpriced)
	})
}

func requireCount(t require.TestingT, times int, trigger *decimal.Decimal) int {
	if trigger == nil {
		require.Zero(t, times)
		return 0
	}
	require.Equal(t, 1, times)
	return 1
}

// Books whose positions are long alone flip once: everything with a down trigger
// is liquidatable at the lowest price, and every band is the difference of its edges.
func TestBandsOfLongsAreDifferencesOfEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &FixtureBook{Name: "m", Network: "c", Quote: 2, QuoteUSD: decimal.NewFromInt(1), Tokens: []FixtureToken{
			{Symbol: "ETH", Decimals: 4, Ratio: 1e8, LT: 8300}, {Symbol: "USDC", Decimals: 2, Price: 100, LT: 8000},
		}}
		for i := range 30 {
			b.Loans = append(b.Loans, FixtureLoan{ID: fmt.Sprint(i), Legs: []FixtureLeg{
				{0, protocols.Collateral, rapid.Uint64Range(1, 100_000).Draw(t, "c")},
				{1, protocols.Debt, rapid.Uint64Range(1, 2_000_000).Draw(t, "d")},
			}})
		}
		book := b.Reprice(2000_00)
		l, err := Build("ETH", "", []protocols.Book{book})
		require.NoError(t, err)
		m, err := l.Map(anyEdges(t, l.Spot()), MapOptions{})
		require.NoError(t, err)
		inside := m.LiquidatableNow.Accounts
		for k, b := range m.Bands[:len(m.Down)] {
			inside += b.AtTrigger.Accounts
			require.Equal(t, inside, m.Down[k].Accounts, "at %s", m.Down[k].Price)
		}
		low, err := l.At(decimal.New(2000, -5)) // spot/MaxFall
		require.NoError(t, err)
		require.Equal(t, low.Accounts, inside+m.Bands[len(m.Down)].AtTrigger.Accounts)
	})
}

func TestOrderOfBooksDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := anyBooks(t, 8)
		edges := []decimal.Decimal{decimal.NewFromInt(10), decimal.NewFromInt(150), decimal.NewFromInt(250)}
		var first string
		for range 3 {
			l, err := Build("ETH", "m0", books)
			require.NoError(t, err)
			m, err := l.Map(edges, MapOptions{})
			require.NoError(t, err)
			c, err := l.Crossing(decimal.NewFromInt(150))
			require.NoError(t, err)
			got := toJSON(t, m) + toJSON(t, c)
			if first == "" {
				first = got
			}
			require.Equal(t, first, got)
			slices.Reverse(books)
			for _, b := range books { // and neither does the numbering
				slices.Reverse(b.(*FixtureBook).Loans)
			}
		}
	})
}

func TestCrossingIsWhatBecomesLiquidatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := anyBooks(t, 10)
		l, err := Build("ETH", "", books)
		require.NoError(t, err)
		level := l.Spot().Mul(decimal.New(rapid.Int64Range(1, 20_000).Draw(t, "level"), -4))
		c, err := l.Crossing(level)
		require.NoError(t, err)
		var want []Key
		for _, b := range books {
			p := pricesAt(level)(b)
			for i := range b.Len() {
				if !b.Unpriced(i) && !b.Liquidatable(i, b.Prices()) && b.Liquidatable(i, p) {
					want = append(want, Key{b.Market(), b.ID(i)})
				}
			}
		}
		require.ElementsMatch(t, want, c.Keys)
		require.Equal(t, len(want), c.Accounts)
		for _, p := range c.Largest {
			if p.Trigger == nil {
				// Its own market's oracle is on the other side of the level.
				continue
			}
			require.Positive(t, p.Trigger.Sign())
		}
	})
}

func TestReplaceIsABuild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := anyBook(t, 2000, 12)
		l, err := Build("ETH", "", []protocols.Book{b})
		require.NoError(t, err)
		most := gap(b)
		for range 4 {
			next := *b
			next.Loans = slices.Clone(b.Loans)
			next.At = chains.Block{Number: b.At.Number + 1, Time: b.At.Time + rapid.Uint64Range(0, 900).Draw(t, "dt")}
			var changed []int
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				i := rapid.IntRange(0, len(next.Loans)-1).Draw(t, "i")
				next.Loans[i] = anyLoan(t, i, len(next.Tokens))
				changed = append(changed, i)
			}
			if rapid.Bool().Draw(t, "grow") {
				changed = append(changed, len(next.Loans))
				next.Loans = append(next.Loans, anyLoan(t, len(next.Loans), len(next.Tokens)))
			}
			b = &next
			if rapid.Bool().Draw(t, "price moves") {
				b = b.Reprice(rapid.Uint64Range(1900, 2100).Draw(t, "eth"))
			}
			require.NoError(t, l.Replace(b, changed))
			fresh, err := Build("ETH", "", []protocols.Book{b})
			require.NoError(t, err)
			edges := anyEdges(t, l.Spot())
			got, err := l.Map(edges, MapOptions{})
			require.NoError(t, err)
			want, err := fresh.Map(edges, MapOptions{})
			require.NoError(t, err)
			require.Equal(t, toJSON(t, want), toJSON(t, got))
			most = max(most, gap(b))
			for _, p := range edges {
				e, f := l.Estimate(p), fresh.Estimate(p)
				require.InDelta(t, f.DebtUSD, e.DebtUSD, 1e-6*(1+most)+gap(b), "at %s", p)
			}
		}
	})
}

// gap is the most that changed positions within one gap of roots can be misplaced by.
func gap(b *FixtureBook) float64 {
	sum := 0.0
	for i := range b.Loans {
		_, _, d := b.values(i, b.Prices())
		sum += d.Float64()
	}
	return sum * 2
}
