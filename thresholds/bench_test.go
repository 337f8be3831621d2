package thresholds

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
)

const million = 1_000_000

// compactBook is a fixture of one ETH and one wstETH collateral against USDC,
// its storage as slim as an adapter's.
type compactBook struct {
	FixtureBook
	eth, steth, usdc []uint64
}

func newCompactBook(n int) *compactBook {
	joint := JointFixture("m", "c")
	b := &compactBook{FixtureBook: *joint}
	b.Loans = nil
	b.eth, b.steth, b.usdc = make([]uint64, n), make([]uint64, n), make([]uint64, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		b.eth[i], b.steth[i] = 1e8+r.Uint64N(1e11), r.Uint64N(1e10)
		// Health from 0.98 to 3, so that a fall of a fifth reaches many.
		health := 0.98 + 2*r.Float64()*r.Float64()
		b.usdc[i] = uint64((float64(b.eth[i])*2000*.83 + float64(b.steth[i])*2400*.81) / 100 / health)
	}
	return b
}

func (b *compactBook) Len() int          { return len(b.eth) }
func (b *compactBook) ID(i int) string   { return fmt.Sprint(i) }
func (b *compactBook) Unpriced(int) bool { return false }
func (b *compactBook) Owner(i int) (a chains.Address) {
	a[0], a[1], a[2], a[3] = 1, byte(i), byte(i>>8), byte(i>>16)
	return
}

func (b *compactBook) Terms(i int, dst []protocols.Term) []protocols.Term {
	return append(dst,
		protocols.Term{Asset: 0, Coef: float64(b.eth[i]) * (.83 / 1e8)},
		protocols.Term{Asset: 1, Coef: float64(b.steth[i]) * (.81 / 1e8)},
		protocols.Term{Asset: 2, Coef: -float64(b.usdc[i]) / 1e6})
}

// Liquidatable is the exact predicate in plain uint256, as a careful program
// without this ladder would ask it of every account.
func (b *compactBook) Liquidatable(i int, p protocols.Prices) bool {
	var v, n, d uint256.Int
	v.Mul(v.SetUint64(b.eth[i]), &p.Raw[0])
	v.Div(&v, uint256.NewInt(1e8))
	n.Mul(&v, uint256.NewInt(8300))
	v.Mul(v.SetUint64(b.steth[i]), &p.Raw[1])
	v.Div(&v, uint256.NewInt(1e8))
	n.Add(&n, v.Mul(&v, uint256.NewInt(8100)))
	d.Mul(d.SetUint64(b.usdc[i]), &p.Raw[2])
	d.AddUint64(&d, 1e6-1)
	d.Div(&d, uint256.NewInt(1e6))
	return n.Lt(d.Mul(&d, uint256.NewInt(10000)))
}

func benchLadder(b *testing.B) (*Ladder, *compactBook) {
	b.Helper()
	book := newCompactBook(million)
	l, err := Build("ETH", "", []protocols.Book{book})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	return l, book
}

// naiveTick asks the predicate of every position, once.
func naiveTick(l *Ladder, book *compactBook, price decimal.Decimal) (time.Duration, int) {
	at, err := l.markets[0].point(price)
	if err != nil {
		panic(err)
	}
	start, n := time.Now(), 0
	for i := range book.Len() {
		if book.Liquidatable(i, *at.prices) {
			n++
		}
	}
	return time.Since(start), n
}

// BenchmarkTickToExactSet is from a price to the exact set of liquidatable positions.
func BenchmarkTickToExactSet(b *testing.B) {
	l, book := benchLadder(b)
	m, members := l.markets[0], []int32(nil)
	price := decimal.NewFromInt(1700)
	for b.Loop() {
		at, err := m.point(price)
		if err != nil {
			b.Fatal(err)
		}
		members = m.members(at, members[:0])
	}
	own := b.Elapsed() / time.Duration(b.N)
	all, n := naiveTick(l, book, price)
	if n != len(members) {
		b.Fatalf("%d positions, the naive loop finds %d", len(members), n)
	}
	b.ReportMetric(own.Seconds()*1e3, "ms/tick")
	b.ReportMetric(float64(all)/float64(own), "x-naive")
	b.ReportMetric(float64(n), "liquidatable")
}

// BenchmarkRebuild places all positions anew and sorts them with running sums.
func BenchmarkRebuild(b *testing.B) {
	l, book := benchLadder(b)
	m := l.markets[0]
	for b.Loop() {
		m.cols.rebuild(&m.view)
	}
	own := b.Elapsed() / time.Duration(b.N)
	all, _ := naiveTick(l, book, decimal.NewFromInt(1700))
	b.ReportMetric(own.Seconds()*1e3, "ms/rebuild")
	b.ReportMetric(float64(all)/float64(own), "naive-scans")
}

