package telegram

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/alerts/telegram/telegramtest"
	"liqwatch/internal/store"
)

const group = "-1001234567890"

var (
	ada     = telegramtest.User{ID: 11, Name: "Ada <b>&"}
	bob     = telegramtest.User{ID: 22, Name: "Bob"}
	mallory = telegramtest.User{ID: 66, Name: "Mallory"}
)

// fixedBoard shows what a test wants to see.
type fixedBoard struct{ err error }

func (b fixedBoard) Status(context.Context) (Status, error) {
	return Status{
		Version: "v1", Chains: []ChainStatus{{Name: "ethereum", Block: 21_000_000, Age: 14 * time.Second}, {Name: "tron", Block: 7, Age: time.Hour, Late: true, Why: "no <node> answers"}},
		Rules: []RuleStatus{{Name: "eth <1>", Axis: "ETH", Price: decimal.NewFromInt(2440), Levels: []decimal.Decimal{decimal.NewFromInt(2200), decimal.NewFromInt(2400)}}, {Name: "squeeze", Watch: "utilization above 95%"}},
		Queue: QueueStatus{Waiting: 2, Oldest: time.Minute, Dead: 1},
	}, b.err
}

func (b fixedBoard) Ladder(_ context.Context, axis string, levels []decimal.Decimal) (Ladder, error) {
	if axis != "ETH" {
		return Ladder{}, errors.New("no axis <x> is watched; there are ETH")
	}
	l := Ladder{Axis: axis, Spot: decimal.NewFromInt(2440), Age: 14 * time.Second, Sketch: aSketch()}
	for _, p := range levels {
		l.Steps = append(l.Steps, LadderStep{Price: p, Accounts: 1234, AtRiskUSD: decimal.NewFromInt(312_000_000)})
	}
	return l, nil
}

// talk is a bot in a chat with a real desk over a real store.
type talk struct {
	t       *testing.T
	srv     *telegramtest.Server
	n       *Notifier
	store   *store.Store
	tracker *alerts.Tracker
	desk    *alerts.Desk
	log     *lockedBuffer
	stop    func()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newTalk(t *testing.T, settings map[string]any) *talk {
	t.Helper()
	x := &talk{t: t, srv: telegramtest.New(token, group), log: &lockedBuffer{}, stop: func() {}}
	t.Cleanup(x.srv.Close)
	values := map[string]any{"token": token, "chat_id": group, "api_url": x.srv.URL}
	for k, v := range settings {
		values[k] = v
	}
	var err error
	x.n, err = build(values)
	require.NoError(t, err)
	x.n.Draw = drawn
	x.store, err = store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, x.store.Close()) })
	rule := alerts.Rule{Name: "eth", Axis: "ETH", Levels: []decimal.Decimal{decimal.NewFromInt(2400)}, Rearm: decimal.New(1, -2), Notify: []string{"risk"}}
	x.tracker, err = alerts.NewTracker(t.Context(), x.store, []alerts.Rule{rule}, alerts.StaleRule{}, zerolog.Nop(), nil)
	require.NoError(t, err)
	require.NoError(t, x.tracker.KeepMutes(t.Context(), x.store))
	x.desk = alerts.NewDesk(x.tracker, x.store, time.Now)
	t.Cleanup(func() { x.stop() })
	return x
}

// start begins to listen, as after a restart.
func (x *talk) start() *Listener {
	x.t.Helper()
	all := Listeners(map[string]alerts.Notifier{"risk": x.n, "other": nil}, x.desk, fixedBoard{}, zerolog.New(x.log))
	require.Len(x.t, all, 1)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); all[0].Run(ctx) }()
	x.stop = func() { cancel(); <-done; x.stop = func() {} }
	return all[0]
}

// listening waits until a press counts as fresh.
func (x *talk) listening() {
	x.t.Helper()
	x.srv.Write(bob, telegramtest.Written{Chat: group, Text: "hello"})
	x.until(func() bool { _, waiting := x.srv.Confirmed(); return waiting == 0 }, "the first update is confirmed")
}

func (x *talk) until(ok func() bool, what string) {
	x.t.Helper()
	require.Eventually(x.t, ok, 10*time.Second, 5*time.Millisecond, "%s; the log: %s", what, x.log)
}

// said waits for the next answer that is not an alert.
func (x *talk) said(parts ...string) telegramtest.Call {
	x.t.Helper()
	var found telegramtest.Call
	x.until(func() bool {
		calls := x.srv.Calls()
		for i := len(calls) - 1; i >= 0; i-- {
			all := true
			for _, p := range parts {
				all = all && strings.Contains(calls[i].Text, p)
			}
			if all && calls[i].Taken {
				found = calls[i]
				return true
			}
		}
		return false
	}, fmt.Sprintf("an answer with %q, not %v", parts, x.srv.Calls()))
	return found
}

