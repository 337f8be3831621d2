package report

import (
	"fmt"
	"html/template"
	"io"

	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/notes"
)

// page is one self-contained HTML file: styles and charts inside, nothing fetched.
type page struct {
	Title, Headline, Caution string
	Facts                    []string
	Charts                   []chart
	Tables                   []grid
	Notes                    []notes.Note
}

// chart is a drawing with its caption.
type chart struct {
	Title, Caption string
	SVG            template.HTML
}

// grid is a table.
type grid struct {
	Title string
	Head  []string
	Rows  [][]string
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{{.Title}}</title>
<style>
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d7dde5;--paper:#fff;--panel:#f6f8fa;--liquidated:#c2352b;--saved:#2b7a4b;--late:#c98a12;--not:#9aa5b1;--untouched:#6b2fa0;--price:#1f5fa8}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#9fabba;--line:#333d4a;--paper:#12171d;--panel:#1a2129;--price:#6aa9ef;--saved:#4fb37a;--liquidated:#ef6a5f;--late:#e3aa3f}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
main{max-width:1080px;margin:0 auto;padding:1.2rem 1rem 3rem}h1{font-size:1.25rem;margin:.2rem 0;font-weight:600}h2{font-size:1.05rem;margin:2rem 0 .4rem}
.headline{font-size:1.3rem;line-height:1.35;font-weight:600;margin:.6rem 0}.caution{border-left:4px solid var(--late);padding:.3rem .8rem;background:var(--panel);margin:.8rem 0}
.facts{color:var(--soft);margin:.2rem 0;padding-left:1.2rem}figure{margin:.4rem 0 1.2rem}.draw{overflow-x:auto}figcaption{color:var(--soft);font-size:.9rem}
svg{width:100%;height:auto;display:block;background:var(--panel);border-radius:6px}.wrap{overflow-x:auto;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:.86rem;font-variant-numeric:tabular-nums;white-space:nowrap}th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--paper)}thead th{background:var(--panel);font-weight:600}details{margin:.3rem 0}
ul.notes{padding-left:1.2rem;font-size:.9rem;overflow-wrap:anywhere}svg text{fill:var(--soft);font:12px system-ui,sans-serif;paint-order:stroke;stroke:var(--panel);stroke-width:3px}svg .axis{stroke:var(--line)}svg .strong{fill:var(--ink)}
@media(max-width:600px){.headline{font-size:1.1rem}svg{min-width:560px}svg text{font-size:17px}main{padding:.8rem .7rem 2rem}}
</style></head><body><main>
<h1>{{.Title}}</h1>
<p class="headline">{{.Headline}}</p>
{{with .Caution}}<p class="caution">{{.}}</p>{{end}}
<ul class="facts">{{range .Facts}}<li>{{.}}</li>{{end}}</ul>
{{range .Charts}}<h2>{{.Title}}</h2><figure><div class="draw">{{.SVG}}</div><figcaption>{{.Caption}}</figcaption></figure>{{end}}
{{range .Tables}}<h2>{{.Title}}</h2><div class="wrap"><table><thead><tr>{{range .Head}}<th>{{.}}</th>{{end}}</tr></thead><tbody>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</tbody></table></div>{{end}}
{{if .Notes}}<h2>About the data</h2><ul class="notes">{{range .Notes}}<li>{{.}}</li>{{end}}</ul>{{end}}
</main></body></html>
`))

func (p *page) write(w io.Writer) error {
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func bandPage(w io.Writer, r *backtest.BandReport) error {
	p := &page{Title: "Bands of " + r.Axis + " at " + r.Snapshot.String(), Headline: headline(r), Caution: caution, Notes: r.NoteList}
	p.Facts = []string{
		fmt.Sprintf("%s on %s (%s), scored until %s", r.Axis, r.Reference, r.History, r.To),
		fmt.Sprintf("spot %s, oracle %s; the oracle's lowest was %s at %s", r.Spot.StringFixed(2), r.OraclePrice.StringFixed(2), r.Lowest.StringFixed(2), r.LowestAt),
		fmt.Sprintf("%d accounts; left out: %d with inconsistent books, %d dust", r.Accounts, r.LeftOut.Inconsistent, r.LeftOut.Dust),
	}
	if e := r.TriggerError; e.N > 0 {
		p.Facts = append(p.Facts, fmt.Sprintf("error of our trigger at %d liquidations: median %s, p95 %s, worst %s", e.N, e.Median, e.P95, e.Max))
	}
	if g := r.WithoutGlitches; g != nil {
		p.Facts = append(p.Facts, "without the glitches in the prices: "+headline(g))
	}
	p.Charts = []chart{
		{"Price, bands and liquidations", "The oracle's price; bands shaded by the debt in them at the snapshot; a circle for every account liquidated, its area the debt.", drawPrice(r)},
		{"Predicted against realised, band by band", "Wide bar: debt in the band at the snapshot, by what became of it. Thin bar: debt really liquidated.", drawOutcomes(r)},
	}
	g := grid{Title: "Bands", Head: []string{"band", "crossed", "accounts", "debt", "at risk", "seizable", "liquidated", "saved", "late", "not reached", "untouched", "executed"}}
	for i := range r.Bands {
		if b := &r.Bands[i]; b.Accounts > 0 || b.Crossed != "no" {
			g.Rows = append(g.Rows, bandRow(bandName(b), b.Crossed, &b.Score))
		}
	}
	g.Rows = append(g.Rows, bandRow("crossed fully", "", &r.TotalsCrossed))
	a := grid{Title: "Accounts in crossed bands", Head: []string{"position", "trigger", "debt", "outcome", "explanation", "trigger at liquidation", "oracle then"}}
	for _, x := range r.PerAccount {
		if r.Bands[x.Band].Crossed != "no" {
			a.Rows = append(a.Rows, []string{x.Position, x.Trigger.StringFixed(2), grouped(x.DebtUSD), x.Outcome, x.Explanation, number(x.TriggerAtLiquidation), number(x.PriceAtLiquidation)})
		}
	}
	p.Tables = []grid{g, a}
	return p.write(w)
}

func rulePage(w io.Writer, r *backtest.RuleReport) error {
	p := &page{Title: "Alert rules on " + r.Axis, Notes: r.NoteList,
		Headline: fmt.Sprintf("%d accounts were liquidated, for %s USD.", r.Incidents, grouped(r.DebtUSD))}
	p.Facts = []string{fmt.Sprintf("%s to %s, %d looks, %s on %s (%s)", r.From, r.To, r.Looks, r.Policy, r.Reference, r.History)}
	for i := range r.Rules {
		s := &r.Rules[i]
		p.Headline += fmt.Sprintf(" Rule %s sent %d alerts in %d episodes and announced %d of them (%s), %s ahead in the median.",
			s.Rule, s.Alerts, s.Episodes, s.Announced, percent(s.Recall), lead(s.Lead.Median))
		g := grid{Title: "Rule " + s.Rule, Head: []string{"level", "episodes", "alerts", "per episode", "re-armed", "precision", "liquidations", "announced", "recall", "lead median", "p10", "p1"}}
		for _, l := range s.Levels {
			g.Rows = append(g.Rows, figuresRow(l.Level.String()+" "+l.Side, l.Figures))
		}
		g.Rows = append(g.Rows, figuresRow("all", s.Figures))
		p.Tables = append(p.Tables, g)
		if len(s.NoWarning) > 0 {
			m := grid{Title: "Arrived with no warning", Head: []string{"time", "position", "debt", "trigger"}}
			for _, x := range s.NoWarning {
				m.Rows = append(m.Rows, []string{x.Time.String(), x.Position, grouped(x.DebtUSD), number(x.Trigger)})
			}
			p.Tables = append(p.Tables, m)
		}
	}
	if s := r.Sweep; s != nil {
		p.Charts = drawSweep(s)
		if rec := s.Recommended; rec != nil {
			p.Facts = append(p.Facts, fmt.Sprintf("recommended on the train part: approach %s, rearm %s, %s: %s", percents(rec.Approach), rec.Rearm.Shift(2).String()+"%", rec.Policy, rec.Why))
		}
		p.Facts = append(p.Facts, "train "+s.Train+", test "+s.Test)
		p.Tables = append(p.Tables, sweepGrid(s))
	}
	return p.write(w)
}

func sweepGrid(s *backtest.Sweep) grid {
	g := grid{Title: "Sweep", Head: []string{"policy", "approach", "rearm", "alerts", "per journey", "recall", "precision", "lead", "p10", "test alerts", "per journey", "recall", "precision", "lead", "p10"}}
	for _, x := range s.Points {
		row := []string{x.Policy.String(), x.Approach.Shift(2).String() + "%", x.Rearm.Shift(2).String() + "%"}
		for _, f := range []backtest.SweepFigures{x.Train, x.Test} {
			row = append(row, fmt.Sprint(f.Alerts), number(f.AlertsPerJourney), percent(f.Recall), percent(f.Precision), lead(f.Lead.Median), lead(f.Lead.P10))
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

func pathPage(w io.Writer, r *backtest.PathReport) error {
	p := &page{Title: "Path " + r.Path + " on " + r.Axis, Headline: pathHeadline(r), Facts: r.Assumptions, Notes: r.NoteList,
		Caution: "A simulation: nobody adds collateral or repays. Owners do, so it overstates."}
	p.Charts = []chart{{"Hour by hour", "The price, and the debt repaid in liquidations at each tick.", drawPath(r)}}
	g := grid{Title: "Liquidations", Head: []string{"time", "price", "accounts", "liquidations", "repaid", "seized", "bad debt"}}
	for _, h := range r.Hours {
		if h.Liquidations > 0 {
			g.Rows = append(g.Rows, []string{h.Time.String(), h.Price.StringFixed(2), fmt.Sprint(h.Accounts), fmt.Sprint(h.Liquidations), grouped(h.RepaidUSD), grouped(h.SeizedUSD), grouped(h.BadDebtUSD)})
		}
	}
	p.Tables = []grid{g}
	return p.write(w)
}
