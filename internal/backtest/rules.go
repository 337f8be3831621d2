package backtest

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
	"liqwatch/internal/backtest/inexact"
)

// Policy is what a rule is shown of the price.
type Policy struct {
	// Next shows the price that the oracle will take, where it is known already,
	// instead of the one in force.
	Next bool `json:"next"`
	// Confirm is how many looks in a row must agree before a fall counts: 1 is first
	// touch. The price shown is the highest of the last so many, so a wick shorter
	// than that is not seen. It delays rises by nothing and falls by Confirm-1 looks.
	Confirm int `json:"confirm"`
}

// String is the policy for people.
func (p Policy) String() string {
	s := "first touch"
	if p.Confirm > 1 {
		s = fmt.Sprintf("%d looks", p.Confirm)
	}
	if p.Next {
		s += ", next price"
	}
	return s
}

// RuleOptions say what counts as right.
type RuleOptions struct {
	Policy Policy
	// Horizon is how long after an alert a liquidation still proves it right, seconds.
	Horizon uint64
	// MinLiquidatedUSD is the debt that must be liquidated in the band for an alert to
	// have been right.
	MinLiquidatedUSD decimal.Decimal
	// From and To narrow the film; zero takes all of it.
	From, To uint64
}

// DefaultRuleOptions: three days, and 1,000 USD.
func DefaultRuleOptions() RuleOptions {
	return RuleOptions{Policy: Policy{Confirm: 1}, Horizon: 3 * 24 * 3600, MinLiquidatedUSD: decimal.NewFromInt(1000)}
}

// sent is one alert as the recorder took it, for one level.
type sent struct {
	level   decimal.Decimal
	side    alerts.Side
	kind    alerts.Kind
	episode int
	time    uint64
	// from and to bound the triggers it spoke of: from the level to the price before it.
	from, to decimal.Decimal
	mark     decimal.Decimal
	atRisk   decimal.Decimal
	price    decimal.Decimal
}

// speaksOf: the trigger lies in what the alert was about.
func (s *sent) speaksOf(x *Incident) bool {
	if x.Trigger == nil || x.Up != (s.side == alerts.Up) {
		return false
	}
	trigger := *x.Trigger
	return trigger.GreaterThanOrEqual(s.from) && trigger.LessThanOrEqual(s.to)
}

// recorder takes a rule's alerts instead of notifiers.
type recorder struct {
	alerts   []sent
	rearmed  map[string][]uint64 // by level and side: when episodes ended
	previous decimal.Decimal
}

func newRecorder() *recorder { return &recorder{rearmed: map[string][]uint64{}} }

func (r *recorder) take(a alerts.Alert, at uint64) {
	levels := []decimal.Decimal{a.Level}
	if a.Kind != alerts.KindApproach {
		levels = append(levels, a.Passed...)
	}
	for _, level := range levels {
		if a.Kind == alerts.KindRearmed {
			k := levelKey(level, a.Side)
			r.rearmed[k] = append(r.rearmed[k], at)
			continue
		}
		s := sent{level: level, side: a.Side, kind: a.Kind, episode: a.Episode, time: at, mark: a.Mark,
			atRisk: a.Totals.AtRiskUSD, price: a.Price}
		s.from, s.to = level, decimal.Max(a.Price, r.previous)
		if a.Side == alerts.Up {
			s.from, s.to = decimal.Min(a.Price, r.previous), level
		}
		if r.previous.IsZero() {
			s.from, s.to = decimal.Min(a.Price, level), decimal.Max(a.Price, level)
		}
		r.alerts = append(r.alerts, s)
	}
}

func levelKey(level decimal.Decimal, side alerts.Side) string {
	return level.String() + "|" + string(side)
}

// end is when the episode of an alert was over: the re-arming after it.
func (r *recorder) end(s *sent) uint64 {
	for _, t := range r.rearmed[levelKey(s.level, s.side)] {
		if t > s.time {
			return t
		}
	}
	return ^uint64(0)
}

// frame is one look as a rule is shown it.
type frame struct {
	alerts.Observation
	previous decimal.Decimal // the price shown before
	float    float64         // the price, to find frames that matter
}

// frames are the looks as a policy shows them.
func frames(looks []Look, p Policy) []frame {
	out := make([]frame, len(looks))
	for i := range looks {
		o := looks[i].Observation
		o.Price = p.shown(looks, i)
		out[i].Observation, out[i].float = o, inexact.Float(o.Price)
		if i > 0 {
			out[i].previous = out[i-1].Price
		}
	}
	return out
}

// shown is the highest price of the last Confirm looks.
func (p Policy) shown(looks []Look, i int) decimal.Decimal {
	best := p.price(&looks[i])
	for k := max(0, i-p.Confirm+1); k < i; k++ {
		best = decimal.Max(best, p.price(&looks[k]))
	}
	return best
}

