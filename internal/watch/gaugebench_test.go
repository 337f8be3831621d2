package watch

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/chains/recorded"
	"liqwatch/internal/alerts"
	"liqwatch/internal/config"
	"liqwatch/protocols"
	"liqwatch/protocols/aavev3"
	"liqwatch/thresholds"
)

// crowd repeats the demo's positions: real arithmetic, half a million accounts.
type crowd struct {
	protocols.Book
	n int
}

const halfAMillion = 500_000

func (c *crowd) at(i int) int { return i % c.Book.Len() }

func (c *crowd) Len() int                   { return c.n }
func (c *crowd) ID(i int) string            { return c.Owner(i).String() }
func (c *crowd) Unpriced(i int) bool        { return c.Book.Unpriced(c.at(i)) }
func (c *crowd) Owner(i int) chains.Address { return c.Book.Owner(c.at(i)) }

func (c *crowd) Terms(i int, dst []protocols.Term) []protocols.Term {
	return c.Book.Terms(c.at(i), dst)
}

func (c *crowd) Liquidatable(i int, p protocols.Prices) bool {
	return c.Book.Liquidatable(c.at(i), p)
}

func (c *crowd) Figures(i int, p protocols.Prices) protocols.Figures {
	return c.Book.Figures(c.at(i), p)
}

func (c *crowd) LegValues(i int, p protocols.Prices, dst []protocols.LegValue) []protocols.LegValue {
	return c.Book.LegValues(c.at(i), p, dst)
}

func demoCrowd(b *testing.B) *crowd {
	b.Helper()
	rec, err := recorded.OpenFile("../../cmd/liqwatch/demo.recording")
	if err != nil {
		b.Fatal(err)
	}
	cfg, err := config.Parse("recording", []byte(rec.Meta().Config))
	if err != nil {
		b.Fatal(err)
	}
	m := cfg.Markets[0]
	market, err := aavev3.New(protocols.Placement{Name: m.Name, Chain: m.Chain}, m.Settings)
	if err != nil {
		b.Fatal(err)
	}
	chain := rec.Chains()[0]
	f := NewFollower(chain, []protocols.Market{market}, &MemoryAccounts{}, zerolog.Nop())
	f.Chunk = 5_000_000
	head, err := chain.Head(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if out, err := f.Pass(b.Context(), head); err != nil || len(out.Failed) > 0 {
		b.Fatal(err, out.Failed)
	}
	return &crowd{f.Books()[0], halfAMillion}
}

// BenchmarkNumbersOfHalfAMillion is the look of one rule at a new block, as a part of
// building the ladder, which a rule about levels does at every block.
func BenchmarkNumbersOfHalfAMillion(b *testing.B) {
	c := demoCrowd(b)
	start := time.Now()
	ladder, err := thresholds.Build("ETH", "", []protocols.Book{c})
	if err != nil {
		b.Fatal(err)
	}
	build := time.Since(start)
	for _, one := range []struct {
		gauge string
		Gauge
	}{
		{"health_factor", Gauge{Accounts: []string{c.ID(0), c.ID(1)}}},
		{"health_factor", Gauge{Largest: 20}},
		{"bad_debt", Gauge{}},
		{"utilization", Gauge{}},
		{"at_risk_share", Gauge{Axis: "ETH", Shock: decimal.RequireFromString("-0.1")}},
	} {
		name := one.gauge
		if one.Largest > 0 {
			name += "-of-the-largest"
		}
		b.Run(name, func(b *testing.B) {
			rule := alerts.Rule{Name: "r", Gauge: one.gauge, Levels: []decimal.Decimal{decimal.NewFromInt(1)}}
			e := NewEngine(&silent{}, []alerts.Rule{rule}, []string{c.Chain()}, zerolog.Nop())
			one.Rule = "r"
			if err := e.WatchGauge(one.Gauge); err != nil {
				b.Fatal(err)
			}
			e.chains[c.Chain()].books, e.ladders = []protocols.Book{c}, map[string]*thresholds.Ladder{"ETH": ladder}
			for b.Loop() {
				clear(e.counted)
				if _, err := e.readGauges(context.Background(), c.Chain()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(100*float64(b.Elapsed())/float64(b.N)/float64(build), "%-of-a-ladder")
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/look")
		})
	}
}
