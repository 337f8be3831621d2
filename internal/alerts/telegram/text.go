package telegram

import (
	"strings"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
)

// The longest text and the longest caption, in UTF-16 units, counted after the
// entities are resolved: https://core.telegram.org/bots/api#sendmessage and #sendphoto
const (
	maxUnits   = 4096
	maxCaption = 1024
)

// repeated marks a message whose predecessor may have arrived.
const repeated = "(may repeat)"

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// parts are a message's title and text, cut to fit in one Telegram message.
func parts(m alerts.Message) (title, text string) {
	tail := ""
	if m.MayRepeat {
		tail = "\n" + repeated
	}
	title = cut(m.Title, maxUnits/4)
	return title, cut(m.Text, maxUnits-units(title)-1-units(tail)) + tail
}

// asHTML is the message in Telegram's HTML: a bold title, everything else escaped.
func asHTML(m alerts.Message) string {
	title, text := parts(m)
	return strings.TrimSpace("<b>" + escape.Replace(title) + "</b>\n" + escape.Replace(text))
}

// asPlain is the same message without any markup.
func asPlain(m alerts.Message) string {
	title, text := parts(m)
	return strings.TrimSpace(title + "\n" + text)
}

// cut shortens text to a number of UTF-16 units, between two characters as people
// see them, and marks that it did.
func cut(s string, limit int) string { return clip.To(s, limit, clip.Units) }

// units counts UTF-16 code units.
func units(s string) int { return clip.Units(s) }
