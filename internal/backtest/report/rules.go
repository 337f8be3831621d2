package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest"
)

func ruleTable(w io.Writer, r *backtest.RuleReport) error {
	fmt.Fprintf(w, "%s on %s (%s), %s to %s, %d looks, %s\n", r.Axis, r.Reference, r.History, r.From, r.To, r.Looks, r.Policy)
	fmt.Fprintf(w, "%d accounts liquidated in %d executions, %s USD of debt; an alert is right when %s USD follow in its band within %s\n",
		r.Incidents, r.Executions, grouped(r.DebtUSD), grouped(r.MinLiquidatedUSD), time.Duration(r.HorizonSeconds)*time.Second)
	for i := range r.Rules {
		s := &r.Rules[i]
		fmt.Fprintf(w, "\nrule %s: approach %s, rearm %s\n", s.Rule, percents(s.Approach), percents([]decimal.Decimal{s.Rearm}))
		c := newColumns(w)
		c.row("level", "episodes", "alerts", "per episode", "re-armed", "precision", "liquidations", "announced", "recall", "lead median", "p10", "p1")
		for _, l := range s.Levels {
			c.row(figuresRow(l.Level.String()+" "+l.Side, l.Figures)...)
		}
		c.row(figuresRow("all", s.Figures)...)
		if err := c.w.Flush(); err != nil {
			return fmt.Errorf("write the table: %w", err)
		}
		fmt.Fprintf(w, "\narrived with no warning: %d\n", len(s.NoWarning))
		for _, m := range s.NoWarning {
			fmt.Fprintf(w, "  %s %s: %s USD of debt, trigger %s\n", m.Time, m.Position, grouped(m.DebtUSD), number(m.Trigger))
		}
	}
	if r.Sweep != nil {
		sweepTable(w, r.Sweep)
	}
	writeNotes(w, r.NoteList)
	return nil
}

func figuresRow(name string, f backtest.Figures) []string {
	return []string{name, fmt.Sprint(f.Episodes), fmt.Sprint(f.Alerts), number(f.AlertsPerEpisode), fmt.Sprint(f.Rearmed), percent(f.Precision),
		fmt.Sprint(f.Incidents), fmt.Sprint(f.Announced), percent(f.Recall), lead(f.Lead.Median), lead(f.Lead.P10), lead(f.Lead.P1)}
}

func sweepTable(w io.Writer, s *backtest.Sweep) {
	fmt.Fprintf(w, "\nsweep over %d levels; train %s, test %s\n", s.Levels, s.Train, s.Test)
	c := newColumns(w)
	c.row("policy", "approach", "rearm", "alerts", "per journey", "recall", "precision", "lead", "| test: alerts", "per journey", "recall", "precision", "lead")
	for _, p := range s.Points {
		c.row(p.Policy.String(), p.Approach.Shift(2).String()+"%", p.Rearm.Shift(2).String()+"%",
			fmt.Sprint(p.Train.Alerts), number(p.Train.AlertsPerJourney), percent(p.Train.Recall), percent(p.Train.Precision), lead(p.Train.Lead.Median),
			fmt.Sprint(p.Test.Alerts), number(p.Test.AlertsPerJourney), percent(p.Test.Recall), percent(p.Test.Precision), lead(p.Test.Lead.Median))
	}
	_ = c.w.Flush()
	if r := s.Recommended; r != nil {
		fmt.Fprintf(w, "\nrecommended: approach %s, rearm %s, %s: %s\n", percents(r.Approach), percents([]decimal.Decimal{r.Rearm}), r.Policy, r.Why)
	}
}

func percents(list []decimal.Decimal) string {
	var out []string
	for _, d := range list {
		out = append(out, d.Shift(2).String()+"%")
	}
	return strings.Join(out, ", ")
}

func lead(seconds *int64) string {
	if seconds == nil {
		return "-"
	}
	d := time.Duration(*seconds) * time.Second
	if d >= time.Hour {
		return fmt.Sprintf("%.1fh", d.Hours())
	}
	return d.String()
}
