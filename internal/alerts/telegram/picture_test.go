package telegram

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram/telegramtest"
)

func aSketch() *alerts.Sketch {
	return &alerts.Sketch{Axis: "ETH", Spot: decimal.NewFromInt(2440), Level: decimal.NewFromInt(2400)}
}

// drawn is a small picture; what the real one looks like is the chart's to test.
func drawn(alerts.Sketch) ([]byte, error) {
	var out bytes.Buffer
	err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 8, 8)))
	return out.Bytes(), err
}

func pictured(t testing.TB, settings map[string]any) (*telegramtest.Server, *Notifier) {
	t.Helper()
	srv := telegramtest.New(token, "42")
	t.Cleanup(srv.Close)
	values := map[string]any{"token": token, "chat_id": 42, "api_url": srv.URL}
	for k, v := range settings {
		values[k] = v
	}
	n, err := build(values)
	require.NoError(t, err)
	n.Draw = drawn
	return srv, n
}

func withSketch(title, text string) alerts.Message {
	m := msg(title, text)
	m.Sketch = aSketch()
	return m
}

func TestAPictureComesWithItsWords(t *testing.T) {
	srv, n := pictured(t, nil)
	require.NoError(t, n.Send(t.Context(), withSketch("ETH <b>", "312 M USD & more")))
	c := srv.Calls()[0]
	require.Equal(t, "sendPhoto", c.Method)
	require.True(t, c.Taken)
	require.Equal(t, "ETH <b>\n312 M USD & more", c.Text)
	require.NotEmpty(t, c.Photo)
}

func TestWhenThereIsNoPicture(t *testing.T) {
	broken := func(alerts.Sketch) ([]byte, error) { return nil, errors.New("no ink") }
	repeat := withSketch("t", "x")
	repeat.MayRepeat = true
	for name, c := range map[string]struct {
		settings map[string]any
		m        alerts.Message
		draw     func(alerts.Sketch) ([]byte, error)
	}{
		"switched off":       {map[string]any{"picture": false}, withSketch("t", "x"), drawn},
		"no sketch":          {nil, msg("t", "x"), drawn},
		"nobody draws":       {nil, withSketch("t", "x"), nil},
		"it cannot be drawn": {nil, withSketch("t", "x"), broken},
		"too many words":     {nil, withSketch("t", strings.Repeat("🙂", 600)), drawn},
		"a repeat":           {nil, repeat, drawn},
	} {
		t.Run(name, func(t *testing.T) {
			srv, n := pictured(t, c.settings)
			n.Draw = c.draw
			require.NoError(t, n.Send(t.Context(), c.m))
			require.Len(t, srv.Calls(), 1, "one message, always")
			got := srv.Calls()[0]
			require.Equal(t, "sendMessage", got.Method)
			require.True(t, strings.HasPrefix(got.Text, c.m.Title+"\n"+c.m.Text), "all words are there")
		})
	}
}

func TestARefusalIsMendedAtOnce(t *testing.T) {
	bad := func(text string) telegramtest.Fault {
		return telegramtest.Fault{Code: 400, Text: "Bad Request: " + text}
	}
	for name, c := range map[string]struct {
		faults []telegramtest.Fault
		method string
		thread int64
		repeat bool
	}{
		"the picture's size":      {[]telegramtest.Fault{bad("PHOTO_INVALID_DIMENSIONS")}, "sendMessage", 7, false},
		"no right to photos":      {[]telegramtest.Fault{bad("not enough rights to send photos to the chat")}, "sendMessage", 7, false},
		"too much for the server": {[]telegramtest.Fault{{Code: 413, Text: "Request Entity Too Large"}}, "sendMessage", 7, false},
		"the picture, perhaps":    {[]telegramtest.Fault{bad("IMAGE_PROCESS_FAILED")}, "sendMessage", 7, true},
		"the markup":              {[]telegramtest.Fault{bad("can't parse entities: Unsupported start tag \"x\" at byte offset 3")}, "sendPhoto", 7, false},
		"the topic":               {[]telegramtest.Fault{bad("message thread not found")}, "sendPhoto", 0, false},
		"a closed topic":          {[]telegramtest.Fault{bad("TOPIC_CLOSED")}, "sendPhoto", 0, false},
		"the buttons":             {[]telegramtest.Fault{bad("BUTTON_DATA_INVALID")}, "sendPhoto", 7, false},
		"everything": {[]telegramtest.Fault{
			bad("message thread not found"), bad("BUTTON_DATA_INVALID"), bad("can't parse entities: because"), bad("PHOTO_INVALID_DIMENSIONS"),
		}, "sendMessage", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			srv, n := pictured(t, map[string]any{"topic": 7})
			srv.Topics("42", 7)
			srv.Script(c.faults...)
			m, err := alerts.Compose(anAlert("eth|ETH|2400|down|1|0.02"))
			require.NoError(t, err)
			m.ID = "msg_1"
			require.NoError(t, n.Send(t.Context(), m))
			calls := srv.Calls()
			require.Len(t, calls, len(c.faults)+1)
			last := calls[len(calls)-1]
			require.Equal(t, c.method, last.Method)
			require.Equal(t, c.thread, last.Thread)
			require.Equal(t, c.repeat, strings.Contains(last.Text, repeated))
		})
	}
}

