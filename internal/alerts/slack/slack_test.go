package slack

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
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

// server is a double of Slack, as strict as its pages say: it knows the fields, counts
// the texts and refuses with the documented words.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	taken []payload
	next  http.HandlerFunc // answers the next call instead
	gone  map[string]bool  // threads that are not there any more
}

const token = "xoxb-hunter2"

func start(t testing.TB) *server {
	s := &server{gone: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/T0/B0/hunter2", func(w http.ResponseWriter, r *http.Request) { s.hook(w, r) })
	mux.HandleFunc("POST /api/chat.postMessage", func(w http.ResponseWriter, r *http.Request) { s.method(w, r) })
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		next := s.next
		s.next = nil
		s.mu.Unlock()
		if next != nil {
			next(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) hook(w http.ResponseWriter, r *http.Request) {
	p, word := read(r)
	if word == "" && (p.Channel != "" || p.ThreadTS != "") {
		word = "invalid_payload"
	}
	if word != "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, word)
		return
	}
	s.take(p)
	fmt.Fprint(w, "ok")
}

func (s *server) method(w http.ResponseWriter, r *http.Request) {
	p, word := read(r)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		word = "invalid_auth"
	case word == "" && p.Channel != "C0123456789":
		word = "channel_not_found"
	case word == "" && s.gone[p.ThreadTS]:
		word = "thread_not_found"
	}
	if word != "" {
		fmt.Fprintf(w, `{"ok":false,"error":%q}`, word)
		return
	}
	fmt.Fprintf(w, `{"ok":true,"channel":"C0123456789","ts":"1700000000.%06d"}`, s.take(p))
}

func (s *server) take(p payload) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = append(s.taken, p)
	return len(s.taken)
}

// loose are the characters that mean something to Slack and were not escaped.
var loose = regexp.MustCompile(`[<>]|&($|[^alg]|a[^m]|[lg][^t])`)

