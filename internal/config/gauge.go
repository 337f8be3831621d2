package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"
)

// Gauge is the part of a rule that watches a number other than an axis' price.
type Gauge struct {
	Watch    string        `yaml:"watch" doc:"instead of an axis' price, a number: health_factor, bad_debt, utilization, tvl, supplied, borrowed, at_risk_share, liquidations, divergence or hours_to_touch; see [rules.md](rules.md)"`
	Below    []Bound       `yaml:"below" doc:"tell when the number falls to one of these, in the number's own unit"`
	Above    []Bound       `yaml:"above" doc:"tell when the number rises to one of these"`
	Accounts []string      `yaml:"accounts" doc:"health_factor: the accounts watched, as 0x... or T..."`
	Largest  int           `yaml:"largest" doc:"health_factor: watch this many positions with the largest debts"`
	Markets  []string      `yaml:"markets" doc:"the markets whose numbers are watched; all when left out. With at_risk_share, each listed market by itself; all together when left out"`
	Assets   []string      `yaml:"assets" doc:"utilization: symbols of the assets watched; all when left out"`
	Within   time.Duration `yaml:"within" doc:"the time looked back over: 24h when left out, of liquidations 1h"`
	Shock    Ratio         `yaml:"shock" doc:"at_risk_share: by how much the axis' price is moved, -10% when left out"`
}

// Bound is a number at which a gauge rule speaks.
type Bound struct {
	decimal.Decimal // 5% is 0.05
	Percent         bool
}

// String is the bound as it was written.
func (b Bound) String() string {
	if b.Percent {
		return Ratio{b.Decimal}.Percent()
	}
	return b.Decimal.String()
}

func (b *Bound) decode(d *decoder, n *yaml.Node) {
	if b.Percent = strings.HasSuffix(n.Value, "%"); b.Percent {
		var r Ratio
		r.decode(d, n)
		b.Decimal = r.Decimal
		return
	}
	if x, ok := d.decimal(n); ok {
		b.Decimal = x
	}
}

// Bounds are what the rule is told at, of the side it has.
func (g Gauge) Bounds() []Bound {
	if len(g.Below) > 0 {
		return g.Below
	}
	return g.Above
}

// The units that bounds are written in.
const (
	plainNumber = "a number"
	percentage  = "a percentage"
	dollars     = "an amount in USD"
	hours       = "a number of hours"
	change      = "a change in percent"
)

// gaugeKind is what a rule that watches one gauge may say.
type gaugeKind struct {
	unit    string
	sides   []string
	keys    []string // what it understands beside bounds, of those that not every rule has
	axis    bool     // it is of an axis
	example string
	rearm   string
	within  time.Duration
	longest time.Duration // of within
}

// Gauges are the numbers that rules can watch.
var Gauges = []string{
	"health_factor", "bad_debt", "utilization", "tvl", "supplied", "borrowed", "at_risk_share", "liquidations", "divergence", "hours_to_touch",
}

const day = 24 * time.Hour

var gaugeKinds = map[string]gaugeKind{
	"health_factor": {unit: plainNumber, sides: below, keys: []string{"accounts", "largest", "markets"}, example: "below: [1.1, 1.03]", rearm: "5%"},
	"bad_debt":      {unit: dollars, sides: above, keys: []string{"markets"}, example: "above: [100000]", rearm: "20%"},
	"utilization":   {unit: percentage, sides: above, keys: []string{"markets", "assets"}, example: "above: [95%]", rearm: "2%"},
	"tvl":           changeKind,
	"supplied":      changeKind,
	"borrowed":      changeKind,
	"at_risk_share": {unit: percentage, sides: above, keys: []string{"axis", "markets", "shock"}, axis: true, example: "above: [5%]", rearm: "20%"},
	"liquidations": {
		unit: dollars, sides: above, keys: []string{"markets", "within"}, example: "above: [1000000]", rearm: "40%",
		within: time.Hour, longest: 7 * day,
	},
	"divergence": {unit: percentage, sides: above, keys: []string{"axis", "markets"}, axis: true, example: "above: [1%]", rearm: "25%"},
	"hours_to_touch": {
		unit: hours, sides: below, keys: []string{"axis", "levels", "walls", "within"}, axis: true, example: "below: [6, 2]", rearm: "40%",
		within: day, longest: 7 * day,
	},
}