// BenchmarkQuery sums what lies past a price.
func BenchmarkQuery(b *testing.B) {
	l, book := benchLadder(b)
	m, p := l.markets[0], uint32(1)
	var e Estimate
	for b.Loop() {
		p = p*1664525 + 1013904223 // another price each time: no warm path
		m.cols.estimate(float32(1000e8+float64(p%1000)*1e8), &e)
	}
	own := b.Elapsed() / time.Duration(b.N)
	all, _ := naiveTick(l, book, decimal.NewFromInt(1700))
	b.ReportMetric(float64(all)/float64(own), "x-naive")
}

// BenchmarkChangedAccount moves one account in the ladder.
func BenchmarkChangedAccount(b *testing.B) {
	l, book := benchLadder(b)
	m, i := l.markets[0], uint32(7)
	var terms []protocols.Term
	for b.Loop() {
		i = (i*1664525 + 1013904223) % million
		book.usdc[i] += 1e6
		terms = book.Terms(int(i), terms[:0])
		m.cols.change(int(i), &m.view, terms, false)
	}
	own := b.Elapsed() / time.Duration(b.N)
	b.StopTimer()
	start := time.Now()
	m.cols.rebuild(&m.view)
	b.ReportMetric(float64(time.Since(start))/float64(own), "x-rebuild")
}

// BenchmarkMemory is the ladder's own bytes a position, the book's apart.
func BenchmarkMemory(b *testing.B) {
	book := newCompactBook(million)
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		l, err := Build("ETH", "", []protocols.Book{book})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Replace(book, []int{1, 2, 3}); err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/million, "B/position")
		runtime.KeepAlive(l)
	}
}

// BenchmarkExactTrigger finds the first flip on both sides of one position.
func BenchmarkExactTrigger(b *testing.B) {
	book := newCompactBook(10_000)
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
	i := 0
	b.ResetTimer()
	for b.Loop() {
		if _, err := l.Triggers("m", i%len(fixture.Loans)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkMap is the whole map of 100,000 positions: every trigger refined, every
// amount the protocol's own.
func BenchmarkMap(b *testing.B) {
	const n = 100_000
	book := newCompactBook(n)
	fixture := book.FixtureBook
	for i := range n {
		fixture.Loans = append(fixture.Loans, FixtureLoan{ID: fmt.Sprint(i), Owner: book.Owner(i), Legs: []FixtureLeg{
			{0, protocols.Collateral, book.eth[i]}, {1, protocols.Collateral, book.steth[i]}, {2, protocols.Debt, book.usdc[i]},
		}})
	}
	l, err := Build("ETH", "", []protocols.Book{&fixture})
	if err != nil {
		b.Fatal(err)
	}
	edges := []decimal.Decimal{decimal.NewFromInt(1800), decimal.NewFromInt(1600)}
	b.ResetTimer()
	for b.Loop() {
		if _, err := l.Map(edges, MapOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/n, "us/position")
}

// BenchmarkAt adds up 100,000 positions that are past their trigger, and what joint
// shocks say of them, against adding each up in decimals and maps. The amounts are the
// fixture's on both sides: this is what the ladder adds to a protocol's arithmetic.
func BenchmarkAt(b *testing.B) {
	const n = 100_000
	books := []protocols.Book{crowdOf{JointFixture("m", "c"), n}}
	l, err := Build("ETH", "", books)
	if err != nil {
		b.Fatal(err)
	}
	price := decimal.NewFromInt(1500)
	start := time.Now()
	want := naive(books, pricesAt(price))
	all := time.Since(start)
	present := l.Present()
	b.Run("price", func(b *testing.B) {
		for b.Loop() {
			if got, err := l.At(price); err != nil || got.Accounts != want.Accounts {
				b.Fatal(got, err)
			}
		}
		b.ReportMetric(all.Seconds()/b.Elapsed().Seconds()*float64(b.N), "x-naive")
	})
	b.Run("shocks", func(b *testing.B) {
		for b.Loop() {
			if got, err := present.Stress([]protocols.Move{{Axis: "ETH", To: &price}}, nil); err != nil || got.Then.Accounts != want.Accounts {
				b.Fatal(got, err)
			}
		}
		b.ReportMetric(all.Seconds()/b.Elapsed().Seconds()*float64(b.N), "x-naive")
	})
}
