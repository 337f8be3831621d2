package aavev3

import (
	"math/bits"

	"github.com/holiman/uint256"

	"liqwatch/protocols"
)

// holding is one leg with what a liquidation asks of it, in fixed limbs.
type holding struct {
	balance, value u128 // token units; quote units
	price          uint64
	res            int16 // dense
	bonus          uint16
	debt           bool
}

// quick are the figures of the k-th account of a chunk with fixed limbs and, up to
// eight legs, no allocation; where values is given its collateral is appended there.
// They are those of [Book.figures] to the last digit; false where a number leaves the
// range of limbs (see [table.sum]), which is asked of unbounded integers then.
func (t *table) quick(c *chunk, k int, prices []uint256.Int, f *protocols.Figures, values *[]protocols.LegValue) bool {
	var room [8]holding
	legs, row := room[:0], t.row(c.modes[k])
	var s sums
	var cover u128
	for j := c.starts[k]; j < c.starts[k+1]; j++ {
		h, ok := t.hold(c, j, row, prices)
		if !ok {
			return false
		}
		if h.res < 0 {
			continue
		}
		cell := &row[h.res]
		switch {
		case h.debt:
			s.d, _ = s.d.add(h.value)
		default:
			if cell.counts {
				s.c, _ = s.c.add(h.value)
				s.n, _ = s.n.add(h.value.mulLow(u128{0, uint64(cell.lt)}))
				if values != nil {
					*values = append(*values, protocols.LegValue{Asset: int(h.res), Amount: h.balance.uint256(), Value: h.value.uint256()})
				}
			}
			if cell.bonus > 0 && cell.lt > 0 {
				cover, _ = cover.add(h.value.mulLow(u128{0, 10000}).divide(uint64(cell.bonus)))
			}
		}
		if h.price != 0 && !h.balance.isZero() && (h.debt || cell.counts && cell.bonus > 0) {
			legs = append(legs, h)
		}
	}
	ok := t.quickHealth(&s, &f.HealthRaw)
	f.HasHealth, f.Liquidatable = true, f.HealthRaw.Lt(wad)
	f.AtRisk, f.Debt = s.c.uint256(), s.d.uint256()
	f.BadDebt, f.Seizable = uint256.Int{}, uint256.Int{}
	if cover.less(s.d) {
		f.BadDebt = s.d.sub(cover).uint256()
	}
	if ok && f.Liquidatable {
		var most u128
		most, ok = t.quickCalls(legs, &s, f.HealthRaw.GtUint64(closeFactorHealth.Uint64()))
		f.Seizable = most.uint256()
	}
	return ok
}

// hold values the j-th leg of a chunk; res is negative where the reserve is gone.
func (t *table) hold(c *chunk, j uint32, row []cell, prices []uint256.Int) (holding, bool) {
	i := t.dense[c.tags[j]>>1]
	if i < 0 {
		return holding{res: -1}, true
	}
	cell, rate := &row[i], &t.rates[i]
	price := &prices[cell.price]
	h := holding{price: price[0], res: i, bonus: cell.bonus, debt: c.tags[j]&1 == uint8(protocols.Debt)}
	index, rounding, worth := &rate.income, rate.incomeRounding, down
	if h.debt {
		index, rounding, worth = &rate.debt, rate.debtRounding, rate.owedRounding
	}
	var ok1, ok2 bool
	h.balance, ok1 = index.apply(c.scaled[j], rounding)
	h.value, ok2 = rate.unit.value(h.balance, h.price, worth)
	return h, ok1 && ok2 && price[1]|price[2]|price[3] == 0
}

// quickHealth is the pool's own integer for health from the sums (see [table.health]).
func (t *table) quickHealth(s *sums, health *uint256.Int) bool {
	if s.d.isZero() {
		*health = *maxUint
		return true
	}
	if s.d.hi != 0 {
		return false
	}
	over := s.n
	if !t.profile.Directed {
		m, ok := weighted(s)
		if !ok {
			return false
		}
		over = u128{0, m}
	}
	// over*1e18 + half of the debt, in three limbs.
	h1, l1 := bits.Mul64(over.lo, 1e18)
	h2, l2 := bits.Mul64(over.hi, 1e18)
	n0, carry := bits.Add64(l1, s.d.lo>>1, 0)
	n1, carry := bits.Add64(h1, l2, carry)
	n2 := h2 + carry
	q2, rest := bits.Div64(0, n2, s.d.lo)
	q1, rest := bits.Div64(rest, n1, s.d.lo)
	q0, _ := bits.Div64(rest, n0, s.d.lo)
	if t.profile.Directed {
		q2, rest = q2/10000, q2%10000
		q1, rest = bits.Div64(rest, q1, 10000)
		q0, _ = bits.Div64(rest, q0, 10000)
	}
	*health = uint256.Int{q0, q1, q2}
	return true
}

// divide is a/d.
func (a u128) divide(d uint64) u128 {
	if a.hi == 0 {
		return u128{0, a.lo / d}
	}
	lo, _ := bits.Div64(a.hi%d, a.lo, d)
	return u128{a.hi / d, lo}
}

// times is a*b; false when it leaves 128 bits.
func (a u128) times(b uint64) (u128, bool) {
	high, low := bits.Mul64(a.lo, b)
	over, mid := bits.Mul64(a.hi, b)
	mid, carry := bits.Add64(mid, high, 0)
	return u128{mid, low}, over|carry == 0
}

// half is a/2 rounded up.
func (a u128) half() u128 {
	a, carry := a.add(u128{0, 1})
	return u128{carry<<63 | a.hi>>1, a.hi<<63 | a.lo>>1}
}
