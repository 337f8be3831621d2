package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
	"time"

	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/inexact"
)

// The size of every drawing, in its own units; the page scales it.
const (
	width, height            = 960.0, 420.0
	left, right, top, bottom = 76.0, 18.0, 18.0, 40.0
)

// canvas draws in data coordinates.
type canvas struct {
	b                      strings.Builder
	x0, x1, y0, y1, height float64
}

func newCanvas(x0, x1, y0, y1 float64) *canvas {
	if x1 <= x0 {
		x1 = x0 + 1
	}
	if y1 <= y0 {
		y1 = y0 + 1
	}
	return &canvas{x0: x0, x1: x1, y0: y0, y1: y1, height: height}
}

func (c *canvas) x(v float64) float64 { return left + (v-c.x0)/(c.x1-c.x0)*(width-left-right) }
func (c *canvas) y(v float64) float64 {
	return c.height - bottom - (v-c.y0)/(c.y1-c.y0)*(c.height-top-bottom)
}

func (c *canvas) add(format string, a ...any) { fmt.Fprintf(&c.b, format+"\n", a...) }

func (c *canvas) text(x, y float64, anchor, class, s string) {
	c.add(`<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`, x, y, anchor, class, html.EscapeString(s))
}

func (c *canvas) svg(label string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">%s</svg>`, width, c.height, html.EscapeString(label), c.b.String())) //nolint:gosec // every text in it is escaped
}

// scaleY draws the vertical axis.
func (c *canvas) scaleY(name func(float64) string) {
	step := nice((c.y1 - c.y0) / 6)
	for v := math.Ceil(c.y0/step) * step; v <= c.y1+step/1e6; v += step {
		c.add(`<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, left, width-right, c.y(v), c.y(v))
		c.text(left-8, c.y(v)+4, "end", "", name(v))
	}
}

// times draws the horizontal axis of times, at a step that leaves room for its labels.
func (c *canvas) times() {
	step, layout := 86400.0, "2 Jan 06"
	for _, short := range []float64{60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600} {
		if (c.x1-c.x0)/short <= 9 {
			step, layout = short, "2 Jan 15:04"
			break
		}
	}
	for (c.x1-c.x0)/step > 9 {
		step *= 2
	}
	for v := math.Ceil(c.x0/step) * step; v <= c.x1; v += step {
		c.add(`<line class="axis" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, c.x(v), c.x(v), c.height-bottom, c.height-bottom+5)
		anchor := "middle"
		if c.x(v) > width-right-30 {
			anchor = "end"
		}
		c.text(c.x(v), c.height-bottom+22, anchor, "", time.Unix(int64(v), 0).UTC().Format(layout))
	}
}

func nice(step float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(math.Max(step, 1e-12))))
	for _, k := range []float64{1, 2, 2.5, 5, 10} {
		if k*p >= step {
			return k * p
		}
	}
	return 10 * p
}

// short writes money for an axis.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.3gk", v/1e3)
	}
	return fmt.Sprintf("%.3g", v)
}

func plain(v float64) string { return grouped(inexact.Decimal(v)) }

