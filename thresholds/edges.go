package thresholds

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// maxEdges is how many bands a map may have: more is not read by anybody, and is
// usually a step mistyped.
const maxEdges = 1000

// ParseLevels reads a comma-separated list of prices such as "2200,2400".
func ParseLevels(s string) ([]decimal.Decimal, error) {
	var out []decimal.Decimal
	for part := range strings.SplitSeq(s, ",") {
		d, err := parseNumber(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("level %q: %w", part, err)
		}
		if d.Sign() <= 0 {
			return nil, fmt.Errorf("level %q: %w: not positive", part, ErrPrice)
		}
		out = append(out, d)
	}
	return out, nil
}

// StepEdges are the multiples of step from below to above inclusive. An error
// when they would be more than 1000.
func StepEdges(step, below, above decimal.Decimal) ([]decimal.Decimal, error) {
	if step.Sign() <= 0 {
		return nil, fmt.Errorf("step %s: %w: not positive", step, ErrPrice)
	}
	if above.Sub(below).GreaterThan(step.Mul(decimal.NewFromInt(maxEdges))) {
		return nil, fmt.Errorf("step %s from %s to %s: more than %d bands, take a larger step", step, below, above, maxEdges)
	}
	first := below.Div(step).Ceil()
	if first.Sign() <= 0 {
		first = decimal.NewFromInt(1)
	}
	var out []decimal.Decimal
	for p := first.Mul(step); !p.GreaterThan(above); p = p.Add(step) {
		out = append(out, p)
	}
	return out, nil
}

// StepEdges are the multiples of step from half of spot to one and a half of it,
// where a map is usually looked at; all that lies beyond is in the outer bands.
func (l *Ladder) StepEdges(step decimal.Decimal) ([]decimal.Decimal, error) {
	half := l.spot.Div(decimal.NewFromInt(2))
	return StepEdges(step, half, l.spot.Add(half))
}

// splitEdges sorts edges into those below and those above spot, each from spot
// outward, duplicates and spot itself left out.
func splitEdges(edges []decimal.Decimal, spot decimal.Decimal) (below, above []decimal.Decimal, err error) {
	if len(edges) > maxEdges {
		return nil, nil, fmt.Errorf("%d edges: at most %d", len(edges), maxEdges)
	}
	for _, e := range edges {
		switch {
		case e.Sign() <= 0:
			return nil, nil, fmt.Errorf("edge %s: %w: not positive", e, ErrPrice)
		case e.LessThan(spot):
			below = append(below, e)
		case e.GreaterThan(spot):
			above = append(above, e)
		}
	}
	slices.SortFunc(below, func(a, b decimal.Decimal) int { return b.Cmp(a) })
	slices.SortFunc(above, decimal.Decimal.Cmp)
	same := func(a, b decimal.Decimal) bool { return a.Equal(b) }
	return slices.CompactFunc(below, same), slices.CompactFunc(above, same), nil
}
