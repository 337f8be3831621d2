package web_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// crowd is a book with its positions repeated: real arithmetic, many accounts.
type crowd struct {
	protocols.Book
	times int
}

func (c crowd) at(i int) int    { return i % c.Book.Len() }
func (c crowd) Len() int        { return c.Book.Len() * c.times }
func (c crowd) ID(i int) string { return fmt.Sprintf("%s-%d", c.Book.ID(c.at(i)), i/c.Book.Len()) }

func (c crowd) Owner(i int) chains.Address {
	a := c.Book.Owner(c.at(i))
	a[0], a[1] = byte(i/c.Book.Len()), byte(i/c.Book.Len()>>8)
	return a
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
func (c crowd) Position(i int) protocols.Position { return c.Book.Position(c.at(i)) }

// BenchmarkWhatIfOfHalfAMillion is the what-if without HTTP, at prices that break
// few and many of 500,000 positions.
func BenchmarkWhatIfOfHalfAMillion(b *testing.B) {
	w := newWorld(b)
	many := crowd{w.books[0], 500_000/w.books[0].Len() + 1}
	l, err := thresholds.Build("ETH", "", []protocols.Book{many})
	require.NoError(b, err)
	for _, price := range []string{"2650", "2400", "2200"} {
		b.Run(price, func(b *testing.B) {
			p := decimal.RequireFromString(price)
			var t thresholds.Totals
			for b.Loop() {
				if t, err = l.At(p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(l.Len()), "positions")
			b.ReportMetric(float64(t.Accounts), "liquidatable")
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Millisecond), "ms")
		})
	}
}
