package config

import (
	"fmt"
	"time"
	_ "time/tzdata" // a container may have no zones of its own

	"go.yaml.in/yaml/v3"
)

// Delivery is what every notifier's block may say of when and how it is told.
type Delivery struct {
	Group        *time.Duration `yaml:"group" doc:"how long a message that is not critical waits for others, so that a burst becomes one digest; nothing waits when left out. Not for notifiers that machines read"`
	MaxPerMinute *int           `yaml:"max_per_minute" doc:"most messages in any minute; 0 for no limit, the channel's own when left out. Not for notifiers that machines read"`
	DigestOver   *int           `yaml:"digest_over" doc:"when more than so many wait, the most urgent are sent one by one and the rest as one digest; 0 for never, the channel's own when left out. Not for notifiers that machines read"`
	MinSeverity  string         `yaml:"min_severity" doc:"info, warning or critical: what is less severe is not sent here"`
	Resolved     *bool          `yaml:"resolved" doc:"false to send nothing here that only says that something is over; true when left out"`
	Quiet        *Quiet         `yaml:"quiet" doc:"hours of every day in which only what is urgent is sent; the rest is told as a digest when they end"`
}

// Quiet are hours of every day.
type Quiet struct {
	From   Clock  `yaml:"from,required" doc:"when they begin, such as 22:00"`
	To     Clock  `yaml:"to,required" doc:"when they end, such as 07:00; before from, it is that of the next day"`
	Zone   Zone   `yaml:"zone" default:"UTC" doc:"whose clock, such as Europe/Berlin"`
	Except string `yaml:"except" default:"critical" doc:"warning or critical: what is at least so severe is sent all the same"`
}

// Escalate calls others when nobody answers.
type Escalate struct {
	After    time.Duration `yaml:"after,required" doc:"how long an alert of the rule may go without being acknowledged while it lasts"`
	Notify   []string      `yaml:"notify,required" doc:"the notifiers told then"`
	Severity string        `yaml:"severity" default:"critical" doc:"that of the message to them: info, warning or critical"`
}

// Digest is the daily one.
type Digest struct {
	At     Clock    `yaml:"at" default:"08:00" doc:"the time of day; after a downtime it is sent late, and once"`
	Zone   Zone     `yaml:"zone" default:"UTC" doc:"whose clock, such as Europe/Berlin"`
	Notify []string `yaml:"notify,required" doc:"the notifiers told"`
}

// Heartbeat is a call that says that all is well.
type Heartbeat struct {
	URL          URL           `yaml:"url,required" doc:"called with GET while all is well: every chain fresh, no message late, the store writable. When it is not, no call is made, and whoever waits for it raises the alarm"`
	Every        time.Duration `yaml:"every" default:"60s" doc:"time between calls, at least 10s"`
	AllowPrivate bool          `yaml:"allow_private" doc:"let it reach loopback and private addresses"`
}

// Clock is a time of day.
type Clock struct{ Hour, Minute int }

// UnmarshalText reads hours and minutes, such as 07:30.
func (c *Clock) UnmarshalText(b []byte) error {
	at, err := time.Parse("15:04", string(b))
	if err != nil || len(b) != len("15:04") {
		return fmt.Errorf("%.20q is no time of day", b)
	}
	c.Hour, c.Minute = at.Hour(), at.Minute()
	return nil
}

func (c *Clock) decode(d *decoder, n *yaml.Node) {
	if d.scalar(n, "a time of day") && c.UnmarshalText([]byte(n.Value)) != nil {
		d.refuse(n, "write hours and minutes, such as \"07:30\"", "%s is no time of day", d.quote(n))
	}
}

// MarshalText writes it as it is read.
func (c Clock) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d:%02d", c.Hour, c.Minute), nil
}

// Zone is a time zone by its name in the zone database.
type Zone struct{ Location *time.Location }

// UnmarshalText reads a name such as Europe/Berlin.
func (z *Zone) UnmarshalText(b []byte) error {
	where, err := time.LoadLocation(string(b))
	if err != nil || len(b) == 0 || string(b) == "Local" {
		return fmt.Errorf("no time zone %.60q", b)
	}
	z.Location = where
	return nil
}