var (
	below      = []string{"below"}
	above      = []string{"above"}
	changeKind = gaugeKind{
		unit: change, sides: []string{"below", "above"}, keys: []string{"markets", "within"}, example: "below: [-10%]", rearm: "2%",
		within: day, longest: 30 * day,
	}
)

// gaugeOnly are keys that only gauges have, axisOnly those that only levels have.
var (
	gaugeOnly = []string{"below", "above", "accounts", "largest", "markets", "assets", "within", "shock"}
	axisOnly  = []string{"approach", "min_at_risk_usd", "growth"}
	sometimes = []string{"axis", "levels", "walls"}
)

// written reports that a rule has a key, whatever stands there.
func (k checker) written(rule int, key string) bool {
	value, _ := child(k.c.doc.find("rules", rule), key)
	return value != nil
}

// gaugeUnwanted refuses a gauge's keys in a rule about levels.
func (k checker) gaugeUnwanted(i int, r *Rule) {
	for _, key := range gaugeOnly {
		if k.written(i, key) {
			k.refuse("add watch: and the number it is about, or remove it", "rule %q has %s, which a rule about levels does not understand",
				r.Name, key)("rules", i, key)
		}
	}
}

// gauge checks a rule about a number, and fills in what depends on which it is.
func (k checker) gauge(i int, r *Rule) {
	kind, ok := gaugeKinds[r.Watch]
	if !ok {
		k.refuse(didYouMean(r.Watch, Gauges), "no number %q to watch", r.Watch)("rules", i, "watch")
		return
	}
	for _, key := range append(append(append([]string{}, gaugeOnly[2:]...), axisOnly...), sometimes...) {
		if k.written(i, key) && !contains(kind.keys, key) {
			k.refuse(fmt.Sprintf("beside its bounds it has %s", strings.Join(kind.keys, ", ")), "%s does not understand %s", r.Watch, key)("rules", i, key)
		}
	}
	k.bounds(i, r, kind)
	k.gaugeAxis(i, r, kind)
	k.gaugeMarkets(i, r)
	switch r.Watch {
	case "health_factor":
		k.whose(i, r)
	case "at_risk_share":
		k.shock(i, r)
	}
	k.within(i, r, kind)
	if !k.written(i, "rearm") {
		r.Rearm.Decimal = decimal.RequireFromString(strings.TrimSuffix(kind.rearm, "%")).Shift(-2)
	}
	k.rearm(i, r)
	r.Approach = nil
}

func (k checker) bounds(i int, r *Rule, kind gaugeKind) {
	written := k.written(i, "below") || k.written(i, "above")
	switch {
	case !written:
		k.refuse("add "+kind.example, "rule %q has no bounds", r.Name)("rules", i)
		return
	case k.written(i, "below") && k.written(i, "above"):
		k.refuse("make two rules of it", "rule %q looks both ways", r.Name)("rules", i, "above")
		return
	}
	side := "below"
	if k.written(i, "above") {
		side = "above"
	}
	if !contains(kind.sides, side) {
		k.refuse("write "+kind.example, "%s is watched from the other side", r.Watch)("rules", i, side)
		return
	}
	list := r.Bounds()
	if len(list) == 0 || len(list) > maxBounds {
		k.refuse("write "+kind.example, "%d bounds, 1 to %d are allowed", len(list), maxBounds)("rules", i, side)
	}
	for j, b := range list {
		if hint := kind.wrong(b, side); hint != "" {
			k.refuse(hint, "%s cannot be reached: %s of %s is %s", b, side, r.Watch, kind.unit)("rules", i, side, j)
		}
		for _, before := range list[:min(j, maxBounds)] {
			if b.Equal(before.Decimal) {
				k.refuse("keep one of the two", "%s appears twice", b)("rules", i, side, j)
				break
			}
		}
	}
}

// maxBounds is of one rule: more are not told apart by anybody.
const maxBounds = 20

