package email

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/notifiertest"
)

func TestEveryWayOfProtection(t *testing.T) {
	for _, way := range []Encryption{StartTLS, Implicit, None} {
		t.Run(string(way), func(t *testing.T) {
			s := start(t, way, way != None)
			changes := map[string]any{"tls": string(way)}
			if way != None {
				changes["ca_file"], changes["user"], changes["password"] = s.ca, "me", "hunter2"
			}
			n := s.notifier(t, changes)
			for _, m := range notifiertest.Episode(t) {
				require.NoError(t, n.Send(t.Context(), m))
			}
			require.Len(t, s.got(), 6)
			for _, l := range s.got() {
				require.Equal(t, way != None, l.tls)
				require.Equal(t, "risk@example.org", l.from)
				require.Equal(t, []string{"a@example.org", "b@example.org"}, l.to)
			}
		})
	}
}

func TestWording(t *testing.T) {
	s := start(t, None, false)
	n := s.notifier(t, nil)
	for i, m := range notifiertest.Episode(t) {
		require.NoError(t, n.Send(t.Context(), m))
		notifiertest.Golden(t, string(m.Kind), []byte(strings.ReplaceAll(s.got()[i].raw, "\r\n", "\n")))
	}
}

func TestARepeatIsTheSameMail(t *testing.T) {
	s := start(t, None, false)
	n := s.notifier(t, nil)
	m := notifiertest.Episode(t)[0]
	require.NoError(t, n.Send(t.Context(), m))
	m.MayRepeat = true
	require.NoError(t, s.notifier(t, nil).Send(t.Context(), m), "by another process")
	require.Equal(t, s.got()[0].raw, s.got()[1].raw)
	first := parse(t, s.got()[0].raw)
	require.Equal(t, "<msg_0@example.org>", first.header.Get("Message-ID"))
	require.NoError(t, n.Send(t.Context(), notifiertest.Episode(t)[1]))
	crossing := parse(t, s.got()[2].raw)
	require.Equal(t, first.header.Get("References"), crossing.header.Get("References"), "one thread")
	require.NotEqual(t, first.header.Get("Message-ID"), crossing.header.Get("Message-ID"))
	require.Equal(t, "auto-generated", crossing.header.Get("Auto-Submitted"))
	require.Equal(t, "high", crossing.header.Get("Importance"))
}

// received is a mail as a mail program sees it.
type received struct {
	header     mail.Header
	subject    string
	text, html string
}

func parse(t testing.TB, raw string) received {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	require.NoError(t, err)
	r := received{header: m.Header}
	r.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return r
		}
		require.NoError(t, err)
		require.Equal(t, "quoted-printable", p.Header.Get("Content-Transfer-Encoding"))
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		require.NoError(t, err)
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			r.html = string(body)
		} else {
			r.text = string(body)
		}
	}
}

var (
	tags    = regexp.MustCompile(`<(?:/?([a-z0-9]*))?`)
	allowed = map[string]bool{"html": true, "body": true, "h3": true, "p": true, "table": true, "tr": true, "td": true, "small": true}
)

func TestHostileNamesDoNoHarm(t *testing.T) {
	s := start(t, None, false)
	n := s.notifier(t, nil)
	for i, name := range notifiertest.Hostile {
		require.NoError(t, n.Send(t.Context(), notifiertest.HostileMessage(t, name)), "%.40q", name)
		l := s.got()[i]
		require.Equal(t, []string{"a@example.org", "b@example.org"}, l.to, "nobody else is told")
		r := parse(t, l.raw)
		require.Empty(t, r.header.Get("Bcc"))
		var names []string
		for h := range r.header {
			names = append(names, h)
		}
		require.ElementsMatch(t, []string{
			"Mime-Version", "Date", "Message-Id", "Subject", "From", "To", "References", "Auto-Submitted", "X-Auto-Response-Suppress",
			"X-Liqwatch-Severity", "Importance", "Priority", "X-Priority", "X-Msmail-Priority", "Content-Type",
		}, names, "%.40q", name)
		require.LessOrEqual(t, len(r.subject), 4*maxSubject)
		require.NotContains(t, r.subject, "\n")
		for _, tag := range tags.FindAllStringSubmatch(strings.TrimPrefix(r.html, "<!doctype html>"), -1) {
			require.True(t, allowed[tag[1]], "<%s> in %.40q", tag[1], name)
		}
	}
}

