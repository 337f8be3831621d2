package telegram

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
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

// faults are drawn for one call in three.
func randomFault(rng *rand.Rand) telegramtest.Fault {
	switch rng.IntN(24) {
	case 0:
		return telegramtest.Fault{Code: 429, RetryAfter: 1 + rng.IntN(3600)}
	case 1:
		return telegramtest.Fault{Code: 429, RetryAfter: 1 + rng.IntN(5)}
	case 2:
		return telegramtest.Fault{Code: 502, Raw: true, Text: "<html>bad gateway</html>"}
	case 3:
		return telegramtest.Fault{Code: 502, Raw: true, Accept: true}
	case 4:
		return telegramtest.Fault{Accept: true, Drop: true}
	case 5:
		return telegramtest.Fault{Drop: true, Code: 500}
	case 6:
		return telegramtest.Fault{Accept: true, Hang: time.Hour}
	case 7:
		return telegramtest.Fault{Code: 400, Text: "Bad Request: can't parse entities: because"}
	}
	return telegramtest.Fault{}
}

// A bad day at Telegram: everything arrives, nothing is sent before its time, and
// what may be there twice says so.
func TestABadDayLosesNothing(t *testing.T) {
	const messages, seed = 400, 7
	srv := telegramtest.New(token, "-42")
	defer srv.Close()
	n, err := build(map[string]any{"token": token, "chat_id": -42, "api_url": srv.URL})
	require.NoError(t, err)
	n.bot.client.Transport = direct{srv}
	rng := rand.New(rand.NewPCG(seed, seed))
	for range messages * 3 {
		srv.Script(randomFault(rng))
	}
	srv.Migrate("-42", "-1004503599627370495")
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		s, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "x.db"))
		require.NoError(t, err)
		now := time.Now()
		var posts []alerts.Post
		for i := range messages {
			a := alerts.Alert{Key: fmt.Sprint("k", i), Kind: alerts.KindTest, Severity: alerts.Info, Seen: now, Note: fmt.Sprintf("message %d <&> 🙂", i)}
			m, err := alerts.Compose(a)
			require.NoError(t, err)
			posts = append(posts, alerts.Post{Alert: a, Message: m, Notify: []string{"risk"}})
		}
		require.NoError(t, s.Post(ctx, now, posts...))
		d := alerts.NewDispatcher(s, map[string]alerts.Notifier{"risk": n}, alerts.DispatchOptions{Poll: time.Hour}, zerolog.Nop())
		running, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { defer close(done); d.Run(running) }()
		for {
			time.Sleep(time.Hour)
			if _, waits, err := s.NextDue(ctx, "risk"); err == nil && !waits {
				break
			}
		}
		stop()
		<-done
		require.NoError(t, s.Close())
	})
	arrived := map[string]int{}
	for _, c := range srv.Calls() {
		require.False(t, c.Early, "a call came before its time")
		if !c.Taken {
			continue
		}
		text, marked := strings.CutSuffix(c.Text, "\n"+repeated)
		arrived[text]++
		require.True(t, marked || arrived[text] == 1, "a repeat that does not say so: %s", c.Text)
	}
	for i := range messages {
		require.Contains(t, arrived, fmt.Sprintf("Test of liqwatch\nmessage %d <&> 🙂", i))
	}
}
