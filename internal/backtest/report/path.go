package report

import (
	"fmt"
	"io"

	"liqwatch/internal/backtest"
)

func pathHeadline(r *backtest.PathReport) string {
	t := r.Totals
	return fmt.Sprintf("%s from %s down to %s: %d of %d accounts liquidated in %d liquidations, %s of %s USD of debt repaid, bad debt at the end %s USD.",
		r.Axis, r.Spot.StringFixed(2), r.Lowest.StringFixed(2), t.Accounts, r.Accounts, t.Liquidations, grouped(t.RepaidUSD), grouped(r.DebtUSD), grouped(t.BadDebtUSD))
}

func pathTable(w io.Writer, r *backtest.PathReport) error {
	fmt.Fprintf(w, "%s\npath %s, %s to %s, on %s\n\n", pathHeadline(r), r.Path, r.From, r.To, r.Reference)
	c := newColumns(w)
	c.row("time", "price", "accounts", "liquidations", "repaid", "seized", "bad debt")
	for _, h := range r.Hours {
		if h.Liquidations > 0 {
			c.row(h.Time.String(), h.Price.StringFixed(2), fmt.Sprint(h.Accounts), fmt.Sprint(h.Liquidations), grouped(h.RepaidUSD), grouped(h.SeizedUSD), grouped(h.BadDebtUSD))
		}
	}
	if err := c.w.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	fmt.Fprintf(w, "\nliquidated more than once: %d; left out as dust: %d; without a price: %d\nassumed:\n", r.Repeated, r.Dust, r.Unpriced)
	for _, a := range r.Assumptions {
		fmt.Fprintln(w, " ", a)
	}
	writeNotes(w, r.NoteList)
	return nil
}