// alert makes one, keeps it and sends it.
func (x *talk) alert(key string) (id string, message telegramtest.Call) {
	x.t.Helper()
	a := anAlert(key)
	m, err := alerts.Compose(a)
	require.NoError(x.t, err)
	require.NoError(x.t, x.store.Post(x.t.Context(), time.Now(), alerts.Post{Alert: a, Message: m, Notify: []string{"risk"}}))
	all, err := x.desk.Recent(x.t.Context(), 1)
	require.NoError(x.t, err)
	m.ID = all[0].ID
	require.NoError(x.t, x.n.Send(x.t.Context(), m))
	calls := x.srv.Calls()
	return m.ID, calls[len(calls)-1]
}

func anAlert(key string) alerts.Alert {
	return alerts.Alert{
		Key: key, Kind: alerts.KindApproach, Reason: alerts.ReasonApproach, Severity: alerts.Warning, Rule: "eth", Axis: "ETH",
		Level: decimal.NewFromInt(2400), Side: alerts.Down, Episode: 1, Price: decimal.NewFromInt(2440), Seen: time.Now(), Sketch: aSketch(),
	}
}

func (x *talk) acknowledged(id string) string {
	x.t.Helper()
	a, err := x.desk.Alert(context.Background(), id)
	require.NoError(x.t, err)
	return a.AcknowledgedBy
}

func (x *talk) muted() map[string]time.Time {
	x.t.Helper()
	mutes, err := x.desk.Mutes(context.Background())
	require.NoError(x.t, err)
	out := map[string]time.Time{}
	for _, m := range mutes {
		out[m.Scope.String()] = m.Until
	}
	return out
}

func TestAButtonAcknowledges(t *testing.T) {
	x := newTalk(t, nil)
	id, message := x.alert("eth|ETH|2400|down|1|0.02")
	require.Equal(t, "Acknowledge", message.Buttons[0][0].Text)
	x.start()
	x.listening()
	x.srv.Press(ada, "supergroup", message.ID, message.Buttons[0][0].Data)
	x.until(func() bool { return x.acknowledged(id) != "" }, "it is acknowledged")
	require.Equal(t, "Ada <b>& (Telegram 11)", x.acknowledged(id))
	x.until(func() bool { return strings.Contains(x.srv.Calls()[0].Buttons[0][0].Text, "✓ Ada") }, "the button says who")
	x.srv.Press(bob, "supergroup", message.ID, message.Buttons[0][0].Data)
	x.until(func() bool { return len(answers(x.srv)) == 2 }, "both are answered")
	require.Contains(t, answers(x.srv)[1], "Ada")
	require.Equal(t, "Ada <b>& (Telegram 11)", x.acknowledged(id), "the first stands")
}

// answers are what was shown to those who pressed.
func answers(srv *telegramtest.Server) []string {
	var out []string
	for _, o := range srv.Others() {
		if o.Method == "answerCallbackQuery" {
			out = append(out, fmt.Sprint(o.Params["text"]))
		}
	}
	return out
}

func TestAButtonMutesAndEverybodyIsTold(t *testing.T) {
	x := newTalk(t, nil)
	_, message := x.alert("eth|ETH|2400|down|1|0.02")
	x.start()
	x.listening()
	x.srv.Press(ada, "supergroup", message.ID, message.Buttons[1][1].Data)
	x.said("eth is muted until", "Ada <b>&", "/unmute eth")
	require.WithinDuration(t, time.Now().Add(8*time.Hour), x.muted()["eth"], time.Minute)
}

// A press carries no time: one from before a restart would silence a rule from now on.
func TestAPressOfUnknownAgeMutesNothing(t *testing.T) {
	x := newTalk(t, nil)
	id, message := x.alert("eth|ETH|2400|down|1|0.02")
	x.srv.Press(ada, "supergroup", message.ID, message.Buttons[1][0].Data)
	x.srv.Press(ada, "supergroup", message.ID, message.Buttons[0][0].Data)
	x.start()
	x.until(func() bool { return x.acknowledged(id) != "" }, "to acknowledge is safe at any age")
	require.Empty(t, x.muted())
	require.Contains(t, answers(x.srv)[0], "Press again")
}

