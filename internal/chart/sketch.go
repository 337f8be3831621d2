package chart

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

// Sketch is a ladder around the price, for a picture in a chat message.
type Sketch struct {
	Axis string
	Spot decimal.Decimal
	// Level is the price that the message speaks of; zero for none.
	Level decimal.Decimal
	// Crossed: the level has been reached. AtRiskUSD is what comes due on the way to
	// it, or came due on it.
	Crossed   bool
	AtRiskUSD decimal.Decimal
	Bars      []SketchBar // ascending, without gaps
}

// SketchBar is the collateral that comes due between two prices.
type SketchBar struct{ From, To, AtRiskUSD decimal.Decimal }

// SketchPNG writes a sketch as a picture for a chat: square, dark, with letters
// that can be read when it is shown as wide as a phone. The same sketch is always
// the same bytes.
func SketchPNG(w io.Writer, s Sketch) error {
	img, err := SketchImage(s)
	if err != nil {
		return fmt.Errorf("draw sketch: %w", err)
	}
	if err := png.Encode(w, img); err != nil {
		return fmt.Errorf("write sketch: %w", err)
	}
	return nil
}

// SketchImage is the picture before it is encoded.
func SketchImage(s Sketch) (image.Image, error) {
	img := image.NewRGBA(image.Rect(0, 0, sketchSize, sketchSize))
	fill(img, img.Bounds(), night)
	c := &sketcher{img: img, pen: newPen(img), s: s, scale: newSketchScale(s)}
	parts := []func() error{c.header}
	if len(s.Bars) > 0 {
		parts = append(parts, c.amounts, c.way, c.bars, c.prices, c.lines, c.figures, c.legend)
	}
	for _, part := range parts {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return img, nil
}

const (
	sketchSize   = 1080
	sketchMargin = 36
	plotLeft     = 236
	plotRight    = sketchSize - sketchMargin
	barsRight    = plotRight - 130 // room for the figures of the longest
	plotTop      = 300
	plotBottom   = sketchSize - 84
	letters      = 36 // the smallest: 11 points on a phone
)

// The colours are of the night: charts are looked at in the dark, and a white
// square in a dark chat blinds.
var (
	night     = color.RGBA{16, 22, 33, 255}
	moon      = color.RGBA{240, 244, 250, 255}
	dusk      = color.RGBA{146, 158, 178, 255}
	nightGrid = color.RGBA{38, 47, 64, 255}
	fallBar   = color.RGBA{158, 66, 62, 255}
	fallDue   = color.RGBA{255, 99, 82, 255}
	riseBar   = color.RGBA{48, 112, 148, 255}
	riseDue   = color.RGBA{72, 184, 232, 255}
	amber     = color.RGBA{255, 196, 61, 255}
	amberVeil = color.RGBA{40, 33, 14, 40}
)

// sketcher is one sketch being drawn.
type sketcher struct {
	img   *image.RGBA
	pen   *pen
	s     Sketch
	scale sketchScale
}

// down: the level lies, or lay, below the price.
func (c *sketcher) down() bool { return c.s.Level.LessThan(c.s.Spot) != c.s.Crossed }

func (c *sketcher) header() error {
	if err := c.pen.write(sketchMargin, 92, 1000, left, style{68, true}, moon, c.s.Axis+" "+price(c.s.Spot)); err != nil {
		return err
	}
	text, tone := c.headline()
	if err := c.pen.write(sketchMargin, 158, 1000, left, style{48, true}, tone, text); err != nil {
		return err
	}
	return c.pen.write(sketchMargin, 212, 1000, left, style{letters, false}, dusk, c.explanation())
}

// headline is the picture in one line: how much, by where.
func (c *sketcher) headline() (string, color.Color) {
	tone, way := fallDue, "down to "
	if !c.down() {
		tone, way = riseDue, "up to "
	}
	switch {
	case c.s.Level.IsZero():
		return "Liquidation ladder", moon
	case c.s.Crossed:
		return inWords(c.s.AtRiskUSD) + " USD was at risk " + way + price(c.s.Level), tone
	}
	return inWords(c.s.AtRiskUSD) + " USD at risk " + way + price(c.s.Level), tone
}

// explanation says how far it is.
func (c *sketcher) explanation() string {
	switch {
	case c.s.Level.IsZero():
		return "collateral that becomes liquidatable at each price"
	case c.s.Level.Equal(c.s.Spot):
		return "the price is at the level"
	}
	far := thresholds.Distance(c.s.Spot, c.s.Level).Shift(2).StringFixed(2) + "%"
	side := "above"
	if c.s.Spot.LessThan(c.s.Level) {
		side = "below"
	}
	if c.s.Crossed {
		return "the price is " + far + " past the level"
	}
	return "the price is " + far + " " + side + " the level"
}

// amounts are the upright lines and what they stand for.
func (c *sketcher) amounts() error {
	for k := range c.scale.ticks + 1 {
		at := c.scale.step.Mul(decimal.NewFromInt(int64(k)))
		x := plotLeft + c.scale.width(at)
		fill(c.img, box(x, plotTop, x+2, plotBottom), nightGrid)
		if k == 0 {
			continue
		}
		if err := c.pen.write(x, plotBottom+52, 240, center, style{letters, false}, dusk, inWords(at)); err != nil {
			return err
		}
	}
	return c.pen.write(plotLeft-18, plotBottom+52, 220, right, style{letters, false}, dusk, "USD")
}

// way shades the prices between now and the level.
func (c *sketcher) way() error {
	if c.s.Level.IsZero() {
		return nil
	}
	a, b := c.scale.y(c.s.Spot), c.scale.y(c.s.Level)
	draw.Draw(c.img, box(plotLeft, min(a, b), plotRight, max(a, b)), image.NewUniform(amberVeil), image.Point{}, draw.Over)
	return nil
}

func (c *sketcher) bars() error {
	for _, b := range c.s.Bars {
		top, bottom := c.scale.y(b.To), c.scale.y(b.From)
		gap := 1
		if bottom-top >= 8 {
			gap = 3
		}
		fill(c.img, box(plotLeft, top, plotLeft+c.scale.width(b.AtRiskUSD), max(top+1, bottom-gap)), c.tone(b))
	}
	return nil
}

// ahead are the bars between the price and a level that is still to come.
func (c *sketcher) ahead() []SketchBar {
	var out []SketchBar
	low, high := decimal.Min(c.s.Spot, c.s.Level), decimal.Max(c.s.Spot, c.s.Level)
	for _, b := range c.s.Bars {
		if !c.s.Crossed && !c.s.Level.IsZero() && b.From.GreaterThanOrEqual(low) && b.To.LessThanOrEqual(high) {
			out = append(out, b)
		}
	}
	return out
}

// tone is dim for what lies beyond a level that is still ahead, or on its other side.
func (c *sketcher) tone(b SketchBar) color.Color {
	low, high := decimal.Min(c.s.Spot, c.s.Level), decimal.Max(c.s.Spot, c.s.Level)
	ahead := c.s.Crossed || c.s.Level.IsZero() || b.From.LessThan(high) && b.To.GreaterThan(low)
	switch falls := b.From.LessThan(c.s.Spot); {
	case falls && ahead:
		return fallDue
	case falls:
		return fallBar
	case ahead:
		return riseDue
	}
	return riseBar
}

// mostFigures is how many bars have their amount beside them.
const mostFigures = 3

// figures stand at the ends of a few long bars: the longest on the way, the longest
// of all, and others away from these; clear of the lines and of each other.
func (c *sketcher) figures() error {
	var placed []image.Rectangle
	way := c.ahead()
	for k, b := range longest(way, c.s.Bars) {
		text := inWords(b.AtRiskUSD)
		w, err := c.pen.width(style{letters, true}, text)
		if err != nil {
			return err
		}
		x, mid := plotLeft+c.scale.width(b.AtRiskUSD)+8, c.clear((c.scale.y(b.To)+c.scale.y(b.From))/2)
		at := box(x, mid-figureHalf, x+w+12, mid+figureHalf)
		apart := at.Inset(-4)
		if k > min(1, len(way)) { // neighbours of a long bar are long as well, and say nothing new
			apart = box(0, mid-72, sketchSize, mid+72)
		}
		if slices.ContainsFunc(placed, apart.Overlaps) || !b.AtRiskUSD.IsPositive() || k > 0 && c.covers(at) {
			continue
		}
		fill(c.img, at, night)
		if err := c.pen.write(x+6, mid+letters/3, w+2, left, style{letters, true}, moon, text); err != nil {
			return err
		}
		if placed = append(placed, at); len(placed) == mostFigures {
			break
		}
	}
	return nil
}

// covers reports that a figure would hide a part of some bar.
func (c *sketcher) covers(at image.Rectangle) bool {
	return slices.ContainsFunc(c.s.Bars, func(b SketchBar) bool {
		return box(plotLeft, c.scale.y(b.To), plotLeft+c.scale.width(b.AtRiskUSD), c.scale.y(b.From)).Overlaps(at)
	})
}

// figureHalf is half the height of a figure.
const figureHalf = letters/2 + 2

// clear moves a figure away from the lines.
func (c *sketcher) clear(mid int) int {
	const room = figureHalf + 4
	for _, t := range c.tags() {
		if d := mid - t.line; d >= 0 && d < room {
			mid = t.line + room
		} else if d < 0 && -d < room {
			mid = t.line - room
		}
	}
	return mid
}
