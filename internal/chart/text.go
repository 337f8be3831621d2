package chart

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// pen writes text; the fonts are part of the program. Faces keep buffers, so a
// pen belongs to one picture.
type pen struct {
	img   draw.Image
	faces map[style]font.Face
}

type style struct {
	size float64
	bold bool
}

type align int

const (
	left align = iota
	center
	right
)

func newPen(img draw.Image) *pen { return &pen{img, map[style]font.Face{}} }

func (p *pen) face(s style) (font.Face, error) {
	if f, ok := p.faces[s]; ok {
		return f, nil
	}
	ttf := goregular.TTF
	if s.bold {
		ttf = gobold.TTF
	}
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("parse font: %w", err)
	}
	f, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: s.size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, fmt.Errorf("open font: %w", err)
	}
	p.faces[s] = f
	return f, nil
}

// write sets text with its baseline at y; what is wider than width is cut.
func (p *pen) write(x, y, width int, a align, s style, c color.Color, text string) error {
	face, err := p.face(s)
	if err != nil {
		return err
	}
	text = fit(face, printable(face, text), width)
	w := font.MeasureString(face, text).Ceil()
	switch a {
	case center:
		x -= w / 2
	case right:
		x -= w
	}
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(text)
	return nil
}

func (p *pen) width(s style, text string) (int, error) {
	face, err := p.face(s)
	if err != nil {
		return 0, err
	}
	return font.MeasureString(face, printable(face, text)).Ceil(), nil
}

// maxRunes is as much of a name as is looked at: names come from contracts, and a
// contract may say anything.
const maxRunes = 200

// printable replaces what cannot be drawn, or would change how the rest reads
// (controls, direction marks, combining marks), by a question mark.
func printable(face font.Face, s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > maxRunes {
			break
		}
		_, has := face.GlyphAdvance(r)
		if !has || r == unicode.ReplacementChar || !unicode.IsPrint(r) || unicode.Is(unicode.M, r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// fit cuts text to a width, with an ellipsis.
func fit(face font.Face, s string, width int) string {
	if font.MeasureString(face, s).Ceil() <= width {
		return s
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0; n-- {
		if cut := strings.TrimRight(string(runes[:n]), " ") + "…"; font.MeasureString(face, cut).Ceil() <= width {
			return cut
		}
	}
	return ""
}
