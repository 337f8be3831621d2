package main

import (
	"encoding/csv"
	"fmt"
	"io"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

// mapTable writes the bands as people read a ladder: the highest price on top,
// spot between those above and those below.
func mapTable(w io.Writer, m *thresholds.Map) error {
	fmt.Fprintf(w, "%s at %s by the oracle of %s\n", m.Axis, m.Spot, m.Reference)
	for _, b := range m.Blocks {
		fmt.Fprintf(w, "%s block %d (%s)\n", b.Chain, b.Number, timeOf(b.Time))
	}
	fmt.Fprintf(w, "%d positions, %d without a trigger on this axis, %d without a price\n", m.Positions, m.NoTrigger, m.Unpriced)
	fmt.Fprintf(w, "liquidatable now: %d accounts, %s USD at risk\n\n", m.LiquidatableNow.Accounts, grouped(m.LiquidatableNow.AtRiskUSD))
	t := newTable(w, "from", "to", "accounts", "at risk USD", "seizable USD", "debt USD", "bad debt USD", "top 10")
	down, up := splitBands(m.Bands)
	for i := len(up) - 1; i >= 0; i-- {
		t.row(bandCells(up[i])...)
	}
	t.row("----", m.Spot.String(), "spot", "", "", "", "", "") // all cells, or the columns below would not stand under those above
	for _, b := range down {
		t.row(bandCells(b)...)
	}
	return t.flush()
}

func splitBands(bands []thresholds.Band) (down, up []thresholds.Band) {
	for _, b := range bands {
		if b.Direction == "up" {
			up = append(up, b)
		} else {
			down = append(down, b)
		}
	}
	return down, up
}

func bandCells(b thresholds.Band) []string {
	t := b.AtTrigger
	return []string{
		edge(b.From, "0"), edge(b.To, "and above"), fmt.Sprint(t.Accounts), grouped(t.AtRiskUSD),
		grouped(t.SeizableUSD), grouped(t.DebtUSD), grouped(t.BadDebtUSD), percent(b.Top10Share),
	}
}

func edge(d *decimal.Decimal, open string) string {
	if d == nil {
		return open
	}
	return d.String()
}

// mapCSV writes one row a band.
func mapCSV(w io.Writer, m *thresholds.Map) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{
		"axis", "spot", "from", "to", "direction", "accounts", "owners", "at_risk_usd", "seizable_usd",
		"debt_usd", "bad_debt_usd", "at_risk_usd_at_spot", "top10_share",
	})
	for _, b := range m.Bands {
		t := b.AtTrigger
		_ = c.Write([]string{
			m.Axis, m.Spot.String(), edge(b.From, ""), edge(b.To, ""), b.Direction, fmt.Sprint(t.Accounts), fmt.Sprint(t.Owners),
			t.AtRiskUSD.String(), t.SeizableUSD.String(), t.DebtUSD.String(), t.BadDebtUSD.String(),
			b.AtSpot.AtRiskUSD.String(), b.Top10Share.String(),
		})
	}
	c.Flush()
	return c.Error()
}
