package aavev3

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// crowd is n accounts of one to four legs over ten reserves.
func crowd(n int) (*table, *shelf, []uint256.Int) {
	rng := rand.New(rand.NewPCG(1, 2))
	p, _ := ProfileOf(10, NoFork)
	res := make([]reserve, 10)
	prices := make([]uint256.Int, len(res))
	for i := range res {
		word := uint256.NewInt(8000 | 8250<<16 | 10500<<32 | []uint64{18, 6, 8}[i%3]<<48)
		res[i].id, res[i].params = uint16(i), decodeParams(word)
		res[i].liquidityIndex.Add(ray, uint256.NewInt(rng.Uint64()))
		res[i].borrowIndex.Mul(uint256.NewInt(11), uint256.NewInt(1e8+rng.Uint64N(1e7)))
		res[i].borrowIndex.Mul(&res[i].borrowIndex, uint256.NewInt(1e18))
		prices[i].SetUint64(1e8 + rng.Uint64N(3e11))
	}
	t := newTable(p, res, nil, 1)
	accounts := make([]account, n)
	for i := range accounts {
		a := &accounts[i]
		for j := range a.key {
			a.key[j] = byte(rng.Uint32())
		}
		add := func(side protocols.Side, most uint64) {
			r := rng.IntN(10)
			unit := res[r].unit.Uint64()
			a.legs = append(a.legs, leg{tagOf(uint16(r), side), u128{0, unit/10 + rng.Uint64N(most*unit/10)}})
		}
		for j := range 1 + rng.IntN(3) {
			add(protocols.Collateral, 100)
			if j == 0 {
				add(protocols.Debt, 9)
			}
		}
	}
	sortAccounts(accounts)
	return t, newShelf(nil).with(accounts), prices
}

func BenchmarkLiquidatable(b *testing.B) {
	t, s, prices := crowd(10_000)
	b.Run("limbs", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			c, k := s.at(i % s.n)
			t.isLiquidatable(c, k, prices)
		}
	})
	b.Run("uint256", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			c, k := s.at(i % s.n)
			plainLiquidatable(t, c, k, prices)
		}
	})
}

// plainLiquidatable is the contract's formula with uint256 and nothing else.
func plainLiquidatable(t *table, c *chunk, k int, prices []uint256.Int) bool {
	row := t.row(c.modes[k])
	var weight, debt uint256.Int
	for j := c.starts[k]; j < c.starts[k+1]; j++ {
		i := t.dense[c.tags[j]>>1]
		x := c.scaled[j].uint256()
		var rest uint256.Int
		if c.tags[j]&1 == 1 {
			x.Mul(&x, &t.rates[i].debtRay)
			x.DivMod(&x, ray, &rest)
			if !rest.IsZero() {
				x.AddUint64(&x, 1)
			}
			x.Mul(&x, &prices[row[i].price])
			x.DivMod(&x, &t.res[i].unit, &rest)
			if !rest.IsZero() {
				x.AddUint64(&x, 1)
			}
			debt.Add(&debt, &x)
			continue
		}
		x.Mul(&x, &t.rates[i].incomeRay)
		x.Div(&x, ray)
		x.Mul(&x, &prices[row[i].price])
		x.Div(&x, &t.res[i].unit)
		weight.Add(&weight, x.Mul(&x, uint256.NewInt(uint64(row[i].lt))))
	}
	if debt.IsZero() {
		return false
	}
	var half uint256.Int
	half.Rsh(&debt, 1)
	weight.Mul(&weight, wad)
	weight.Add(&weight, &half)
	weight.Div(&weight, &debt)
	weight.Div(&weight, uint256.NewInt(10000))
	return weight.Lt(wad)
}

// BenchmarkMemory reports what a position costs, one million of them on the shelf.
func BenchmarkMemory(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, s, _ := crowd(1_000_000)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(s.n), "B/position")
		runtime.KeepAlive(s)
	}
}

func TestShelfKeepsOrderAndShares(t *testing.T) {
	_, s, _ := crowd(5000)
	var changed []account
	for i := 0; i < s.n; i += 700 {
		a := s.account(i)
		a.legs = nil
		changed = append(changed, a)
	}
	changed = append(changed, account{key: chains.Address{0xff, 0xff}, legs: []leg{{1, u128{0, 1}}}})
	next := s.with(changed)
	if next.n != s.n-len(changed)+2 {
		t.Fatalf("%d accounts after %d left %d", next.n, len(changed)-1, s.n)
	}
	for i := range s.n {
		a := s.account(i)
		j, ok := next.find(a.key)
		if gone := i%700 == 0; ok == gone {
			t.Fatalf("account %d: found %v", i, ok)
		}
		if ok && next.account(j).key != a.key {
			t.Fatalf("account %d is not at %d", i, j)
		}
	}
}

// BenchmarkFigures are all amounts of half a million accounts that are past their
// triggers, with limbs, and with the unbounded integers that judge them.
func BenchmarkFigures(b *testing.B) {
	t, s, prices := crowd(500_000)
	// Debts count a thousand times what they did, and all tokens about the same: nobody is healthy.
	for i := range t.rates {
		prices[i].SetUint64(1e8 + 1e6*uint64(i))
		index := new(uint256.Int).Mul(&t.rates[i].debtRay, uint256.NewInt(1000))
		t.rates[i].debtRay, t.rates[i].debt = *index, newFactor(index)
	}
	book, p := &Book{table: t, shelf: s}, protocols.Prices{Raw: prices}
	var own float64
	b.Run("limbs", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if f := book.Figures(i%s.n, p); !f.Liquidatable {
				b.Fatal("a healthy account")
			}
		}
		own = b.Elapsed().Seconds() / float64(b.N)
	})
	b.Run("unbounded", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			a := s.account(i % s.n)
			book.figures(&a, p)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/own, "x-limbs")
	})
}
