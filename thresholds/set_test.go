package thresholds

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// plainSet adds positions up one by one in decimals, in maps, and ranks them all: what
// sets did before they were quick, and the judge of those.
type plainSet struct {
	all      Totals
	owners   map[string]map[string]bool // by market; "" is all of them
	byMarket map[string]*Totals
	bySymbol map[string]*AssetRisk
	largest  []plainLargest
}

type plainLargest struct {
	Largest
	owner chains.Address
}

func newPlainSet() *plainSet {
	return &plainSet{owners: map[string]map[string]bool{}, byMarket: map[string]*Totals{}, bySymbol: map[string]*AssetRisk{}}
}

func (s *plainSet) add(b protocols.Book, i int, p protocols.Prices) {
	f := b.Figures(i, p)
	if s.byMarket[b.Market()] == nil {
		s.byMarket[b.Market()] = &Totals{}
	}
	who := b.Owner(i).String()
	if b.Owner(i).IsZero() {
		who = b.Market() + " " + b.ID(i)
	}
	for name, t := range map[string]*Totals{"": &s.all, b.Market(): s.byMarket[b.Market()]} {
		if s.owners[name] == nil {
			s.owners[name] = map[string]bool{}
		}
		s.owners[name][who] = true
		t.Accounts, t.Owners = t.Accounts+1, len(s.owners[name])
		t.AtRiskUSD = t.AtRiskUSD.Add(p.USD(&f.AtRisk, b.QuoteDecimals()))
		t.SeizableUSD = t.SeizableUSD.Add(p.USD(&f.Seizable, b.QuoteDecimals()))
		t.DebtUSD = t.DebtUSD.Add(p.USD(&f.Debt, b.QuoteDecimals()))
		t.BadDebtUSD = t.BadDebtUSD.Add(p.USD(&f.BadDebt, b.QuoteDecimals()))
	}
	for _, leg := range b.LegValues(i, p, nil) {
		asset := b.Assets()[leg.Asset]
		if leg.Side == protocols.Debt {
			continue
		}
		if s.bySymbol[asset.Symbol] == nil {
			s.bySymbol[asset.Symbol] = &AssetRisk{Symbol: asset.Symbol}
		}
		r := s.bySymbol[asset.Symbol]
		r.Amount = r.Amount.Add(protocols.Amount{Raw: leg.Amount, Decimals: asset.Decimals}.Decimal())
		r.AtRiskUSD = r.AtRiskUSD.Add(p.USD(&leg.Value, b.QuoteDecimals()))
	}
	one := Largest{Market: b.Market(), Position: b.ID(i), AtRiskUSD: p.USD(&f.AtRisk, b.QuoteDecimals())}
	s.largest = append(s.largest, plainLargest{one, b.Owner(i)})
}

func (s *plainSet) markets() []MarketTotals {
	out := []MarketTotals{}
	for name, t := range s.byMarket {
		out = append(out, MarketTotals{name, *t})
	}
	slices.SortFunc(out, func(a, b MarketTotals) int { return strings.Compare(a.Market, b.Market) })
	return out
}

func (s *plainSet) assets() []AssetRisk {
	out := []AssetRisk{}
	for _, r := range s.bySymbol {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b AssetRisk) int {
		if c := b.AtRiskUSD.Cmp(a.AtRiskUSD); c != 0 {
			return c
		}
		return strings.Compare(a.Symbol, b.Symbol)
	})
	return out
}

func (s *plainSet) first(n int) []Largest {
	slices.SortFunc(s.largest, func(a, b plainLargest) int {
		if c := b.AtRiskUSD.Cmp(a.AtRiskUSD); c != 0 {
			return c
		}
		if c := strings.Compare(a.Market, b.Market); c != 0 {
			return c
		}
		if c := bytes.Compare(a.owner[:], b.owner[:]); c != 0 {
			return c
		}
		return strings.Compare(a.Position, b.Position)
	})
	out := []Largest{}
	for _, l := range s.largest[:min(n, len(s.largest))] {
		out = append(out, l.Largest)
	}
	return out
}

// crowdOf is a book with its positions repeated, so that several processors take part.
type crowdOf struct {
	*FixtureBook
	times int
}

func (c crowdOf) at(i int) int { return i % c.FixtureBook.Len() }
func (c crowdOf) Len() int     { return c.FixtureBook.Len() * c.times }
func (c crowdOf) ID(i int) string {
	return fmt.Sprintf("%d-%s", i/c.FixtureBook.Len(), c.FixtureBook.ID(c.at(i)))
}
func (c crowdOf) Unpriced(i int) bool { return c.FixtureBook.Unpriced(c.at(i)) }

