package slack

import (
	"strings"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
)

// Limits of https://docs.slack.dev/reference/block-kit/blocks and of chat.postMessage.
const (
	maxHeader  = 150
	maxSection = 3000
	maxText    = 4000
)

// payload is a message as both ways take it.
type payload struct {
	Channel     Channel `json:"channel,omitempty"`
	Text        string  `json:"text"` // what notifications on a phone show
	Blocks      []block `json:"blocks"`
	ThreadTS    string  `json:"thread_ts,omitempty"`
	Broadcast   bool    `json:"reply_broadcast,omitempty"`
	UnfurlLinks bool    `json:"unfurl_links"`
	UnfurlMedia bool    `json:"unfurl_media"`
}

type block struct {
	Type     string `json:"type"`
	Text     *text  `json:"text,omitempty"`
	Elements []text `json:"elements,omitempty"`
}

// text is always plain; emoji: false leaves :names: as they are.
type text struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji bool   `json:"emoji"`
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace

func plain(s string, limit int) text {
	return text{Type: "plain_text", Text: clip.Escaped(s, limit, clip.Units, escape)}
}

var dots = map[alerts.Severity]string{alerts.Critical: "🔴 ", alerts.Warning: "🟠 ", alerts.Info: "🔵 "}

func compose(m alerts.Message) payload {
	title := plain(dots[m.Severity]+m.Title, maxHeader)
	foot := string(m.Severity) + " · " + m.Time.UTC().Format("2006-01-02 15:04:05 UTC")
	if m.MayRepeat {
		foot += " · (may repeat)"
	}
	p := payload{Text: clip.Escaped(dots[m.Severity]+m.Title, maxText, clip.Units, escape)}
	p.Blocks = append(p.Blocks, block{Type: "header", Text: &title})
	if strings.TrimSpace(m.Text) != "" {
		body := plain(m.Text, maxSection)
		p.Blocks = append(p.Blocks, block{Type: "section", Text: &body})
	}
	p.Blocks = append(p.Blocks, block{Type: "context", Elements: []text{plain(foot, maxSection)}})
	return p
}
