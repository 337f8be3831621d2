// Package telegram sends alerts to a chat by the Bot API, with a picture where there
// is one, and answers commands and buttons.
//
// It speaks HTTP itself: a client library hides what decides whether a message may
// be repeated (was it ever sent off?), reads answers without a limit, and takes an
// answer that is not JSON for a broken one instead of a busy server.
package telegram

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"liqwatch/internal/alerts"
)

// Notifier writes to one chat.
type Notifier struct {
	// Draw makes a PNG of a sketch; nil for no pictures. Set it before the first send.
	Draw func(alerts.Sketch) ([]byte, error)

	bot      *bot
	topic    int64
	picture  bool
	commands bool
	silent   []Severity
	admins   []UserID

	mu      sync.Mutex
	chat    ChatID
	notices []alerts.Notice
	moved   time.Time // when the group last moved
	until   time.Time // nothing is sent to the chat before
	threads threads
}

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	b, err := s.bot()
	if err != nil {
		return nil, err
	}
	topic, err := s.topic()
	if err != nil {
		return nil, err
	}
	return &Notifier{
		bot: b, chat: s.ChatID, topic: topic, picture: s.Picture, commands: s.Commands, silent: s.Silent, admins: s.Admins,
	}, nil
}

// Notices tells what the owner should know since the last call: a group that moved,
// a topic that is gone.
func (n *Notifier) Notices() []alerts.Notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := n.notices
	n.notices = nil
	return out
}

// Limits are a chat's. Telegram names none that it promises; a group takes about 20
// messages a minute, of which some are left for answers to commands.
func (n *Notifier) Limits() alerts.Limits {
	l := alerts.ChatLimits()
	l.PerMinute = 18
	return l
}

// mends is how often at most a message is changed and sent again at once.
const mends = 6

// Send writes the message once. A refusal that is certain and can be mended is
// mended at once: a group that became a supergroup is followed, a topic that is gone
// is left for the general one, markup that the server cannot read is sent as plain
// text, and a picture that it does not want is left out.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	out, err := n.prepare(m)
	if err != nil {
		return err
	}
	for range mends {
		method, p := out.call(n.current(), slices.Contains(n.silent, Severity(m.Severity)))
		a, err := n.bot.call(ctx, method, p, out.picture)
		if err != nil {
			return err
		}
		if a.OK {
			n.remember(m, a.message())
			return nil
		}
		if !n.mend(&out, a) {
			n.hold(a)
			return a.judge()
		}
	}
	return alerts.Refused(errors.New("telegram: the server refuses the message in every form"))
}

// prepare decides how a message is sent at first.
func (n *Notifier) prepare(m alerts.Message) (outgoing, error) {
	if left := n.held(); left > 0 {
		return outgoing{}, alerts.Wait(left, errors.New("telegram: the server asked to be left alone for a while"))
	}
	out := outgoing{m: m, topic: n.topic, reply: n.threadOf(m), bare: !n.answers()}
	// A repeat is in words: what failed may have been the upload.
	if n.picture && n.Draw != nil && captioned(m) && !m.MayRepeat {
		var err error
		if out.picture, err = n.Draw(*m.Sketch); err != nil {
			out.picture = nil
			n.tell(alerts.Notice{Key: "picture", Text: "The picture of an alert could not be drawn, it was sent without: " + err.Error()})
		}
	}
	return out, nil
}

// mend changes what a refusal was about; false when it was about nothing of that kind.
func (n *Notifier) mend(o *outgoing, a answer) bool {
	chat := n.current()
	switch {
	case !a.refused():
		return false
	case a.Parameters.MigrateToChatID != 0:
		o.reply = 0
		return n.move(a.Parameters.MigrateToChatID)
	case o.topic != 0 && a.says("thread", "topic"):
		n.tell(alerts.Notice{
			Key:  fmt.Sprintf("topic|%s|%d", chat, o.topic),
			Text: fmt.Sprintf("The Telegram chat %s has no open topic %d any more (%s). Messages go to the general one; write another topic in the configuration.", chat, o.topic, a.Description),
		})
		o.topic = 0
	case o.reply != 0 && a.says("repl"):
		o.reply = 0
	case !o.bare && a.says("button", "markup", "keyboard"):
		o.bare = true
	case !o.plain && a.says("parse", "entities", "too long"):
		o.plain = true
	case o.picture != nil:
		o.picture = nil
		// This refusal is known to come for pictures that arrived all the same.
		o.m.MayRepeat = o.m.MayRepeat || a.says("image_process_failed")
	default:
		return false
	}
	return true
}

// move follows a group to its new number; false when it is there already.
func (n *Notifier) move(to int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	from, next := n.chat, ChatID(strconv.FormatInt(to, 10))
	// A group moves once in its life: one that is sent in a circle is not followed.
	if from == next || !n.moved.IsZero() && time.Since(n.moved) < time.Minute {
		return false
	}
	n.chat, n.moved, n.threads = next, time.Now(), threads{} // messages have new numbers there
	// Told on every day that begins with the old number in the configuration.
	n.notices = append(n.notices, alerts.Notice{
		Key:  fmt.Sprintf("migrate|%s|%s|%s", from, next, time.Now().UTC().Format(time.DateOnly)),
		Text: fmt.Sprintf("The Telegram group %s has become %s. Messages follow it; write chat_id: %s in the configuration.", from, next, next),
	})
	return true
}

func (n *Notifier) tell(notice alerts.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notices = append(n.notices, notice)
}

func (n *Notifier) current() ChatID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.chat
}

// hold notes how long the chat is to be left alone, whoever was told so.
func (n *Notifier) hold(a answer) {
	if wait, ok := a.wait(); ok {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.until = time.Now().Add(wait)
	}
}

func (n *Notifier) held() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Until(n.until)
}

// answers reports that buttons under a message lead somewhere: in a channel they do
// only where somebody is named who may press them.
func (n *Notifier) answers() bool {
	_, numbered := n.current().number()
	return n.commands && (numbered || len(n.admins) > 0)
}
