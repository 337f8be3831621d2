package telegram

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rivo/uniseg"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
	"liqwatch/internal/alerts/telegram/telegramtest"
	"liqwatch/internal/store"
)

// direct calls the server in the process, so that a fake clock rules both.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (res *http.Response, err error) {
	defer func() {
		if recover() != nil { // http.ErrAbortHandler
			res, err = nil, io.ErrUnexpectedEOF
		}
	}()
	rec := httptest.NewRecorder()
	d.ServeHTTP(rec, r)
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	return rec.Result(), nil
}

// randomFault is drawn for one call in two.
func randomFault(rng *rand.Rand) telegramtest.Fault {
	bad := func(text string) telegramtest.Fault {
		return telegramtest.Fault{Code: 400, Text: "Bad Request: " + text}
	}
	faults := []telegramtest.Fault{
		{Code: 429, RetryAfter: 1 + rng.IntN(3600)},
		{Code: 429, RetryAfter: 1 + rng.IntN(5)},
		{Code: 502, Raw: true, Text: "<html>bad gateway</html>"},
		{Code: 502, Raw: true, Accept: true},
		{Code: 200, Raw: true, Text: "<html>log in to the wifi</html>"},
		{Code: 500, Text: "Internal Server Error"},
		{Accept: true, Drop: true},
		{Drop: true, Code: 500},
		{Accept: true, Hang: time.Hour},
		{Hang: time.Hour, Code: 500},
		bad("can't parse entities: because"),
		bad("PHOTO_INVALID_DIMENSIONS"),
		bad("IMAGE_PROCESS_FAILED"),
		bad("message thread not found"),
		{Code: 413, Text: "Request Entity Too Large: photo"},
	}
	if i := rng.IntN(2 * len(faults)); i < len(faults) {
		return faults[i]
	}
	return telegramtest.Fault{}
}

// plainly hides that people read a notifier, so that nothing is told as a digest:
// here every message is to arrive by itself.
type plainly struct {
	alerts.Notifier
	alerts.Noticer
}

// randomMessages are of every length and of what breaks a careless cut.
func randomMessages(t *testing.T, rng *rand.Rand, n int, now time.Time) []alerts.Post {
	t.Helper()
	var out []alerts.Post
	for i := range n {
		a := anAlert(fmt.Sprintf("eth|ETH|%d|down|1|0.02", i))
		a.Seen = now
		a.Severity = []alerts.Severity{alerts.Info, alerts.Warning, alerts.Critical}[rng.IntN(3)]
		if i%3 == 0 {
			a.Sketch = nil
		}
		m, err := alerts.Compose(a)
		require.NoError(t, err)
		m.Title, m.Text = fmt.Sprintf("#%d# ", i)+jumble(rng, 40), jumble(rng, []int{10, 100, 400, 3000}[rng.IntN(4)])
		out = append(out, alerts.Post{Alert: a, Message: m, Notify: []string{"risk"}})
	}
	return out
}

func jumble(rng *rand.Rand, most int) string {
	var b strings.Builder
	for range 1 + rng.IntN(most) {
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	return strings.TrimSpace(b.String()) + "."
}

// burst is how many messages a bad day has: some in CI, all by the environment.
func burst(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("LIQWATCH_TELEGRAM_MESSAGES"))
	if err != nil {
		return 250
	}
	t.Logf("%d messages", n)
	return n
}

// A bad day at Telegram, with a restart now and then: everything arrives, nothing is
// sent before its time, what may be there twice says so, and nothing is cut inside a
// tag, an entity or a character.
func TestABadDayLosesNothing(t *testing.T) {
	const seed = 7
	messages := burst(t)
	srv := telegramtest.New(token, "-42")
	defer srv.Close()
	rng := rand.New(rand.NewPCG(seed, seed))
	for range messages * 4 {
		srv.Script(randomFault(rng))
	}
	srv.Topics("-42", 7)
	srv.Migrate("-42", "-1004503599627370495")
	srv.Topics("-1004503599627370495", 7)
	var posts []alerts.Post
	restarts := 0
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		s, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "x.db"))
		require.NoError(t, err)
		now := time.Now()
		posts = randomMessages(t, rng, messages, now)
		require.NoError(t, s.Post(ctx, now, posts...))
		for waits := true; waits; restarts++ {
			stop := dispatch(t, s, srv)
			time.Sleep(time.Duration(1+rng.IntN(72)) * time.Hour)
			stop()
			_, waits, err = s.NextDue(ctx, "risk")
			require.NoError(t, err)
		}
		require.NoError(t, s.Close())
	})
	verdict(t, srv.Calls(), posts, restarts)
}

// dispatch sends with a notifier that remembers nothing, as after a restart.
func dispatch(t *testing.T, s *store.Store, srv *telegramtest.Server) (stop func()) {
	t.Helper()
	n, err := build(map[string]any{"token": token, "chat_id": -42, "topic": 7, "api_url": srv.URL})
	require.NoError(t, err)
	n.bot.client.Transport, n.Draw = direct{srv}, drawn
	d := alerts.NewDispatcher(s, map[string]alerts.Notifier{"risk": plainly{n, n}}, alerts.DispatchOptions{Poll: time.Hour, GiveUp: 1 << 62}, zerolog.Nop())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	return func() { cancel(); <-done }
}

func verdict(t *testing.T, calls []telegramtest.Call, posts []alerts.Post, restarts int) {
	t.Helper()
	arrived := map[int]int{}
	waits, pictures := 0, 0
	for _, c := range calls {
		require.False(t, c.Early, "a call came before its time: %s", c)
		require.True(t, c.Refused == "" || strings.Contains(c.Refused, "supergroup"), "the server could not take it: %s", c.Refused)
		if !c.Taken {
			waits++
			continue
		}
		if strings.HasPrefix(c.Text, "A notifier needs a look\n") {
			continue // that the group has moved
		}
		if c.Photo != nil {
			pictures++
		}
		i := whole(t, c, posts)
		marked := strings.HasSuffix(c.Text, repeated)
		arrived[i]++
		require.True(t, marked || arrived[i] == 1, "a repeat that does not say so: %s", c)
	}
	require.Len(t, arrived, len(posts), "messages that arrived")
	twice := 0
	for _, n := range arrived {
		twice += min(1, n-1)
	}
	t.Logf("%d messages: 0 lost, 0 early, %d with their picture, %d arrived more than once and said so, %d calls of %d failed, %d restarts",
		len(posts), pictures, twice, waits, len(calls), restarts)
	require.NotZero(t, pictures)
	require.NotZero(t, twice)
}

// whole checks that a text is what was to be said, cut between characters if at all,
// and gives the number of its message.
func whole(t *testing.T, c telegramtest.Call, posts []alerts.Post) int {
	t.Helper()
	number, _, ok := strings.Cut(strings.TrimPrefix(c.Text, "#"), "#")
	require.True(t, ok, c.Text)
	i, err := strconv.Atoi(number)
	require.NoError(t, err)
	m := posts[i].Message
	all := m.Title + "\n" + m.Text
	got := strings.TrimSuffix(c.Text, "\n"+repeated)
	shown, cut := strings.CutSuffix(got, clip.Mark)
	if !cut {
		require.Equal(t, all, got)
		return i
	}
	require.True(t, strings.HasPrefix(all, shown), "%q is not the beginning of %q", shown, all)
	require.Equal(t, uniseg.GraphemeClusterCount(all), uniseg.GraphemeClusterCount(shown)+uniseg.GraphemeClusterCount(all[len(shown):]), "cut inside a character")
	return i
}
