package alertmanager

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/incident"
	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/config"
)

func build(t testing.TB, values map[string]any) (*Notifier, error) {
	t.Helper()
	s, err := config.FromMap("test", values)
	require.NoError(t, err)
	return New(s)
}

func to(t testing.TB, urls ...string) *Notifier {
	t.Helper()
	n, err := build(t, map[string]any{"urls": urls, "labels": map[string]string{"team": "risk"}, "link": "https://liqwatch.example.org/", "allow_private": true})
	require.NoError(t, err)
	return n
}

func TestWording(t *testing.T) {
	n := to(t, "http://127.0.0.1:9093")
	n.client.Now = func() time.Time { return time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC) }
	notifiertest.GoldenJSON(t, func(m alerts.Message) any {
		in, err := incident.Of(m)
		require.NoError(t, err)
		return n.compose(m, in, func(incident.Key) []alerts.Severity { return all[:2] })
	})
}

// The real Alertmanager holds what lasts, ends what is over, and passes both on.
func TestAnEpisodeInTheRealAlertmanager(t *testing.T) {
	r := startReal(t)
	n := to(t, r.url)
	episode := notifiertest.Episode(t)
	const approach, crossing, stale = "LiquidationLevel warning 2400", "LiquidationLevel critical 2400", "DataStale critical "
	for i, want := range [][]string{{approach}, {crossing}, {approach}, {}, {stale}, {}} {
		m := episode[i]
		// Wall times: Alertmanager has no other clock, and ends what is over at once.
		m.Time = time.Now().UTC()
		for range 2 { // a repeat changes nothing
			require.NoError(t, n.Send(t.Context(), m), m.Kind)
		}
		var got []string
		require.Eventually(t, func() bool {
			got = slices.Sorted(maps.Keys(r.firing(t)))
			return slices.Equal(want, got) || len(want)+len(got) == 0
		}, 5*time.Second, 20*time.Millisecond, "%s: %v is held", m.Kind, got)
		for name, a := range r.firing(t) {
			require.Equal(t, "risk", a.Labels["team"], name)
			require.Equal(t, "https://liqwatch.example.org/", a.Source)
			require.Equal(t, m.Title, a.Annotations["summary"])
			require.Greater(t, time.Until(a.EndsAt), 29*24*time.Hour, "it lasts until it is ended")
		}
		// Wait until the receiver has heard of it before it changes again.
		for _, name := range want {
			require.Eventually(t, func() bool { return r.said()[name+" firing"] > 0 }, 5*time.Second, 20*time.Millisecond, "%s is passed on", name)
		}
	}
	for _, name := range []string{approach, crossing, stale} {
		require.Eventually(t, func() bool { return r.said()[name+" resolved"] > 0 }, 5*time.Second, 20*time.Millisecond, "the end of %s is passed on: %v", name, r.said())
	}
	for name := range r.said() {
		require.NotContains(t, name, "info", "what never fired is never told as over")
		require.NotContains(t, name, "2500", "what never fired is never told as over")
	}
}

func TestHostileNamesAreTakenByTheRealAlertmanager(t *testing.T) {
	r := startReal(t)
	n := to(t, r.url)
	for i, name := range notifiertest.Hostile {
		m := notifiertest.HostileMessage(t, name)
		m.Time = time.Now().UTC()
		require.NoError(t, n.Send(t.Context(), m), "%d %.40q", i, name)
	}
	require.Len(t, r.firing(t), 1)
}

// The end of what a member does not hold is no news to it; one that cannot say what
// it holds is told the end at every severity.
func TestOnlyWhatIsHeldIsEnded(t *testing.T) {
	var posts, gets atomic.Int32
	var broken atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
			return
		}
		gets.Add(1)
		require.Contains(t, r.URL.Query()["filter"], `level="2400"`)
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, "[]")
	}))
	defer srv.Close()
	n := to(t, srv.URL)
	over := notifiertest.Episode(t)[3]
	in, err := incident.Of(over)
	require.NoError(t, err)
	in.Closes = in.Closes[:1]
	require.NoError(t, n.tell(t.Context(), n.urls[0], over, in))
	require.Zero(t, posts.Load())
	broken.Store(true)
	require.NoError(t, n.tell(t.Context(), n.urls[0], over, in))
	require.EqualValues(t, 1, posts.Load())
	require.Len(t, n.compose(over, in, func(k incident.Key) []alerts.Severity { return n.held(t.Context(), n.urls[0], in, k) }), 3)
}

