package aavev3

import (
	"github.com/holiman/uint256"

	"liqwatch/chains"
)

// table is everything about a pool at one block that is not about one account:
// reserves with their indices at the block's time, and by e-mode category what
// collateral weighs. It never changes once made.
type table struct {
	profile Profile
	time    uint64
	res     []reserve
	dense   [maxReserves]int16 // reserve id to position in res, -1 where there is none
	modes   []eMode            // row 0 is no e-mode
	rowOf   [256]uint8
	cells   []cell // by row, then reserve
	rates   []rates
	// sources are e-mode price sources: assets of their own behind the reserves.
	sources []chains.Address
}

// cell is one reserve in one e-mode category.
type cell struct {
	ltv, lt, bonus uint16
	price          uint16 // whose price is taken, by position in the price vector
	counts         bool   // collateral enters the totals
}

// rates are a reserve's indices at the table's time, ready for the fast path.
type rates struct {
	income, debt   factor
	unit           divisor
	incomeRay      uint256.Int
	incomePerUnit  float64 // whole tokens per scaled unit
	debtPerUnit    float64
	perWhole       float64 // smallest units in a whole token
	debtRay        uint256.Int
	incomeRounding rounding
	debtRounding   rounding
	owedRounding   rounding // of a debt's value
}

func newTable(p Profile, res []reserve, modes []eMode, time uint64) *table {
	t := &table{profile: p, time: time, res: res, modes: append([]eMode{{}}, modes...)}
	for i := range t.dense {
		t.dense[i] = -1
	}
	for i := range res {
		t.dense[res[i].id] = int16(i)
	}
	for row := range t.modes[1:] {
		t.rowOf[t.modes[row+1].id] = uint8(row + 1)
	}
	t.fillCells()
	t.fillRates()
	return t
}

func (t *table) fillCells() {
	t.cells = make([]cell, len(t.modes)*len(t.res))
	for row := range t.modes {
		m := &t.modes[row]
		source := t.sourceOf(m)
		for i := range t.res {
			r := &t.res[i]
			c := &t.cells[row*len(t.res)+i]
			*c = cell{ltv: r.ltv, lt: r.lt, bonus: r.bonus, price: uint16(i), counts: t.profile.ZeroLTCounts || r.lt != 0}
			if !m.has(&t.profile, r) {
				continue
			}
			c.lt, c.bonus = m.lt, m.bonus
			if t.profile.EModeBeforeLTV || r.ltv != 0 {
				c.ltv = m.ltv
			}
			if t.profile.EModeBeforeLTV && m.ltvZero.bit(r.id) {
				c.ltv = 0
			}
			if source >= 0 {
				c.price = uint16(source)
			}
		}
	}
}

// sourceOf is the place of the category's own price in the price vector, or -1.
func (t *table) sourceOf(m *eMode) int {
	if t.profile.Bitmaps || m.priceSource.IsZero() {
		return -1
	}
	for i, s := range t.sources {
		if s == m.priceSource {
			return len(t.res) + i
		}
	}
	t.sources = append(t.sources, m.priceSource)
	return len(t.res) + len(t.sources) - 1
}

func (t *table) fillRates() {
	t.rates = make([]rates, len(t.res))
	for i := range t.res {
		r, x := &t.res[i], &t.rates[i]
		dt := uint64(0)
		if t.time > r.updated {
			dt = t.time - r.updated
		}
		x.incomeRay = accruedIncome(&r.liquidityIndex, &r.liquidityRate, dt)
		x.debtRay = accruedDebt(&t.profile, &r.borrowIndex, &r.borrowRate, dt)
		x.income, x.debt = newFactor(&x.incomeRay), newFactor(&x.debtRay)
		x.unit = newDivisor(&r.unit)
		x.incomePerUnit, x.debtPerUnit = perUnit(&x.incomeRay, &r.unit), perUnit(&x.debtRay, &r.unit)
		x.perWhole = r.unit.Float64()
		x.incomeRounding, x.debtRounding, x.owedRounding = nearest, nearest, down
		if t.profile.Directed {
			x.incomeRounding, x.debtRounding, x.owedRounding = down, up, up
		}
	}
}

// row is the e-mode category's cells. A category that does not exist lists no
// collateral, so reserves keep their own parameters in it.
func (t *table) row(mode uint8) []cell {
	r := int(t.rowOf[mode])
	return t.cells[r*len(t.res) : (r+1)*len(t.res)]
}

func (t *table) assets() int { return len(t.res) + len(t.sources) }