func TestCommands(t *testing.T) {
	x := newTalk(t, nil)
	id, message := x.alert("eth|ETH|2400|down|1|0.02")
	x.start()
	say := func(text string) { x.srv.Write(ada, telegramtest.Written{Chat: group, Text: text}) }

	say("/status")
	x.said("ethereum: block 21000000, 14 s old", "tron: no new data", "no <node> answers", "rule eth <1>: ETH at 2,440", "nearest 2,400, 1.67%", "rule squeeze: utilization above 95%\n", "2 messages to be sent", "1 message given up")
	say("/help@liqwatch_bot")
	x.said("/mute RULE 2h")
	say("/alerts")
	x.said("approach", id)
	say("/ack " + id)
	x.said("Acknowledged by Ada <b>& (Telegram 11)")
	say("/ack msg_nothing")
	x.said("no such alert")
	say("/ack")
	x.said("Write /ack ID")
	say("/mute eth 2h")
	x.said("eth is muted until")
	require.WithinDuration(t, time.Now().Add(2*time.Hour), x.muted()["eth"], time.Minute)
	say("/mute eth/2400 3d")
	x.said("eth/2400 is muted until")
	say("/mute nobody 2h")
	x.said("no such rule")
	say("/mute eth 2000h")
	x.said("at most 168h")
	say("/mute eth")
	x.said("Write /mute RULE 2h")
	say("/unmute eth")
	x.said("eth is not muted any more")
	x.until(func() bool { _, still := x.muted()["eth"]; return !still }, "the mute is over")
	say("/map ETH 2,400 2200")
	got := x.said("ETH 2,440", "2,400: 312 M USD, 1,234 accounts", "2,200: ")
	require.NotNil(t, got.Photo)
	say("/map ETH 1e2000000000")
	x.said("Write /map")
	say("/map BTC")
	x.said("no axis <x> is watched")
	x.srv.Write(bob, telegramtest.Written{Chat: group, Text: "/mute 90m", Reply: message.ID})
	x.said("eth is muted until", "Bob")
	for _, o := range x.srv.Others() {
		if o.Method == "setMyCommands" {
			require.Len(t, o.Params["commands"], len(commands))
		}
	}
}

func TestOnlyTheChatAndItsAdminsAreHeard(t *testing.T) {
	x := newTalk(t, map[string]any{"admins": []int{11}})
	id, message := x.alert("eth|ETH|2400|down|1|0.02")
	x.start()
	x.listening()
	x.srv.Write(mallory, telegramtest.Written{Chat: "66", Kind: "private", Text: "/status"})
	x.srv.Write(mallory, telegramtest.Written{Chat: "-666", Text: "/mute eth 2h"})
	x.srv.Write(bob, telegramtest.Written{Chat: group, Text: "/mute eth 2h"})
	x.srv.Write(bob, telegramtest.Written{Chat: "22", Kind: "private", Text: "/status"})
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/status@another_bot"})
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/etc/passwd"})
	x.srv.Press(bob, "supergroup", message.ID, message.Buttons[0][0].Data)
	x.srv.Press(ada, "supergroup", message.ID, "ack:../../x")
	x.srv.Press(ada, "supergroup", message.ID, "mute:9999h:"+id)
	x.until(func() bool { _, waiting := x.srv.Confirmed(); return waiting == 0 }, "all are confirmed")
	require.Len(t, x.srv.Calls(), 1, "nobody was answered")
	require.Empty(t, x.muted())
	require.Empty(t, x.acknowledged(id))
	require.Contains(t, answers(x.srv)[0], "admins")
	require.Contains(t, x.log.String(), `"user":66`)

	x.srv.Write(bob, telegramtest.Written{Chat: group, Text: "/status"}) // to look is everybody's
	x.said("liqwatch v1")
	x.srv.Press(ada, "supergroup", message.ID, message.Buttons[0][0].Data)
	x.until(func() bool { return x.acknowledged(id) != "" }, "an admin may")
}

func TestNobodyMutesAChannelUnlessNamed(t *testing.T) {
	x := newTalk(t, nil)
	_, message := x.alert("eth|ETH|2400|down|1|0.02")
	x.start()
	x.listening()
	x.srv.Press(mallory, "channel", message.ID, message.Buttons[1][0].Data)
	x.until(func() bool { return len(answers(x.srv)) == 1 }, "it is answered")
	require.Empty(t, x.muted())

	n, err := build(map[string]any{"token": token, "chat_id": "@alarms"})
	require.NoError(t, err)
	require.False(t, n.answers(), "a public channel has no buttons that anybody could press")
}

