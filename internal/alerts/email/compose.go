package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"strings"
	"unicode"

	mail "github.com/wneessen/go-mail"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
	"liqwatch/internal/alerts/incident"
)

const (
	maxSubject = 200
	maxBody    = 20_000
	maxField   = 300
)

// compose makes the mail: text, and the same as simple HTML. It is the same on every
// repeat, with the same Message-ID, by which mail programs know it for one; the mails
// of an incident name a common ancestor, by which they show them together.
func (n *Notifier) compose(m alerts.Message) ([]byte, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithBoundary("liqwatch-"+short(m.ID)))
	msg.FromMailAddress(&n.from)
	for i := range n.to {
		if err := msg.AddTo(n.to[i].String()); err != nil {
			return nil, fmt.Errorf("recipient %d: %w", i+1, err)
		}
	}
	msg.Subject(subject(m))
	msg.SetDateWithValue(m.Time.UTC())
	msg.SetMessageIDWithValue(n.id(m.ID))
	if in, err := incident.Of(m); err == nil {
		key := in.Opens
		if key == "" {
			key = in.Closes[len(in.Closes)-1]
		}
		msg.SetGenHeader(mail.HeaderReferences, "<"+n.id("incident-"+short(string(key)))+">")
	}
	// Who is away must not answer to a machine. RFC 3834.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader("X-Liqwatch-Severity", oneLine(string(m.Severity)))
	if m.Severity == alerts.Critical {
		msg.SetImportance(mail.ImportanceHigh)
	}
	msg.SetBodyString(mail.TypeTextPlain, asText(m))
	msg.AddAlternativeString(mail.TypeTextHTML, asHTML(m))
	var raw bytes.Buffer
	if _, err := msg.WriteTo(&raw); err != nil {
		return nil, fmt.Errorf("write the mail: %w", err)
	}
	return raw.Bytes(), nil
}

// id is a Message-ID within the sender's domain.
func (n *Notifier) id(local string) string {
	_, domain, _ := strings.Cut(n.from.Address, "@")
	if strings.Trim(local, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" || local == "" || len(local) > 100 {
		local = short(local)
	}
	return local + "@" + domain
}

func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

func subject(m alerts.Message) string {
	return clip.To(oneLine("["+string(m.Severity)+"] "+m.Title), maxSubject, clip.Runes)
}

// oneLine keeps what could end a header, or turn its writing around, out of it.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.Is(unicode.Cf, r) && r != '\u200d': // the joiner of emoji stays
			return -1
		}
		return r
	}, s)
}

func asText(m alerts.Message) string {
	var b strings.Builder
	b.WriteString(clip.To(m.Title, maxBody, clip.Runes) + "\n\n" + clip.To(m.Text, maxBody, clip.Runes) + "\n")
	if len(m.Fields) > 0 {
		b.WriteString("\n")
	}
	for _, f := range m.Fields {
		fmt.Fprintf(&b, "%s: %s\n", clip.To(f.Name, maxField, clip.Runes), clip.To(f.Value, maxField, clip.Runes))
	}
	fmt.Fprintf(&b, "\n%s\n", m.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
	return b.String()
}

func asHTML(m alerts.Message) string {
	esc := func(s string, limit int) string { return clip.Escaped(s, limit, clip.Runes, html.EscapeString) }
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html><body style=\"font-family:sans-serif\">\n")
	fmt.Fprintf(&b, "<h3>%s</h3>\n<p style=\"white-space:pre-line\">%s</p>\n", esc(m.Title, maxBody), esc(m.Text, maxBody))
	if len(m.Fields) > 0 {
		b.WriteString("<table>\n")
		for _, f := range m.Fields {
			fmt.Fprintf(&b, "<tr><td>%s</td><td>%s</td></tr>\n", esc(f.Name, maxField), esc(f.Value, maxField))
		}
		b.WriteString("</table>\n")
	}
	fmt.Fprintf(&b, "<p><small>%s</small></p>\n</body></html>\n", m.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
	return b.String()
}
