package telegram

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram/telegramtest"
	"liqwatch/internal/config"
)

const token = "123456:AAhunter2-hunter2_hunter2"

func build(values map[string]any) (*Notifier, error) {
	s, err := config.FromMap("test", values)
	if err != nil {
		return nil, err
	}
	return New(s)
}

func pair(t testing.TB, chat string) (*telegramtest.Server, *Notifier) {
	t.Helper()
	srv := telegramtest.New(token, chat)
	t.Cleanup(srv.Close)
	n, err := build(map[string]any{"token": token, "chat_id": chat, "api_url": srv.URL})
	require.NoError(t, err)
	return srv, n
}

func msg(title, text string) alerts.Message {
	return alerts.Message{ID: "msg_1", Title: title, Text: text}
}

func meaning(err error) string {
	if err == nil {
		return "sent"
	}
	var e *alerts.SendError
	switch {
	case !errors.As(err, &e):
		return "retry"
	case e.Permanent:
		return "dead"
	case e.After > 0:
		return "wait " + e.After.String()
	case e.Uncertain:
		return "unsure"
	}
	return "retry"
}

func TestAMessageArrivesAsItWasMeant(t *testing.T) {
	srv, n := pair(t, "-1001234567890")
	require.NoError(t, n.Send(t.Context(), msg(`A & B <b>"x"</b>`, "1 < 2 > 0 &amp; </b>\n🇺🇦👩‍👩‍👧")))
	call := srv.Calls()[0]
	require.True(t, call.Taken)
	require.Equal(t, "A & B <b>\"x\"</b>\n1 < 2 > 0 &amp; </b>\n🇺🇦👩‍👩‍👧", call.Text)
	require.Equal(t, "HTML", call.ParseMode)
}

func TestWhatAnAnswerMeans(t *testing.T) {
	tests := map[string]struct {
		fault telegramtest.Fault
		want  string
		calls int
	}{
		"busy":                         {telegramtest.Fault{Code: 429, RetryAfter: 37}, "wait 37s", 1},
		"busy for an hour":             {telegramtest.Fault{Code: 429, RetryAfter: 3600}, "wait 1h0m0s", 1},
		"busy, a proxy says":           {telegramtest.Fault{Code: 429, Raw: true, Text: "<html>slow down</html>"}, "wait 5s", 1},
		"kicked":                       {telegramtest.Fault{Code: 403, Text: "Forbidden: bot was kicked from the supergroup chat"}, "dead", 1},
		"wrong token":                  {telegramtest.Fault{Code: 401, Text: "Unauthorized"}, "dead", 1},
		"no chat":                      {telegramtest.Fault{Code: 400, Text: "Bad Request: chat not found"}, "dead", 1},
		"markup refused":               {telegramtest.Fault{Code: 400, Text: "Bad Request: can't parse entities: whatever"}, "sent", 2},
		"bad gateway":                  {telegramtest.Fault{Code: 502, Raw: true, Text: "<html>502</html>"}, "unsure", 1},
		"server error":                 {telegramtest.Fault{Code: 500, Text: "Internal Server Error"}, "unsure", 1},
		"accepted, then cut off":       {telegramtest.Fault{Accept: true, Drop: true}, "unsure", 1},
		"accepted, then a bad gateway": {telegramtest.Fault{Code: 502, Raw: true, Accept: true}, "unsure", 1},
		"200 that is no answer":        {telegramtest.Fault{Code: 200, Raw: true, Text: "<html>login to the wifi</html>"}, "unsure", 1},
		"a redirect":                   {telegramtest.Fault{Code: 302, Raw: true}, "unsure", 1},
		"conflict":                     {telegramtest.Fault{Code: 409, Text: "Conflict"}, "retry", 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			srv, n := pair(t, "42")
			srv.Script(tc.fault)
			require.Equal(t, tc.want, meaning(n.Send(t.Context(), msg("title", "text"))))
			require.Len(t, srv.Calls(), tc.calls)
		})
	}
}

func TestAHangingServerIsGivenUp(t *testing.T) {
	srv, n := pair(t, "42")
	srv.Script(telegramtest.Fault{Accept: true, Hang: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Equal(t, "unsure", meaning(n.Send(ctx, msg("title", "text"))))
	require.True(t, srv.Calls()[0].Taken)
	require.Equal(t, 20*time.Second, n.bot.client.Timeout)
}

func TestAGroupThatMovedIsFollowedAndReported(t *testing.T) {
	srv, n := pair(t, "-42")
	const moved = "-1004503599627370495" // 52 bits
	srv.Migrate("-42", moved)
	require.NoError(t, n.Send(t.Context(), msg("title", "text")))
	require.NoError(t, n.Send(t.Context(), msg("title", "text 2")))
	calls := srv.Calls()
	require.Len(t, calls, 3)
	require.Equal(t, []string{"-42", moved, moved}, []string{calls[0].Chat, calls[1].Chat, calls[2].Chat})
	notices := n.Notices()
	require.Len(t, notices, 1)
	require.Contains(t, notices[0].Text, moved)
	require.Empty(t, n.Notices())
}

func TestAGroupThatMovesInACircleIsNotFollowedForEver(t *testing.T) {
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded","parameters":{"migrate_to_chat_id":%d}}`, -100-calls)
	}))
	defer srv.Close()
	n, err := build(map[string]any{"token": token, "chat_id": -42, "api_url": srv.URL})
	require.NoError(t, err)
	require.Equal(t, "dead", meaning(n.Send(t.Context(), msg("title", "text"))))
	require.Equal(t, 2, calls)
}