// Killed after a command took effect and before it was confirmed: it comes again, and
// is done once all the same.
func TestACommandIsConfirmedOnlyAfterItTookEffect(t *testing.T) {
	x := newTalk(t, nil)
	id, _ := x.alert("eth|ETH|2400|down|1|0.02")
	at := time.Now().Add(-time.Hour)
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/ack " + id})
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/mute eth 2h", Date: at})
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/mute * 30m", Date: at})
	for want := range 3 {
		ctx, kill := context.WithCancel(context.Background())
		desk := &killingDesk{Desk: x.desk, kill: kill}
		Listeners(map[string]alerts.Notifier{"risk": x.n}, desk, fixedBoard{}, zerolog.New(x.log))[0].Run(ctx)
		require.Equal(t, int64(1), desk.done.Load(), "run %d did one thing and was killed", want)
		confirmed, _ := x.srv.Confirmed()
		require.Empty(t, confirmed)
	}
	first, err := x.desk.Alert(t.Context(), id)
	require.NoError(t, err)
	x.start()
	x.said("eth is muted until")
	x.said("heard late")
	x.until(func() bool { _, waiting := x.srv.Confirmed(); return waiting == 0 }, "confirmed")
	require.WithinDuration(t, at.Add(2*time.Hour), x.muted()["eth"], 5*time.Second, "counted from when it was written")
	require.NotContains(t, x.muted(), "*")
	again, err := x.desk.Alert(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, first.Acknowledged, again.Acknowledged)
}

// killingDesk ends the listener right after something took effect.
type killingDesk struct {
	*alerts.Desk
	kill func()
	done atomic.Int64
}

func (k *killingDesk) Acknowledge(ctx context.Context, id, by string) (alerts.Listed, error) {
	defer k.kill()
	k.done.Add(1)
	return k.Desk.Acknowledge(ctx, id, by)
}

func TestWhatMayNotBeDoneIsLeftToOthers(t *testing.T) {
	x := newTalk(t, nil)
	id, _ := x.alert("eth|ETH|2400|down|1|0.02")
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/ack " + id})
	all := Listeners(map[string]alerts.Notifier{"risk": x.n}, x.desk, fixedBoard{}, zerolog.New(x.log))
	all[0].May = func() bool { return false }
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	all[0].Run(ctx)
	require.Empty(t, x.acknowledged(id))
	_, waiting := x.srv.Confirmed()
	require.Equal(t, 1, waiting)
	x.start()
	x.until(func() bool { return x.acknowledged(id) != "" }, "the next one does it")
}

func TestAStoreThatFailsIsTriedAgainThenTold(t *testing.T) {
	x := newTalk(t, nil)
	broken := &brokenDesk{Desk: x.desk}
	broken.fails.Store(2)
	all := Listeners(map[string]alerts.Notifier{"risk": x.n}, broken, fixedBoard{err: errors.New("disk on fire")}, zerolog.New(x.log))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); all[0].Run(ctx) }()
	x.stop = func() { cancel(); <-done }
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/mute eth 2h"})
	x.said("eth is muted until")
	broken.fails.Store(99)
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/mute eth 3h"})
	x.said("could not be done")
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/status"})
	x.said("look at the status")
	require.Contains(t, x.log.String(), "disk on fire")
	for _, c := range x.srv.Calls() {
		require.NotContains(t, c.Text, "disk on fire", "what the inside says stays inside")
	}
}

type brokenDesk struct {
	*alerts.Desk
	fails atomic.Int64
}

func (b *brokenDesk) Mute(ctx context.Context, s alerts.Scope, d time.Duration, by string) (time.Time, error) {
	if b.fails.Add(-1) >= 0 {
		return time.Time{}, errors.New("disk on fire")
	}
	return b.Desk.Mute(ctx, s, d, by)
}

func TestTwoWhoListenAreToldWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		fault telegramtest.Fault
		set   func(*telegramtest.Server)
		want  string
	}{
		"another": {set: func(s *telegramtest.Server) {
			s.ScriptUpdates(telegramtest.Fault{Code: 409, Text: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"})
		}, want: "commands: false in all but one"},
		"a webhook":    {set: func(s *telegramtest.Server) { s.Webhook(true) }, want: "deleteWebhook"},
		"a dead token": {set: func(s *telegramtest.Server) { s.ScriptUpdates(telegramtest.Fault{Code: 401, Text: "Unauthorized"}) }, want: "BotFather"},
		"a bad gateway": {set: func(s *telegramtest.Server) {
			s.ScriptUpdates(telegramtest.Fault{Code: 502, Raw: true, Text: "<html>"})
		}, want: "alerts are sent all the same"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTalk(t, nil)
			c.set(x.srv)
			x.start()
			x.until(func() bool { return strings.Contains(x.log.String(), c.want) }, "it is logged with what to do")
			require.NotContains(t, x.log.String(), "hunter2")
		})
	}
}

