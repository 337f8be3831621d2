package pagerduty

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/incident"
	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/config"
)

const key = "hunter2hunter2hunter2hunter2hunt"

// server is a double of the Events API that keeps incidents as PagerDuty does.
type server struct {
	*httptest.Server
	open     map[string]string // dedup_key: summary
	calls    int
	override http.HandlerFunc
}

func start(t testing.TB) *server {
	s := &server{open: map[string]string{}}
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
	raw, _ := io.ReadAll(r.Body)
	var e event
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	errs := []string{}
	if dec.Decode(&e) != nil || r.Method != http.MethodPost || r.URL.Path != "/v2/enqueue" || len(raw) > 512<<10 {
		errs = append(errs, "JSON is invalid")
	}
	if len(e.RoutingKey) != 32 {
		errs = append(errs, "Length of 'routing_key' is incorrect (should be 32 characters)")
	}
	if n := utf8.RuneCountInString(e.DedupKey); n == 0 || n > 255 {
		errs = append(errs, "'dedup_key' is invalid")
	}
	switch {
	case e.Action == "trigger" && e.Payload == nil:
		errs = append(errs, "'payload' is missing or blank")
	case e.Action == "trigger":
		p := e.Payload
		if p.Summary == "" || p.Source == "" || utf8.RuneCountInString(p.Summary) > 1024 {
			errs = append(errs, "'payload.summary' is missing, blank or too long")
		}
		if p.Severity != "critical" && p.Severity != "error" && p.Severity != "warning" && p.Severity != "info" {
			errs = append(errs, "'payload.severity' is invalid")
		}
		if _, err := time.Parse(time.RFC3339, p.Timestamp); err != nil {
			errs = append(errs, "'payload.timestamp' is invalid")
		}
	case e.Action != "resolve" && e.Action != "acknowledge":
		errs = append(errs, "'event_action' is invalid")
	}
	if len(errs) > 0 {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": errs})
		return
	}
	if e.Action == "trigger" {
		s.open[e.DedupKey] = e.Payload.Summary
	} else {
		delete(s.open, e.DedupKey)
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "message": "Event processed", "dedup_key": e.DedupKey})
}

func build(t testing.TB, values map[string]any) (*Notifier, error) {
	t.Helper()
	s, err := config.FromMap("test", values)
	require.NoError(t, err)
	return New(s)
}

func pair(t testing.TB) (*server, *Notifier) {
	s := start(t)
	n, err := build(t, map[string]any{"routing_key": key, "url": s.URL + "/v2/enqueue", "link": "https://liqwatch.example.org/", "allow_private": true})
	require.NoError(t, err)
	return s, n
}

func TestWording(t *testing.T) {
	_, n := pair(t)
	notifiertest.GoldenJSON(t, func(m alerts.Message) any {
		in, err := incident.Of(m)
		require.NoError(t, err)
		return n.events(m, in)
	})
}

func TestAnEpisodeIsOneIncident(t *testing.T) {
	s, n := pair(t)
	m := notifiertest.Episode(t)
	const level, data = "liqwatch|eth|ETH|2400|down|3", "liqwatch|chain|ethereum|1"
	for i, want := range []map[string]string{
		{level: m[0].Title},
		{level: m[1].Title},
		{level: m[2].Title}, // a correction leaves it open
		{},
		{data: m[4].Title},
		{},
	} {
		for range 2 { // a repeat changes nothing
			require.NoError(t, n.Send(t.Context(), m[i]))
			require.Equal(t, want, s.open, m[i].Kind)
		}
	}
}

// What was said of an episode long over must not close the one of today.
func TestALateEndClosesOnlyItsOwnEpisode(t *testing.T) {
	s, n := pair(t)
	m := notifiertest.Episode(t)
	var next alerts.Body
	require.NoError(t, json.Unmarshal(m[0].Data, &next))
	next.Data.Claims = []string{"eth|ETH|2400|down|4|0.02"}
	today := m[0]
	var err error
	today.Data, err = json.Marshal(next)
	require.NoError(t, err)
	require.NoError(t, n.Send(t.Context(), today))
	require.NoError(t, n.Send(t.Context(), m[3]))
	require.Contains(t, s.open, "liqwatch|eth|ETH|2400|down|4")
}

func TestATestAndAnUndeliveredMessageAreIncidentsOfTheirOwn(t *testing.T) {
	s, n := pair(t)
	m, err := alerts.Test("pager", time.Unix(1_700_000_000, 0).UTC())
	require.NoError(t, err)
	require.NoError(t, n.Send(t.Context(), m))
	require.Equal(t, map[string]string{"liqwatch|test|pager|1700000000000000000": "Test of liqwatch"}, s.open)
}

func TestHostileNamesDoNoHarm(t *testing.T) {
	_, n := pair(t)
	for _, name := range notifiertest.Hostile {
		require.NoError(t, n.Send(t.Context(), notifiertest.HostileMessage(t, name)), "%.40q", name)
	}
}

func TestALongKeyStaysUnique(t *testing.T) {
	long := strings.Repeat("漢", 300)
	a, b := dedup(incident.Key(long+"a")), dedup(incident.Key(long+"b"))
	require.NotEqual(t, a, b)
	require.LessOrEqual(t, utf8.RuneCountInString(a), 255)
	require.Equal(t, a, dedup(incident.Key(long+"a")))
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, tc := range []struct {
		status int
		after  string
		body   string
		want   string
	}{
		{202, "", `{"status":"success"}`, "sent"},
		{200, "", `<html>login to the wifi</html>`, "unsure"},
		{400, "", `{"status":"invalid event"}`, "dead"},
		{403, "", ``, "dead"},
		{429, "", ``, "wait 30s"},
		{429, "90", ``, "wait 1m30s"},
		{500, "", ``, "unsure"},
		{503, "5", ``, "wait 5s"},
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

func TestAWrongKeyIsRefusedWithAHint(t *testing.T) {
	s, n := pair(t)
	n.key = "short"
	err := n.Send(t.Context(), notifiertest.Episode(t)[0])
	require.Equal(t, "dead", notifiertest.Meaning(err))
	require.ErrorContains(t, err, "integration")
	require.Empty(t, s.open)
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		values map[string]any
		want   string
	}{
		"no key":     {map[string]any{}, "routing_key"},
		"odd key":    {map[string]any{"routing_key": "hunter2"}, "32 letters"},
		"odd region": {map[string]any{"routing_key": key, "region": "moon"}, "want us or eu"},
		"odd url":    {map[string]any{"routing_key": key, "url": "ftp://x.example"}, "want http"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(t, tc.values)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
	n, err := build(t, map[string]any{"routing_key": key, "region": "eu"})
	require.NoError(t, err)
	require.Equal(t, "https://events.eu.pagerduty.com/v2/enqueue", n.url)
}
