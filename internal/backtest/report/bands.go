package report

import (
	"fmt"
	"io"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest"
)

// headline is by how much the bands overstated, in one sentence.
func headline(r *backtest.BandReport) string {
	t := r.TotalsCrossed
	if r.Crossed == 0 {
		return "The price crossed no band in this window."
	}
	s := fmt.Sprintf("Of %d accounts with %s USD of debt in bands that the price crossed, %d were liquidated, for %s USD",
		t.Accounts, grouped(t.DebtUSD), t.Outcome.Liquidated.Accounts, grouped(t.Executed.DebtUSD))
	if f := r.Overstated.Factor; f != nil {
		return s + fmt.Sprintf(": static bands overstated %s times.", f)
	}
	return s + ": static bands overstated without bound."
}

func bandTable(w io.Writer, r *backtest.BandReport) error {
	fmt.Fprintf(w, "%s\n%s\n\n", headline(r), caution)
	fmt.Fprintf(w, "%s on %s (%s), bands of %s, scored to %s\n", r.Axis, r.Reference, r.History, r.Snapshot, r.To)
	fmt.Fprintf(w, "spot %s, oracle %s; the oracle's lowest %s at %s, highest %s at %s\n", r.Spot.StringFixed(2), r.OraclePrice.StringFixed(2),
		r.Lowest.StringFixed(2), r.LowestAt, r.Highest.StringFixed(2), r.HighestAt)
	fmt.Fprintf(w, "%d accounts; left out: %d with inconsistent books, %d dust; liquidatable at the snapshot already: %d\n\n", r.Accounts,
		r.LeftOut.Inconsistent, r.LeftOut.Dust, r.LiquidatableAtSnapshot)
	c := newColumns(w)
	c.row("band", "crossed", "accounts", "debt", "at risk", "seizable", "liquidated", "saved", "late", "not reached", "untouched", "executed")
	for i := range r.Bands {
		b := &r.Bands[i]
		if b.Accounts > 0 || b.Crossed != "no" {
			c.row(bandRow(bandName(b), b.Crossed, &b.Score)...)
		}
	}
	c.row(bandRow("crossed fully", "", &r.TotalsCrossed)...)
	if err := c.w.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	fmt.Fprintf(w, "\nexecuted in the window: %d liquidations of %s USD of debt; of accounts in no band: opened later %d, dust %d, inconsistent %d, never seen %d\n",
		r.Executed.Liquidations, grouped(r.Executed.DebtUSD), r.Outside.OpenedLater.Liquidations, r.Outside.Dust.Liquidations,
		r.Outside.Inconsistent.Liquidations, r.Outside.Unseen.Liquidations)
	if e := r.TriggerError; e.N > 0 {
		fmt.Fprintf(w, "error of our trigger at the moment of %d liquidations: median %s, p95 %s, worst %s\n", e.N, e.Median, e.P95, e.Max)
	}
	if g := r.WithoutGlitches; g != nil {
		fmt.Fprintf(w, "without the glitches in the prices: %s\n", headline(g))
	}
	writeNotes(w, r.NoteList)
	return nil
}

func bandName(b *backtest.BandScore) string {
	at := func(d *decimal.Decimal) string {
		if d == nil {
			return "..."
		}
		return d.Round(2).String()
	}
	return at(b.From) + " - " + at(b.To)
}

func bandRow(name, crossed string, s *backtest.Score) []string {
	count := func(c backtest.Count) string {
		if c.Accounts == 0 {
			return "0"
		}
		return fmt.Sprintf("%d (%s)", c.Accounts, grouped(c.DebtUSD))
	}
	o := s.Outcome
	return []string{name, crossed, fmt.Sprint(s.Accounts), grouped(s.DebtUSD), grouped(s.AtRiskUSD), grouped(s.SeizableUSD),
		count(o.Liquidated), count(o.Saved), count(o.Late), count(o.NotReached), count(o.Untouched), grouped(s.Executed.DebtUSD)}
}
