package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const told = base + "rules: [{name: r, axis: ETH, levels: [1], notify: [n]}]\n"

func notifier(more string) string { return told + "notifiers: {n: {type: x, " + more + "}}\n" }

func init() {
	r := rule + "    levels: [1]\n    notify: [n]\n"
	n := base + "notifiers: {n: {type: x}}\n"
	badFiles = append(badFiles, []struct{ name, text, place, problem, hint string }{
		{"negative group", notifier("group: -1s"), "4:", "not more than nothing", "write"},
		{"endless group", notifier("group: 11m"), "4:", "a group of 11m0s", "10m"},
		{"negative pace", notifier("max_per_minute: -1"), "4:", "max_per_minute", "no limit"},
		{"negative digest_over", notifier("digest_over: -1"), "4:", "digest_over", "no digest"},
		{"min_severity misspelt", notifier("min_severity: warn"), "4:", `no severity "warn"`, "warning"},
		{"resolved is a word", notifier("resolved: never"), "4:", "true or false", "true"},
		{"quiet without an end", notifier("quiet: {from: \"22:00\"}"), "4:", `"to" is missing`, "add it"},
		{"quiet by a bare number", notifier("quiet: {from: 22, to: \"07:00\"}"), "4:", `"22" is no time of day`, "07:30"},
		{"quiet at 25 o'clock", notifier("quiet: {from: \"25:00\", to: \"07:00\"}"), "4:", "no time of day", "07:30"},
		{"quiet at 7", notifier("quiet: {from: \"22:00\", to: \"7:00\"}"), "4:", "no time of day", "07:30"},
		{"quiet all day", notifier("quiet: {from: \"07:00\", to: \"07:00\"}"), "4:", "the same time", "min_severity"},
		{"quiet nowhere", notifier("quiet: {from: \"22:00\", to: \"07:00\", zone: Europe/Nowhere}"), "4:", `no time zone "Europe/Nowhere"`, "Europe/Berlin"},
		{"quiet in the machine's zone", notifier("quiet: {from: \"22:00\", to: \"07:00\", zone: Local}"), "4:", `no time zone "Local"`, "UTC"},
		{"quiet except everything", notifier("quiet: {from: \"22:00\", to: \"07:00\", except: info}"), "4:", `no severity "info" here`, "warning"},
		{"remind too often", r + "    remind: 5s\n", "9:", "a reminder every 5s", "at least 1m"},
		{"remind nobody", rule + "    levels: [1]\n    remind: 1h\n", "8:", "reminds nobody", "notify"},
		{"escalate at once", r + "    escalate: {after: 0s, notify: [n]}\n", "9:", "not more than nothing", "write"},
		{"escalate to a stranger", r + "    escalate: {after: 15m, notify: [m]}\n", "9:", `notifier "m" is not under notifiers`, "n"},
		{"escalate to nobody", r + "    escalate: {after: 15m, notify: []}\n", "9:", "calls nobody", "notifier"},
		{"escalate to one twice", r + "    escalate: {after: 15m, notify: [n, n]}\n", "9:", "appears twice", "keep one"},
		{"escalate at no severity", r + "    escalate: {after: 15m, notify: [n], severity: fatal}\n", "9:", `no severity "fatal"`, "critical"},
		{"digest to nobody", n + "digest: {notify: []}\n", "4:", "told to nobody", "name a notifier"},
		{"digest to a stranger", n + "digest: {notify: [m]}\n", "4:", `notifier "m"`, "n"},
		{"digest at noon", n + "digest: {at: noon, notify: [n]}\n", "4:", `"noon" is no time of day`, "07:30"},
		{"heartbeat nowhere", base + "heartbeat: {url: \"file:/x\"}\n", "3:", "no address to call", "https://"},
		{"heartbeat without a host", base + "heartbeat: {url: \"https:///x\"}\n", "3:", "no address to call", "https://"},
		{"heartbeat too often", base + "heartbeat: {url: \"https://h/x\", every: 1s}\n", "3:", "every 1s", "10s"},
		{"public_url with a password", base + "web: {public_url: \"https://u:p@h\"}\n", "3:", "cannot be reached", "without user"},
		{"public_url of a host alone", base + "web: {public_url: example.org}\n", "3:", "not an address", "https://"},
	}...)
}

func TestDeliveryIsRead(t *testing.T) {
	c, err := Parse("x.yaml", []byte(base+`
notifiers:
  chat: {type: telegram, group: 30s, max_per_minute: 10, digest_over: 0, min_severity: warning, resolved: false,
         quiet: {from: "22:00", to: "07:00", zone: Europe/Berlin}}
  pager: {type: webhook}
rules:
  - {name: r, axis: ETH, levels: [1], notify: [chat], remind: 1h, escalate: {after: 15m, notify: [pager]}}
digest: {notify: [chat]}
heartbeat: {url: "https://h.example/secret-key"}
web: {public_url: "https://liqwatch.example/eth"}
`))
	require.NoError(t, err)
	require.Empty(t, c.Warnings, "an escalation notifies too")
	d := c.Notifiers["chat"].Delivery
	require.Equal(t, 30*time.Second, *d.Group)
	require.Equal(t, 10, *d.MaxPerMinute)
	require.Zero(t, *d.DigestOver)
	require.False(t, *d.Resolved)
	require.Equal(t, Clock{22, 0}, d.Quiet.From)
	require.Equal(t, "Europe/Berlin", d.Quiet.Zone.Location.String())
	require.Equal(t, "critical", d.Quiet.Except)
	require.Nil(t, c.Notifiers["pager"].Delivery.DigestOver)
	require.Equal(t, time.Hour, c.Rules[0].Remind)
	require.Equal(t, "critical", c.Rules[0].Escalate.Severity)
	require.Equal(t, Clock{8, 0}, c.Digest.At)
	require.Equal(t, time.Minute, c.Heartbeat.Every)
	require.Equal(t, "https://h.example", c.Heartbeat.URL.String())
	require.NotContains(t, c.Redact("GET https://h.example/secret-key failed"), "secret-key")
	text, err := c.Public()
	require.NoError(t, err)
	require.NotContains(t, text, "escalate")
	_, err = Parse("public.yaml", []byte(text))
	require.NoError(t, err, "the public part stands alone")
}
