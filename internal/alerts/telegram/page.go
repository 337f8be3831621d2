package telegram

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"

	"liqwatch/internal/alerts/clip"
)

// page is an answer being written: pieces of text, each in one style. Markup is made
// of it at the end, so that no name can break it and no cut falls into a tag.
type page struct{ pieces []piece }

type piece struct {
	tag  string // b, i or code; empty for plain
	text string
}

func (p *page) add(tag, format string, args ...any) *page {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	p.pieces = append(p.pieces, piece{tag, printable(text)})
	return p
}

func (p *page) text(format string, args ...any) *page { return p.add("", format, args...) }
func (p *page) bold(format string, args ...any) *page { return p.add("b", format, args...) }
func (p *page) code(text string) *page                { return p.add("code", "%s", text) }

// line ends a line.
func (p *page) line() *page {
	p.pieces = append(p.pieces, piece{"", "\n"})
	return p
}

// html is the page in Telegram's markup, of at most some UTF-16 units as read.
func (p *page) html(limit int) string {
	return p.render(limit, func(tag, text string) string {
		text = escape.Replace(text)
		if tag == "" || strings.TrimSpace(text) == "" {
			return text
		}
		return "<" + tag + ">" + text + "</" + tag + ">"
	})
}

// plain is the same without markup.
func (p *page) plain(limit int) string {
	return p.render(limit, func(_, text string) string { return text })
}

func (p *page) render(limit int, write func(tag, text string) string) string {
	whole := 0
	for _, x := range p.pieces {
		whole += units(x.text)
	}
	left := limit
	if whole > limit {
		left -= units(clip.Mark)
	}
	var out strings.Builder
	for _, x := range p.pieces {
		text := x.text
		if units(text) > left {
			out.WriteString(write(x.tag, head(text, left)) + clip.Mark)
			break
		}
		left -= units(text)
		out.WriteString(write(x.tag, text))
	}
	return strings.TrimSpace(out.String())
}

// head is as much of a text as fits, in whole characters.
func head(s string, limit int) string {
	end := 0
	for g := uniseg.NewGraphemes(s); g.Next(); {
		n := units(g.Str())
		if n > limit {
			break
		}
		limit -= n
		_, end = g.Positions()
	}
	return s[:end]
}

// units is the length of the page as read.
func (p *page) units() int { return units(p.plain(1 << 30)) }

// printable makes what others wrote harmless: no control characters, nothing that
// turns the direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.In(r, unicode.Cf, unicode.Co) && r != '\u200d', r == unicode.ReplacementChar: // joiners make emoji
			return -1
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		}
		return r
	}, s)
}
