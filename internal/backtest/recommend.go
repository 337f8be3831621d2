package backtest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/inexact"
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

// The rule by which the train part chooses: how much of the best recall a nearer
// distance may give up, how much of its recall a margin may, and how many more alerts
// a smaller margin may cost.
const (
	recallForApproach = 0.90
	recallForRearm    = 0.95
	alertsForRearm    = 1.05
)

// recommend chooses on the train part alone, at first touch. The widest distance is the
// smallest whose recall, at its best margin, comes close to the best of all; the
// margin is then the smallest that keeps that recall and says hardly more than the
// quietest. Two nearer distances follow the widest.
func recommend(s *Sweep) *Recommendation {
	points := slices.DeleteFunc(slices.Clone(s.Points), func(p SweepPoint) bool { return p.Policy != Policy{Confirm: 1} })
	best := mostRecall(points)
	if best == 0 {
		return nil
	}
	slices.SortStableFunc(points, func(a, b SweepPoint) int {
		return cmp.Or(a.Approach.Cmp(b.Approach), a.Rearm.Cmp(b.Rearm))
	})
	i := slices.IndexFunc(points, func(p SweepPoint) bool { return value(p.Train.Recall) >= best*recallForApproach })
	widest := points[i].Approach
	points = slices.DeleteFunc(points, func(p SweepPoint) bool { return !p.Approach.Equal(widest) })
	top := mostRecall(points)
	points = slices.DeleteFunc(points, func(p SweepPoint) bool { return value(p.Train.Recall) < top*recallForRearm })
	least := value(points[0].Train.AlertsPerJourney)
	for _, p := range points {
		least = min(least, value(p.Train.AlertsPerJourney))
	}
	i = slices.IndexFunc(points, func(p SweepPoint) bool { return value(p.Train.AlertsPerJourney) <= least*alertsForRearm })
	chosen := points[i]
	r := &Recommendation{Rearm: chosen.Rearm, Policy: chosen.Policy.String(), Train: chosen.Train, Test: chosen.Test}
	for _, part := range []string{"1", "0.4", "0.1"} {
		// Whole percents, as people write them, and never nothing.
		d := decimal.Max(widest.Mul(decimal.RequireFromString(part)).Round(2), decimal.New(5, -3))
		if n := len(r.Approach); n == 0 || d.LessThan(r.Approach[n-1]) {
			r.Approach = append(r.Approach, d)
		}
	}
	r.Why = fmt.Sprintf("on the train part the best recall is %.0f %%; %s is the smallest distance that keeps %.0f %% of it, and %s the smallest margin that keeps %.0f %% of that and says at most %.0f %% more than the quietest",
		best*100, percentOf(widest), recallForApproach*100, percentOf(chosen.Rearm), recallForRearm*100, (alertsForRearm-1)*100)
	return r
}

func mostRecall(points []SweepPoint) float64 {
	best := 0.0
	for _, p := range points {
		best = max(best, value(p.Train.Recall))
	}
	return best
}

func value(d *decimal.Decimal) float64 {
	if d == nil {
		return 0
	}
	return inexact.Float(d)
}

func percentOf(d decimal.Decimal) string { return d.Shift(2).String() + " %" }
