package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/inexact"
)

// colors of the approach distances, in their order; the page's own where they fit.
var colors = []string{"#7b8794", "#2b7a4b", "#1f8a9c", "#1f5fa8", "#6b2fa0", "#c2352b", "#c98a12", "#8a5a2b"}

// drawSweep is alerts per journey against recall and against lead time, on both
// parts: a line for each distance, a dot for each margin, the largest dot the widest.
func drawSweep(s *backtest.Sweep) []chart {
	train := func(p *backtest.SweepPoint) *backtest.SweepFigures { return &p.Train }
	test := func(p *backtest.SweepPoint) *backtest.SweepFigures { return &p.Test }
	recall := func(f *backtest.SweepFigures) (float64, bool) {
		if f.Recall == nil {
			return 0, false
		}
		return inexact.Float(f.Recall) * 100, true
	}
	hours := func(f *backtest.SweepFigures) (float64, bool) {
		if f.Lead.Median == nil {
			return 0, false
		}
		return float64(*f.Lead.Median) / 3600, true
	}
	caption := "First touch. A line for each approach distance, a dot for each re-arm margin from 0.5 % (small) to 10 % (large). Left and up is better."
	return []chart{
		{"Recall against alerts per journey, train", caption, drawPoints(s, train, recall, "recall %")},
		{"Recall against alerts per journey, test", caption, drawPoints(s, test, recall, "recall %")},
		{"Median lead time against alerts per journey, train", caption, drawPoints(s, train, hours, "hours")},
		{"Median lead time against alerts per journey, test", caption, drawPoints(s, test, hours, "hours")},
	}
}

func drawPoints(s *backtest.Sweep, of func(*backtest.SweepPoint) *backtest.SweepFigures, y func(*backtest.SweepFigures) (float64, bool), unit string) template.HTML {
	type dot struct{ x, y, r float64 }
	lines, names := map[string][]dot{}, []string{}
	xMost, yMost := 1.0, 1.0
	for i := range s.Points {
		p := &s.Points[i]
		v, ok := y(of(p))
		if p.Policy != (backtest.Policy{Confirm: 1}) || !ok || of(p).AlertsPerJourney == nil {
			continue
		}
		name := p.Approach.Shift(2).String() + "%"
		if _, seen := lines[name]; !seen {
			names = append(names, name)
		}
		d := dot{inexact.Float(of(p).AlertsPerJourney), v, 3 + 60*inexact.Float(p.Rearm)}
		lines[name] = append(lines[name], d)
		xMost, yMost = math.Max(xMost, d.x), math.Max(yMost, v)
	}
	c := newCanvas(0, xMost*1.05, 0, yMost*1.08)
	c.scaleY(func(v float64) string { return fmt.Sprintf("%.4g", v) })
	step := nice(c.x1 / 8)
	for v := 0.0; v <= c.x1; v += step {
		c.text(c.x(v), c.height-bottom+18, "middle", "", fmt.Sprintf("%.3g", v))
	}
	c.text(width-right, c.height-4, "end", "", "alerts per journey")
	c.text(left+6, top+12, "start", "strong", unit)
	for k, name := range names {
		color := colors[k%len(colors)]
		var path strings.Builder
		for i, d := range lines[name] {
			fmt.Fprintf(&path, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], c.x(d.x), c.y(d.y))
			c.add(`<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s" fill-opacity="0.75"/>`, c.x(d.x), c.y(d.y), d.r, color)
		}
		c.add(`<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, path.String(), color)
		x := left + 90 + 88*float64(k)
		c.add(`<rect x="%.1f" y="%.1f" width="12" height="12" fill="%s"/>`, x, top+2, color)
		c.text(x+17, top+12, "start", "", name)
	}
	return c.svg(unit + " against alerts per journey")
}
