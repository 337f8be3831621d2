package backtest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// Recommendation are defaults and why.
type Recommendation struct {
	Approach []decimal.Decimal `json:"approach"`
	Rearm    decimal.Decimal   `json:"rearm"`
	Policy   string            `json:"policy"`
	Why      string            `json:"why"`
	// Train and Test are the figures of the widest distance with the margin.
	Train SweepFigures `json:"train"`
	Test  SweepFigures `json:"test"`
}

// How much recall, of the best on the train part, a quieter choice may give up.
const (
	recallForApproach = 0.95
	recallForRearm    = 0.98
)

// recommend chooses on the train part alone. First touch is taken unless waiting loses
// nothing. The widest distance is the smallest whose recall, at the most generous
// margin, comes close to the best; the margin is then the one that says least per
// journey without losing recall. Two nearer distances follow the widest.
func recommend(s *Sweep, opt SweepOptions) *Recommendation {
	policy := Policy{Confirm: 1}
	points := slices.DeleteFunc(slices.Clone(s.Points), func(p SweepPoint) bool { return p.Policy != policy })
	if len(points) == 0 {
		return nil
	}
	best := 0.0
	for _, p := range points {
		best = max(best, value(p.Train.Recall))
	}
	if best == 0 {
		return nil
	}
	slices.SortStableFunc(points, func(a, b SweepPoint) int { return a.Approach.Cmp(b.Approach) })
	i := slices.IndexFunc(points, func(p SweepPoint) bool { return value(p.Train.Recall) >= best*recallForApproach })
	widest := points[i].Approach
	points = slices.DeleteFunc(points, func(p SweepPoint) bool { return !p.Approach.Equal(widest) })
	top := 0.0
	for _, p := range points {
		top = max(top, value(p.Train.Recall))
	}
	points = slices.DeleteFunc(points, func(p SweepPoint) bool { return value(p.Train.Recall) < top*recallForRearm })
	chosen := slices.MinFunc(points, func(a, b SweepPoint) int {
		return cmp.Compare(value(a.Train.AlertsPerJourney), value(b.Train.AlertsPerJourney))
	})
	r := &Recommendation{Rearm: chosen.Rearm, Policy: chosen.Policy.String(), Train: chosen.Train, Test: chosen.Test}
	for _, part := range []string{"1", "0.4", "0.1"} {
		r.Approach = append(r.Approach, widest.Mul(decimal.RequireFromString(part)).Round(4))
	}
	r.Why = fmt.Sprintf("best recall on the train part is %.0f %%; %s is the smallest distance within %.0f %% of it, and of its margins %s says least per journey without losing %.0f %% of its recall",
		best*100, percentOf(widest), (1-recallForApproach)*100, percentOf(chosen.Rearm), (1-recallForRearm)*100)
	return r
}

func value(d *decimal.Decimal) float64 {
	if d == nil {
		return 0
	}
	return d.InexactFloat64()
}

func percentOf(d decimal.Decimal) string { return d.Shift(2).String() + " %" }
