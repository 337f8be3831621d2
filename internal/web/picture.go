package web

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

// ladderPicture is the ladder as it is drawn: prices upward in pixels, amounts to
// the right in percent, so that it fits every width without its text shrinking.
type ladderPicture struct {
	Height    int
	Low, High string // prices at the bottom and the top, for the line of the what-if
	Log       bool
	Bars      []bar
	Prices    []mark // at the left
	Sums      []mark // along the top
	Lines     []line
	Legend    []legendEntry
	Empty     bool
}

type bar struct {
	Y, H     string
	Row      string // id of the band's row
	Label    string
	Side     string
	Segments []segment
	Text     string // the amount beside the bar; of the longest only
	TextX    string
	TextY    string
}

type segment struct{ X, W, Class string }

type mark struct{ At, Text string }

// line is a price across the ladder. Its text stands beside it, where it is clear
// of the other texts.
type line struct{ At, TextAt, Class, Text string }

type legendEntry struct{ Class, Text string }

const (
	ladderHeight = 620
	widest       = 78 // percent of the width that the largest bar takes; its text needs the rest
	mostSeries   = 7
	mostTexts    = 8  // bars that have their amount beside them
	textHeight   = 15 // pixels that a line of text needs
	// faintest is the part of the largest amount that a logarithmic bar begins at.
	faintest = 1e-4
)

