package shoutrrr

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/config"
)

const token = "AAAhunter2.1234" // as long as Gotify's

func build(t testing.TB, url string) (*Notifier, error) {
	t.Helper()
	s, err := config.FromMap("test", map[string]any{"url": url})
	require.NoError(t, err)
	return New(s)
}

// gotify is a server as Gotify is, as far as a sender sees it.
type gotify struct {
	*httptest.Server
	mu    sync.Mutex
	taken []struct {
		Title, Message string
	}
	answer http.HandlerFunc
}

func start(t testing.TB) (*gotify, *Notifier) {
	g := &gotify{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.answer != nil {
			g.answer(w, r)
			return
		}
		var m struct{ Title, Message string }
		given := r.URL.Query().Get("token")
		if given == "" {
			given = r.Header.Get("X-Gotify-Key")
		}
		if r.URL.Path != "/message" || given != token || json.NewDecoder(r.Body).Decode(&m) != nil || m.Message == "" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token"}`)
			return
		}
		g.taken = append(g.taken, m)
		fmt.Fprintf(w, `{"id":%d,"appid":1,"message":"x","date":"2026-01-02T03:04:05Z"}`, len(g.taken))
	}))
	t.Cleanup(g.Close)
	n, err := build(t, "gotify://"+strings.TrimPrefix(g.URL, "http://")+"/"+token+"?disabletls=yes")
	require.NoError(t, err)
	return g, n
}

func TestMessagesArrive(t *testing.T) {
	g, n := start(t)
	for i, m := range notifiertest.Episode(t) {
		m.MayRepeat = i == 1
		require.NoError(t, n.Send(t.Context(), m))
		require.Equal(t, m.Title, g.taken[i].Title)
		require.Equal(t, i == 1, strings.Contains(g.taken[i].Message, "(may repeat)"))
	}
}

func TestHostileNamesDoNoHarm(t *testing.T) {
	g, n := start(t)
	for i, name := range notifiertest.Hostile {
		require.NoError(t, n.Send(t.Context(), notifiertest.HostileMessage(t, name)), "%.40q", name)
		require.LessOrEqual(t, len([]rune(g.taken[i].Title)), maxTitle)
		require.LessOrEqual(t, len([]rune(g.taken[i].Message)), maxText)
	}
}

func TestEveryFailureIsTriedAgain(t *testing.T) {
	for _, status := range []int{400, 401, 429, 500, 503} {
		g, n := start(t)
		g.answer = func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":%q,"errorCode":%d,"errorDescription":"hunter2"}`, r.URL, status)
		}
		err := n.Send(t.Context(), notifiertest.Episode(t)[0])
		require.Equal(t, "unsure", notifiertest.Meaning(err))
		require.ErrorContains(t, err, fmt.Sprint(status))
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// A send that does not come back is left alone, and the next waits for it: never two.
func TestASendThatHangsIsLeftAlone(t *testing.T) {
	g, n := start(t)
	release := make(chan struct{})
	var calls atomic.Int32
	g.answer = func(http.ResponseWriter, *http.Request) { calls.Add(1); <-release }
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	m := notifiertest.Episode(t)[0]
	require.Equal(t, "unsure", notifiertest.Meaning(n.Send(ctx, m)))
	err := n.Send(t.Context(), m)
	require.Equal(t, "retry", notifiertest.Meaning(err))
	require.ErrorContains(t, err, "has not come back")
	close(release)
	require.Eventually(t, func() bool { return len(n.busy) == 0 }, 5*time.Second, 10*time.Millisecond)
	require.EqualValues(t, 1, calls.Load())
	g.mu.Lock()
	g.answer = nil
	g.mu.Unlock()
	require.NoError(t, n.Send(t.Context(), m))
}

// Every service of the library is either offered or has a notifier of its own; one
// that a new version brings is seen here.
func TestTheServicesAreKnown(t *testing.T) {
	r, err := router.New(nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"bark", "googlechat", "gotify", "hangouts", "ifttt", "join", "lark", "matrix", "mattermost", "notifiarr", "opsgenie", "pushbullet",
		"pushover", "rocketchat", "signal", "teams", "wecom", "zulip",
	}, services(r))
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	for url, want := range map[string]string{
		"slack://hook:hunter2@webhook":          "type: slack",
		"discord://hunter2@1":                   "type: discord",
		"smtp://me:hunter2@x.example":           "type: email",
		"generic+https://x.example/hunter2":     "type: webhook",
		"carrier-pigeon://hunter2":              "there is no service",
		"hunter2":                               "SERVICE://",
		"pushover://hunter2":                    "this is not how pushover",
		"gotify://x.example/hunter2":            "",
		"pushover://shoutrrr:hunter2@u":         "",
		"://hunter2":                            "SERVICE://",
		"gotify://x.example:port/hunter2\x7f%%": "SERVICE://",
	} {
		_, err := build(t, url)
		if want == "" {
			if err != nil {
				require.NotContains(t, err.Error(), "hunter2", url)
			}
			continue
		}
		require.ErrorContains(t, err, want, url)
		require.NotContains(t, err.Error(), "hunter2", url)
	}
	_, err := build(t, "")
	require.ErrorContains(t, err, "empty")
}
