package aavev3

import (
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/feeds"
	"liqwatch/protocols/pricing"
)

// movable are the axes that have a feed to move, in the order of groups in a measurement.
func (o *oracles) movable() []string {
	var out []string
	for _, axis := range axesMeasured {
		for i := range o.feeds {
			if o.feeds[i].group == axis && !o.feeds[i].answer.IsZero() {
				out = append(out, axis)
				break
			}
		}
	}
	return out[:min(len(out), feeds.MostGroups)]
}

// sample is all prices while every feed of the measured axes answers otherwise.
type sample struct {
	bases  []uint256.Int // by axis
	prices []uint256.Int // by reserve
}

// measure moves all feeds of the axes and holds the models against what comes out: the
// price unmoved and the price moved are two points. Only where an asset does what the
// structure does not say are they moved once more, so far that its ratio shows.
func (o *oracles) measure(p *opening, then func() (protocols.Step, error)) protocols.Step {
	axes := o.movable()
	var low, exact sample
	for g, axis := range axes {
		now := o.spot(axis)
		low.bases = append(low.bases, *feeds.Low(&now))
		exact.bases = append(exact.bases, *feeds.Exact(g))
	}
	var r round
	modes := p.readModes(&r) // no price is part of them: they come along
	return o.moved(p, r, axes, &low, func() (protocols.Step, error) {
		p.keepModes(modes)
		o.measured = axes
		if !o.surprising(axes, &low) {
			for i := range o.links {
				o.judge(i, axes, nil, &low)
			}
			return then()
		}
		return o.moved(p, round{}, axes, &exact, func() (protocols.Step, error) {
			for i := range o.links {
				o.judge(i, axes, &exact, &low)
			}
			return then()
		}), nil
	})
}

// surprising reports that an asset did not do what the structure says.
func (o *oracles) surprising(axes []string, low *sample) bool {
	for i := range o.links {
		l, before := &o.links[i], &o.before[i]
		group := o.groupOf(l, axes)
		switch {
		case before.IsZero():
		case group < 0 && low.prices[i] != *before:
			return true
		case group >= 0 && !feeds.Reproduces(&l.model, o.points(l.feed, group, before, low, i)...):
			return true
		}
	}
	return false
}

func (o *oracles) spot(axis string) uint256.Int {
	for i := range o.feeds {
		if o.feeds[i].group == axis {
			return o.feeds[i].answer
		}
	}
	return uint256.Int{}
}

// overrides replaces every feed of the axes by one that answers the axis' base.
func (o *oracles) overrides(axes []string, bases []uint256.Int) []chains.Override {
	var out []chains.Override
	for g, axis := range axes {
		for i := range o.feeds {
			if f := &o.feeds[i]; f.group == axis {
				out = append(out, feeds.Answering(f.at, &bases[g], f.decimals))
			}
		}
	}
	return out
}

func (o *oracles) moved(p *opening, r round, axes []string, s *sample, then func() (protocols.Step, error)) protocols.Step {
	s.prices = make([]uint256.Int, len(p.reserves))
	askPrices(&r, p, s.prices)
	step := r.step(then)
	step.Moved = o.overrides(axes, s.bases)
	return step
}

// judge settles one asset's model by what was measured. The model of the structure
// is right when it gives every point; else the ratio found with the large answer is,
// when it does. What neither gives is said.
func (o *oracles) judge(i int, axes []string, exact, low *sample) {
	l := &o.links[i]
	before := &o.before[i]
	if before.IsZero() {
		return
	}
	if low.prices[i] == *before && (exact == nil || exact.prices[i] == *before) {
		o.still(l)
		return
	}
	group := o.groupOf(l, axes)
	if group >= 0 && feeds.Reproduces(&l.model, o.points(l.feed, group, before, low, i)...) {
		l.model.How = pricing.Measured
		return
	}
	if exact == nil {
		return // nothing was surprising
	}
	if g, num, den, ok := feeds.Fit(&exact.prices[i], before, len(axes)); ok {
		for f := range o.feeds {
			m := pricing.Model{Feed: f, Num: num, Den: den, How: pricing.Measured}
			if o.feeds[f].group == axes[g] && feeds.Reproduces(&m, o.points(f, g, before, low, i)...) {
				m.Note = fmt.Sprintf("%s by a rate, through %s", o.feeds[f].pair, l.adapter)
				l.feed, l.model = f, m
				return
			}
		}
	}
	l.loose = "its price moves with a base feed but not in proportion: between places it is an approximation"
}

// still: the asset follows none of the feeds moved. A structure that says it does is wrong.
func (o *oracles) still(l *link) {
	if l.feed >= 0 && o.feeds[l.feed].direct < 0 && o.groupOf(l, o.movable()) >= 0 {
		l.feed, l.model = -1, pricing.Model{Feed: -1, How: pricing.Measured, Note: "does not follow the feed that its adapter names"}
	}
}

func (o *oracles) groupOf(l *link, axes []string) int {
	for g, axis := range axes {
		if l.feed >= 0 && o.feeds[l.feed].group == axis {
			return g
		}
	}
	return -1
}

func (o *oracles) points(f, g int, before *uint256.Int, low *sample, i int) []feeds.Point {
	return []feeds.Point{
		{Base: o.feeds[f].answer, Price: *before},
		{Base: low.bases[g], Price: low.prices[i]},
	}
}
