package compoundv2

import (
	"testing"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// plainFigures are figures rule by rule, each asking for what it needs: what they were
// before they were quick, and the judge of those.
func plainFigures(t *table, a *account, prices []uint256.Int) protocols.Figures {
	s := t.sum(a, prices, t.states)
	if !s.priced {
		return protocols.Figures{}
	}
	f := protocols.Figures{Liquidatable: s.debt.Gt(&s.weighted) || t.forced(a), Debt: s.debt}
	for j := range a.legs {
		value := t.collateral(&a.legs[j], &prices[a.legs[j].market])
		f.AtRisk.Add(&f.AtRisk, &value)
	}
	if f.Liquidatable {
		f.Seizable = t.plainSeizable(a, prices)
	}
	f.BadDebt = t.plainBadDebt(a, prices, &s.debt)
	return f
}

// plainSeizable is the value of the most that one liquidation call may take: over all
// pairs of a debt and a collateral, close factor of the debt, times the incentive,
// at most what is there.
func (t *table) plainSeizable(a *account, prices []uint256.Int) uint256.Int {
	var best uint256.Int
	for i := range a.legs {
		owed := t.debt(&a.legs[i])
		if owed.IsZero() {
			continue
		}
		part := t.closeFactor
		if a.legs[i].forced || t.risks[a.legs[i].market].forced {
			part = *wad
		}
		repay := truncated(&part, &owed)
		t.plainBestSeizure(a, prices, &repay, &prices[a.legs[i].market], &best)
	}
	if !a.vai.none() {
		owed := a.vai.owed(&t.vaiIndex)
		repay := truncated(&t.closeFactor, &owed)
		price := wad
		if i := t.vaiPlace(); i >= 0 {
			price = &prices[i]
		}
		t.plainBestSeizure(a, prices, &repay, price, &best)
	}
	return best
}

func (t *table) plainBestSeizure(a *account, prices []uint256.Int, repay, price, best *uint256.Int) {
	for i := range a.legs {
		l := &a.legs[i]
		if l.tokens.IsZero() {
			continue
		}
		incentive := t.risk(a.pool, l.market).incentive
		seized := t.profile.seizeTokens(repay, &incentive, price, &prices[l.market], &t.states[l.market].rate)
		taken := *l
		if seized.Lt(&l.tokens) {
			taken.tokens = seized
		}
		if value := t.collateral(&taken, &prices[l.market]); value.Gt(best) {
			*best = value
		}
	}
}

// plainBadDebt is the debt that the collateral, each leg less its incentive, no longer covers.
func (t *table) plainBadDebt(a *account, prices []uint256.Int, debt *uint256.Int) uint256.Int {
	var covered uint256.Int
	for i := range a.legs {
		l := &a.legs[i]
		if l.tokens.IsZero() {
			continue
		}
		value := t.collateral(l, &prices[l.market])
		incentive := t.risk(a.pool, l.market).incentive
		if incentive.Lt(wad) {
			incentive = *wad
		}
		value = mulDiv(&value, wad, &incentive)
		covered.Add(&covered, &value)
	}
	var bad uint256.Int
	if debt.Gt(&covered) {
		bad.Sub(debt, &covered)
	}
	return bad
}

// anyTable is a market whose numbers are as they are on chains, at times beyond.
func anyTable(t *rapid.T) *table {
	tab := &table{profile: rapid.SampledFrom(profiles).Draw(t, "profile"), unitDigits: 18, pools: map[uint64]pool{}}
	mantissa := func(low, high uint64, name string) uint256.Int {
		return *uint256.NewInt(rapid.Uint64Range(low, high).Draw(t, name))
	}
	tab.closeFactor = mantissa(0, 1e18, "close factor")
	for i := range rapid.IntRange(1, 5).Draw(t, "markets") {
		tab.add(listing{Asset: protocols.Asset{Symbol: string(rune('A' + i)), Decimals: 18}, token: chains.Address{byte(i + 1)}})
		rate := number256(t, 96, "rate")
		tab.states[i] = state{rate: *rate.AddUint64(rate, 1), index: mantissa(1e18, 5e18, "index")}
		tab.risks[i] = risk{listed: true, weight: mantissa(0, 95e16, "weight"), incentive: mantissa(9e17, 12e17, "incentive"), forced: rapid.IntRange(0, 9).Draw(t, "forced") == 0}
	}
	if rapid.Bool().Draw(t, "vai") {
		tab.add(listing{Asset: protocols.Asset{Symbol: "VAI", Decimals: 18}, vai: true})
	}
	tab.vaiIndex = mantissa(1e18, 2e18, "vai index")
	tab.pools[1] = pool{active: true, fallsBack: rapid.Bool().Draw(t, "falls back"), risks: map[int]risk{0: {weight: *uint256.NewInt(9e17), incentive: *uint256.NewInt(11e17)}}}
	return tab
}

func anyAccount(t *rapid.T, tab *table) *account {
	a := &account{address: chains.Address{1}, pool: rapid.Uint64Range(0, 2).Draw(t, "pool")}
	for i := range tab.list {
		if tab.list[i].vai {
			if rapid.Bool().Draw(t, "minted") {
				a.vai = vaiDebt{minted: *number256(t, 88, "minted"), index: *wad}
			}
			continue
		}
		l := leg{market: i, interestIndex: *wad, forced: rapid.IntRange(0, 9).Draw(t, "forced") == 0}
		bits := rapid.SampledFrom([]int{40, 72, 88, 160}).Draw(t, "bits")
		if rapid.Bool().Draw(t, "holds") {
			l.tokens = *number256(t, bits, "tokens")
		}
		if rapid.Bool().Draw(t, "owes") {
			l.principal = *number256(t, bits, "principal")
		}
		a.legs = append(a.legs, l)
	}
	return a
}

// The quick figures are the plain ones, to the last digit, whatever is in the market.
func TestFiguresAreThePlainOnes(t *testing.T) {
	seized, bad := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		tab := anyTable(t)
		a := anyAccount(t, tab)
		var prices []uint256.Int
		for range tab.list {
			prices = append(prices, *number256(t, rapid.SampledFrom([]int{64, 100, 128}).Draw(t, "price bits"), "price"))
		}
		want, got := plainFigures(tab, a, prices), tab.figures(a, prices)
		require.Equal(t, want, got)
		if !got.Seizable.IsZero() {
			seized++
		}
		if !got.BadDebt.IsZero() {
			bad++
		}
	})
	t.Logf("%d with something to seize, %d with bad debt", seized, bad)
	require.Positive(t, seized)
	require.Positive(t, bad)
}
