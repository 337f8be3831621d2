package web_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// crowd is a book with some of its positions repeated: real arithmetic, many accounts.
type crowd struct {
	protocols.Book
	some []int // of the book's positions
	n    int
}

// crowdOf repeats all positions of a book.
func crowdOf(b protocols.Book, n int) crowd {
	c := crowd{Book: b, n: n}
	for i := range b.Len() {
		c.some = append(c.some, i)
	}
	return c
}

// brokenAt repeats those that are liquidatable at a price of ETH.
func brokenAt(b protocols.Book, n int, price string) crowd {
	path, _ := b.Path("ETH")
	var p protocols.Prices
	place := uint256.MustFromDecimal(decimal.RequireFromString(price).Shift(path.Decimals()).String())
	path.At(place, &p)
	c := crowd{Book: b, n: n}
	for i := range b.Len() {
		if b.Liquidatable(i, p) {
			c.some = append(c.some, i)
		}
	}
	return c
}

func (c crowd) at(i int) int    { return c.some[i%len(c.some)] }
func (c crowd) Len() int        { return c.n }
func (c crowd) ID(i int) string { return c.Owner(i).String() }

// Owner counts in the middle of the address.
func (c crowd) Owner(i int) chains.Address {
	a := c.Book.Owner(c.at(i))
	k := i / len(c.some)
	a[8], a[9], a[10] = byte(k), byte(k>>8), byte(k>>16)
	return a
}

func (c crowd) Find(id string) (int, bool) {
	a, err := chains.ParseAddress(id)
	if err != nil {
		return 0, false
	}
	k := int(a[8]) | int(a[9])<<8 | int(a[10])<<16
	for j := range c.some {
		if i := k*len(c.some) + j; i < c.n && c.Owner(i) == a {
			return i, true
		}
	}
	return 0, false
}

func (c crowd) Terms(i int, dst []protocols.Term) []protocols.Term {
	return c.Book.Terms(c.at(i), dst)
}
func (c crowd) Unpriced(i int) bool { return c.Book.Unpriced(c.at(i)) }
func (c crowd) Liquidatable(i int, p protocols.Prices) bool {
	return c.Book.Liquidatable(c.at(i), p)
}

func (c crowd) Figures(i int, p protocols.Prices) protocols.Figures {
	return c.Book.Figures(c.at(i), p)
}

func (c crowd) LegValues(i int, p protocols.Prices, dst []protocols.LegValue) []protocols.LegValue {
	return c.Book.LegValues(c.at(i), p, dst)
}

func (c crowd) Values(i int, p protocols.Prices, legs []protocols.LegValue) (protocols.Figures, []protocols.LegValue) {
	return c.Book.(protocols.Valuer).Values(c.at(i), p, legs)
}

func (c crowd) Position(i int) protocols.Position {
	p := c.Book.Position(c.at(i))
	p.ID, p.Owner = c.ID(i), c.Owner(i)
	return p
}

const halfAMillion = 500_000

// BenchmarkWhatIf asks what is liquidatable at other prices, of 500,000 positions:
// from few of them to all.
func BenchmarkWhatIf(b *testing.B) {
	w := newWorld(b)
	all := []protocols.Book{crowdOf(w.books[0], halfAMillion)}
	broken := []protocols.Book{brokenAt(w.books[0], halfAMillion, "1")}
	for _, q := range []struct {
		books []protocols.Book
		price string
	}{{all, "2650"}, {all, "2200"}, {all, "1700"}, {broken, "1"}} {
		l, err := thresholds.Build("ETH", "", q.books)
		require.NoError(b, err)
		present, price := l.Present(), decimal.RequireFromString(q.price)
		at, err := l.At(price)
		require.NoError(b, err)
		share := fmt.Sprintf("%d%%", at.Accounts*100/halfAMillion)
		bench := func(name string, ask func() (thresholds.Totals, error)) {
			b.Run(name+"/"+share, func(b *testing.B) {
				start := processorTime(b)
				for b.Loop() {
					got, err := ask()
					require.NoError(b, err)
					require.Equal(b, at.AtRiskUSD.String(), got.AtRiskUSD.String())
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Millisecond), "ms")
				b.ReportMetric(float64(processorTime(b)-start)/float64(b.N)/float64(time.Millisecond), "cpu-ms")
			})
		}
		bench("price", func() (thresholds.Totals, error) { return l.At(price) })
		bench("shocks", func() (thresholds.Totals, error) {
			r, err := present.Stress([]protocols.Move{{Axis: "ETH", To: &price}, {Axis: "BTC", Factor: decimal.NewFromInt(1)}}, nil)
			return r.Then, err
		})
	}
}

// BenchmarkView is everything that is read off a ladder of 500,000 positions for the page.
func BenchmarkView(b *testing.B) {
	w := newWorld(b)
	books := []protocols.Book{crowdOf(w.books[0], halfAMillion)}
	start := processorTime(b)
	for b.Loop() {
		l, err := thresholds.Build("ETH", "", books)
		require.NoError(b, err)
		l.Present()
		edges, err := l.StepEdges(decimal.NewFromInt(50))
		require.NoError(b, err)
		_, _, err = l.MapAndWalls(edges, thresholds.MapOptions{BandsOnly: true}, thresholds.WallOptions{})
		require.NoError(b, err)
	}
	b.ReportMetric(float64(processorTime(b)-start)/float64(b.N)/float64(time.Millisecond), "cpu-ms")
}

// processorTime is what this process has used of all processors: on a busy machine
// it says more than the clock.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
