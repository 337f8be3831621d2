package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// AdvanceGauge applies one look at a rule's numbers to its state on a chain. It is
// pure, as [Advance] is. before tells the value of a subject at the look before, where
// somebody remembers it; nil knows none. False: nothing changed, and nothing needs to
// be kept.
//
// Every subject has an episode for each bound. A subject that is at or past a bound
// is told of whenever that is first seen, also at the first look: other than a price
// that crossed a level long ago, it is a condition that lasts.
func AdvanceGauge(r Rule, s State, look Readings, before func(subject string) (decimal.Decimal, bool)) (State, Outcome, bool, error) {
	if err := look.check(r); err != nil {
		return s, Outcome{}, false, err
	}
	if s.covers(look.Blocks) {
		return s, Outcome{Decisions: []Decision{{Rule: r.Name, Axis: r.Gauge, Reason: ReasonAlreadySeen, Time: look.time()}}}, false, nil
	}
	p := gaugePass{rule: r, look: look, before: before, have: s.subjects(), bounds: slices.SortedFunc(slices.Values(r.Levels), decimal.Decimal.Compare)}
	if r.Side == Up {
		slices.Reverse(p.bounds)
	}
	p.readings()
	p.missing()
	if len(p.changed) == 0 && len(s.Doubts) == 0 {
		return s, Outcome{}, false, nil
	}
	next := s.clone()
	out := Outcome{Decisions: p.decisions}
	settle(r, &next, &out, p.alerts, newGaugeScene(look, len(s.Doubts)))
	next.pushPart(Checkpoint{
		PriceChain: look.Chain, Blocks: merge(s.Blocks(), look.Blocks), Episodes: p.changed, Alerts: thin(next.made), Partial: true,
	})
	next.made = nil
	next.fold(look.Final)
	return next, out, true, nil
}

// check reports what a rule misses in a look at numbers.
func (l Readings) check(r Rule) error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("rule %q: readings of %s: "+format, append([]any{r.Name, r.Gauge}, a...)...)
	}
	if _, ok := of(l.Blocks, l.Chain); !ok {
		return bad("no block of chain %q is named", l.Chain)
	}
	if l.time() > math.MaxInt64 {
		return bad("block time %d is no time", l.time())
	}
	seen := make(map[string]bool, len(l.Readings))
	for _, one := range l.Readings {
		switch {
		case one.Subject == "":
			return bad("one has no subject")
		case seen[one.Subject]:
			return bad("subject %s comes twice", one.Subject)
		}
		seen[one.Subject] = true
	}
	return nil
}

// time is the chain time of the look: that of its newest block.
func (l Readings) time() uint64 { return Observation{Blocks: l.Blocks}.time() }

// unknown reports that the look could not read the subject.
func (l Readings) unknown(subject string) bool {
	return slices.ContainsFunc(l.Unknown, func(u string) bool { return strings.HasPrefix(subject, u) })
}

// gaugePass is one look being applied.
type gaugePass struct {
	rule   Rule
	look   Readings
	before func(string) (decimal.Decimal, bool)
	have   map[string][]Episode
	bounds []decimal.Decimal // of the rule, the furthest first

	changed   []Episode
	decisions []Decision
	alerts    []Alert
}

// readings applies every number read.
func (p *gaugePass) readings() {
	for i := range p.look.Readings {
		one := &p.look.Readings[i]
		have := p.have[one.Subject]
		if one.Gone || (have == nil && !p.rule.reached(one.Value)) {
			continue // gone ones are seen to with the missing; the others are armed, and that is not kept
		}
		p.subject(one, have)
	}
}

// reached reports that a number is at or past one of the rule's bounds.
func (r Rule) reached(value decimal.Decimal) bool {
	for _, bound := range r.Levels {
		if (gap{r.Side, value, bound}).beyond() {
			return true
		}
	}
	return false
}

// subject advances the episodes of one subject.
func (p *gaugePass) subject(one *Reading, have []Episode) {
	var moves []move
	now := p.sight(one.Value)
	now.through = true
	for _, e := range p.episodes(one, have) {
		m := advance(p.rule, e, now)
		now.through = m.after.Phase == Crossed || m.after.Phase == Inside
		m.after.Name, m.after.Unit = one.Name, one.Unit
		p.keep(e, m, &moves)
	}
	p.tell(moves, one, have)
}

