package notifiertest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
)

// Hostile are names that a stranger could give a token, to break a message, to call
// people, or to have them follow a link.
var Hostile = []string{
	"<b>x</b>", "</b><script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "&lt;b&gt;", "&#60;", "<!everyone>", "<!here|x>", "<@U012345>",
	"<https://evil.example|Aave>", "@everyone", "@here", "<@&1234567890>", "<@1234567890>", "[Aave](https://evil.example)", "**b** __u__ ~~s~~ ||spoiler||",
	"`code` ```block```", "# title\n> quote\n- list", "https://evil.example/login", ":rotating_light:", "\u202egnp.exe\u202c", "a\u2066b\u2069", "\u200b\u200d\ufeff",
	"x\r\nBcc: thief@evil.example\r\n\r\nbody", "x\n.\nRCPT TO:<thief@evil.example>", "$(touch /tmp/x); `id`; ${HOME} %s %n", "'; DROP TABLE alerts; --",
	"🏳️‍🌈👩‍👩‍👧🇺🇦", "Z̷̡̛a̶l̴g̵o̸", "a\x00b\x1b[31mred", "\xff\xfe broken", "{{.Title}} {0} %{x}", `\", "channel": "C0EVIL00"`,
	strings.Repeat("<@everyone>&\n", 80_000), strings.Repeat("👩‍👩‍👧", 60_000), strings.Repeat("a", 1<<20),
}

// HostileMessage is a message whose every text holds such a name, as if nothing
// before the notifier had cleaned it.
func HostileMessage(t testing.TB, name string) alerts.Message {
	t.Helper()
	m, err := alerts.Test("x", time.Unix(1_700_000_000, 0).UTC())
	require.NoError(t, err)
	m.Severity = alerts.Critical
	m.Title, m.Text = name+" is near", "before\n"+name+"\nafter"
	m.Fields = []alerts.Field{{Name: name, Value: name}, {Name: "Price", Value: name}}
	return m
}
