package discord

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/config"
)

// server is a double of Discord: five messages in two seconds, the documented limits
// and refusals, and no mention that is not escaped.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	now      time.Time
	window   time.Time
	used     int
	taken    []payload
	early    int // calls that came although the limit was known to be used up
	thread   string
	override http.HandlerFunc
}

const perWindow = 5

func start(t testing.TB) *server {
	s := &server{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.override != nil {
		s.override(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodPost || r.URL.Path != "/api/webhooks/1/hunter2" {
		refuse(w, http.StatusNotFound, 10015, "Unknown Webhook")
		return
	}
	if s.now.Sub(s.window) >= 2*time.Second {
		s.window, s.used = s.now, 0
	}
	left := s.window.Add(2 * time.Second).Sub(s.now).Seconds()
	if s.used >= perWindow {
		s.early++
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprintf(w, `{"message":"You are being rate limited.","retry_after":%.3f,"global":false}`, left)
		return
	}
	s.used++
	w.Header().Set("X-RateLimit-Limit", strconv.Itoa(perWindow))
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(perWindow-s.used))
	w.Header().Set("X-RateLimit-Reset-After", fmt.Sprintf("%.3f", left))
	p, problem := read(r)
	if problem != "" {
		refuse(w, http.StatusBadRequest, 50035, problem)
		return
	}
	s.taken = append(s.taken, p)
	s.thread = r.URL.Query().Get("thread_id")
	if r.URL.Query().Get("wait") != "true" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	fmt.Fprintf(w, `{"id":"%d"}`, len(s.taken))
}

func refuse(w http.ResponseWriter, status, code int, text string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q,"code":%d}`, text, code)
}

// active is Markdown, a mention or a link that was not escaped.
var active = regexp.MustCompile("(^|[^\\\\])(\\\\\\\\)*[`*_~|<>\\[\\]()#@]|https?:")

func read(r *http.Request) (payload, string) {
	var p payload
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		return p, "not JSON"
	}
	if p.Mentions.Parse == nil || len(p.Mentions.Parse) > 0 {
		return p, "mentions are on"
	}
	bold := strings.TrimSuffix(strings.TrimPrefix(p.Content, "**"), "**")
	total := 0
	for i, e := range p.Embeds {
		if i > 0 || size(e.Title) > 256 || size(e.Description) > 4096 || size(e.Footer.Text) > 2048 {
			return p, "Must be fewer in length."
		}
		total += size(e.Title) + size(e.Description) + size(e.Footer.Text)
		if active.MatchString(e.Description) {
			return p, "markup"
		}
	}
	switch {
	case size(p.Content) > 2000, total > 6000:
		return p, "Must be 2000 or fewer in length."
	case active.MatchString(bold):
		return p, "markup"
	case p.Content == "" && len(p.Embeds) == 0:
		return p, "Cannot send an empty message"
	}
	return p, ""
}

func size(s string) int { return len(utf16.Encode([]rune(s))) }

func build(t testing.TB, values map[string]any) (*Notifier, error) {
	t.Helper()
	s, err := config.FromMap("test", values)
	require.NoError(t, err)
	return New(s)
}

func hooked(t testing.TB, s *server) *Notifier {
	n, err := build(t, map[string]any{"webhook_url": s.URL + "/api/webhooks/1/hunter2", "thread_id": 42, "allow_private": true, "link": "https://liqwatch.example.org/"})
	require.NoError(t, err)
	n.client.Now = s.clock
	return n
}

func TestWording(t *testing.T) {
	notifiertest.GoldenJSON(t, func(m alerts.Message) any { return compose(m, "https://liqwatch.example.org/") })
}

func TestHostileNamesDoNoHarm(t *testing.T) {
	s := start(t)
	n := hooked(t, s)
	for _, name := range notifiertest.Hostile {
		require.NoError(t, n.Send(t.Context(), notifiertest.HostileMessage(t, name)), "%.40q", name)
		s.now = s.now.Add(2 * time.Second)
	}
	require.Equal(t, "42", s.thread)
}

func TestTheDoubleIsStrict(t *testing.T) {
	for body, want := range map[string]string{
		`{"content":"x","embeds":[]}`:                                                                 "mentions are on",
		`{"content":"@everyone","embeds":[],"allowed_mentions":{"parse":[]}}`:                         "markup",
		`{"content":"\\\\@everyone","embeds":[],"allowed_mentions":{"parse":[]}}`:                     "markup",
		`{"content":"x","embeds":[{"description":"[a](b)"}],"allowed_mentions":{"parse":[]}}`:         "markup",
		`{"content":"https://x.example","embeds":[],"allowed_mentions":{"parse":[]}}`:                 "markup",
		`{"content":"` + strings.Repeat("x", 2001) + `","embeds":[],"allowed_mentions":{"parse":[]}}`: "Must be 2000 or fewer in length.",
		`{"content":"x","embeds":[],"allowed_mentions":{"parse":["everyone"]}}`:                       "mentions are on",
		`{"content":"\\@x","embeds":[],"allowed_mentions":{"parse":[]}}`:                              "",
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		_, problem := read(r)
		require.Equal(t, want, problem, "%.60s", body)
	}
}

// A burst never meets the limit: the headers say when to stop, and the waits end
// exactly when the webhook is free again.
func TestABurstKeepsToTheLimit(t *testing.T) {
	s := start(t)
	n := hooked(t, s)
	m := notifiertest.Episode(t)[0]
	for sent := 0; sent < 23; {
		err := n.Send(t.Context(), m)
		if err == nil {
			sent++
			continue
		}
		var e *alerts.SendError
		require.ErrorAs(t, err, &e)
		require.Positive(t, e.After)
		s.mu.Lock()
		s.now = s.now.Add(e.After)
		s.mu.Unlock()
	}
	require.Zero(t, s.early)
	require.Len(t, s.taken, 23)
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, tc := range []struct {
		status int
		header map[string]string
		body   string
		want   string
	}{
		{200, nil, `{"id":"1"}`, "sent"},
		{204, nil, "", "sent"},
		{429, map[string]string{"Retry-After": "1"}, `{"message":"You are being rate limited.","retry_after":0.6541,"global":false}`, "wait 1s"},
		{429, nil, `{"retry_after":0.6541}`, "wait 655ms"},
		{429, map[string]string{"Retry-After": "1"}, `{"retry_after":64.57}`, "wait 1m4.57s"},
		{429, map[string]string{"Retry-After": "3600"}, "<html>error 1015</html>", "wait 1h0m0s"},
		{429, nil, `{"retry_after":1e999999999}`, "wait 30s"},
		{429, nil, `{"retry_after":-1}`, "wait 30s"},
		{429, nil, `{"retry_after":99999999}`, "wait 24h0m0s"},
		{404, nil, `{"message":"Unknown Webhook","code":10015}`, "gone"},
		{401, nil, `{"message":"Invalid Webhook Token","code":50027}`, "gone"},
		{404, nil, `{"message":"Unknown Channel","code":10003}`, "dead"},
		{404, nil, `<html>`, "dead"},
		{400, nil, `{"message":"Invalid Form Body","code":50035}`, "dead"},
		{403, nil, `{"code":50013}`, "dead"},
		{500, nil, "", "unsure"},
		{502, nil, "<html>", "unsure"},
		{301, nil, "", "retry"},
	} {
		s := start(t)
		s.override = func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range tc.header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(tc.status)
			fmt.Fprint(w, tc.body)
		}
		require.Equal(t, tc.want, notifiertest.Meaning(hooked(t, s).Send(t.Context(), notifiertest.Episode(t)[0])), "%+v", tc)
	}
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		values map[string]any
		want   string
	}{
		"no address": {map[string]any{}, "webhook_url"},
		"another":    {map[string]any{"webhook_url": "https://discord.com/channels/1/hunter2"}, "want https://discord.com/api/webhooks"},
		"for Slack":  {map[string]any{"webhook_url": "https://discord.com/api/webhooks/1/hunter2/slack"}, "want https://discord.com/api/webhooks"},
		"odd link":   {map[string]any{"webhook_url": "https://discord.com/api/webhooks/1/hunter2", "link": "javascript:alert(1)"}, "link"},
		"link's key": {map[string]any{"webhook_url": "https://discord.com/api/webhooks/1/hunter2", "link": "https://me:secret@x.example"}, "leave out the name"},
		"odd thread": {map[string]any{"webhook_url": "https://discord.com/api/webhooks/1/hunter2", "thread_id": "general"}, "thread_id"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(t, tc.values)
			if name == "odd thread" {
				require.ErrorContains(t, err, "whole number")
				return
			}
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func FuzzSeconds(f *testing.F) {
	for _, s := range []string{"0.65", "1e9", "-1", "99999999999", "..", "", "0.0000001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := seconds(s); d < 0 {
			t.Fatalf("%q is %s", s, d)
		}
	})
}
