package alerts

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// nowhere is a ledger that keeps nothing.
type nowhere struct{ memory }

func (nowhere) Commit(context.Context, Change) error { return nil }

// crowd is a look at many health factors; every one is at the value.
func crowd(n int, b BlockRef, value string) Readings {
	look := Readings{Rule: "whales", Chain: b.Chain, Blocks: []BlockRef{b}, Seen: time.Unix(int64(b.Time)+2, 0).UTC(), Readings: make([]Reading, n)}
	for i := range look.Readings {
		look.Readings[i] = Reading{
			Subject: fmt.Sprintf("aave-v3-ethereum|0x%040x", i), Name: fmt.Sprintf("0x%04x…%04x in aave-v3-ethereum", i, i), Unit: Ratio, Value: dec(value),
			Fields: []Field{{"Debt", "2.6 M USD"}, {"Collateral", "3.2 M USD"}, {"Seizable in one call", "1.3 M USD"}},
		}
	}
	return look
}

// What 10,000 wallets cost a block: when none moves, when all stand past a bound and
// none moves, and when all of them cross it.
func BenchmarkGauge(b *testing.B) {
	const n = 10_000
	begin := func(b *testing.B) *Tracker {
		tr, err := NewTracker(b.Context(), &nowhere{}, []Rule{whaleRule()}, StaleRule{}, zerolog.Nop(), nil)
		require.NoError(b, err)
		return tr
	}
	read := func(b *testing.B, tr *Tracker, number uint64, value string) {
		look := crowd(n, block(number, 0), value)
		b.StartTimer()
		_, err := tr.Read(b.Context(), []Readings{look})
		b.StopTimer()
		require.NoError(b, err)
	}
	for name, values := range map[string][2]string{"none near": {"1.5", "1.5"}, "none moves": {"1.05", "1.05"}, "all cross": {"1.5", "1.05"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				tr := begin(b)
				_, err := tr.Read(b.Context(), []Readings{crowd(n, block(1, 0), values[0])})
				require.NoError(b, err)
				read(b, tr, 2, values[1])
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/subject")
		})
	}
}
