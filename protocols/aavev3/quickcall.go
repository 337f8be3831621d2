package aavev3

// exchange turns units of one token into units of another by their prices, in fixed
// limbs: ⌊amount * fromPrice * toUnit / (toPrice * fromUnit)⌋. Units are powers of
// ten, so that one divides the other, and floors of floors are floors.
type exchange struct {
	price  uint64  // of the token given
	times  uint64  // toUnit/fromUnit, or 0
	by     divisor // fromUnit/toUnit where times is 0
	toward divisor // price of the token taken
}

func newExchange(fromPrice uint64, from uint8, toPrice uint64, to uint8) exchange {
	e := exchange{price: fromPrice, toward: newDivisor64(toPrice)}
	if to >= from {
		e.times = tens[to-from].d >> tens[to-from].shift
	} else {
		e.by = tens[from-to]
	}
	return e
}

// tens divide by powers of ten, as far as they fit 64 bits.
var tens = func() (out [20]divisor) {
	for x, i := uint64(1), 0; i < len(out); x, i = 10*x, i+1 {
		out[i] = newDivisor64(x)
	}
	return
}()

// take is what an amount is exchanged for, in the direction asked for.
func (e *exchange) take(amount u128, r rounding) (u128, bool) {
	if e.times != 0 {
		n, ok1 := amount.times(e.times)
		q, ok2 := e.toward.value(n, e.price, r)
		return q, ok1 && ok2
	}
	n, ok1 := e.by.value(amount, e.price, r)
	q, ok2 := e.toward.value(n, 1, r)
	return q, ok1 && ok2
}

// auction is one pair of collateral and debt of an account that can be liquidated.
type auction struct {
	t       *table
	c, d    *holding
	healthy bool // above the health from which on the close factor holds
	half    u128 // of all debt, quote units
}

// quickCalls is the value of the largest single call over all pairs (see
// [table.largestCall]); false where limbs do not reach.
func (t *table) quickCalls(legs []holding, s *sums, healthy bool) (best u128, ok bool) {
	for i := range legs {
		if !legs[i].debt {
			continue
		}
		for j := range legs {
			// No call takes more than all the collateral is worth.
			if legs[j].debt || !best.less(legs[j].value) {
				continue
			}
			a := auction{t: t, c: &legs[j], d: &legs[i], healthy: healthy, half: s.d.half()}
			value, ok := a.largest()
			if !ok {
				return best, false
			}
			if best.less(value) {
				best = value
			}
		}
	}
	return best, true
}

func (a *auction) units() (collateral, debt uint64) {
	c, d := &a.t.rates[a.c.res].unit, &a.t.rates[a.d.res].unit
	return c.d >> c.shift, d.d >> d.shift
}

// largest is the value of the largest call for the pair, zero when none is possible
// (see [table.callFor]).
func (a *auction) largest() (u128, bool) {
	cover, ok := a.cover()
	if !ok {
		return u128{}, false
	}
	ex := newExchange(a.d.price, a.t.res[a.d.res].decimals, a.c.price, a.t.res[a.c.res].decimals)
	base, ok := ex.take(cover, down)
	if !ok {
		return u128{}, false
	}
	seized := a.withBonus(base)
	if !seized.less(a.c.balance) {
		return a.c.value, true // all the collateral, which leaves no dust
	}
	if dust, ok := a.dust(cover, seized); !dust || !ok {
		value, ok2 := a.worth(seized)
		return value, ok && ok2
	}
	cover, ok = a.withoutDust(cover)
	if !ok || cover.isZero() {
		return u128{}, ok
	}
	if base, ok = ex.take(cover, down); !ok {
		return u128{}, false
	}
	return a.worth(a.withBonus(base))
}

// cover is the most debt that one call may repay, in token units (see [table.maxCover]).
func (a *auction) cover() (u128, bool) {
	if !a.healthy {
		return a.d.balance, true
	}
	if !a.t.profile.WholeDebt {
		return a.d.balance.half(), true
	}
	floor := u128{0, closeFactorFloorUnits}
	if a.c.value.less(floor) || a.d.value.less(floor) || !a.half.less(a.d.value) {
		return a.d.balance, true
	}
	_, du := a.units()
	by := newDivisor64(a.d.price)
	return by.value(a.half, du, down)
}

// withBonus is what repaying base, in units of the collateral, takes.
func (a *auction) withBonus(base u128) u128 {
	n := base.mulLow(u128{0, uint64(a.c.bonus)})
	if !a.t.profile.DirectedSeize {
		n, _ = n.add(u128{0, 5000})
	}
	return n.divide(10000)
}

func (a *auction) worth(seized u128) (u128, bool) {
	return a.t.rates[a.c.res].unit.value(seized, a.c.price, down)
}

// dust reports whether a call leaves less than 1,000 on either side (see [table.leavesDust]).
func (a *auction) dust(cover, seized u128) (dust, ok bool) {
	if !a.t.profile.WholeDebt || !cover.less(a.d.balance) {
		return false, true
	}
	least := u128{0, minLeftoverUnits}
	rate := &a.t.rates[a.d.res]
	debt, ok1 := rate.unit.value(a.d.balance.sub(cover), a.d.price, rate.owedRounding)
	collateral, ok2 := a.worth(a.c.balance.sub(seized))
	return debt.less(least) || collateral.less(least), ok1 && ok2
}

// withoutDust is the most that can be repaid so that both sides keep 1,000, zero
// where nothing can; the most that could be repaid with dust is more.
//
// What is left falls on both sides as the repayment grows, so that the answer of
// [table.withoutDust]'s search is the smaller of two bounds, each the exact inverse
// of the roundings on its side.
func (a *auction) withoutDust(most u128) (u128, bool) {
	cu, du := a.units()
	keep, ok1 := leastWorth(minLeftoverUnits, a.d.price, du, a.t.rates[a.d.res].owedRounding)
	keepCollateral, ok2 := leastWorth(minLeftoverUnits, a.c.price, cu, down)
	if !ok1 || !ok2 {
		return u128{}, false
	}
	if a.d.balance.less(keep) || a.c.balance.less(keepCollateral) {
		return u128{}, true
	}
	onDebt := a.d.balance.sub(keep)
	base := a.beforeBonus(a.c.balance.sub(keepCollateral))
	// ⌊x*p/q⌋ <= base where x < (base+1)*q/p.
	back := newExchange(a.c.price, a.t.res[a.c.res].decimals, a.d.price, a.t.res[a.d.res].decimals)
	next, ok := back.take(base.inc(), up)
	if !ok {
		return u128{}, false
	}
	onCollateral := next.sub(u128{0, 1})
	return smallest(onDebt, onCollateral, most.sub(u128{0, 1})), true
}

// leastWorth is the least amount whose value, rounded as said, is not below value.
func leastWorth(value, price, unit uint64, r rounding) (u128, bool) {
	by := newDivisor64(price)
	if r == up {
		most, ok := by.value(u128{0, value - 1}, unit, down)
		return most.inc(), ok
	}
	return by.value(u128{0, value}, unit, up)
}

// beforeBonus is the most that with the bonus is not more than seized.
func (a *auction) beforeBonus(seized u128) u128 {
	off := uint64(1)
	if !a.t.profile.DirectedSeize {
		off = 5001
	}
	return seized.inc().mulLow(u128{0, 10000}).sub(u128{0, off}).divide(uint64(a.c.bonus))
}

func smallest(a, b, c u128) u128 {
	if b.less(a) {
		a = b
	}
	if c.less(a) {
		a = c
	}
	return a
}