func TestWhatARefusalMeans(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*server)
		want   string
		text   string
	}{
		"busy":           {func(s *server) { s.mail = smtpError(451, "come again, hunter2") }, "retry", "451 4.1.1"},
		"sender refused": {func(s *server) { s.mail = smtpError(550, "hunter2") }, "dead", "550 5.1.1"},
		"mail refused":   {func(s *server) { s.data = smtpError(554, "spam hunter2") }, "dead", "554"},
		"mail put off":   {func(s *server) { s.data = smtpError(450, "greylisted") }, "retry", "450"},
		"all recipients refused": {func(s *server) {
			s.rcpt["a@example.org"], s.rcpt["b@example.org"] = smtpError(550, "x"), smtpError(550, "x")
		}, "dead", "recipient 2 of 2"},
		"accepted, then cut off": {func(s *server) { s.hangUp = true }, "unsure", "send the mail"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, None, false)
			tc.change(s)
			err := s.notifier(t, nil).Send(t.Context(), notifiertest.Episode(t)[0])
			require.Equal(t, tc.want, notifiertest.Meaning(err))
			require.ErrorContains(t, err, tc.text)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// One wrong address must not keep the others from being told, and one that is put
// off must not have the others told twice.
func TestRecipientsCountOneByOne(t *testing.T) {
	s := start(t, None, false)
	n := s.notifier(t, nil)
	m := notifiertest.Episode(t)[0]
	s.rcpt["a@example.org"] = smtpError(451, "come again")
	require.Equal(t, "retry", notifiertest.Meaning(n.Send(t.Context(), m)))
	require.Equal(t, []string{"b@example.org"}, s.got()[0].to)
	require.Equal(t, "retry", notifiertest.Meaning(n.Send(t.Context(), m)))
	require.Len(t, s.got(), 1)
	delete(s.rcpt, "a@example.org")
	require.NoError(t, n.Send(t.Context(), m))
	require.Equal(t, []string{"a@example.org"}, s.got()[1].to)
	require.Empty(t, n.told)

	s.rcpt["b@example.org"] = smtpError(550, "gone")
	require.Equal(t, "dead", notifiertest.Meaning(n.Send(t.Context(), notifiertest.Episode(t)[1])))
	require.Equal(t, []string{"a@example.org"}, s.got()[2].to)
}

func TestSigningIn(t *testing.T) {
	s := start(t, StartTLS, true)
	wrong := s.notifier(t, map[string]any{"tls": "starttls", "ca_file": s.ca, "user": "me", "password": "hunter3"})
	err := wrong.Send(t.Context(), notifiertest.Episode(t)[0])
	require.Equal(t, "dead", notifiertest.Meaning(err))
	require.ErrorContains(t, err, "535")
	require.NotContains(t, err.Error(), "hunter")
	none := s.notifier(t, map[string]any{"tls": "starttls", "ca_file": s.ca})
	require.ErrorContains(t, none.Send(t.Context(), notifiertest.Episode(t)[0]), "wants a user")
	require.Empty(t, s.got())
}

func TestNoPasswordGoesToAStrangerOrInTheClear(t *testing.T) {
	for name, tc := range map[string]struct {
		server Encryption
		values map[string]any
		want   string
	}{
		"unknown certificate": {StartTLS, map[string]any{"tls": "starttls"}, "not trusted"},
		"unknown, implicit":   {Implicit, map[string]any{"tls": "implicit"}, "not trusted"},
		"no STARTTLS":         {None, map[string]any{"tls": "starttls"}, "offers no STARTTLS"},
		"speaks no TLS":       {None, map[string]any{"tls": "implicit"}, "speaks no TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, tc.server, true)
			tc.values["user"], tc.values["password"] = "me", "hunter2"
			err := s.notifier(t, tc.values).Send(t.Context(), notifiertest.Episode(t)[0])
			require.Equal(t, "retry", notifiertest.Meaning(err))
			require.ErrorContains(t, err, tc.want)
			require.Empty(t, s.signIns)
			require.Empty(t, s.got())
		})
	}
}

