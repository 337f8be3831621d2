package alerts

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The kinds of alerts that come of others, or of the clock.
const (
	KindReminder   Kind = "reminder"   // it lasts, and nobody has acknowledged it
	KindEscalation Kind = "escalation" // told to others, because nobody acknowledged it
	KindDigest     Kind = "digest"     // stands for many that waited
	KindDaily      Kind = "daily"      // the daily proof of life
)

// Why they are made.
const (
	ReasonStill          Reason = "still"          // it lasts, and nobody has acknowledged it
	ReasonUnacknowledged Reason = "unacknowledged" // nobody acknowledged it in time
	ReasonBurst          Reason = "burst"          // more waited than the notifier should send one by one
	ReasonQuiet          Reason = "quiet"          // held back over quiet hours
	ReasonDaily          Reason = "daily"          // the hour of the daily digest
)

// Followed is the alert that a reminder or an escalation repeats.
type Followed struct {
	ID    string    `json:"id"`
	Kind  Kind      `json:"kind"`
	Since time.Time `json:"since"` // when it was told
	// Count numbers the reminders of one alert by the time since it, from 1.
	Count int `json:"count,omitempty"`
	// Told are the notifiers that it was for.
	Told []string `json:"told,omitempty"`
	// Episodes are those it was told in and that last.
	Episodes []string `json:"episodes"`
}

// InEpisodes are the episodes in which an alert is news, each named by the claims
// it makes: rule, axis, level, side and number. None for an alert that ends one.
func (a Alert) InEpisodes() []string {
	switch a.Kind {
	case KindRearmed, KindCorrection:
		return nil
	case KindReminder, KindEscalation:
		return a.Follows.Episodes
	}
	var out []string
	seen := map[string]bool{}
	for _, c := range a.Claims {
		if i := strings.LastIndexByte(c, '|'); i > 0 && !seen[c[:i]] {
			seen[c[:i]] = true
			out = append(out, c[:i])
		}
	}
	return out
}

// following is what the templates of reminders and escalations see: the news in
// words, with the numbers of now.
type following struct {
	Alert
	News Message
}

// Ago is how long ago the news was told.
func (f following) Ago() string { return span(f.Seen.Sub(f.Follows.Since)) }

// composeFollowing says again what an alert said, and why.
func composeFollowing(a Alert) (Message, error) {
	news := a
	news.Kind, news.Follows = a.Follows.Kind, nil
	said, err := Compose(news)
	if err != nil {
		return Message{}, err
	}
	m := Message{Kind: a.Kind, Severity: a.Severity, Time: a.Seen, Fields: said.Fields, Sketch: said.Sketch}
	for part, into := range map[string]*string{"title": &m.Title, "text": &m.Text} {
		var b strings.Builder
		if err := wording.ExecuteTemplate(&b, string(a.Kind)+"."+part, following{a, said}); err != nil {
			return Message{}, fmt.Errorf("word an alert of kind %q: %w", a.Kind, err)
		}
		*into = strings.TrimSpace(b.String())
	}
	if m.Data, err = json.Marshal(body(a, m)); err != nil {
		return Message{}, fmt.Errorf("write an alert of kind %q as JSON: %w", a.Kind, err)
	}
	return m, nil
}
