package aavev3

import (
	"slices"
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/protocols"
)

// drawPlainTable is a pool as pools are: indices near one, units and prices of real tokens.
func drawPlainTable(t *rapid.T, p Profile) (*table, []uint256.Int) {
	res := make([]reserve, rapid.IntRange(2, 4).Draw(t, "reserves"))
	prices := make([]uint256.Int, len(res)+1)
	for i := range res {
		word := uint256.NewInt(8000 | 8250<<16 | rapid.SampledFrom([]uint64{10500, 10001, 10750, 11500}).Draw(t, "bonus")<<32 |
			rapid.SampledFrom([]uint64{18, 18, 6, 8, 0, 2}).Draw(t, "decimals")<<48)
		fee := new(uint256.Int).Lsh(uint256.NewInt(rapid.SampledFrom([]uint64{0, 1000, 2000}).Draw(t, "fee")), 152)
		res[i].id, res[i].params = uint16(i), decodeParams(word.Or(word, fee))
		res[i].liquidityIndex.Add(ray, uint256.NewInt(rapid.Uint64().Draw(t, "income")))
		res[i].borrowIndex.Mul(uint256.NewInt(1e9+rapid.Uint64Range(0, 5e8).Draw(t, "debt")), uint256.NewInt(1e18))
		prices[i].SetUint64(rapid.SampledFrom([]uint64{1e8, 99_973_211, 2345_12345678, 64_000_00000001, 31, 1_000_000_000_000_000}).Draw(t, "price"))
	}
	mode := eMode{id: 1, ltv: 9300, lt: 9500, bonus: 10100, collateral: u128{0, rapid.Uint64().Draw(t, "bitmap")}}
	return newTable(p, res, []eMode{mode}, 1), prices
}

// drawLoan is an account on the edge of liquidation, its sides worth from a few
// dollars to millions: around 1,000 and 2,000 the close factor and the dust decide.
func drawLoan(t *rapid.T, tab *table, prices []uint256.Int) account {
	a := account{mode: uint8(rapid.IntRange(0, 1).Draw(t, "mode"))}
	worth := func(i int, usd uint64) u128 {
		x := new(uint256.Int).Mul(uint256.NewInt(usd), uint256.NewInt(1e4)) // usd in 1e-4
		x.Mul(x, &tab.res[i].unit)
		x.Div(x, &prices[i])
		x.AddUint64(x, rapid.Uint64Range(0, 3).Draw(t, "odd"))
		return u128{x[1], x[0]}
	}
	owed := uint64(0)
	for i := range tab.res {
		if rapid.Bool().Draw(t, "owes") {
			usd := rapid.SampledFrom([]uint64{30, 900, 999, 1000, 1001, 1500, 1999, 2000, 2001, 2500, 3000, 4100, 7000, 1_000_000}).Draw(t, "usd") * 10000
			usd += rapid.Uint64Range(0, 20000).Draw(t, "cents")
			owed += usd
			a.legs = append(a.legs, leg{tagOf(uint16(i), protocols.Debt), worth(i, usd)})
		}
	}
	// Health from 0.2 to 1.1, shared among collaterals.
	need := owed / 100 * rapid.Uint64Range(20, 130).Draw(t, "health")
	for i := range tab.res {
		if part := need / 100 * rapid.SampledFrom([]uint64{0, 0, 10, 50, 90, 100}).Draw(t, "share"); part > 0 {
			a.legs = append(a.legs, leg{tagOf(uint16(i), protocols.Collateral), worth(i, part)})
		}
	}
	return a
}