func TestATestEndsByItself(t *testing.T) {
	r := startReal(t)
	m, err := alerts.Test("am", time.Now())
	require.NoError(t, err)
	require.NoError(t, to(t, r.url).Send(t.Context(), m))
	a := r.firing(t)["LiqwatchTest info "]
	require.Equal(t, "Test of liqwatch", a.Annotations["summary"])
	require.LessOrEqual(t, time.Until(a.EndsAt), time.Hour)
}

func TestEveryMemberIsToldThoughOneIsDown(t *testing.T) {
	one, two := startReal(t), startReal(t)
	n := to(t, one.url, "http://127.0.0.1:1", two.url)
	m := notifiertest.Episode(t)[0]
	err := n.Send(t.Context(), m)
	require.Equal(t, "retry", notifiertest.Meaning(err))
	require.ErrorContains(t, err, "member 2 of 3")
	require.Len(t, one.firing(t), 1)
	require.Len(t, two.firing(t), 1)
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, tc := range []struct {
		status int
		after  string
		want   string
	}{
		{200, "", "sent"}, {400, "", "dead"}, {401, "", "dead"}, {404, "", "dead"}, {429, "", "wait 30s"}, {429, "3", "wait 3s"},
		{500, "", "unsure"}, {503, "2", "wait 2s"}, {302, "", "retry"},
	} {
		var auth atomic.Value
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				w.WriteHeader(http.StatusTeapot) // it cannot say what it holds
				return
			}
			auth.Store(r.Header.Get("Authorization"))
			require.Equal(t, "/base/api/v2/alerts", r.URL.Path)
			if tc.after != "" {
				w.Header().Set("Retry-After", tc.after)
			}
			w.WriteHeader(tc.status)
			fmt.Fprint(w, `"no hunter2"`)
		}))
		n, err := build(t, map[string]any{"urls": []string{srv.URL + "/base/"}, "token": "hunter2", "allow_private": true})
		require.NoError(t, err)
		err = n.Send(t.Context(), notifiertest.Episode(t)[0])
		require.Equal(t, tc.want, notifiertest.Meaning(err), "%+v", tc)
		require.NotContains(t, fmt.Sprint(err), "hunter2")
		require.Equal(t, "Bearer hunter2", auth.Load())
		srv.Close()
	}
}

// What can still succeed keeps the message alive, whatever another member says.
func TestTheHopefulErrorWins(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	defer refuses.Close()
	for _, urls := range [][]string{{refuses.URL, "http://127.0.0.1:1"}, {"http://127.0.0.1:1", refuses.URL}} {
		require.Equal(t, "retry", notifiertest.Meaning(to(t, urls...).Send(t.Context(), notifiertest.Episode(t)[0])))
	}
	require.Equal(t, "dead", notifiertest.Meaning(to(t, refuses.URL, refuses.URL).Send(t.Context(), notifiertest.Episode(t)[0])))
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		values map[string]any
		want   string
	}{
		"no urls":       {map[string]any{}, "urls"},
		"empty":         {map[string]any{"urls": []string{}}, "at least one"},
		"with the path": {map[string]any{"urls": []string{"http://x.example/api/v2/alerts"}}, "leave out /api/v2/alerts"},
		"odd label":     {map[string]any{"urls": []string{"http://x.example"}, "labels": map[string]string{"my-team": "x"}}, "not a name for a label"},
		"our label":     {map[string]any{"urls": []string{"http://x.example"}, "labels": map[string]string{"severity": "x"}}, "none of those that liqwatch sets"},
		"two ways":      {map[string]any{"urls": []string{"http://x.example"}, "token": "hunter2", "user": "me", "password": "hunter2"}, "not both"},
		"no time":       {map[string]any{"urls": []string{"http://x.example"}, "ends_after": "30"}, "write a time"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(t, tc.values)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