func (c crowdOf) Owner(i int) chains.Address {
	a := c.FixtureBook.Owner(c.at(i))
	if i%3 == 0 && !a.IsZero() { // some own several
		a[1], a[2] = byte(i), byte(i>>8)
	}
	return a
}

func (c crowdOf) Terms(i int, dst []protocols.Term) []protocols.Term {
	return c.FixtureBook.Terms(c.at(i), dst)
}

func (c crowdOf) Liquidatable(i int, p protocols.Prices) bool {
	return c.FixtureBook.Liquidatable(c.at(i), p)
}

func (c crowdOf) Figures(i int, p protocols.Prices) protocols.Figures {
	return c.FixtureBook.Figures(c.at(i), p)
}

func (c crowdOf) LegValues(i int, p protocols.Prices, dst []protocols.LegValue) []protocols.LegValue {
	return c.FixtureBook.LegValues(c.at(i), p, dst)
}

func (c crowdOf) Set(symbol, param string, value decimal.Decimal) (protocols.Book, error) {
	b, err := c.FixtureBook.Set(symbol, param, value)
	if err != nil {
		return nil, err
	}
	return crowdOf{b.(*FixtureBook), c.times}, nil
}

// judge holds a crossing and joint shocks against the plain arithmetic.
func judge(t require.TestingT, books []protocols.Book, level decimal.Decimal) {
	l, err := Build("ETH", "", books)
	require.NoError(t, err)
	c, err := l.Crossing(level)
	require.NoError(t, err)
	want := newPlainSet()
	for _, b := range books {
		p := pricesAt(level)(b)
		for i := range b.Len() {
			if !b.Unpriced(i) && b.Liquidatable(i, p) && !b.Liquidatable(i, b.Prices()) {
				want.add(b, i, p)
			}
		}
	}
	require.Equal(t, toJSON(t, want.all), toJSON(t, c.Totals))
	require.Equal(t, toJSON(t, want.markets()), toJSON(t, c.ByMarket))
	require.Equal(t, toJSON(t, want.assets()), toJSON(t, c.ByAsset))
	got := slices.Clone(c.Largest)
	for i := range got {
		got[i].Trigger = nil
	}
	require.Equal(t, toJSON(t, want.first(10)), toJSON(t, got))

	lower, err := l.Stretch(l.Spot(), level)
	require.NoError(t, err)
	if len(books) == 1 {
		require.Equal(t, toJSON(t, want.all), toJSON(t, lower))
	}
	judgeStress(t, onAxis(books), level)
	if len(onAxis(books)) < len(books) {
		return // the fixture cannot move an axis that it does not have
	}
	moves := []protocols.Move{{Axis: "ETH", To: &level}}
	same, err := Stress(books, moves, nil)
	require.NoError(t, err)
	own, err := l.Present().Stress(moves, nil)
	require.NoError(t, err)
	require.Equal(t, toJSON(t, same), toJSON(t, own))
}

func judgeStress(t require.TestingT, books []protocols.Book, level decimal.Decimal) {
	moves := []protocols.Move{{Axis: "ETH", To: &level}}
	changes := []Change{{Market: books[0].Market(), Asset: "wstETH", Param: "lt", Value: dec("0.5")}}
	r, err := Stress(books, moves, changes)
	require.NoError(t, err)
	now, then, added, healed := newPlainSet(), newPlainSet(), newPlainSet(), newPlainSet()
	for k, b := range books {
		after, err := b, error(nil)
		if k == 0 {
			after, err = b.Set("wstETH", "lt", dec("0.5"))
		}
		require.NoError(t, err)
		p, err := after.Move(moves)
		require.NoError(t, err)
		for i := range b.Len() {
			if b.Unpriced(i) {
				continue
			}
			was, is := b.Liquidatable(i, b.Prices()), after.Liquidatable(i, p)
			if was {
				now.add(b, i, b.Prices())
			}
			if is {
				then.add(after, i, p)
			}
			if is && !was {
				added.add(after, i, p)
			}
			if was && !is {
				healed.add(b, i, b.Prices())
			}
		}
	}
	for name, pair := range map[string][2]any{
		"now": {now.all, r.Now}, "then": {then.all, r.Then}, "added": {added.all, r.Added}, "healed": {healed.all, r.Healed},
		"by market": {then.markets(), r.ByMarket}, "by asset": {then.assets(), r.ByAsset}, "largest": {then.first(10), r.Largest},
	} {
		require.Equal(t, toJSON(t, pair[0]), toJSON(t, pair[1]), name)
	}
}

func TestSetsAddUpAsPlainArithmeticDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		judge(t, anyBooks(t, 12), decimal.New(rapid.Int64Range(1, 400).Draw(t, "level"), -1))
	})
}

// With tens of thousands of positions all processors take part, and nothing else changes.
func TestManyPositionsAreAddedUpByAllProcessors(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) []protocols.Book { return anyBooks(t, 12) })
	for seed := range 2 {
		books := draw.Example(seed)
		for k, b := range books {
			books[k] = crowdOf{b.(*FixtureBook), 1000}
		}
		for _, level := range []string{"2", "14"} {
			judge(t, books, dec(level))
		}
	}
}

// Bands are sets of positions each at its own trigger.
func TestBandsAddUpAsPlainArithmeticDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := anyBooks(t, 12)
		l, err := Build("ETH", "", books)
		require.NoError(t, err)
		m, err := l.Map(nil, MapOptions{Largest: 5})
		require.NoError(t, err)
		for k, d := range []string{"down", "up"} {
			want, spot := newPlainSet(), newPlainSet()
			for _, b := range books {
				for i := range b.Len() {
					tr, err := l.Triggers(b.Market(), i)
					require.NoError(t, err)
					price := tr.Down
					if d == "up" {
						price = tr.Up
					}
					if price != nil {
						want.add(b, i, pricesAt(*price)(b))
						spot.add(b, i, b.Prices())
					}
				}
			}
			got := m.Bands[k]
			require.Equal(t, toJSON(t, want.all), toJSON(t, got.AtTrigger))
			require.Equal(t, toJSON(t, spot.all), toJSON(t, got.AtSpot))
			require.Equal(t, toJSON(t, want.markets()), toJSON(t, got.ByMarket))
			require.Equal(t, toJSON(t, want.assets()), toJSON(t, got.ByAsset))
			for i := range got.Largest {
				got.Largest[i].Trigger = nil
			}
			require.Equal(t, toJSON(t, want.first(5)), toJSON(t, got.Largest))
		}
	})
}

// Sums of integers of 256 bits do not wrap.
func TestWideSums(t *testing.T) {
	var most wide
	sum := decimal.Zero
	for range 5 {
		x := new(uint256.Int).SetAllOne()
		most.add(x)
		sum = sum.Add(decimal.NewFromBigInt(x.ToBig(), 0))
	}
	twice := most
	twice.join(&most)
	require.Equal(t, sum.String(), most.decimal(0).String())
	require.Equal(t, sum.Add(sum).String(), twice.decimal(0).String())
}

// Owners are counted alike however many they are, by looking and by number.
func TestOwnersAreCountedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := anyBooks(t, 12)
		for k, b := range books {
			books[k] = crowdOf{b.(*FixtureBook), 40}
		}
		l, err := Build("ETH", "", books)
		require.NoError(t, err)
		positions, want := make([][]int32, len(l.markets)), map[owner]bool{}
		for k, m := range l.markets {
			for i := range rapid.IntRange(0, m.book.Len()).Draw(t, "positions") {
				positions[k] = append(positions[k], int32(i))
				want[ownerOf(m, Ref{int32(k), int32(i)})] = true
			}
		}
		require.Equal(t, len(want), l.people.distinct(positions))
		few := newOwnerTable(l.people, l.people.n)
		for k := range positions {
			for _, i := range positions[k] {
				few.add(Ref{int32(k), i})
			}
		}
		require.Equal(t, len(want), few.n)
	})
}

// faulty is a book whose arithmetic breaks on one position.
type faulty struct{ crowdOf }

func (f faulty) Figures(i int, p protocols.Prices) protocols.Figures {
	if i == 7777 {
		panic("position 7777")
	}
	return f.crowdOf.Figures(i, p)
}

// What goes wrong on another processor goes wrong for whoever asked, who may catch it.
func TestAQuestionThatBreaksDoesNotEndTheProcess(t *testing.T) {
	l, err := Build("ETH", "", []protocols.Book{faulty{crowdOf{JointFixture("m", "c"), 20_000}}})
	require.NoError(t, err)
	defer func() { require.ErrorContains(t, recover().(error), "position 7777") }()
	_, err = l.At(dec("100"))
	require.Fail(t, "it answered", err)
}