// sameFigures holds limbs against unbounded integers, figure by figure. It tells whether limbs reached.
func sameFigures(t require.TestingT, tab *table, a *account, prices []uint256.Int) bool {
	b := Book{table: tab, shelf: newShelf(pack([]account{*a}))}
	p := protocols.Prices{Raw: prices}
	want := b.figures(a, p)
	require.Equal(t, want, b.Figures(0, p), tab.profile.Version)
	together, values := b.Values(0, p, nil)
	require.Equal(t, want, together)
	var collateral []protocols.LegValue
	for _, v := range b.LegValues(0, p, nil) {
		if v.Side == protocols.Collateral {
			collateral = append(collateral, v)
		}
	}
	values = slices.DeleteFunc(values, func(v protocols.LegValue) bool { return v.Side == protocols.Debt })
	require.Equal(t, len(collateral), len(values))
	for j := range values {
		require.Equal(t, collateral[j], values[j])
	}
	for _, v := range b.LegValues(0, p, nil) {
		for j := range a.legs {
			if l := &a.legs[j]; int(tab.dense[l.id()]) == v.Asset && l.side() == v.Side {
				require.Zero(t, tab.amount(l).Cmp(v.Amount.ToBig()))
				require.Zero(t, tab.value(l, tab.row(a.mode), prices).Cmp(v.Value.ToBig()))
			}
		}
	}
	var f protocols.Figures
	return tab.quick(b.shelf.chunks[0], 0, prices, &f, nil)
}

// Figures with limbs are those of unbounded integers to the last digit, for loans
// as they are: both sides of every rule of a liquidation are met.
func TestQuickFiguresOfLoans(t *testing.T) {
	profiles := allProfiles(t)
	quick, limited, partial, bad := 0, 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		p := rapid.SampledFrom(profiles).Draw(rt, "profile")
		tab, prices := drawPlainTable(rt, p)
		a := drawLoan(rt, tab, prices)
		if len(a.legs) == 0 {
			return
		}
		if sameFigures(rt, tab, &a, prices) {
			quick++
		}
		if c := tab.largestCall(&a, prices); c != nil {
			if c.limited {
				limited++
			}
			if c.repaid.Cmp(c.seized) != 0 {
				partial++
			}
		}
		if tab.badDebt(&a, prices).Sign() > 0 {
			bad++
		}
	})
	require.Positive(t, quick, "limbs never reached")
	t.Logf("%d quick, %d limited by dust, %d calls, %d with bad debt", quick, limited, partial, bad)
}

// The same for whatever a chain could hold.
func TestQuickFiguresOfAnything(t *testing.T) {
	profiles := allProfiles(t)
	rapid.Check(t, func(rt *rapid.T) {
		tab := drawTable(rt, rapid.SampledFrom(profiles).Draw(rt, "profile"))
		a := drawAccount(rt, tab)
		sameFigures(rt, tab, &a, drawPrices(rt, tab))
	})
}

// The repayment that leaves no dust is found by inverting the roundings; the search
// that asks every candidate finds the same.
func TestDustIsInverted(t *testing.T) {
	profiles := allProfiles(t)
	met := 0
	rapid.Check(t, func(rt *rapid.T) {
		p := rapid.SampledFrom(profiles[6:11]).Draw(rt, "profile") // 3.3 and later refuse dust
		tab, prices := drawPlainTable(rt, p)
		worth := func(i int, usd uint64) u128 { // usd in 1e-4
			x := new(uint256.Int).Mul(uint256.NewInt(usd), uint256.NewInt(1e4))
			x.Mul(x, &tab.res[i].unit)
			x.Div(x, &prices[i])
			return u128{x[1], x[0]}
		}
		most := rapid.Uint64Range(2000_0000, 4200_0000).Draw(rt, "debt")
		other := rapid.Uint64Range(0, 4200_0000).Draw(rt, "other debt")
		// Health between 0.95 and 1, where half of the debt may be repaid.
		all := (most + other) * rapid.Uint64Range(9510, 9990).Draw(rt, "health") / 8250
		part := all * rapid.Uint64Range(40, 99).Draw(rt, "share") / 100
		a := account{legs: []leg{
			{tagOf(0, protocols.Debt), worth(0, most)}, {tagOf(1, protocols.Debt), worth(1, other)},
			{tagOf(0, protocols.Collateral), worth(0, part)}, {tagOf(1, protocols.Collateral), worth(1, all-part)},
		}}
		if c := tab.largestCall(&a, prices); c != nil && c.limited {
			met++
		}
		sameFigures(rt, tab, &a, prices)
	})
	t.Logf("%d limited by dust", met)
	require.Positive(t, met, "no call was limited by dust")
}