func (z *Zone) decode(d *decoder, n *yaml.Node) {
	if d.scalar(n, "a time zone") && z.UnmarshalText([]byte(n.Value)) != nil {
		d.refuse(n, "write UTC, or a place such as Europe/Berlin", "no time zone %s", d.quote(n))
	}
}

// MarshalText writes the name.
func (z Zone) MarshalText() ([]byte, error) { return []byte(z.Location.String()), nil }

const (
	longestGroup  = 10 * time.Minute
	leastReminder = time.Minute
	leastBeat     = 10 * time.Second
)

// delivery checks what the notifiers' blocks say of delivery.
func (k checker) delivery(name string, d Delivery) {
	at := func(keys ...any) []any { return append([]any{"notifiers", name}, keys...) }
	if d.Group != nil && *d.Group > longestGroup {
		k.refuse("at most 10m", "a group of %s", *d.Group)(at("group")...)
	}
	if d.MaxPerMinute != nil && (*d.MaxPerMinute < 0 || *d.MaxPerMinute > 6000) {
		k.refuse("write 0 for no limit, or up to 6000", "max_per_minute is %d", *d.MaxPerMinute)(at("max_per_minute")...)
	}
	if d.DigestOver != nil && *d.DigestOver < 0 {
		k.refuse("write 0 for no digest", "digest_over is below zero")(at("digest_over")...)
	}
	if d.MinSeverity != "" {
		k.severity(d.MinSeverity, severities, at("min_severity")...)
	}
	if q := d.Quiet; q != nil {
		k.severity(q.Except, severities[1:], at("quiet", "except")...)
		if q.From == q.To {
			k.refuse("make them differ; to hear of what is urgent only, set min_severity", "quiet hours from and to the same time")(at("quiet", "to")...)
		}
	}
}

func (k checker) severity(s string, of []string, path ...any) {
	if !contains(of, s) {
		k.refuse(didYouMean(s, of), "no severity %q here", s)(path...)
	}
}

// told checks a list of notifiers.
func (k checker) told(names []string, path ...any) {
	seen := map[string]bool{}
	for j, name := range names {
		at := append(append([]any{}, path...), j)
		if _, ok := k.c.Notifiers[name]; !ok {
			k.refuse(didYouMean(name, sorted(k.c.Notifiers)), "notifier %q is not under notifiers", name)(at...)
		}
		if seen[name] {
			k.refuse("keep one of the two", "notifier %q appears twice", name)(at...)
		}
		seen[name] = true
	}
}

// followUps checks a rule's reminders and escalation.
func (k checker) followUps(i int, r Rule) {
	if r.Remind != 0 && r.Remind < leastReminder {
		k.refuse("write at least 1m, or leave it out", "a reminder every %s", r.Remind)("rules", i, "remind")
	}
	if r.Remind != 0 && len(r.Notify) == 0 {
		k.refuse("add notify", "rule %q reminds nobody", r.Name)("rules", i, "remind")
	}
	e := r.Escalate
	if e == nil {
		return
	}
	if len(e.Notify) == 0 {
		k.refuse("name a notifier", "the escalation calls nobody")("rules", i, "escalate", "notify")
	}
	k.told(e.Notify, "rules", i, "escalate", "notify")
	k.severity(e.Severity, severities, "rules", i, "escalate", "severity")
}

// life checks the daily digest and the heartbeat.
func (k checker) life() {
	if d := k.c.Digest; d != nil {
		if len(d.Notify) == 0 {
			k.refuse("name a notifier", "the daily digest is told to nobody")("digest", "notify")
		}
		k.told(d.Notify, "digest", "notify")
	}
	h := k.c.Heartbeat
	if h == nil {
		return
	}
	if scheme := h.URL.Scheme(); (scheme != "http" && scheme != "https") || !hasHost(h.URL) {
		k.refuse("write https://host/path", "the heartbeat has no address to call")("heartbeat", "url")
	}
	if h.Every < leastBeat {
		k.refuse("write at least 10s", "a heartbeat every %s", h.Every)("heartbeat", "every")
	}
}