// drawing turns prices and amounts into places.
type drawing struct {
	low, high float64
	log       bool // prices
	logSums   bool
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

func percent(x float64) string { return fmt.Sprintf("%.2f%%", x) }

// width is the length of a bar. On the logarithmic scale a ten-thousandth of the
// largest is nothing.
func (d drawing) width(usd float64) float64 {
	switch {
	case d.most == 0 || usd <= 0:
		return 0
	case d.logSums:
		return max(0, 1-math.Log(usd/d.most)/math.Log(faintest)) * widest
	}
	return usd / d.most * widest
}

// draw makes the picture of a view.
func (s *Server) draw(v *view, q query) (ladderPicture, error) {
	bands := shownBands(v.cut, s.levels(v.cut.Axis))
	if len(bands) == 0 {
		return ladderPicture{Height: ladderHeight, Empty: true}, nil
	}
	d := drawing{log: q.Scale == "log", logSums: q.Amounts == "log"}
	d.low, d.high = bands[0].From.InexactFloat64(), bands[0].To.InexactFloat64()
	for _, b := range bands {
		d.low, d.high = min(d.low, b.From.InexactFloat64()), max(d.high, b.To.InexactFloat64())
	}
	lengths := lengthsOf{query: q}
	if q.Cumulative {
		m, err := s.views.whole(v)
		if err != nil {
			return ladderPicture{}, err
		}
		lengths.sums, lengths.sumParts = edgeSums(m), v.parts
	}
	for _, b := range bands {
		d.most = max(d.most, lengths.amount(b).InexactFloat64())
	}
	p := ladderPicture{
		Height: ladderHeight, Log: d.log, Low: fmt.Sprint(d.low), High: fmt.Sprint(d.high),
		Prices: d.prices(), Sums: d.sums(), Lines: s.lines(v, d),
	}
	series := lengths.series(bands)
	bands = slices.DeleteFunc(bands, func(b thresholds.Band) bool { return !lengths.amount(b).IsPositive() })
	for _, b := range bands {
		p.Bars = append(p.Bars, d.bar(b, lengths, series))
	}
	d.texts(bands, lengths, p.Bars)
	for i, name := range series {
		p.Legend = append(p.Legend, legendEntry{fmt.Sprintf("s%d", i), name})
	}
	return p, nil
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

// inner is the edge of a band that the price reaches first.
func inner(b thresholds.Band, spot decimal.Decimal) decimal.Decimal {
	edge := b.To
	if b.Direction == "up" {
		edge = b.From
	}
	if edge == nil {
		return spot
	}
	return *edge
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

// lengthsOf says how long bars are, and of what they are made.
type lengthsOf struct {
	query
	// At every edge, where bars are cumulative.
	sums     map[string]thresholds.Totals
	sumParts map[string][]thresholds.MarketTotals
}

// amount is what comes due within a band or, cumulative, all that is liquidatable
// at its far edge.
func (l lengthsOf) amount(b thresholds.Band) decimal.Decimal {
	if l.Cumulative {
		return measured(l.sums[outer(b).String()], l.Measure)
	}
	return measured(b.AtTrigger, l.Measure)
}

// parts of a band by market or collateral.
func (l lengthsOf) parts(b thresholds.Band) map[string]decimal.Decimal {
	out := map[string]decimal.Decimal{}
	switch {
	case l.Cumulative:
		for _, m := range l.sumParts[outer(b).String()] {
			out[m.Market] = measured(m.Totals, l.Measure)
		}
	case l.Stack == "collateral":
		for _, a := range b.ByAsset {
			out[printable(a.Symbol)] = out[printable(a.Symbol)].Add(a.AtRiskUSD)
		}
	default:
		for _, m := range b.ByMarket {
			out[m.Market] = measured(m.Totals, l.Measure)
		}
	}
	return out
}

const restOfAll = "all others"

// series are the largest markets or collaterals, and the rest as one.
func (l lengthsOf) series(bands []thresholds.Band) []string {
	sums := map[string]decimal.Decimal{}
	for _, b := range bands {
		for name, usd := range l.parts(b) {
			sums[name] = sums[name].Add(usd)
		}
	}
	var names []string
	for n := range sums {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(sums[b].Cmp(sums[a]), strings.Compare(a, b))
	})
	if len(names) > mostSeries {
		names = append(names[:mostSeries:mostSeries], restOfAll)
	}
	return names
}

func (d drawing) bar(b thresholds.Band, l lengthsOf, series []string) bar {
	top, bottom := d.y(b.To.InexactFloat64()), d.y(b.From.InexactFloat64())
	amount := l.amount(b)
	out := bar{
		Y: pixels(top + 0.5), H: pixels(max(1, bottom-top-1)), Row: rowID(b), Side: b.Direction,
		Label: fmt.Sprintf("%s to %s: %s %s, %s", priceText(*b.From), priceText(*b.To), money(amount), measureName(l.Measure), plural(b.AtTrigger.Accounts, "account")),
	}
	whole := d.width(amount.InexactFloat64())
	if l.Cumulative {
		out.Label = fmt.Sprintf("at %s: %s %s in all", priceText(*outer(b)), money(amount), measureName(l.Measure))
	}
	parts, x := l.parts(b), 0.0
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
		// A part is as much of the bar as it is of the amount, on either scale.
		if f := usd.InexactFloat64(); f > 0 && whole > 0 {
			w := whole * f / amount.InexactFloat64()
			out.Segments = append(out.Segments, segment{percent(x), percent(w), fmt.Sprintf("s%d", i)})
			x += w
		}
	}
	return out
}

// texts puts amounts beside the longest bars that are clear of each other.
func (d drawing) texts(bands []thresholds.Band, l lengthsOf, bars []bar) {
	order := make([]int, len(bands))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return l.amount(bands[b]).Cmp(l.amount(bands[a])) })
	var taken []float64
	for _, i := range order {
		amount := l.amount(bands[i])
		middle := (d.y(bands[i].From.InexactFloat64()) + d.y(bands[i].To.InexactFloat64())) / 2
		if len(taken) == mostTexts {
			break
		}
		if slices.ContainsFunc(taken, func(y float64) bool { return math.Abs(y-middle) < textHeight }) {
			continue
		}
		taken = append(taken, middle)
		bars[i].Text, bars[i].TextY, bars[i].TextX = money(amount), pixels(middle), percent(d.width(amount.InexactFloat64()))
	}
}

func measureName(measure string) string {
	if measure == "at_risk" {
		return "at risk"
	}
	return measure
}

// rowID names a band by its edges, so that it is the same after the next update.
func rowID(b thresholds.Band) string { return "band-" + edgeText(b.From) + "-" + edgeText(b.To) }
