package web

import (
	"fmt"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

// ladderPicture is the ladder as it is drawn: prices upward in pixels, amounts to
// the right in percent, so that it fits every width without its text shrinking.
type ladderPicture struct {
	Height int
	Bars   []bar
	Prices []mark // at the left
	Sums   []mark // along the top
	Lines  []line
	Legend []legendEntry
	Empty  bool
}

type bar struct {
	Y, H     string
	Row      string // id of the band's row
	Label    string
	Side     string
	Segments []segment
}

type segment struct{ X, W, Class string }

type mark struct{ At, Text string }

type line struct{ At, TextAt, Class, Text string }

type legendEntry struct{ Class, Text string }

const (
	ladderHeight = 620
	widest       = 94 // percent of the width that the largest bar takes
	mostSeries   = 7
)

// drawing turns prices and amounts into places.
type drawing struct {
	low, high float64
	log       bool
	most      float64
}

func (d drawing) y(price float64) float64 {
	at, low, high := price, d.low, d.high
	if d.log {
		at, low, high = math.Log(at), math.Log(low), math.Log(high)
	}
	return ladderHeight * (1 - (at-low)/(high-low))
}

func pixels(y float64) string { return fmt.Sprintf("%.1f", y) }

func (d drawing) width(usd float64) float64 {
	if d.most == 0 {
		return 0
	}
	return usd / d.most * widest
}

// draw makes the picture of a view.
func (s *Server) draw(v *view, q query) ladderPicture {
	bands := shownBands(v.cut, s.levels(v.cut.Axis))
	p := ladderPicture{Height: ladderHeight}
	if len(bands) == 0 {
		p.Empty = true
		return p
	}
	d := drawing{log: q.Scale == "log"}
	d.low, d.high = bands[0].From.InexactFloat64(), bands[0].To.InexactFloat64()
	for _, b := range bands {
		d.low, d.high = min(d.low, b.From.InexactFloat64()), max(d.high, b.To.InexactFloat64())
	}
	sums := map[string]thresholds.Totals{}
	if q.Cumulative {
		m, err := v.whole()
		if err != nil {
			return ladderPicture{Empty: true}
		}
		sums = edgeSums(m)
	}
	for _, b := range bands {
		d.most = max(d.most, bandAmount(b, sums, q).InexactFloat64())
	}
	series := seriesOf(bands, q)
	for _, b := range bands {
		p.Bars = append(p.Bars, d.bar(b, sums, series, q))
	}
	for i, name := range series {
		p.Legend = append(p.Legend, legendEntry{fmt.Sprintf("s%d", i), name})
	}
	p.Prices, p.Sums = d.prices(), d.sums()
	p.Lines = s.lines(v, d)
	return p
}

// shownBands are those with both ends, without the empty ones far from spot.
func shownBands(m *thresholds.Map, levels []decimal.Decimal) []thresholds.Band {
	low, high := m.Spot.Mul(decimal.RequireFromString("0.88")), m.Spot.Mul(decimal.RequireFromString("1.08"))
	for _, b := range m.Bands {
		if b.From == nil || b.To == nil {
			continue
		}
		if b.AtTrigger.Accounts > 0 {
			low, high = decimal.Min(low, *b.From), decimal.Max(high, *b.To)
		}
	}
	for _, l := range levels {
		if thresholds.Distance(l, m.Spot).LessThan(within) {
			low, high = decimal.Min(low, l), decimal.Max(high, l)
		}
	}
	var out []thresholds.Band
	for _, b := range m.Bands {
		if b.From != nil && b.To != nil && b.To.GreaterThan(low) && b.From.LessThan(high) {
			out = append(out, b)
		}
	}
	return out
}

// edgeSums are the totals at every edge, by its price.
func edgeSums(m *thresholds.Map) map[string]thresholds.Totals {
	out := map[string]thresholds.Totals{}
	for _, e := range slices.Concat(m.Down, m.Up) {
		out[e.Price.String()] = e.Totals
	}
	return out
}

// outer is the edge of a band that the price reaches last.
func outer(b thresholds.Band) *decimal.Decimal {
	if b.Direction == "down" {
		return b.From
	}
	return b.To
}

func measured(t thresholds.Totals, measure string) decimal.Decimal {
	switch measure {
	case "seizable":
		return t.SeizableUSD
	case "debt":
		return t.DebtUSD
	}
	return t.AtRiskUSD
}

// bandAmount is how long a band's bar is: what comes due within it or, cumulative,
// all that is liquidatable at its far edge.
func bandAmount(b thresholds.Band, sums map[string]thresholds.Totals, q query) decimal.Decimal {
	if q.Cumulative {
		return measured(sums[outer(b).String()], q.Measure)
	}
	return measured(b.AtTrigger, q.Measure)
}

// parts of a band by market or collateral.
func bandParts(b thresholds.Band, q query) map[string]decimal.Decimal {
	out := map[string]decimal.Decimal{}
	if q.Stack == "collateral" {
		for _, a := range b.ByAsset {
			out[printable(a.Symbol)] = out[printable(a.Symbol)].Add(a.AtRiskUSD)
		}
		return out
	}
	for _, m := range b.ByMarket {
		out[m.Market] = measured(m.Totals, q.Measure)
	}
	return out
}

const restOfAll = "all others"

// seriesOf are the largest markets or collaterals, and the rest as one.
func seriesOf(bands []thresholds.Band, q query) []string {
	if q.Cumulative {
		return nil
	}
	sums := map[string]decimal.Decimal{}
	for _, b := range bands {
		for name, usd := range bandParts(b, q) {
			sums[name] = sums[name].Add(usd)
		}
	}
	var names []string
	for n := range sums {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		if c := sums[b].Cmp(sums[a]); c != 0 {
			return c
		}
		return slices.Compare([]byte(a), []byte(b))
	})
	if len(names) > mostSeries {
		names = append(names[:mostSeries:mostSeries], restOfAll)
	}
	return names
}