func TestATopicThatIsGoneIsReported(t *testing.T) {
	srv, n := pictured(t, map[string]any{"topic": 7})
	srv.Topics("42", 8)
	require.NoError(t, n.Send(t.Context(), msg("t", "x")))
	notices := n.Notices()
	require.Len(t, notices, 1)
	require.Contains(t, notices[0].Text, "topic 7")
	require.Zero(t, srv.Calls()[1].Thread)
}

func TestTheGeneralTopicHasNoNumber(t *testing.T) {
	srv, n := pictured(t, map[string]any{"topic": 1})
	srv.Topics("42", 8)
	require.NoError(t, n.Send(t.Context(), msg("t", "x")))
	require.Len(t, srv.Calls(), 1)
	_, err := build(map[string]any{"token": token, "chat_id": 1, "topic": 3, "thread_id": 4})
	require.ErrorContains(t, err, "two names")
	old, err := build(map[string]any{"token": token, "chat_id": 1, "thread_id": 4})
	require.NoError(t, err)
	require.Equal(t, int64(4), old.topic)
}

func TestWhatIsNotUrgentMakesNoSound(t *testing.T) {
	for severity, silent := range map[alerts.Severity]bool{alerts.Info: true, alerts.Warning: true, alerts.Critical: false} {
		srv, n := pictured(t, map[string]any{"silent": []string{"info", "warning"}})
		m := msg("t", "x")
		m.Severity = severity
		require.NoError(t, n.Send(t.Context(), m))
		require.Equal(t, silent, srv.Calls()[0].Silent)
	}
	_, err := build(map[string]any{"token": token, "chat_id": 1, "silent": []string{"loud"}})
	require.ErrorContains(t, err, "info, warning or critical")
}

// What follows in an episode answers its first message, so that a chat shows the story.
func TestAnEpisodeIsOneThread(t *testing.T) {
	srv, n := pictured(t, nil)
	send := func(key string) telegramtest.Call {
		m, err := alerts.Compose(anAlert(key))
		require.NoError(t, err)
		require.NoError(t, n.Send(t.Context(), m))
		calls := srv.Calls()
		return calls[len(calls)-1]
	}
	first := send("eth|ETH|2400|down|1|0.05")
	require.Zero(t, first.Reply)
	other := send("eth|ETH|2200|down|1|0.05")
	require.Zero(t, other.Reply)
	require.Equal(t, first.ID, send("eth|ETH|2400|down|1|0.02").Reply)
	require.Equal(t, first.ID, send("eth|ETH|2400|down|1|0").Reply)
	again := anAlert("reminder|eth|ETH|2400|down|1|0|1")
	again.Kind, again.Reason = alerts.KindReminder, alerts.ReasonStill
	again.Follows = &alerts.Followed{ID: "msg_1", Kind: alerts.KindApproach, Since: again.Seen, Count: 1, Episodes: []string{"eth|ETH|2400|down|1"}}
	m, err := alerts.Compose(again)
	require.NoError(t, err)
	require.NoError(t, n.Send(t.Context(), m))
	require.Equal(t, first.ID, srv.Calls()[4].Reply, "a reminder is of the episode")
	require.Zero(t, send("eth|ETH|2400|down|2|0.05").Reply, "the next episode begins anew")
	for range mostThreads + 5 {
		n.remember(alerts.Message{Data: []byte(`{"data":{"key":"` + strings.Repeat("x|", 5) + strings.Repeat("y", len(n.threads.order)) + `|0"}}`)}, 1)
	}
	require.LessOrEqual(t, len(n.threads.first), mostThreads)
}