// drawPrice is the oracle's price over the bands, with the liquidations on it.
func drawPrice(r *backtest.BandReport) template.HTML {
	points := r.Prices()
	low, high := inexact.Float(r.Lowest), inexact.Float(r.Highest)
	pad := (high - low) * 0.08
	c := newCanvas(float64(r.Snapshot), float64(r.To), low-pad, high+pad)
	most, labels := 1.0, []func(){} // labels come last, so that the price does not run through them
	for i := range r.Bands {
		most = math.Max(most, inexact.Float(r.Bands[i].DebtUSD))
	}
	for i := range r.Bands {
		b := &r.Bands[i]
		from, to := c.y0, c.y1
		if b.From != nil {
			from = math.Max(from, inexact.Float(b.From))
		}
		if b.To != nil {
			to = math.Min(to, inexact.Float(b.To))
		}
		if to <= from || b.Accounts == 0 {
			continue
		}
		c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="var(--liquidated)" fill-opacity="%.2f"/>`, left, c.y(to), width-left-right, c.y(from)-c.y(to), 0.05+0.25*inexact.Float(b.DebtUSD)/most)
		if c.y(from)-c.y(to) > 14 {
			labels = append(labels, func() {
				c.text(width-right-6, c.y(from)-5, "end", "", fmt.Sprintf("%d accounts, %s USD", b.Accounts, short(inexact.Float(b.DebtUSD))))
			})
		}
	}
	c.scaleY(plain)
	c.times()
	var line strings.Builder
	for i, p := range points {
		if i > 0 {
			fmt.Fprintf(&line, "H%.1f", c.x(float64(p.Time)))
		}
		fmt.Fprintf(&line, "%s%.1f", map[bool]string{true: fmt.Sprintf("M%.1f ", c.x(float64(p.Time))), false: "V"}[i == 0], c.y(inexact.Float(p.Price)))
	}
	c.add(`<path d="%sH%.1f" fill="none" stroke="var(--price)" stroke-width="2"/>`, line.String(), c.x(c.x1))
	for _, a := range r.PerAccount {
		if a.Outcome != backtest.Liquidated || a.PriceAtLiquidation == nil {
			continue
		}
		radius := 3 + 15*math.Sqrt(inexact.Float(a.LiquidatedDebtUSD)/most)
		c.add(`<circle cx="%.1f" cy="%.1f" r="%.1f" fill="var(--liquidated)" fill-opacity="0.45" stroke="var(--liquidated)"><title>%s: %s USD</title></circle>`,
			c.x(float64(a.LiquidatedAt)), c.y(inexact.Float(a.PriceAtLiquidation)), radius, html.EscapeString(a.Position), grouped(a.LiquidatedDebtUSD))
	}
	for _, label := range labels {
		label()
	}
	return c.svg("oracle price with bands and liquidations")
}

// drawOutcomes is a bar for every crossed band: what became of its debt, beside what
// was really liquidated.
func drawOutcomes(r *backtest.BandReport) template.HTML {
	var bands []*backtest.BandScore
	most := 1.0
	for i := range r.Bands {
		if b := &r.Bands[i]; b.Accounts > 0 && b.Crossed != "no" {
			bands = append(bands, b)
			most = math.Max(most, inexact.Float(b.DebtUSD))
		}
	}
	c := newCanvas(0, most*1.05, 0, 1)
	const row = 40.0
	c.height = top + row*float64(max(len(bands), 1)) + 70
	wide := func(v float64) float64 { return v / c.x1 * (width - 2*left - right - 60) }
	for i, b := range bands {
		y := top + row*float64(i)
		c.text(left*2-10, y+16, "end", "strong", bandName(b))
		x := left * 2
		o := b.Outcome
		for _, part := range []struct {
			color string
			count backtest.Count
		}{{"liquidated", o.Liquidated}, {"late", o.Late}, {"saved", o.Saved}, {"not", o.NotReached}, {"untouched", o.Untouched}} {
			w := wide(inexact.Float(part.count.DebtUSD))
			c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="18" fill="var(--%s)"><title>%d accounts, %s USD</title></rect>`, x, y+2, w, part.color, part.count.Accounts, grouped(part.count.DebtUSD))
			x += w
		}
		c.text(x+6, y+16, "start", "", short(inexact.Float(b.DebtUSD)))
		c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="6" fill="var(--ink)"><title>executed: %s USD</title></rect>`, left*2, y+23, wide(inexact.Float(b.Executed.DebtUSD)), grouped(b.Executed.DebtUSD))
	}
	y, x := c.height-34, left*2
	for _, k := range []struct{ color, name string }{{"liquidated", "liquidated"}, {"late", "late"}, {"saved", "saved"}, {"not", "not reached"}, {"untouched", "untouched"}, {"ink", "really liquidated"}} {
		c.add(`<rect x="%.1f" y="%.1f" width="12" height="12" fill="var(--%s)"/>`, x, y, k.color)
		c.text(x+17, y+11, "start", "", k.name)
		x += 45 + 8*float64(len(k.name))
	}
	return c.svg("debt of each crossed band by outcome")
}

// drawPath is the price of a path and the debt repaid along it.
func drawPath(r *backtest.PathReport) template.HTML {
	low, high, most := inexact.Float(r.Lowest), inexact.Float(r.Spot), 1.0
	for _, h := range r.Hours {
		high = math.Max(high, inexact.Float(h.Price))
		most = math.Max(most, inexact.Float(h.RepaidUSD))
	}
	c := newCanvas(float64(r.From), float64(r.To), low*0.97, high*1.02)
	c.scaleY(plain)
	c.times()
	var line strings.Builder
	for i, h := range r.Hours {
		fmt.Fprintf(&line, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0], c.x(float64(h.Time)), c.y(inexact.Float(h.Price)))
		if tall := inexact.Float(h.RepaidUSD) / most * (c.height - top - bottom) * 0.5; tall > 0 {
			c.add(`<rect x="%.1f" y="%.1f" width="4" height="%.1f" fill="var(--liquidated)" fill-opacity="0.7"><title>%s: %s USD</title></rect>`, c.x(float64(h.Time))-2, c.height-bottom-tall, tall, h.Time, grouped(h.RepaidUSD))
		}
	}
	c.add(`<path d="%s" fill="none" stroke="var(--price)" stroke-width="2"/>`, line.String())
	c.text(width-right-6, top+14, "end", "strong", "tallest bar: "+short(most)+" USD repaid")
	return c.svg("price of the path and debt repaid")
}