func TestAServerThatHangsOrTalksWithoutEndIsGivenUp(t *testing.T) {
	for name, tc := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"says nothing": {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "no answer in time"},
		"never ends a line": {func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, strings.Repeat("x", 4096)); err != nil {
					return
				}
			}
		}, "says too much"},
		"never ends a reply": {func(c net.Conn) {
			for {
				if _, err := fmt.Fprint(c, "220-x\r\n"); err != nil {
					return
				}
			}
		}, "says too much"},
		"hangs up": {func(c net.Conn) { _ = c.Close() }, "the connection broke"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer func() { _ = l.Close() }()
			go func() {
				c, err := l.Accept()
				if err == nil {
					defer func() { _ = c.Close() }()
					tc.serve(c)
				}
			}()
			s := &server{addr: l.Addr().String()}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if tc.want == "says too much" {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
			}
			defer cancel()
			err = s.notifier(t, nil).Send(ctx, notifiertest.Episode(t)[0])
			require.Equal(t, "retry", notifiertest.Meaning(err))
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// When time runs out after the mail was sent whole it may have been taken.
func TestASlowServerMayHaveTheMail(t *testing.T) {
	s := start(t, None, false)
	s.slow = time.Second
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.Equal(t, "unsure", notifiertest.Meaning(s.notifier(t, nil).Send(ctx, notifiertest.Episode(t)[0])))
	require.Len(t, s.got(), 1)
}

func TestAServerInsideNeedsTheOptIn(t *testing.T) {
	s := start(t, None, false)
	err := s.notifier(t, map[string]any{"allow_private": false}).Send(t.Context(), notifiertest.Episode(t)[0])
	require.ErrorContains(t, err, "allow_private")
	require.Equal(t, "retry", notifiertest.Meaning(err))
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	good := func() map[string]any {
		return map[string]any{"server": "smtp.example.org", "from": "a@example.org", "to": []string{"b@example.org"}}
	}
	for name, tc := range map[string]struct {
		key   string
		value any
		want  string
	}{
		"odd server":     {"server", "smtp://example.org", "host or host:port"},
		"odd port":       {"server", "example.org:mail", "host or host:port"},
		"odd tls":        {"tls", "yes", "starttls, implicit or none"},
		"user alone":     {"user", "me", "a user has a password"},
		"no recipients":  {"to", []string{}, "at least one"},
		"odd recipient":  {"to", []string{"b@example.org, c@example.org"}, "one mail address"},
		"injection":      {"from", "a@example.org\r\nRCPT TO:<x@evil.example>", "one mail address"},
		"no authority":   {"ca_file", "/does/not/exist", "ca_file"},
		"odd authority":  {"ca_file", "email_test.go", "no certificate"},
		"unknown":        {"smtp", "x", "smtp"},
		"sender missing": {"from", nil, "from"},
	} {
		t.Run(name, func(t *testing.T) {
			values := good()
			if values[tc.key] = tc.value; tc.value == nil {
				delete(values, tc.key)
			}
			_, err := build(t, values)
			require.ErrorContains(t, err, tc.want)
		})
	}
	values := good()
	values["tls"], values["user"], values["password"] = "none", "me", "hunter2"
	_, err := build(t, values)
	require.ErrorContains(t, err, "in the clear")
	n, err := build(t, good())
	require.NoError(t, err)
	require.Equal(t, Server{"smtp.example.org", "587"}, n.server)
}

func TestSubjectIsOneLine(t *testing.T) {
	require.Equal(t, "[critical] a  Bcc: x", subject(alerts.Message{Severity: alerts.Critical, Title: "a\r\nBcc: x"}))
}
