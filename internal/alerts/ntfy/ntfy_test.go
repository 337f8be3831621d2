package ntfy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/config"
)

// server is a double of ntfy: it checks as the real one's source does, and knows
// messages by their sequence.
type server struct {
	*httptest.Server
	auth     string
	shown    map[string]publication // by sequence: a later one takes the place
	calls    int
	override http.HandlerFunc
}

func start(t testing.TB) *server {
	s := &server{shown: map[string]publication{}, auth: "Bearer tk_hunter2"}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls++
	if s.override != nil {
		s.override(w, r)
		return
	}
	fail := func(code int, text string) {
		w.WriteHeader(code / 100)
		fmt.Fprintf(w, `{"code":%d,"http":%d,"error":%q}`, code, code/100, text)
	}
	raw, err := io.ReadAll(r.Body)
	var p publication
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	switch {
	case err != nil || r.Method != http.MethodPost || r.URL.Path != "/":
		fail(40401, "page not found")
	case len(raw) > 2*maxMessage:
		fail(41303, "JSON body too large")
	case dec.Decode(&p) != nil:
		fail(40017, "invalid request: request body must be message JSON")
	case s.auth != r.Header.Get("Authorization"):
		fail(40301, "forbidden")
	case p.Topic != "liqwatch-hunter2":
		fail(40009, "invalid request: topic invalid")
	case p.Priority < 1 || p.Priority > 5:
		fail(40007, "invalid priority parameter")
	case !utf8.ValidString(p.Message):
		fail(40011, "invalid message: message must be UTF-8 encoded")
	case len(p.Message) > maxMessage:
		fail(41301, "attachment too large") // it would become a file
	case !topicForm.MatchString(p.SequenceID):
		fail(40049, "invalid request: sequence ID invalid")
	default:
		s.shown[p.SequenceID] = p
		fmt.Fprintf(w, `{"id":"m%d","event":"message","topic":%q}`, s.calls, p.Topic)
	}
}

func build(t testing.TB, values map[string]any) (*Notifier, error) {
	t.Helper()
	s, err := config.FromMap("test", values)
	require.NoError(t, err)
	return New(s)
}

func pair(t testing.TB) (*server, *Notifier) {
	s := start(t)
	n, err := build(t, map[string]any{"topic": "liqwatch-hunter2", "token": "tk_hunter2", "url": s.URL, "link": "https://liqwatch.example.org/", "allow_private": true})
	require.NoError(t, err)
	return s, n
}

func TestWording(t *testing.T) {
	_, n := pair(t)
	notifiertest.GoldenJSON(t, func(m alerts.Message) any { return n.compose(m) })
}

func TestARepeatTakesTheFirstOnesPlace(t *testing.T) {
	s, n := pair(t)
	for _, m := range notifiertest.Episode(t) {
		require.NoError(t, n.Send(t.Context(), m))
		m.MayRepeat = true
		require.NoError(t, n.Send(t.Context(), m))
	}
	require.Equal(t, 12, s.calls)
	require.Len(t, s.shown, 6)
	for _, p := range s.shown {
		require.Contains(t, p.Message, "(may repeat)", "older servers show both")
	}
}

func TestHostileNamesDoNoHarm(t *testing.T) {
	_, n := pair(t)
	for _, name := range notifiertest.Hostile {
		require.NoError(t, n.Send(t.Context(), notifiertest.HostileMessage(t, name)), "%.40q", name)
	}
}

func TestAUserAndAPassword(t *testing.T) {
	s := start(t)
	s.auth = "Basic bWU6aHVudGVyMg=="
	n, err := build(t, map[string]any{"topic": "liqwatch-hunter2", "user": "me", "password": "hunter2", "url": s.URL + "/", "allow_private": true})
	require.NoError(t, err)
	require.NoError(t, n.Send(t.Context(), notifiertest.Episode(t)[0]))
	s.auth = "Bearer other"
	err = n.Send(t.Context(), notifiertest.Episode(t)[0])
	require.Equal(t, "dead", notifiertest.Meaning(err))
	require.ErrorContains(t, err, "needs a token")
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, tc := range []struct {
		status int
		after  string
		body   string
		want   string
	}{
		{200, "", `{"id":"x"}`, "sent"},
		{200, "", `<html>login to the wifi</html>`, "unsure"},
		{200, "", `{}`, "unsure"},
		{429, "", `{"code":42901,"http":429}`, "wait 30s"},
		{429, "11", `{"code":42901,"http":429}`, "wait 11s"},
		{429, "", `{"code":42908,"http":429}`, "wait 1h0m0s"},
		{429, "60", `{"code":42908,"http":429}`, "wait 1m0s"},
		{400, "", `{"code":40009,"http":400}`, "dead"},
		{401, "", `{"code":40101,"http":401}`, "dead"},
		{413, "", `{"code":41301,"http":413}`, "dead"},
		{500, "", `{"code":50001,"http":500}`, "unsure"},
		{307, "", ``, "retry"},
	} {
		s, n := pair(t)
		s.override = func(w http.ResponseWriter, _ *http.Request) {
			if tc.after != "" {
				w.Header().Set("Retry-After", tc.after)
			}
			w.WriteHeader(tc.status)
			fmt.Fprint(w, tc.body)
		}
		require.Equal(t, tc.want, notifiertest.Meaning(n.Send(t.Context(), notifiertest.Episode(t)[0])), "%+v", tc)
		require.Equal(t, 1, s.calls)
	}
}

func TestAServerOfOnesOwnNeedsTheOptIn(t *testing.T) {
	s := start(t)
	n, err := build(t, map[string]any{"topic": "x", "url": s.URL})
	require.NoError(t, err)
	require.ErrorContains(t, n.Send(t.Context(), notifiertest.Episode(t)[0]), "allow_private")
	require.Zero(t, s.calls)
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		values map[string]any
		want   string
	}{
		"no topic":      {map[string]any{}, "topic"},
		"odd topic":     {map[string]any{"topic": "hunter2 hunter2"}, "64 letters"},
		"topic in url":  {map[string]any{"topic": "x", "url": "https://ntfy.sh/hunter2"}, "server's address alone"},
		"token and all": {map[string]any{"topic": "x", "token": "hunter2", "user": "me", "password": "hunter2"}, "not both"},
		"no password":   {map[string]any{"topic": "x", "user": "me"}, "a user has a password"},
		"unknown":       {map[string]any{"topic": "x", "server": "https://ntfy.sh"}, "server"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(t, tc.values)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
