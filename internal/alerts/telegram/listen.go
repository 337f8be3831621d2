package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"liqwatch/internal/alerts"
)

// Desk is where people answer; [alerts.Desk] is one.
type Desk interface {
	Recent(ctx context.Context, limit int) ([]alerts.Listed, error)
	Alert(ctx context.Context, id string) (alerts.Listed, error)
	Acknowledge(ctx context.Context, id, by string) (alerts.Listed, error)
	Mute(ctx context.Context, scope alerts.Scope, length time.Duration, by string) (time.Time, error)
	Unmute(ctx context.Context, scope alerts.Scope, by string) error
	Mutes(ctx context.Context) ([]alerts.ListedMute, error)
}

// Listener answers what people write to one bot, and the buttons they press. One
// bot has one: two that ask for updates throw each other out.
type Listener struct {
	// May is asked before anything is done; nil for always. What may not be done is
	// left for whoever may: another process, or this one later.
	May func() bool

	bot   *bot
	chats []*Notifier
	desk  Desk
	board Board
	log   zerolog.Logger

	username string
	offset   int64     // of the first update that is not done
	heard    time.Time // when the server last answered a question for updates
	troubled time.Time // when a trouble was last logged
	ignored  map[int64]bool
	retry    time.Duration
}

// Listeners are those of all bots behind the notifiers that take commands, by token.
func Listeners(notifiers map[string]alerts.Notifier, desk Desk, board Board, log zerolog.Logger) []*Listener {
	by := map[string]*Listener{}
	var out []*Listener
	names := make([]string, 0, len(notifiers))
	for name := range notifiers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		n, ok := notifiers[name].(*Notifier)
		if !ok || !n.commands {
			continue
		}
		key := n.bot.api + " " + n.bot.token
		if by[key] == nil {
			by[key] = &Listener{
				bot: n.bot, desk: desk, board: board, ignored: map[int64]bool{},
				log: log.With().Str("component", "telegram").Str("notifier", name).Logger(),
			}
			out = append(out, by[key])
		}
		by[key].chats = append(by[key].chats, n)
	}
	return out
}

// How long to wait after what went wrong, at first and at most.
const (
	firstRetry = time.Second
	lastRetry  = 2 * time.Minute
	// tellTrouble is how often a trouble that lasts is logged.
	tellTrouble = 10 * time.Minute
	// gap is how long nothing may have been heard for a press to be taken as fresh.
	gap = 2 * pollTimeout
	// batch is how many updates are asked for at once: each is at most some 100 KB.
	batch = 20
)

