package web

import (
	"cmp"
	"math"
	"slices"

	"github.com/shopspring/decimal"
)

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
	values := roundNumbers(0, d.most, 4)
	if d.logSums {
		values = nil
		for v := math.Pow(10, math.Ceil(math.Log10(d.most*faintest))); v <= d.most && d.most > 0; v *= 10 {
			values = append(values, v)
		}
	}
	for _, v := range values {
		if x := d.width(v); x > 3 {
			out = append(out, mark{percent(x), money(decimal.NewFromFloat(v))})
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

// lines are the prices of now and the levels of rules, from the top.
func (s *Server) lines(v *view, d drawing) []line {
	type placed struct {
		y float64
		line
	}
	var all []placed
	add := func(price decimal.Decimal, class, text string) {
		if f := price.InexactFloat64(); f >= d.low && f <= d.high {
			all = append(all, placed{d.y(f), line{pixels(d.y(f)), "", class, text + " " + priceText(price)}})
		}
	}
	for _, l := range s.levels(v.cut.Axis) {
		add(l, "level", "level")
	}
	if p, ok := spotOf(s.views.snapshot(), v.cut.Axis); ok {
		add(brief(p.Price), "spot", "market")
	}
	add(brief(v.cut.Spot), "oracle", "oracle")
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.y, b.y) })
	at := make([]float64, len(all))
	for i := range all {
		at[i] = all[i].y
	}
	out := make([]line, len(all))
	for i, y := range apart(at, textHeight, ladderHeight) {
		out[i] = all[i].line
		out[i].TextAt = pixels(y)
	}
	return out
}

// brief is a price in four digits, or whole: the line is where it is, and the exact price
// stands above the ladder.
func brief(p decimal.Decimal) decimal.Decimal {
	digits := int32(p.NumDigits()) + p.Exponent()
	return p.Round(max(0, 4-digits))
}

// apart moves places, which are in order, so that neighbours are a distance apart
// and none is outside; as little as that takes.
func apart(at []float64, distance, height float64) []float64 {
	out := slices.Clone(at)
	for i := range out {
		out[i] = max(out[i], distance/2)
		if i > 0 {
			out[i] = max(out[i], out[i-1]+distance)
		}
	}
	limit := height - distance/2
	for i := len(out) - 1; i >= 0; i-- {
		if out[i] > limit {
			out[i] = limit
		}
		limit = out[i] - distance
	}
	return out
}
