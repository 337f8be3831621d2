package chart

import (
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

// maxRows is how many bars a picture holds; more bands are added up by neighbours.
const maxRows = 40

// row is one bar: a band, or neighbours added up.
type row struct {
	up       bool
	from, to *decimal.Decimal
	totals   thresholds.Totals
}

// rowsOf are the bands from the highest price to the lowest.
func rowsOf(m *thresholds.Map) []row {
	var down, up []row
	for _, b := range m.Bands {
		r := row{up: b.Direction == "up", from: b.From, to: b.To, totals: b.AtTrigger}
		if r.up {
			up = append(up, r)
		} else {
			down = append(down, r)
		}
	}
	// Each side keeps its part of the room, at least one row.
	if n := len(up) + len(down); n > maxRows {
		part := max(1, maxRows*len(up)/n)
		up, down = merge(up, part), merge(down, max(1, maxRows-part))
	}
	slices.Reverse(up)
	return append(up, down...)
}

// merge adds up neighbours until at most n rows are left. Bands are disjoint, so
// accounts add up; owners, who may be in several, are not shown.
func merge(rows []row, n int) []row {
	if len(rows) <= n {
		return rows
	}
	each := (len(rows) + n - 1) / n
	var out []row
	for part := range slices.Chunk(rows, each) {
		sum := part[0]
		for _, r := range part[1:] {
			sum.totals.Accounts += r.totals.Accounts
			sum.totals.AtRiskUSD = sum.totals.AtRiskUSD.Add(r.totals.AtRiskUSD)
			sum.totals.SeizableUSD = sum.totals.SeizableUSD.Add(r.totals.SeizableUSD)
			sum.totals.DebtUSD = sum.totals.DebtUSD.Add(r.totals.DebtUSD)
			sum.totals.BadDebtUSD = sum.totals.BadDebtUSD.Add(r.totals.BadDebtUSD)
		}
		if last := part[len(part)-1]; sum.up {
			sum.to = last.to
		} else {
			sum.from = last.from
		}
		out = append(out, sum)
	}
	return out
}

// label says which prices a row covers.
func (r row) label() string {
	switch {
	case r.from == nil && r.to == nil:
		return "any price"
	case r.from == nil:
		return "below " + price(*r.to)
	case r.to == nil:
		return "above " + price(*r.from)
	}
	return price(*r.from) + " – " + price(*r.to)
}