// Run answers until the context ends.
func (l *Listener) Run(ctx context.Context) {
	l.introduce(ctx)
	for ctx.Err() == nil {
		wait := l.poll(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	// What was done is confirmed, so that it is not done again after the next start.
	if l.offset > 0 {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer stop()
		_, _ = l.ask(ctx, 0, 1)
	}
}

// introduce learns the bot's name and tells the chats which commands there are. It
// works without: then a command to another bot of the group may be answered too.
func (l *Listener) introduce(ctx context.Context) {
	a, err := l.bot.call(ctx, "getMe", struct{}{}, nil)
	var me struct {
		Username string `json:"username"`
	}
	if err == nil && a.OK && json.Unmarshal(a.Result, &me) == nil {
		l.username = me.Username
	}
	type entry struct {
		Command     string `json:"command"`
		Description string `json:"description"`
	}
	var list []entry
	for _, c := range commands {
		list = append(list, entry{c.name, c.menu})
	}
	for _, n := range l.chats {
		_, _ = l.bot.call(ctx, "setMyCommands", map[string]any{
			"commands": list, "scope": map[string]any{"type": "chat", "chat_id": chatParam(n.current())},
		}, nil)
	}
}

// poll asks for updates once, does what they ask for, and says how long to wait
// before the next.
func (l *Listener) poll(ctx context.Context) time.Duration {
	last := l.heard
	a, err := l.ask(ctx, pollTimeout, batch)
	if ctx.Err() != nil {
		return 0
	}
	if err != nil || !a.OK {
		return l.trouble(a, err)
	}
	now := time.Now().Round(0) // by the wall: a suspended machine hears nothing
	l.heard, l.retry, l.troubled = now, 0, time.Time{}
	if l.username == "" {
		l.introduce(ctx) // nobody answered at the start
	}
	updates, offset, err := parseUpdates(a.Result)
	if err != nil || len(updates) == 0 {
		l.offset = max(l.offset, offset)
		return l.breathe(a.Result)
	}
	fresh := !last.IsZero() && now.Sub(last) < gap
	for _, u := range updates {
		if l.May != nil && !l.May() {
			return lastRetry
		}
		l.do(ctx, u, fresh)
		if ctx.Err() != nil {
			return 0 // it may not have been done: it is asked for again after the next start
		}
		l.offset = u.ID + 1
	}
	return 0
}

// breathe keeps a server that holds no question open from being asked all the time.
func (l *Listener) breathe(result json.RawMessage) time.Duration {
	if string(result) == "[]" {
		return 100 * time.Millisecond
	}
	return firstRetry
}

func (l *Listener) ask(ctx context.Context, wait time.Duration, limit int) (answer, error) {
	body, err := json.Marshal(map[string]any{
		"offset": l.offset, "timeout": int(wait / time.Second), "limit": limit, "allowed_updates": []string{"message", "callback_query"},
	})
	if err != nil {
		return answer{}, fmt.Errorf("telegram: write the request: %w", err)
	}
	return l.bot.post(ctx, l.bot.patient, maxUpdates, "getUpdates", "application/json", body)
}

// trouble logs why there are no updates, with what to do, and says how long to wait.
func (l *Listener) trouble(a answer, err error) time.Duration {
	l.retry = min(max(2*l.retry, firstRetry), lastRetry)
	hint := "commands and buttons are not answered until this works again; alerts are sent all the same"
	switch {
	case err != nil:
	case a.Code == http.StatusConflict && a.says("webhook"):
		l.retry = lastRetry
		hint = "this bot has a webhook, so that nobody can ask for what people write: delete it (the Bot API's deleteWebhook), use a bot of its own, or write commands: false"
	case a.Code == http.StatusConflict:
		l.retry = max(l.retry, 15*time.Second)
		hint = "another program asks for what people write to this bot, perhaps another liqwatch: give each a bot of its own, or write commands: false in all but one"
	case a.Code == http.StatusUnauthorized, a.Code == http.StatusNotFound:
		l.retry = lastRetry
		hint = "the token is not, or no longer, one of a bot: ask BotFather"
	}
	if wait, ok := a.wait(); ok {
		l.retry = wait
	}
	if time.Since(l.troubled) >= tellTrouble {
		l.troubled = time.Now()
		event := l.log.Warn().Str("what to do", hint)
		if err != nil {
			event = event.AnErr("cause", err)
		} else {
			event = event.Int("code", a.Code).Str("cause", a.Description)
		}
		event.Dur("again in", l.retry).Msg("no commands from Telegram")
	}
	return l.retry
}

// do does what one update asks for, if it comes from where it may.
func (l *Listener) do(ctx context.Context, u update, fresh bool) {
	switch {
	case u.Message != nil:
		o, ok := parseOrder(u.Message.Text, l.username)
		if !ok {
			return
		}
		n, may := l.admit(u.Message.Chat, u.Message.From)
		if n == nil {
			l.ignore(u.Message.Chat, u.Message.From)
			return
		}
		l.obey(ctx, call{n: n, chat: u.Message.Chat, from: u.Message.From, may: may, m: u.Message}, o)
	case u.Press != nil && u.Press.Message != nil:
		n, may := l.admit(u.Press.Message.Chat, u.Press.From)
		if n == nil {
			l.ignore(u.Press.Message.Chat, u.Press.From)
			return
		}
		l.pressed(ctx, call{n: n, chat: u.Press.Message.Chat, from: u.Press.From, may: may, m: u.Press.Message}, u.Press, fresh)
	}
}

// admit finds the notifier whose chat it is, and whether the user may change
// anything: everybody in the chat, or its admins where some are named. Admins may
// write from a chat of their own with the bot too.
func (l *Listener) admit(c chat, from *user) (n *Notifier, may bool) {
	for _, n := range l.chats {
		id, numbered := n.current().number()
		here := numbered && id == c.ID || !numbered && c.Name != "" && strings.EqualFold(string(n.current()), "@"+c.Name)
		admin := from != nil && slices.Contains(n.admins, UserID(from.ID))
		private := c.Type == "private" && from != nil && from.ID == c.ID && admin
		if here || private {
			return n, admin || len(n.admins) == 0 && c.Type != "channel"
		}
	}
	return nil, false
}

// ignore logs a stranger, each chat once. They are not answered: whoever finds the
// bot learns nothing.
func (l *Listener) ignore(c chat, from *user) {
	if l.ignored[c.ID] || len(l.ignored) >= 1000 {
		return
	}
	l.ignored[c.ID] = true
	var id int64
	if from != nil {
		id = from.ID
	}
	l.log.Info().Int64("chat", c.ID).Int64("user", id).Msg("ignored a command from a chat that is not configured")
}