func TestARepeatIsMarked(t *testing.T) {
	srv, n := pair(t, "42")
	m := msg("title", "text")
	m.MayRepeat = true
	require.NoError(t, n.Send(t.Context(), m))
	require.Equal(t, "title\ntext\n(may repeat)", srv.Calls()[0].Text)
}

func TestThreadsAndChannels(t *testing.T) {
	srv := telegramtest.New(token, "@alarms")
	t.Cleanup(srv.Close)
	n, err := build(map[string]any{"token": token, "chat_id": "@alarms", "thread_id": 7, "api_url": srv.URL})
	require.NoError(t, err)
	require.NoError(t, n.Send(t.Context(), msg("t", "x")))
	require.Equal(t, int64(7), srv.Calls()[0].Thread)
}

// pieces are what breaks a naive cut: markup, entities, characters of several units
// and of several code points.
var pieces = []string{"<", ">", "&", `"`, "&lt;", "<b>", "</b>", "a", "é", "\n", "🙂", "👩‍👩‍👧‍👦", "🇺🇦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "e\u0301", "漢", " "}

func TestNothingIsCutInsideATagAnEntityOrAnEmoji(t *testing.T) {
	srv, n := pair(t, "42")
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, most int) string {
			var b strings.Builder
			unit := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 12).Draw(t, name), "")
			for range rapid.IntRange(0, most).Draw(t, name+" times") {
				b.WriteString(unit)
			}
			return b.String()
		}
		m := msg("T"+draw("title", 200), draw("text", 700))
		m.MayRepeat = rapid.Bool().Draw(t, "repeat")
		require.NoError(t, n.Send(context.Background(), m))
		calls := srv.Calls()
		got := calls[len(calls)-1]
		require.Equal(t, "HTML", got.ParseMode, "the server could not read the markup")
		require.True(t, utf8.ValidString(got.Text))
		require.LessOrEqual(t, units(got.Text), maxUnits)
		if m.MayRepeat {
			require.True(t, strings.HasSuffix(got.Text, repeated))
		}
		// What is shown begins with whole characters of what was said.
		for _, part := range []struct{ whole, shown string }{{m.Title, cut(m.Title, maxUnits/4)}, {m.Text, cut(m.Text, 1000)}} {
			shown, isCut := strings.CutSuffix(part.shown, "…")
			if !isCut {
				require.Equal(t, part.whole, part.shown)
				continue
			}
			require.True(t, strings.HasPrefix(part.whole, shown))
			require.Equal(t, uniseg.GraphemeClusterCount(part.whole), uniseg.GraphemeClusterCount(shown)+uniseg.GraphemeClusterCount(part.whole[len(shown):]))
		}
	})
}

func TestTheTokenIsInNoError(t *testing.T) {
	bad := []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"/again", http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"ok":false,"error_code":400,"description":"no %s here"}`, r.URL.Path)
		},
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "99")
			fmt.Fprint(w, r.URL.Path)
		},
		func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, r.URL.Path)
		},
	}
	check := func(api string) {
		n, err := build(map[string]any{"token": token, "chat_id": 42, "api_url": api})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		err = n.Send(ctx, msg("title", "text"))
		require.Error(t, err)
		for e := err; e != nil; e = errors.Unwrap(e) {
			require.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), "hunter2")
		}
	}
	for _, h := range bad {
		srv := httptest.NewServer(h)
		check(srv.URL)
		srv.Close()
		check(srv.URL) // nobody listens any more
	}
	check("http://no-such-host.invalid")
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		values map[string]any
		want   string
	}{
		"no token":     {map[string]any{"chat_id": 1}, "token"},
		"no chat":      {map[string]any{"token": token}, "chat_id"},
		"odd token":    {map[string]any{"token": "hunter2", "chat_id": 1}, "digits:letters"},
		"path in it":   {map[string]any{"token": "1:hunter2/x", "chat_id": 1}, "digits:letters"},
		"chat is text": {map[string]any{"token": token, "chat_id": "alarms"}, "want a number"},
		"chat is 0":    {map[string]any{"token": token, "chat_id": 0}, "want a number"},
		"odd api":      {map[string]any{"token": token, "chat_id": 1, "api_url": "localhost"}, "not an address"},
		"unknown":      {map[string]any{"token": token, "chat_id": 1, "chat": 2}, "chat"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(tc.values)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