func (p *gaugePass) sight(value decimal.Decimal) sight {
	b, _ := of(p.look.Blocks, p.look.Chain)
	return sight{price: value, time: p.look.time(), block: b.Number}
}

// episodes are those of a subject, one for each bound of the rule.
func (p *gaugePass) episodes(one *Reading, have []Episode) []Episode {
	out := make([]Episode, 0, len(p.rule.Levels))
	for _, bound := range p.bounds {
		e := Episode{
			Subject: one.Subject, Name: one.Name, Unit: one.Unit, Level: bound, Side: p.rule.Side, Number: 1, Phase: Armed, Since: p.look.time(),
		}
		i := slices.IndexFunc(have, func(h Episode) bool { return h.Side == e.Side && h.Level.Equal(bound) })
		switch {
		case i >= 0 && have[i].Retired:
			e.Number = have[i].Number + 1
		case i >= 0:
			e = have[i]
		}
		out = append(out, e)
	}
	return out
}

// keep notes what a move changed.
func (p *gaugePass) keep(before Episode, m move, moves *[]move) {
	if len(m.decisions) == 0 && m.after.Course == before.Course {
		return
	}
	p.decisions = append(p.decisions, m.decisions...)
	p.changed = append(p.changed, m.after)
	if m.kind != "" {
		*moves = append(*moves, m)
	}
}

