package aavev3

import (
	"math/big"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// allProfiles is every arithmetic there is.
func allProfiles(t testing.TB) []Profile {
	var out []Profile
	for rev := uint64(1); rev <= newestRevision; rev++ {
		p, err := ProfileOf(rev, NoFork)
		require.NoError(t, err)
		out = append(out, p)
	}
	for rev := uint64(1); rev <= 2; rev++ {
		p, err := ProfileOf(rev, SparkLend)
		require.NoError(t, err)
		out = append(out, p)
	}
	return out
}

func big10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// drawHostile draws integers that like to sit on edges.
func drawHostile(t *rapid.T, label string, bitsMax int) uint256.Int {
	var x uint256.Int
	switch rapid.IntRange(0, 5).Draw(t, label+" kind") {
	case 0:
		return x
	case 1:
		x.SetUint64(rapid.Uint64Range(1, 1000).Draw(t, label))
	case 2:
		x.SetAllOne()
		x.Rsh(&x, uint(256-rapid.IntRange(1, bitsMax).Draw(t, label)))
	case 3:
		x.Lsh(uint256.NewInt(1), uint(rapid.IntRange(0, bitsMax-1).Draw(t, label)))
	default:
		n := rapid.IntRange(1, (bitsMax+63)/64).Draw(t, label+" limbs")
		for i := range n {
			x[i] = rapid.Uint64().Draw(t, label)
		}
		x.Rsh(&x, uint(max(0, 64*n-rapid.IntRange(1, bitsMax).Draw(t, label+" bits"))))
		var mask uint256.Int
		mask.SetAllOne()
		mask.Rsh(&mask, uint(256-bitsMax))
		x.And(&x, &mask)
	}
	return x
}

func drawTable(t *rapid.T, p Profile) *table {
	n := rapid.IntRange(1, 5).Draw(t, "reserves")
	res := make([]reserve, n)
	for i := range res {
		r := &res[i]
		r.id = uint16(i * 3)
		word := uint256.NewInt(0)
		put := func(v uint64, at uint) {
			var x uint256.Int
			x.SetUint64(v)
			word.Or(word, x.Lsh(&x, at))
		}
		put(rapid.SampledFrom([]uint64{0, 7500, 8000}).Draw(t, "ltv"), 0)
		put(rapid.SampledFrom([]uint64{0, 7800, 8250, 9301, 65535}).Draw(t, "lt"), 16)
		put(rapid.SampledFrom([]uint64{0, 10500, 10001}).Draw(t, "bonus"), 32)
		put(rapid.SampledFrom([]uint64{0, 6, 8, 18, 18, 19, 20, 27}).Draw(t, "decimals"), 48)
		put(rapid.SampledFrom([]uint64{0, 1000}).Draw(t, "fee"), 152)
		put(rapid.Uint64Range(0, 2).Draw(t, "category"), 168)
		r.params = decodeParams(word)
		grown := drawHostile(t, "income", 92)
		r.liquidityIndex.Add(ray, &grown)
		grown = drawHostile(t, "debt", 92)
		r.borrowIndex.Add(ray, &grown)
		r.liquidityRate, r.borrowRate = drawHostile(t, "rate", 86), drawHostile(t, "rate", 86)
		r.updated = 1000
	}
	mode := eMode{id: 1, ltv: 9300, lt: 9500, bonus: 10100, collateral: u128{0, rapid.Uint64().Draw(t, "bitmap")}, ltvZero: u128{0, rapid.Uint64().Draw(t, "zero")}}
	if rapid.Bool().Draw(t, "source") {
		mode.priceSource = chains.Address{7}
	}
	return newTable(p, res, []eMode{mode}, 1000+rapid.Uint64Range(0, 40_000_000).Draw(t, "dt"))
}

func drawAccount(t *rapid.T, tab *table) account {
	a := account{key: chains.Address{1}, mode: uint8(rapid.IntRange(0, 2).Draw(t, "mode"))}
	for i := range tab.res {
		for _, s := range []protocols.Side{protocols.Collateral, protocols.Debt} {
			x := drawHostile(t, "scaled", 120)
			if !x.IsZero() {
				a.legs = append(a.legs, leg{tagOf(tab.res[i].id, s), u128{x[1], x[0]}})
			}
		}
	}
	return a
}

func drawPrices(t *rapid.T, tab *table) []uint256.Int {
	prices := make([]uint256.Int, tab.assets())
	bitsMax := rapid.SampledFrom([]int{30, 45, 63, 64, 100}).Draw(t, "price bits")
	for i := range prices {
		prices[i] = drawHostile(t, "price", bitsMax)
	}
	return prices
}

// The fast path gives what unbounded integers give, or says that it cannot.
func TestFastHealthEqualsUnbounded(t *testing.T) {
	profiles := allProfiles(t)
	fast := 0
	rapid.Check(t, func(rt *rapid.T) {
		tab := drawTable(rt, rapid.SampledFrom(profiles).Draw(rt, "profile"))
		a := drawAccount(rt, tab)
		prices := drawPrices(rt, tab)
		c := packOne([]account{a})
		want := oracleData(tab, &a, prices)
		require.Equal(rt, want, tab.accountData(&a, prices))
		if s, ok := tab.sum(c, 0, prices); ok {
			fast++
			require.Equal(rt, want.collateral, s.c.uint256())
			require.Equal(rt, want.debt, s.d.uint256())
		}
		require.Equal(rt, want.health.Lt(wad), tab.isLiquidatable(c, 0, prices))
	})
	require.Positive(t, fast, "the fast path never ran")
}

// Near the edge, where roundings decide, fast and slow agree too.
func TestPredicateAtTheEdge(t *testing.T) {
	for _, p := range allProfiles(t) {
		rapid.Check(t, func(rt *rapid.T) {
			d := rapid.Uint64Range(1, maxExactDebt+1000).Draw(rt, "debt")
			weights := new(big.Int).Mul(new(big.Int).SetUint64(d), big.NewInt(10000))
			weights.Add(weights, big.NewInt(rapid.Int64Range(-20000, 20000).Draw(rt, "off")))
			if weights.Sign() < 0 {
				return
			}
			lt := rapid.Int64Range(1, 10000).Draw(rt, "lt")
			c := new(big.Int).Quo(weights, big.NewInt(lt))
			tab := table{profile: p}
			s := sums{d: u128{0, d}}
			set128(&s.c, c)
			set128(&s.n, weights)
			data := tab.finish(c, new(big.Int).SetUint64(d), weights, new(big.Int))
			if yes, ok := tab.liquidatable(&s); ok {
				require.Equal(rt, data.health.Lt(wad), yes, "%s", p.Version)
			}
		})
	}
}

func set128(dst *u128, x *big.Int) {
	var u uint256.Int
	u.SetFromBig(x)
	*dst, _ = fromUint256(&u)
}

func TestFactorAndDivisorAreExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		index := drawHostile(rt, "index", 100)
		f := newFactor(&index)
		x := drawHostile(rt, "x", 88)
		s, _ := fromUint256(&x)
		for _, r := range []rounding{down, nearest, up} {
			got, ok := f.apply(s, r)
			require.True(rt, ok || !f.fast)
			if ok {
				u := got.uint256()
				require.Equal(rt, mulDiv(x.ToBig(), index.ToBig(), bigRay, r).String(), u.ToBig().String())
			}
		}
		unit := uint256.NewInt(rapid.Uint64Range(1, ^uint64(0)).Draw(rt, "unit"))
		if rapid.Bool().Draw(rt, "power") {
			unit.Exp(uint256.NewInt(10), uint256.NewInt(rapid.Uint64Range(0, 19).Draw(rt, "decimals")))
		}
		v := newDivisor(unit)
		price := rapid.Uint64().Draw(rt, "price")
		for _, r := range []rounding{down, up} {
			want := mulDiv(x.ToBig(), new(big.Int).SetUint64(price), unit.ToBig(), r)
			got, ok := v.value(s, price, r)
			u := got.uint256()
			if ok {
				require.Equal(rt, want.String(), u.ToBig().String())
			} else {
				require.GreaterOrEqual(rt, want.BitLen(), 100)
			}
		}
	})
}

// An index of exactly whole rays and products that divide evenly are where a
// reciprocal is most easily off by one.
func TestFactorOnExactMultiples(t *testing.T) {
	for _, index := range []string{"1000000000000000000000000000", "1500000000000000000000000000", "1000000000000000000000000001", "1250000000000000000000000000"} {
		u := uint256.MustFromDecimal(index)
		f := newFactor(u)
		for _, s := range []uint64{0, 1, 2, 3, 4, 1e18, 1e18 + 1, ^uint64(0)} {
			for _, r := range []rounding{down, nearest, up} {
				got, ok := f.apply(u128{0, s}, r)
				require.True(t, ok)
				want := mulDiv(new(big.Int).SetUint64(s), u.ToBig(), bigRay, r)
				x := got.uint256()
				require.Equal(t, want.String(), x.ToBig().String(), "%s*%d %d", index, s, r)
			}
		}
	}
}