// wrong is what to write instead of a bound that can mean nothing.
func (g gaugeKind) wrong(b Bound, side string) string {
	one := decimal.NewFromInt(1)
	percent := g.unit == percentage || g.unit == change
	switch {
	case percent != b.Percent && percent:
		return fmt.Sprintf("write it as a percentage, such as %s", g.example)
	case percent != b.Percent:
		return fmt.Sprintf("leave out the percent sign, such as %s", g.example)
	case g.unit == change && side == "below" && !between(one.Neg(), b.Decimal, decimal.Zero):
		return "a fall lies between -100% and 0%, such as -10%"
	case g.unit == change && side == "below":
		return ""
	case !b.IsPositive():
		return "write more than 0, such as " + g.example
	case g.unit == percentage && b.GreaterThan(one):
		return "write at most 100%"
	}
	return ""
}

func (k checker) gaugeAxis(i int, r *Rule, kind gaugeKind) {
	switch {
	case kind.axis && !k.written(i, "axis"):
		k.refuse("add axis: ETH or another", "%s is of an axis", r.Watch)("rules", i)
	case kind.axis:
		k.ruleAxis(i, *r)
	}
	if r.Watch == "hours_to_touch" {
		k.levels(i, *r)
	}
	if spot := k.c.Axes[r.Axis].Spot; r.Watch == "divergence" && k.written(i, "axis") && spot == nil {
		k.refuse(fmt.Sprintf("add axes: {%s: {spot: {feed: ..., chain: ...}}}", r.Axis), "axis %q has no spot feed to compare the oracle with", r.Axis)("rules", i, "axis")
	}
}

func (k checker) gaugeMarkets(i int, r *Rule) {
	known := k.marketNames()
	for _, list := range []struct {
		key   string
		names []string
	}{{"markets", r.Markets}, {"assets", r.Assets}, {"accounts", r.Accounts}} {
		if k.written(i, list.key) && len(list.names) == 0 {
			k.refuse("leave it out for all", "%s is empty", list.key)("rules", i, list.key)
		}
		for j, name := range list.names {
			if list.key == "markets" && !contains(known, name) {
				k.refuse(didYouMean(name, known), "market %q is not under markets", name)("rules", i, list.key, j)
			}
			if contains(list.names[:j], name) {
				k.refuse("keep one of the two", "%q appears twice", name)("rules", i, list.key, j)
			}
		}
	}
}

// mostPositions is how many positions one rule may watch by themselves.
const mostPositions = 20_000

func (k checker) whose(i int, r *Rule) {
	switch {
	case !k.written(i, "accounts") && !k.written(i, "largest"):
		k.refuse("add accounts: [0x...] or largest: 20", "it is not said whose health factor")("rules", i)
	case k.written(i, "largest") && (r.Largest < 1 || r.Largest > mostPositions):
		k.refuse(fmt.Sprintf("write 1 to %d", mostPositions), "a rule cannot watch the largest %d", r.Largest)("rules", i, "largest")
	case len(r.Accounts) > mostPositions:
		k.refuse(fmt.Sprintf("at most %d", mostPositions), "%d accounts", len(r.Accounts))("rules", i, "accounts")
	}
}

func (k checker) shock(i int, r *Rule) {
	if !k.written(i, "shock") {
		r.Shock = Ratio{decimal.New(-1, -1)}
	}
	if s := r.Shock.Decimal; s.IsZero() || !between(decimal.NewFromInt(-1), s, decimal.NewFromInt(10)) {
		k.refuse("write a fall such as -10%, or a rise such as 10%", "a shock of %s", r.Shock.Percent())("rules", i, "shock")
	}
}

// shortest is the least time worth looking back over.
const shortest = 10 * time.Minute

func (k checker) within(i int, r *Rule, kind gaugeKind) {
	if kind.within == 0 {
		return
	}
	if r.Within == 0 {
		r.Within = kind.within
	}
	if r.Within < shortest || r.Within > kind.longest {
		k.refuse(fmt.Sprintf("write %s to %s", spell(shortest), spell(kind.longest)), "%s within %s", r.Watch, spell(r.Within))("rules", i, "within")
	}
}

// spell writes a time as the file does: 10m, 24h.
func spell(d time.Duration) string {
	s := d.String()
	s = strings.TrimSuffix(s, "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
