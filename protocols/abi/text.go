package abi

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is as much of a token's symbol or a feed's description as is kept.
const maxText = 48

// Text reads the string a view returned, in either of the two ways tokens do it:
// a dynamic string, or 32 bytes padded with zeros. What cannot be printed, can
// turn the direction of writing, or could pass for markup is left out, and the
// rest is cut to 48 characters: symbols are chosen by whoever deployed the token.
func Text(data []byte) string {
	if b, err := Bytes(data, 0); err == nil && len(data) > 32 {
		return Printable(b)
	}
	if len(data) == 32 {
		return Printable(bytes.TrimRight(data, "\x00"))
	}
	return ""
}

// Printable is what is left of bytes when everything unfit for a terminal, a
// page or a message is taken out.
func Printable(b []byte) string {
	var out strings.Builder
	n := 0
	for len(b) > 0 && n < maxText {
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		if r == utf8.RuneError || !unicode.IsPrint(r) || strings.ContainsRune("<>&\"'`\\{}[]|*~", r) || unicode.Is(unicode.Mn, r) {
			continue
		}
		out.WriteRune(r)
		n++
	}
	return strings.TrimSpace(out.String())
}
