package chart

import (
	"image/color"

	"github.com/shopspring/decimal"
)

// tagHeight is that of a price's tag on the axis.
const tagHeight = 54

// tag is a price marked on the axis.
type tag struct {
	price decimal.Decimal
	line  int // where the price is
	y     int // the middle of the tag: moved when two would touch
	tone  color.Color
	dots  bool
}

// tags are those of the price and the level, kept apart and within the plot.
func (c *sketcher) tags() []tag {
	spot := tag{price: c.s.Spot, line: c.scale.y(c.s.Spot), tone: moon}
	spot.y = spot.line
	if c.s.Level.IsZero() || c.s.Level.Equal(c.s.Spot) || !c.scale.shows(c.s.Level) {
		return []tag{spot}
	}
	level := tag{price: c.s.Level, line: c.scale.y(c.s.Level), tone: amber, dots: true}
	level.y = level.line
	upper, lower := &spot, &level
	if level.line < spot.line {
		upper, lower = &level, &spot
	}
	if short := tagHeight + 4 - (lower.y - upper.y); short > 0 {
		upper.y -= short / 2
		lower.y += short - short/2
	}
	if short := plotTop + tagHeight/2 - upper.y; short > 0 {
		upper.y += short
		lower.y = max(lower.y, upper.y+tagHeight+4)
	}
	if over := lower.y - (plotBottom - tagHeight/2); over > 0 {
		lower.y -= over
		upper.y = min(upper.y, lower.y-tagHeight-4)
	}
	return []tag{level, spot}
}

// prices are round ones along the axis, where no tag stands.
func (c *sketcher) prices() error {
	tags := c.tags()
	for _, p := range c.scale.roundPrices(7) {
		y := c.scale.y(p)
		free := y > plotTop+letters/2 && y < plotBottom-letters/4
		for _, t := range tags {
			free = free && (y-t.y >= tagHeight/2+letters/2 || t.y-y >= tagHeight/2+letters/2)
		}
		if !free {
			continue
		}
		fill(c.img, box(plotLeft-12, y-1, plotLeft, y+1), dusk)
		if err := c.pen.write(plotLeft-22, y+letters/3, plotLeft-24, right, style{letters, false}, dusk, price(p)); err != nil {
			return err
		}
	}
	return nil
}

// lines are those of the price and the level, with their tags.
func (c *sketcher) lines() error {
	for _, t := range c.tags() {
		if t.dots {
			for x := plotLeft; x < plotRight; x += 20 {
				fill(c.img, box(x, t.line-2, min(x+12, plotRight), t.line+2), t.tone)
			}
		} else {
			fill(c.img, box(plotLeft, t.line-2, plotRight, t.line+2), t.tone)
		}
		c.join(t)
		fill(c.img, box(10, t.y-tagHeight/2, plotLeft-16, t.y+tagHeight/2), t.tone)
		if err := c.pen.write(plotLeft-26, t.y+14, plotLeft-36, right, style{40, true}, night, price(t.price)); err != nil {
			return err
		}
	}
	return nil
}

// join leads from a tag to its line.
func (c *sketcher) join(t tag) {
	const from, to = plotLeft - 16, plotLeft
	for x := from; x <= to; x++ {
		y := t.y + (t.line-t.y)*(x-from)/(to-from)
		fill(c.img, box(x, y-2, x+1, y+2), t.tone)
	}
}

// legend says what the colours are, where there are both.
func (c *sketcher) legend() error {
	falls, rises := false, false
	for _, b := range c.s.Bars {
		if b.AtRiskUSD.IsPositive() {
			falls, rises = falls || b.From.LessThan(c.s.Spot), rises || !b.From.LessThan(c.s.Spot)
		}
	}
	x := sketchMargin
	for _, item := range []struct {
		shown bool
		tone  color.Color
		text  string
	}{{falls, fallDue, "at risk if it falls"}, {rises, riseDue, "at risk if it rises"}} {
		if !item.shown {
			continue
		}
		fill(c.img, box(x, plotTop-50, x+28, plotTop-22), item.tone)
		if err := c.pen.write(x+42, plotTop-24, 420, left, style{letters, false}, dusk, item.text); err != nil {
			return err
		}
		w, err := c.pen.width(style{letters, false}, item.text)
		if err != nil {
			return err
		}
		x += 42 + w + 48
	}
	return nil
}