// play runs a rule over frames and records what it says.
func play(rule alerts.Rule, list []frame, rec *recorder) error {
	state := alerts.State{Rule: rule.Name}
	for i := range list {
		at := list[i].Blocks[0].Time
		next, out, err := alerts.Advance(rule, state, list[i].Observation)
		if err != nil {
			return fmt.Errorf("run rule %q at %s: %w", rule.Name, stamp(at), err)
		}
		state = next
		rec.previous = list[i].previous
		for _, a := range out.Alerts {
			rec.take(a, at)
		}
	}
	return nil
}

func (p Policy) price(l *Look) decimal.Decimal {
	if p.Next && l.Next.IsPositive() {
		return l.Next
	}
	return l.Observation.Price
}

// window are the looks and incidents of a part of the film.
func (f *Film) window(from, to uint64) ([]Look, []Incident) {
	if to == 0 {
		to = f.To
	}
	var looks []Look
	for i := range f.Looks {
		if t := f.Looks[i].at(); t >= from && t <= to {
			looks = append(looks, f.Looks[i])
		}
	}
	var incidents []Incident
	for _, x := range f.Incidents {
		if x.Time >= from && x.Time <= to {
			incidents = append(incidents, x)
		}
	}
	return looks, incidents
}

// ScoreRules runs rules on a film and scores what they said.
func (f *Film) ScoreRules(rules []alerts.Rule, opt RuleOptions) (*RuleReport, error) {
	looks, incidents := f.window(opt.From, opt.To)
	from, to := max(f.From, opt.From), f.To
	if opt.To != 0 {
		to = opt.To
	}
	r := &RuleReport{From: Time(from), To: Time(to), Axis: f.Axis, Reference: f.Reference, Policy: opt.Policy.String(),
		HorizonSeconds: opt.Horizon, MinLiquidatedUSD: opt.MinLiquidatedUSD, Looks: len(looks)}
	for _, x := range incidents {
		r.Incidents++
		r.Executions += x.Count
		r.DebtUSD = r.DebtUSD.Add(x.DebtUSD)
	}
	shown := frames(looks, opt.Policy)
	for _, rule := range rules {
		rec := newRecorder()
		if err := play(rule, shown, rec); err != nil {
			return nil, err
		}
		r.Rules = append(r.Rules, scoreRule(rule, rec, incidents, opt))
	}
	return r, nil
}

// scoreRule compares a rule's alerts with the incidents.
func scoreRule(rule alerts.Rule, rec *recorder, incidents []Incident, opt RuleOptions) RuleScore {
	out := RuleScore{Rule: rule.Name, Axis: rule.Axis, Approach: rule.Approach, Rearm: rule.Rearm}
	levels := slices.Clone(rule.Levels)
	slices.SortFunc(levels, decimal.Decimal.Cmp)
	all := newTally()
	for i, level := range levels {
		for _, side := range []alerts.Side{alerts.Down, alerts.Up} {
			t := newTally()
			for k := range rec.alerts {
				if s := &rec.alerts[k]; s.side == side && s.level.Equal(level) {
					t.alert(rec, s, incidents, opt)
					all.alert(rec, s, incidents, opt)
				}
			}
			for k := range incidents {
				if inBand(levels, i, side, &incidents[k]) {
					t.incident(rec, &incidents[k], level, side, opt)
				}
			}
			t.rearmed = len(rec.rearmed[levelKey(level, side)])
			all.rearmed += t.rearmed
			if t.alerts > 0 || t.incidents > 0 {
				out.Levels = append(out.Levels, LevelScore{Level: level, Side: string(side), Figures: t.figures()})
			}
		}
	}
	for k := range incidents {
		all.incident(rec, &incidents[k], decimal.Zero, "", opt)
	}
	out.Figures, out.NoWarning = all.figures(), all.missed
	for _, s := range rec.alerts {
		out.Sent = append(out.Sent, Sent{Time: Time(s.time), Rule: rule.Name, Level: s.level, Side: string(s.side), Kind: string(s.kind),
			Episode: s.episode, Mark: s.mark, Price: s.price.Round(8), AtRiskUSD: s.atRisk.Round(2)})
	}
	return out
}

// inBand: the incident's trigger lies between the level and the next one of the rule
// on the side that the price comes from.
func inBand(levels []decimal.Decimal, i int, side alerts.Side, x *Incident) bool {
	if x.Trigger == nil || x.Up != (side == alerts.Up) {
		return false
	}
	if x.Up {
		return x.Trigger.LessThanOrEqual(levels[i]) && (i == 0 || x.Trigger.GreaterThan(levels[i-1]))
	}
	return x.Trigger.GreaterThanOrEqual(levels[i]) && (i+1 == len(levels) || x.Trigger.LessThan(levels[i+1]))
}