func (d drawing) bar(b thresholds.Band, sums map[string]thresholds.Totals, series []string, q query) bar {
	top, bottom := d.y(b.To.InexactFloat64()), d.y(b.From.InexactFloat64())
	amount := bandAmount(b, sums, q)
	out := bar{
		Y: pixels(top + 0.5), H: pixels(max(1, bottom-top-1)), Row: rowID(b), Side: b.Direction,
		Label: fmt.Sprintf("%s to %s: %s, %d accounts", priceText(*b.From), priceText(*b.To), money(amount), b.AtTrigger.Accounts),
	}
	if q.Cumulative {
		out.Segments = []segment{{"0%", fmt.Sprintf("%.2f%%", d.width(amount.InexactFloat64())), "sum"}}
		return out
	}
	parts, x := bandParts(b, q), 0.0
	for i, name := range series {
		usd := parts[name]
		if name == restOfAll {
			usd = decimal.Zero
			for other, more := range parts {
				if !slices.Contains(series, other) {
					usd = usd.Add(more)
				}
			}
		}
		if w := d.width(usd.InexactFloat64()); w > 0 {
			out.Segments = append(out.Segments, segment{fmt.Sprintf("%.2f%%", x), fmt.Sprintf("%.2f%%", w), fmt.Sprintf("s%d", i)})
			x += w
		}
	}
	return out
}

// rowID names a band by its edges, so that it is the same after the next update.
func rowID(b thresholds.Band) string { return "band-" + edgeText(b.From) + "-" + edgeText(b.To) }

// prices are round prices along the left.
func (d drawing) prices() []mark {
	var out []mark
	for _, p := range roundNumbers(d.low, d.high, 10) {
		out = append(out, mark{pixels(d.y(p)), priceText(decimal.NewFromFloat(p))})
	}
	return out
}

// sums are round amounts along the top.
func (d drawing) sums() []mark {
	var out []mark
	for _, v := range roundNumbers(0, d.most, 4) {
		if v > 0 {
			out = append(out, mark{fmt.Sprintf("%.2f%%", d.width(v)), money(decimal.NewFromFloat(v))})
		}
	}
	return out
}

// roundNumbers are about n multiples of 1, 2 or 5 with zeros from low to high.
func roundNumbers(low, high float64, n int) []float64 {
	if high <= low {
		return nil
	}
	raw := (high - low) / float64(n)
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, k := range []float64{1, 2, 5, 10} {
		if step*k >= raw {
			step *= k
			break
		}
	}
	var out []float64
	for v := math.Ceil(low/step) * step; v <= high*(1+1e-12); v += step {
		out = append(out, v)
	}
	return out
}

// lines are the prices of now and the levels of rules.
func (s *Server) lines(v *view, d drawing) []line {
	var out []line
	add := func(price decimal.Decimal, class, text string) {
		if f := price.InexactFloat64(); f > d.low && f < d.high {
			y := d.y(f)
			at := y - 4
			if class == "spot" {
				at = y + 13
			}
			out = append(out, line{pixels(y), pixels(at), class, text})
		}
	}
	for _, l := range s.levels(v.cut.Axis) {
		add(l, "level", "level "+priceText(l))
	}
	if p, ok := spotOf(s.views.snapshot(), v.cut.Axis); ok {
		add(p.Price, "spot", "market "+priceText(p.Price))
	}
	add(v.cut.Spot, "oracle", "oracle "+priceText(v.cut.Spot))
	return out
}