func TestTheOneThrownOutComesBack(t *testing.T) {
	x := newTalk(t, nil)
	x.srv.ScriptUpdates(telegramtest.Fault{Code: 502, Raw: true}, telegramtest.Fault{Drop: true}, telegramtest.Fault{Code: 429, RetryAfter: 1})
	x.srv.Raw("message", "not a message")
	x.srv.Raw("edited_channel_post", map[string]any{"x": 1})
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/help"})
	x.start()
	x.said("liqwatch", "/status")
}

func TestAnAnswerGoesToTheTopicItWasAskedIn(t *testing.T) {
	x := newTalk(t, map[string]any{"topic": 7})
	x.start()
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/help", Thread: 9})
	require.Equal(t, int64(9), x.said("/status").Thread)
}

func TestAnAnswerWaitsForNobody(t *testing.T) {
	x := newTalk(t, nil)
	x.srv.Script(telegramtest.Fault{Code: 429, RetryAfter: 3600})
	require.Equal(t, "wait 1h0m0s", meaning(x.n.Send(t.Context(), msg("t", "x"))))
	x.start()
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/help"})
	x.until(func() bool { return strings.Contains(x.log.String(), "left alone") }, "it is not answered")
	for _, c := range x.srv.Calls() {
		require.False(t, c.Early)
	}
	var e *alerts.SendError
	require.ErrorAs(t, x.n.Send(t.Context(), msg("t", "x")), &e)
	require.Greater(t, e.After, 59*time.Minute, "what one was told, the others know")
}

func TestOneTokenHasOneListener(t *testing.T) {
	one, err := build(map[string]any{"token": token, "chat_id": 1})
	require.NoError(t, err)
	two, err := build(map[string]any{"token": token, "chat_id": 2})
	require.NoError(t, err)
	off, err := build(map[string]any{"token": "9:x", "chat_id": 2, "commands": false})
	require.NoError(t, err)
	all := Listeners(map[string]alerts.Notifier{"a": one, "b": two, "c": off}, nil, nil, zerolog.Nop())
	require.Len(t, all, 1)
	require.Len(t, all[0].chats, 2)
	require.Nil(t, buttonsOf(t, off, anAlert("k|ETH|2400|down|1|0")), "without commands there are no buttons")
}

func buttonsOf(t *testing.T, n *Notifier, a alerts.Alert) *keyboard {
	t.Helper()
	m, err := alerts.Compose(a)
	require.NoError(t, err)
	m.ID = "msg_1"
	out, err := n.prepare(m)
	require.NoError(t, err)
	_, p := out.call(n.current(), false)
	return p.Keyboard
}

// Whatever a server does to who asks it for updates, the token is not in the log.
func TestTheTokenIsInNoLog(t *testing.T) {
	for name, h := range notifiertest.Servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(h)
			defer srv.Close()
			n, err := build(map[string]any{"token": token, "chat_id": 42, "api_url": srv.URL})
			require.NoError(t, err)
			log := &lockedBuffer{}
			l := Listeners(map[string]alerts.Notifier{"risk": n}, nil, fixedBoard{}, zerolog.New(log))[0]
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			require.Positive(t, l.poll(ctx), "it is not asked again at once")
			require.Contains(t, log.String(), "no commands from Telegram")
			c := call{n: n, chat: chat{ID: 42}, m: &written{ID: 1}}
			short, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer stop()
			l.say(short, c, new(page).text("x"), nil)
			require.NotContains(t, log.String(), "hunter2")
		})
	}
}

// A network that comes up after liqwatch: the bot learns its name then, and leaves
// what is meant for others to them.
func TestTheBotLearnsItsNameLater(t *testing.T) {
	x := newTalk(t, nil)
	var asked atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/getMe") && asked.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		x.srv.ServeHTTP(w, r)
	}))
	defer front.Close()
	x.n.bot.api = front.URL
	x.start()
	x.listening()
	x.until(func() bool { return asked.Load() == 2 }, "it asks again")
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/help@another_bot"})
	x.srv.Write(ada, telegramtest.Written{Chat: group, Text: "/help@LiqWatch_bot"})
	x.said("/status")
	require.Len(t, x.srv.Calls(), 1)
	x.stop()
}
