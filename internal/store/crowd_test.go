package store_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
)

func crowdRule(notify ...string) alerts.Rule {
	return alerts.Rule{
		Name: "whales", Gauge: "health_factor", Side: alerts.Down, Rearm: decimal.RequireFromString("0.05"),
		Levels: []decimal.Decimal{decimal.RequireFromString("1.1"), decimal.RequireFromString("1.03")}, Notify: notify,
	}
}

// crowd is a look at many health factors, all at one value.
func crowd(n int, number uint64, value string) []alerts.Readings {
	b := alerts.BlockRef{Chain: "ethereum", Number: number, Hash: chains.Keccak([]byte(fmt.Sprint(number))), Time: 1_700_000_000 + 12*number}
	look := alerts.Readings{Rule: "whales", Chain: b.Chain, Blocks: []alerts.BlockRef{b}, Seen: time.Unix(int64(b.Time)+2, 0).UTC()}
	for i := range n {
		look.Readings = append(look.Readings, alerts.Reading{
			Subject: fmt.Sprintf("aave-v3-ethereum|0x%040x", i), Name: fmt.Sprintf("0x%04x…%04x in aave-v3-ethereum", i, i), Unit: alerts.Ratio,
			Value:  decimal.RequireFromString(value),
			Fields: []alerts.Field{{Name: "Debt", Value: "2.6 M USD"}, {Name: "Collateral", Value: "3.2 M USD"}, {Name: "Seizable in one call", Value: "1.3 M USD"}},
		})
	}
	return []alerts.Readings{look}
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// 10,000 wallets that cross their bound in one block, decided, worded and committed
// with a delivery to two notifiers each; against the block in which nothing happens,
// and against a hundredth of them. The processor's time is told apart, because a busy
// machine makes the other long.
func BenchmarkCrowd(b *testing.B) {
	for _, kind := range []string{"SQLite", "Postgres"} {
		for _, c := range []struct {
			name  string
			n     int
			value string
		}{{"10,000 cross", 10_000, "1.05"}, {"100 cross", 100, "1.05"}, {"10,000 stay", 10_000, "1.2"}} {
			b.Run(kind+"/"+c.name, func(b *testing.B) {
				var used time.Duration
				for b.Loop() {
					b.StopTimer()
					s := openNamed(b, databases[kind](b))
					tr := crowdTracker(b, s)
					_, err := tr.Read(b.Context(), crowd(c.n, 1, "1.2"))
					require.NoError(b, err)
					look := crowd(c.n, 2, c.value)
					before := cpu(b)
					b.StartTimer()
					_, err = tr.Read(b.Context(), look)
					b.StopTimer()
					used += cpu(b) - before
					require.NoError(b, err)
					b.StartTimer()
				}
				b.ReportMetric(used.Seconds()/float64(b.N), "cpu-s/op")
			})
		}
	}
}

func crowdTracker(t testing.TB, s alerts.Ledger) *alerts.Tracker {
	tr, err := alerts.NewTracker(t.Context(), s, []alerts.Rule{crowdRule("risk", "hook")}, alerts.StaleRule{}, zerolog.Nop(), nil)
	require.NoError(t, err)
	return tr
}

// What a crowd did is all there after a restart, and is not said again.
func TestACrowdSurvivesARestart(t *testing.T) {
	const n = 250
	onEach(t, func(t *testing.T, name string) {
		read := func(number uint64, value string) (*leading, *alerts.Tracker, []alerts.Alert) {
			s, err := openLeading(name)
			require.NoError(t, err)
			tr := crowdTracker(t, s)
			out, err := tr.Read(t.Context(), crowd(n, number, value))
			require.NoError(t, err)
			return s, tr, out.Alerts
		}
		s, _, said := read(2, "1.05")
		require.Len(t, said, n)
		require.NoError(t, s.Close())
		s, _, said = read(2, "1.05")
		require.Empty(t, said)
		require.NoError(t, s.Close())
		s, tr, said := read(3, "1.05")
		require.Empty(t, said)
		require.Len(t, tr.Episodes("whales"), n)
		q, err := s.Queue(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2*n, q.Waiting)
		require.NoError(t, tr.Undo(t.Context(), "ethereum", 1, time.Now()))
		require.NoError(t, s.Close())
		s, tr, said = read(2, "1.2") // the other branch
		require.Len(t, said, n)
		require.Equal(t, alerts.KindCorrection, said[0].Kind)
		require.Empty(t, tr.Episodes("whales"))
		require.NoError(t, s.Close())
	})
}
