package backtest

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/backtest/inexact"
)

// SweepOptions are the grid, and which parts of the film to train and test on.
type SweepOptions struct {
	Approach []decimal.Decimal
	Rearm    []decimal.Decimal
	Policies []Policy
	Rules    RuleOptions
	// Split is the moment between the two parts: before it the defaults are chosen,
	// after it they are only measured.
	Split uint64
}

// DefaultSweep is the grid of docs/backtest.md.
func DefaultSweep() SweepOptions {
	o := SweepOptions{Rules: DefaultRuleOptions()}
	for _, a := range []string{"0.005", "0.01", "0.02", "0.03", "0.05", "0.08", "0.12"} {
		o.Approach = append(o.Approach, decimal.RequireFromString(a))
	}
	for _, m := range []string{"0.005", "0.01", "0.02", "0.03", "0.05", "0.075", "0.1"} {
		o.Rearm = append(o.Rearm, decimal.RequireFromString(m))
	}
	o.Policies = []Policy{{Confirm: 1}, {Confirm: 2}, {Confirm: 3}, {Next: true, Confirm: 1}}
	return o
}

// Sweep is every combination of the grid.
type Sweep struct {
	Split  Time         `json:"split"`
	Train  string       `json:"train"`
	Test   string       `json:"test"`
	Levels int          `json:"levels"`
	Points []SweepPoint `json:"points"`
	// Recommended are the defaults that the train part chose.
	Recommended *Recommendation `json:"recommended"`
}

// SweepPoint is one combination: a single approach distance, a margin, a policy.
type SweepPoint struct {
	Approach decimal.Decimal `json:"approach"`
	Rearm    decimal.Decimal `json:"rearm"`
	Policy   Policy          `json:"policy"`
	Train    SweepFigures    `json:"train"`
	Test     SweepFigures    `json:"test"`
}

// SweepFigures are a point's on one part.
type SweepFigures struct {
	Figures
	// Journeys are the episodes that the widest margin makes of the same prices: a
	// measure that does not itself change with the margin.
	Journeys         int              `json:"journeys"`
	AlertsPerJourney *decimal.Decimal `json:"alerts_per_journey"`
}

// Sweep runs the whole grid on both parts of the film.
func (f *Film) Sweep(opt SweepOptions) (*Sweep, error) {
	if opt.Split <= f.From || opt.Split >= f.To {
		return nil, fmt.Errorf("sweep: split %s is not between %s and %s", stamp(opt.Split), stamp(f.From), stamp(f.To))
	}
	if len(opt.Approach) == 0 || len(opt.Rearm) == 0 || len(opt.Policies) == 0 || len(f.Levels) == 0 {
		return nil, fmt.Errorf("sweep: the grid is empty")
	}
	s := &Sweep{Split: Time(opt.Split), Levels: len(f.Levels), Train: stamp(f.From) + " to " + stamp(opt.Split), Test: stamp(opt.Split) + " to " + stamp(f.To)}
	for _, p := range opt.Policies {
		for _, a := range opt.Approach {
			for _, m := range opt.Rearm {
				s.Points = append(s.Points, SweepPoint{Approach: a, Rearm: m, Policy: p})
			}
		}
	}
	for _, part := range []struct {
		from, to uint64
		of       func(*SweepPoint) *SweepFigures
	}{
		{f.From, opt.Split - 1, func(p *SweepPoint) *SweepFigures { return &p.Train }},
		{opt.Split, f.To, func(p *SweepPoint) *SweepFigures { return &p.Test }},
	} {
		looks, incidents := f.window(part.from, part.to)
		if err := f.sweepPart(s, opt, looks, incidents, part.of); err != nil {
			return nil, err
		}
	}
	s.Recommended = recommend(s)
	return s, nil
}

// sweepPart fills one part's figures, all points side by side.
func (f *Film) sweepPart(s *Sweep, opt SweepOptions, looks []Look, incidents []Incident, of func(*SweepPoint) *SweepFigures) error {
	shown := map[Policy][]frame{}
	for _, p := range opt.Policies {
		shown[p] = frames(looks, p)
	}
	errs := make([]error, len(s.Points))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range s.Points {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			p := &s.Points[i]
			rec := newRecorder()
			for k, level := range f.Levels {
				rule := alerts.Rule{Name: "sweep", Axis: f.Axis, Levels: []decimal.Decimal{level}, Approach: []decimal.Decimal{p.Approach}, Rearm: p.Rearm, Notify: []string{"recorder"}}
				if err := play(rule, thin(rule, k, shown[p.Policy]), rec); err != nil {
					errs[i] = err
					return
				}
			}
			t := newTally()
			for k := range rec.alerts {
				t.alert(rec, &rec.alerts[k], incidents, opt.Rules)
			}
			for _, ends := range rec.rearmed {
				t.rearmed += len(ends)
			}
			for k := range incidents {
				t.incident(rec, &incidents[k], decimal.Zero, "", opt.Rules)
			}
			of(p).Figures = t.figures()
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	journeys(s, of)
	return nil
}

// journeys counts a point's alerts by the episodes of the widest margin.
func journeys(s *Sweep, of func(*SweepPoint) *SweepFigures) {
	type key struct {
		approach string
		policy   Policy
	}
	widest := map[key]*SweepPoint{}
	for i := range s.Points {
		p := &s.Points[i]
		k := key{p.Approach.String(), p.Policy}
		if w, ok := widest[k]; !ok || p.Rearm.GreaterThan(w.Rearm) {
			widest[k] = p
		}
	}
	for i := range s.Points {
		p := &s.Points[i]
		f := of(p)
		f.Journeys = of(widest[key{p.Approach.String(), p.Policy}]).Episodes
		f.AlertsPerJourney = part(f.Alerts, f.Journeys)
	}
}

// thin leaves out frames at which a rule of one level (the k-th of the film) and
// without a minimum cannot do anything: the price stays between the same two of its
// marks, and there was something at risk before and is after, or neither. It changes
// no decision; a test holds it to that. The sweep runs levels apart, so that a jump
// over several is counted once for each.
func thin(rule alerts.Rule, k int, all []frame) []frame {
	edges := marks(rule)
	var out []frame
	last, lastSome := -1, false
	for i := range all {
		cell := cellOf(edges, all[i].float)
		some := all[i].Levels[k].Accounts > 0
		if i == 0 || cell < 0 || cell != last || some != lastSome || i == len(all)-1 {
			f := all[i]
			f.Levels = f.Levels[k : k+1]
			out = append(out, f)
		}
		last, lastSome = cell, some
	}
	return out
}

// marks are the prices at which a rule of one level changes its mind.
func marks(rule alerts.Rule) []float64 {
	level := inexact.Float(rule.Levels[0])
	parts := []float64{0, inexact.Float(rule.Rearm)}
	for _, a := range rule.Approach {
		parts = append(parts, inexact.Float(a), inexact.Float(a.Add(rule.Rearm)))
	}
	var out []float64
	for _, p := range parts {
		out = append(out, level*(1-p), level*(1+p))
	}
	return out
}

// cellOf is how many marks lie below a price, -1 when it is too near one to tell.
func cellOf(edges []float64, p float64) int {
	n := 0
	for _, e := range edges {
		if math.Abs(p-e) < e*1e-9 {
			return -1
		}
		if e < p {
			n++
		}
	}
	return n
}
