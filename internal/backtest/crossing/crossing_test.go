package crossing

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// naive asks every account at every tick.
func naive(accounts []Account, prices []uint256.Int, visit func(Crossed)) {
	was := make([][2]bool, len(accounts))
	state := func(a *Account, p *uint256.Int) [2]bool {
		return [2]bool{!a.Down.IsZero() && !p.Gt(&a.Down), !a.Up.IsZero() && !p.Lt(&a.Up)}
	}
	for i := range accounts {
		was[i] = state(&accounts[i], &prices[0])
	}
	for tick := 1; tick < len(prices); tick++ {
		out := Crossed{Tick: tick}
		for i := range accounts {
			is := state(&accounts[i], &prices[tick])
			if is == was[i] {
				continue
			}
			for k, into := range [2][2]*[]int32{{&out.Recovered, &out.Fell}, {&out.Relaxed, &out.Rose}} {
				switch {
				case is[k] && !was[i][k]:
					*into[1] = append(*into[1], int32(i))
				case !is[k] && was[i][k]:
					*into[0] = append(*into[0], int32(i))
				}
			}
			was[i] = is
		}
		if len(out.Fell)+len(out.Recovered)+len(out.Rose)+len(out.Relaxed) > 0 {
			visit(out)
		}
	}
}

func run(accounts []Account, prices []uint256.Int, visit func(Crossed)) {
	cursor := New(accounts).Start(&prices[0])
	for i := 1; i < len(prices); i++ {
		if c, ok := cursor.Move(&prices[i]); ok {
			visit(c)
		}
	}
}

// sorted makes the order within one tick comparable.
func sorted(c Crossed) Crossed {
	for _, s := range []*[]int32{&c.Fell, &c.Recovered, &c.Rose, &c.Relaxed} {
		if len(*s) == 0 {
			*s = nil
			continue
		}
		*s = slices.Clone(*s)
		slices.Sort(*s)
	}
	return c
}

func TestCrossingsAreThoseOfTheNaiveLoop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.Map(rapid.Uint64Range(0, 40), func(x uint64) uint256.Int { return *uint256.NewInt(x) })
		accounts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Account {
			return Account{Down: small.Draw(t, "down"), Up: small.Draw(t, "up")}
		}), 0, 30).Draw(t, "accounts")
		prices := rapid.SliceOfN(small, 1, 40).Draw(t, "prices")
		var got, want []Crossed
		run(accounts, prices, func(c Crossed) { got = append(got, sorted(c)) })
		naive(accounts, prices, func(c Crossed) { want = append(want, sorted(c)) })
		require.Equal(t, want, got)
	})
}

// year is a year of minute prices and 100,000 accounts around them.
func year(ticks int) ([]Account, []uint256.Int) {
	r := rand.New(rand.NewPCG(1, 2))
	accounts := make([]Account, 100_000)
	for i := range accounts {
		accounts[i].Down.SetUint64(uint64((0.2 + r.Float64()) * 2000e8))
		if i%10 == 0 {
			accounts[i].Up.SetUint64(uint64((0.8 + 2*r.Float64()) * 2000e8))
		}
	}
	prices := make([]uint256.Int, ticks)
	p := 2000.0
	for i := range prices {
		p *= 1 + 0.0008*r.NormFloat64() + 0.00002*(2000/p-1)
		prices[i].SetUint64(uint64(p * 1e8))
	}
	return accounts, prices
}

// digest identifies a run of crossings.
type digest struct{ count, sum uint64 }

func (d *digest) add(c Crossed) {
	for k, s := range [][]int32{c.Fell, c.Recovered, c.Rose, c.Relaxed} {
		for _, i := range s {
			d.count++
			d.sum += (uint64(c.Tick)*4+uint64(k)+1)*0x9E3779B97F4A7C15 ^ uint64(i)*0xBF58476D1CE4E5B9
		}
	}
}

// BenchmarkYear replays a year of minutes over 100,000 accounts, and the naive loop
// over its first ticks: there both must give the same crossings, and x-naive is the
// ratio of their times per tick.
func BenchmarkYear(b *testing.B) {
	const minutes, part = 365 * 24 * 60, 3_000
	accounts, prices := year(minutes)
	var want, got digest
	started := time.Now()
	naive(accounts, prices[:part], want.add)
	naiveTick := float64(time.Since(started).Nanoseconds()) / part
	run(accounts, prices[:part], got.add)
	if want != got {
		b.Fatalf("crossings differ: naive %+v, sorted %+v", want, got)
	}
	b.ReportAllocs()
	var all digest
	for b.Loop() {
		all = digest{}
		run(accounts, prices, all.add)
	}
	tick := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / minutes
	b.ReportMetric(float64(all.count), "crossings")
	b.ReportMetric(naiveTick/tick, "x-naive")
}
