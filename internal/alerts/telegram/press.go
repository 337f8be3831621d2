package telegram

import (
	"context"
	"errors"
	"time"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
)

// tries is how often what changes something is tried: a store that is busy is not
// busy for long.
const tries = 3

func try(ctx context.Context, do func() error) error {
	for n := 1; ; n++ {
		err := do()
		final := errors.Is(err, alerts.ErrNoRule) || errors.Is(err, alerts.ErrNoAlert) || errors.Is(err, alerts.ErrMuteLength)
		if err == nil || final || n == tries || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// acknowledge takes note of an alert, and of the one that it reminds of.
func (l *Listener) acknowledge(ctx context.Context, id, by string) (a alerts.Listed, err error) {
	err = try(ctx, func() error {
		if a, err = l.desk.Acknowledge(ctx, id, by); err != nil || a.Alert.Follows == nil {
			return err
		}
		_, err = l.desk.Acknowledge(ctx, a.Alert.Follows.ID, by)
		if errors.Is(err, alerts.ErrNoAlert) { // tidied away since
			err = nil
		}
		return err
	})
	return a, err
}

// pressed does what a button asks for. All of it can be done twice: the first to
// acknowledge stands. Only a mute would begin anew: a press carries no time, so one
// that may be old, or done before a restart, is not taken.
func (l *Listener) pressed(ctx context.Context, c call, p *pressing, fresh bool) {
	ask, ok := parsePress(p.Data)
	switch {
	case !ok:
		return
	case !c.may:
		l.log.Info().Str("by", c.from.name()).Int64("chat", c.chat.ID).Msg("refused a button to somebody who is not among the admins")
		l.answer(ctx, p, "Only those named as admins in the configuration may do this.", true)
		return
	}
	l.log.Info().Str("button", ask.what).Str("alert", ask.id).Str("by", c.from.name()).Int64("chat", c.chat.ID).Msg("button")
	if ask.what == pressAck {
		a, err := l.acknowledge(ctx, ask.id, c.from.name())
		if err != nil {
			l.answer(ctx, p, l.failed(err, "acknowledge").plain(200), true)
			return
		}
		l.answer(ctx, p, "Acknowledged by "+a.AcknowledgedBy, false)
		l.mark(ctx, c, a)
		return
	}
	if !fresh {
		l.answer(ctx, p, "This was pressed while nobody listened, so nothing was muted. Press again.", true)
		return
	}
	a, err := l.desk.Alert(ctx, ask.id)
	if err != nil {
		l.answer(ctx, p, l.failed(err, "mute").plain(200), true)
		return
	}
	said := l.silence(ctx, alerts.Scope{Rule: a.Alert.Rule}, ask.length, c.from.name())
	l.answer(ctx, p, said.plain(200), false)
	l.say(ctx, c, said, nil) // everybody in the chat is to know that they hear nothing
}

// answer ends the wait of whoever pressed. One who pressed long ago waits no more,
// which is no trouble.
func (l *Listener) answer(ctx context.Context, p *pressing, text string, loud bool) {
	a, err := l.bot.call(ctx, "answerCallbackQuery", map[string]any{
		"callback_query_id": p.ID, "text": clip.To(text, 190, clip.Runes), "show_alert": loud,
	}, nil)
	l.note(a, err, "answer a button")
}

// mark shows under the alert who has acknowledged it.
func (l *Listener) mark(ctx context.Context, c call, a alerts.Listed) {
	m := a.Message
	m.ID = a.ID
	k := answered(m, cut("✓ "+a.AcknowledgedBy, 60))
	if k == nil || c.n.held() > 0 {
		return
	}
	got, err := l.bot.call(ctx, "editMessageReplyMarkup", map[string]any{
		"chat_id": c.chat.ID, "message_id": c.m.ID, "reply_markup": k,
	}, nil)
	c.n.hold(got)
	if !got.says("not modified") {
		l.note(got, err, "mark an alert as acknowledged")
	}
}

// say answers in the chat and the topic of a command. It is said once: whoever asked
// can ask again, and what they asked for is done.
func (l *Listener) say(ctx context.Context, c call, p *page, picture []byte) {
	if left := c.n.held(); left > 0 {
		l.log.Warn().Dur("for", left).Msg("not answered: the server asked to be left alone")
		return
	}
	out := params{ChatID: c.chat.ID, ParseMode: "HTML", Silent: true, Reply: &reply{MessageID: c.m.ID, Anyway: true}}
	if c.m.IsTopic {
		out.Topic = c.m.Topic
	}
	method := "sendMessage"
	if picture != nil {
		method, out.Caption = "sendPhoto", p.html(maxCaption)
	} else {
		out.Text, out.Preview = p.html(maxUnits), &preview{Disabled: true}
	}
	a, err := l.bot.call(ctx, method, out, picture)
	if err == nil && a.refused() {
		out.ParseMode, out.Caption, out.Text, out.Preview = "", "", p.plain(maxUnits), &preview{Disabled: true}
		a, err = l.bot.call(ctx, "sendMessage", out, nil)
	}
	c.n.hold(a)
	l.note(a, err, "answer a command")
}

func (l *Listener) note(a answer, err error, what string) {
	if err == nil && !a.OK {
		err = a.judge()
	}
	if err != nil {
		l.log.Warn().Err(err).Msg("could not " + what)
	}
}
