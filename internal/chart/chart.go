// Package chart draws a ladder's map as a picture for a phone: PNG, 1080 pixels
// wide, fonts included. It reads no clock: the time is an input.
package chart

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/thresholds"
)

// Options are what a picture needs besides the map.
type Options struct {
	// Title replaces "<axis> liquidation map".
	Title string
	// Now is when the picture is made, for the age of the data; zero leaves the age out.
	Now time.Time
	// Levels are prices to mark, such as a rule's; those that are edges of the map.
	Levels []decimal.Decimal
}

// PNG writes the map as a picture. Bars show collateral at risk by band, each
// position valued at its own trigger; the darker part is what single liquidation
// calls may seize.
func PNG(w io.Writer, m *thresholds.Map, opt Options) error {
	img, err := Image(m, opt)
	if err != nil {
		return fmt.Errorf("draw chart: %w", err)
	}
	if err := png.Encode(w, img); err != nil {
		return fmt.Errorf("write chart: %w", err)
	}
	return nil
}

// Image is the picture before it is encoded.
func Image(m *thresholds.Map, opt Options) (image.Image, error) {
	rows := rowsOf(m)
	g := layoutOf(rows)
	img := image.NewRGBA(image.Rect(0, 0, width, g.height))
	c := &canvas{img: img, pen: newPen(img), m: m, opt: opt, rows: rows, g: g, right: barRight}
	if len(opt.Levels) > 0 {
		c.right -= levelRoom
	}
	c.scale = newScale(rows, c.right-barLeft)
	fill(img, img.Bounds(), paper)
	for _, part := range []func() error{c.header, c.legend, c.grid, c.bars, c.levels, c.spot, c.footer} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return img, nil
}

// canvas is one picture being drawn.
type canvas struct {
	img   *image.RGBA
	pen   *pen
	m     *thresholds.Map
	opt   Options
	rows  []row
	g     layout
	scale scale
	right int // where the longest bar ends
}

const (
	width    = 1080
	margin   = 40
	barLeft  = 300
	barRight = 830 // room for the figures to the right of the longest bar
	textGap  = 12
	// levelRoom keeps the figures of a long bar clear of a level's name at the right.
	levelRoom = 150
)

var (
	paper    = color.RGBA{255, 255, 255, 255}
	ink      = color.RGBA{24, 28, 36, 255}
	faint    = color.RGBA{104, 112, 124, 255}
	gridLine = color.RGBA{228, 231, 236, 255}
	zebra    = color.RGBA{247, 248, 250, 255}
	downBar  = color.RGBA{244, 176, 160, 255}
	downDark = color.RGBA{196, 62, 42, 255}
	upBar    = color.RGBA{160, 199, 236, 255}
	upDark   = color.RGBA{34, 104, 172, 255}
	spotLine = color.RGBA{20, 132, 84, 255}
	level    = color.RGBA{150, 84, 196, 255}
)

// layout is where things are, from top to bottom.
type layout struct {
	top, rowHeight, spotRow, spotHeight, bottom, height int
}

func layoutOf(rows []row) layout {
	g := layout{top: 290, spotHeight: 64, rowHeight: 56}
	if n := len(rows); n > 16 {
		g.rowHeight = max(26, 56*16/n)
	}
	for _, r := range rows {
		if r.up {
			g.spotRow++
		}
	}
	g.bottom = g.top + len(rows)*g.rowHeight + g.spotHeight
	g.height = g.bottom + 190
	return g
}

// y is the top of row k; the spot line has a strip of its own.
func (g layout) y(k int) int {
	y := g.top + k*g.rowHeight
	if k >= g.spotRow {
		y += g.spotHeight
	}
	return y
}

func fill(img draw.Image, r image.Rectangle, c color.Color) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

func box(x0, y0, x1, y1 int) image.Rectangle { return image.Rect(x0, y0, x1, y1) }
