// Package clip shortens texts to what a channel takes, never inside a character as
// people see one.
package clip

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Mark ends a text that was cut.
const Mark = "…"

// A Measure is the length of a text as a channel counts it. It must be additive.
type Measure func(string) int

// Bytes counts bytes, as ntfy does.
func Bytes(s string) int { return len(s) }

// Runes counts code points, as Slack and PagerDuty do.
func Runes(s string) int { return utf8.RuneCountInString(s) }

// Units counts UTF-16 code units, as Telegram and Discord do.
func Units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// To shortens a text to a limit and marks that it did. Invalid UTF-8 is replaced first.
func To(s string, limit int, measure Measure) string {
	return Escaped(s, limit, measure, func(s string) string { return s })
}

// Escaped escapes a text, cut so that what comes of it keeps to the limit and no
// escape is cut in two.
func Escaped(s string, limit int, measure Measure, escape func(string) string) string {
	s = valid(s)
	// A text of many times the limit is not worth escaping whole.
	if len(s) <= 8*limit {
		if whole := escape(s); measure(whole) <= limit {
			return whole
		}
	}
	left := limit - measure(Mark)
	var out []byte
	for g := uniseg.NewGraphemes(s); g.Next(); {
		part := escape(g.Str())
		n := measure(part)
		if n > left {
			break
		}
		left -= n
		out = append(out, part...)
	}
	if left < 0 {
		return ""
	}
	return string(out) + Mark
}

func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
