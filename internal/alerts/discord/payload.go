package discord

import (
	"strings"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
)

// Limits of https://docs.discord.com/developers/resources/message#embed-object-embed-limits
// and of a message's content. The texts of all embeds together may have 6,000.
const (
	maxContent     = 2000
	maxTitle       = 256
	maxDescription = 4096
)

type payload struct {
	Content  string   `json:"content"` // what notifications on a phone show
	Embeds   []embed  `json:"embeds"`
	Mentions mentions `json:"allowed_mentions"`
}

// mentions allows none: an empty list of what is looked for in the text.
type mentions struct {
	Parse []string `json:"parse"`
}

type embed struct {
	Title       string `json:"title,omitempty"`
	URL         string `json:"url,omitempty"`
	Description string `json:"description,omitempty"`
	Color       int    `json:"color"`
	Timestamp   string `json:"timestamp"`
	Footer      footer `json:"footer"`
}

type footer struct {
	Text string `json:"text"`
}

var colors = map[alerts.Severity]int{alerts.Critical: 0xD92D20, alerts.Warning: 0xF79009, alerts.Info: 0x2E90FA}

// escape makes every character that Markdown, a mention or a link could begin with
// stand for itself: a backslash is dropped before any mark.
var escape = func() func(string) string {
	var pairs []string
	for _, r := range "\\`*_~|<>[]()#@:" {
		pairs = append(pairs, string(r), "\\"+string(r))
	}
	return strings.NewReplacer(pairs...).Replace
}()

func compose(m alerts.Message, link string) payload {
	foot := string(m.Severity)
	if m.MayRepeat {
		foot += " · (may repeat)"
	}
	e := embed{
		Description: clip.Escaped(m.Text, maxDescription, clip.Units, escape), Color: colors[m.Severity],
		Timestamp: m.Time.UTC().Format(time.RFC3339), Footer: footer{foot},
	}
	if link != "" {
		e.Title, e.URL = "Open the page", link
	}
	return payload{
		Content: "**" + clip.Escaped(m.Title, maxContent-4, clip.Units, escape) + "**",
		Embeds:  []embed{e}, Mentions: mentions{Parse: []string{}},
	}
}