// missing ends what is remembered of subjects that there are no more, and of bounds
// that the rule has no more.
func (p *gaugePass) missing() {
	read := make(map[string]*Reading, len(p.have))
	for i := range p.look.Readings {
		one := &p.look.Readings[i]
		if _, ok := p.have[one.Subject]; ok {
			read[one.Subject] = one
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(p.have)) {
		p.retire(p.have[subject])
		switch one := read[subject]; {
		case one == nil && !p.look.unknown(subject):
			p.gone(Reading{Subject: subject, Gone: true}, p.have[subject])
		case one != nil && one.Gone:
			p.gone(*one, p.have[subject])
		}
	}
}

// retire ends episodes of bounds that left the rule.
func (p *gaugePass) retire(have []Episode) {
	for _, e := range have {
		if e.Retired || (e.Side == p.rule.Side && has(p.rule.Levels, e.Level)) {
			continue
		}
		was := e
		e.Retired = true
		p.changed = append(p.changed, e)
		p.decisions = append(p.decisions, decide(p.rule, was, e, p.sight(decimal.Zero), ReasonRetired, false))
	}
}

// gone ends the episodes of a subject that there is no more.
func (p *gaugePass) gone(one Reading, have []Episode) {
	var moves []move
	for _, e := range have {
		if e.Retired || e.Side != p.rule.Side || !has(p.rule.Levels, e.Level) || !e.begun() {
			continue
		}
		one.Name, one.Unit = cmp.Or(one.Name, e.Name), cmp.Or(one.Unit, e.Unit)
		p.keep(e, vanish(p.rule, e, p.sight(one.Value)), &moves)
	}
	p.tell(moves, &one, have)
}

// begun: something is remembered of the episode.
func (e Episode) begun() bool { return e.Reached.Valid || len(e.Holds) > 0 }

// vanish ends an episode because its number is no more.
func vanish(r Rule, e Episode, o sight) move {
	m := move{ended: e, reason: ReasonGone, after: Episode{
		Subject: e.Subject, Name: e.Name, Unit: e.Unit, Level: e.Level, Side: e.Side, Number: e.Number + 1, Phase: Armed, Since: o.time, Last: e.Last,
	}}
	m.end(r, ReasonGone, o)
	m.decide(r, e, o, ReasonGone)
	return m
}

// tell makes one alert of all that happened to one subject.
func (p *gaugePass) tell(moves []move, one *Reading, have []Episode) {
	for _, kind := range []Kind{KindRearmed, KindCrossing} {
		group := pick(moves, p.rule.Side, kind)
		if len(group) == 0 {
			continue
		}
		falling := (p.rule.Side == Down) == (kind == KindCrossing)
		slices.SortFunc(group, func(a, b move) int {
			if falling {
				a, b = b, a
			}
			return a.after.Level.Cmp(b.after.Level)
		})
		a := p.alert(group, one)
		if kind == KindCrossing {
			a.Changed = newestOf(have)
		}
		p.alerts = append(p.alerts, a)
	}
}

// newestOf is what was last told of a subject, whichever bound it was about.
func newestOf(have []Episode) *Changed {
	var last *Changed
	for i := range have {
		if c := have[i].changed(); c != nil && (last == nil || c.Time > last.Time) {
			last = c
		}
	}
	return last
}

func (p *gaugePass) alert(group []move, one *Reading) Alert {
	m := group[len(group)-1]
	a := Alert{
		Kind: m.kind, Reason: m.reason, Severity: cmp.Or(p.rule.Severity, m.kind.severity()), Rule: p.rule.Name,
		Advice: p.rule.Advice, Notify: p.rule.Notify, Seen: p.look.Seen, Level: m.after.Level, Side: m.after.Side,
		Episode: m.after.Number, Price: one.Value, Blocks: p.look.Blocks,
		Gauge: &GaugeReading{Gauge: p.rule.Gauge, Subject: one.Subject, Name: one.Name, Unit: one.Unit, Gone: one.Gone, Fields: one.Fields},
	}
	if m.kind == KindRearmed {
		a.Episode, a.Ended = m.ended.Number, ended(group, p.look.time())
	}
	if p.before != nil {
		if v, ok := p.before(one.Subject); ok {
			a.Gauge.Before = decimal.NewNullDecimal(v)
		}
	}
	for _, g := range group {
		a.Claims = append(a.Claims, g.claim)
		if !g.after.Level.Equal(m.after.Level) {
			a.Passed = append(a.Passed, g.after.Level)
		}
	}
	return a
}

// GaugeReading is what an alert of a gauge rule speaks of. Its bound is the alert's
// Level, its value the Price.
type GaugeReading struct {
	Gauge   string              `json:"gauge"`
	Subject string              `json:"subject"`
	Name    string              `json:"name"`
	Unit    Unit                `json:"unit"`
	Before  decimal.NullDecimal `json:"before,omitzero"` // the value at the look before
	Gone    bool                `json:"gone,omitempty"`  // there is no such number any more
	Fields  []Field             `json:"fields,omitempty"`
}

// thin leaves of alerts what a correction needs: the rest is kept with the alert, and
// the blocks are the checkpoint's.
func thin(alerts []Alert) []Alert {
	out := make([]Alert, len(alerts))
	for i, a := range alerts {
		a.Advice, a.Changed, a.Ended, a.Blocks = "", nil, nil, nil
		if a.Gauge != nil {
			g := *a.Gauge
			g.Fields, g.Before = nil, decimal.NullDecimal{}
			a.Gauge = &g
		}
		out[i] = a
	}
	return out
}

// gaugeScene is a look at numbers as [settle] sees it.
type gaugeScene struct {
	look Readings
	at   map[string]int // where a subject is in the look
}

func newGaugeScene(look Readings, doubts int) gaugeScene {
	g := gaugeScene{look, map[string]int{}}
	if doubts > 0 {
		for i, one := range look.Readings {
			g.at[one.Subject] = i
		}
	}
	return g
}

func (g gaugeScene) blocks() []BlockRef { return g.look.Blocks }

// find is the reading of a subject; one that is not there is gone.
func (g gaugeScene) find(subject string) Reading {
	if i, ok := g.at[subject]; ok {
		return g.look.Readings[i]
	}
	return Reading{Subject: subject, Gone: true}
}

func (g gaugeScene) sight(a Alert) sight {
	return sight{price: g.find(a.Gauge.Subject).Value, time: g.look.time()}
}

func (g gaugeScene) correction(was Alert) Alert {
	one, reading := g.find(was.Gauge.Subject), *was.Gauge
	reading.Gone, reading.Fields, reading.Before = one.Gone, one.Fields, decimal.NullDecimal{}
	return Alert{Seen: g.look.Seen, Price: one.Value, Gauge: &reading}
}