func read(r *http.Request) (payload, string) {
	var p payload
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || dec.Decode(&p) != nil {
		return p, "invalid_payload"
	}
	if strings.TrimSpace(p.Text) == "" {
		return p, "no_text"
	}
	if size(p.Text) > 40_000 {
		return p, "msg_too_long"
	}
	texts := []string{p.Text}
	for _, b := range p.Blocks {
		limit := map[string]int{"header": 150, "section": 3000, "context": 3000}[b.Type]
		parts := b.Elements
		if b.Text != nil {
			parts = append(parts, *b.Text)
		}
		if limit == 0 || len(parts) == 0 || len(parts) > 10 || b.Type == "context" && b.Text != nil || b.Type != "context" && b.Elements != nil {
			return p, "invalid_blocks"
		}
		for _, part := range parts {
			if part.Type != "plain_text" || size(part.Text) == 0 || size(part.Text) > limit {
				return p, "invalid_blocks"
			}
			texts = append(texts, part.Text)
		}
	}
	if len(p.Blocks) > 50 {
		return p, "invalid_blocks"
	}
	for _, text := range texts {
		if loose.MatchString(text) { // the real one would read it as a mention or a link
			return p, "user_not_found"
		}
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
	n, err := build(t, map[string]any{"webhook_url": s.URL + "/services/T0/B0/hunter2", "allow_private": true})
	require.NoError(t, err)
	return n
}

func bot(t testing.TB, s *server, thread bool) *Notifier {
	n, err := build(t, map[string]any{"token": token, "channel": "C0123456789", "api_url": s.URL + "/api", "thread": thread, "allow_private": true})
	require.NoError(t, err)
	return n
}

func TestWording(t *testing.T) {
	notifiertest.GoldenJSON(t, func(m alerts.Message) any { return compose(m) })
}

func TestAllMessagesAreTaken(t *testing.T) {
	s := start(t)
	for _, n := range []*Notifier{hooked(t, s), bot(t, s, false)} {
		for _, m := range notifiertest.Episode(t) {
			require.NoError(t, n.Send(t.Context(), m))
		}
	}
	require.Len(t, s.taken, 12)
}

func TestHostileNamesDoNoHarm(t *testing.T) {
	s := start(t)
	n := hooked(t, s)
	for _, name := range notifiertest.Hostile {
		require.NoError(t, n.Send(t.Context(), notifiertest.HostileMessage(t, name)), "%.40q", name)
	}
}

func TestTheDoubleIsStrict(t *testing.T) {
	s := start(t)
	for body, want := range map[string]string{
		`{"text":"<!everyone>","blocks":[]}`:                                            "user_not_found",
		`{"text":"a & b","blocks":[]}`:                                                  "user_not_found",
		`{"text":"","blocks":[]}`:                                                       "no_text",
		`{"text":"x","what":1}`:                                                         "invalid_payload",
		`{"text":"x","blocks":[{"type":"header"}]}`:                                     "invalid_blocks",
		`{"text":"` + strings.Repeat("x", 40_001) + `"}`:                                "msg_too_long",
		`{"text":"x","blocks":[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]}`: "invalid_blocks",
		`{"text":"x","blocks":[{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("x", 151) + `"}}]}`: "invalid_blocks",
	} {
		res, err := http.Post(s.URL+"/services/T0/B0/hunter2", "application/json", strings.NewReader(body))
		require.NoError(t, err)
		word, _ := io.ReadAll(res.Body)
		res.Body.Close()
		require.Equal(t, want, string(word), "%.60s", body)
	}
}

func TestARepeatSaysSo(t *testing.T) {
	m := notifiertest.Episode(t)[0]
	m.MayRepeat = true
	p := compose(m)
	require.Contains(t, p.Blocks[2].Elements[0].Text, "(may repeat)")
}

func TestAnEpisodeIsAThread(t *testing.T) {
	s := start(t)
	n := bot(t, s, true)
	for _, m := range notifiertest.Episode(t) { // approach, crossing, correction, rearmed; stale, fresh
		require.NoError(t, n.Send(t.Context(), m))
	}
	first, second := s.taken[0], s.taken[1]
	require.Empty(t, first.ThreadTS)
	require.Equal(t, "1700000000.000001", second.ThreadTS)
	require.True(t, second.Broadcast, "a crossing is critical: it shows in the channel")
	require.Equal(t, "1700000000.000001", s.taken[2].ThreadTS)
	require.False(t, s.taken[2].Broadcast)
	require.Empty(t, s.taken[3].ThreadTS, "it speaks for another level")
	require.Empty(t, s.taken[4].ThreadTS)
	require.Equal(t, "1700000000.000005", s.taken[5].ThreadTS)

	s.gone["1700000000.000001"] = true
	require.NoError(t, n.Send(t.Context(), notifiertest.Episode(t)[1]), "a thread that is gone is left")
	require.Empty(t, s.taken[6].ThreadTS)
	require.False(t, s.taken[6].Broadcast)
	require.NoError(t, n.Send(t.Context(), notifiertest.Episode(t)[2]))
	require.Equal(t, "1700000000.000007", s.taken[7].ThreadTS, "the new one is answered from then on")
}

func TestWhatAnAnswerMeans(t *testing.T) {
	type reply struct {
		status int
		after  string
		body   string
	}
	for _, tc := range []struct {
		reply
		hook, api string
	}{
		{reply{429, "7", "rate_limited"}, "wait 7s", "wait 7s"},
		{reply{429, "", ""}, "wait 30s", "wait 30s"},
		{reply{429, "7", `{"ok":false,"error":"ratelimited"}`}, "wait 7s", "wait 7s"},
		{reply{200, "9", `{"ok":false,"error":"ratelimited"}`}, "unsure", "wait 9s"},
		{reply{400, "", "invalid_payload"}, "dead", "dead"},
		{reply{400, "", "something new"}, "dead", "dead"},
		{reply{403, "", "action_prohibited"}, "dead", "dead"},
		{reply{404, "", "no_service"}, "gone", "dead"},
		{reply{410, "", "channel_is_archived"}, "dead", "dead"},
		{reply{500, "", "rollup_error"}, "unsure", "unsure"},
		{reply{502, "", "<html>"}, "unsure", "unsure"},
		{reply{503, "60", ""}, "wait 1m0s", "wait 1m0s"},
		{reply{302, "", ""}, "retry", "retry"},
		{reply{200, "", "<html>login to the wifi</html>"}, "unsure", "unsure"},
		{reply{200, "", `{"ok":false,"error":"not_in_channel"}`}, "unsure", "dead"},
		{reply{200, "", `{"ok":false,"error":"token_revoked"}`}, "unsure", "gone"},
		{reply{200, "", `{"ok":false,"error":"internal_error"}`}, "unsure", "unsure"},
		{reply{200, "", `{"ok":false,"error":"service_unavailable"}`}, "unsure", "retry"},
		{reply{200, "", `{"ok":false,"error":"never_heard_of_it"}`}, "unsure", "unsure"},
		{reply{200, "", `{}`}, "unsure", "unsure"},
	} {
		s := start(t)
		answer := func(w http.ResponseWriter, _ *http.Request) {
			if tc.after != "" {
				w.Header().Set("Retry-After", tc.after)
			}
			w.WriteHeader(tc.status)
			fmt.Fprint(w, tc.body)
		}
		m := notifiertest.Episode(t)[0]
		s.next = answer
		require.Equal(t, tc.hook, notifiertest.Meaning(hooked(t, s).Send(t.Context(), m)), "hook %+v", tc)
		s.next = answer
		require.Equal(t, tc.api, notifiertest.Meaning(bot(t, s, false).Send(t.Context(), m)), "api %+v", tc)
		require.Empty(t, s.taken, "one attempt a call")
	}
}

func TestAHangingServerIsGivenUp(t *testing.T) {
	s := start(t)
	n := hooked(t, s)
	n.client.HTTP.Timeout = 100 * time.Millisecond
	s.next = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Second):
		}
	}
	require.Equal(t, "unsure", notifiertest.Meaning(n.Send(t.Context(), notifiertest.Episode(t)[0])))
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		values map[string]any
		want   string
	}{
		"nothing":         {map[string]any{}, "write webhook_url"},
		"both":            {map[string]any{"webhook_url": "https://hooks.slack.com/services/hunter2", "token": "hunter2", "channel": "C0123456789"}, "leave out"},
		"no channel":      {map[string]any{"token": "hunter2"}, "channel is missing"},
		"odd channel":     {map[string]any{"token": "hunter2", "channel": "alarms"}, "want the channel's id"},
		"hook and thread": {map[string]any{"webhook_url": "https://hooks.slack.com/services/hunter2", "thread": true}, "thread"},
		"not http":        {map[string]any{"webhook_url": "ftp://hooks.slack.com/services/hunter2"}, "want http"},
		"unknown":         {map[string]any{"webhook": "https://x.example"}, "webhook_url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(t, tc.values)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
