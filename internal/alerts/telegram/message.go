package telegram

import (
	"encoding/json"
	"slices"

	"liqwatch/internal/alerts"
)

// outgoing is one message on its way, as the Bot API takes it: a text, or a picture
// with the text as its caption.
type outgoing struct {
	m       alerts.Message
	plain   bool   // without markup
	picture []byte // nil for a text
	topic   int64
	reply   int64 // the message it answers; 0 for none
	bare    bool  // without buttons
}

// params are those of sendMessage and sendPhoto.
type params struct {
	ChatID    any       `json:"chat_id"`
	Topic     int64     `json:"message_thread_id,omitempty"`
	Text      string    `json:"text,omitempty"`
	Caption   string    `json:"caption,omitempty"`
	ParseMode string    `json:"parse_mode,omitempty"`
	Silent    bool      `json:"disable_notification,omitempty"`
	Preview   *preview  `json:"link_preview_options,omitempty"`
	Reply     *reply    `json:"reply_parameters,omitempty"`
	Keyboard  *keyboard `json:"reply_markup,omitempty"`
}

type preview struct {
	Disabled bool `json:"is_disabled"`
}

type reply struct {
	MessageID int64 `json:"message_id"`
	// Anyway: the message is sent even when the one it answers is gone.
	Anyway bool `json:"allow_sending_without_reply"`
}

// method and params of the call that sends it.
func (o outgoing) call(chat ChatID, silent bool) (string, params) {
	p := params{ChatID: chatParam(chat), Topic: o.topic, ParseMode: "HTML", Silent: silent}
	text := asHTML(o.m)
	if o.plain {
		text, p.ParseMode = asPlain(o.m), ""
	}
	if o.reply != 0 {
		p.Reply = &reply{MessageID: o.reply, Anyway: true}
	}
	if !o.bare {
		p.Keyboard = buttons(o.m)
	}
	if o.picture != nil {
		p.Caption = text
		return "sendPhoto", p
	}
	p.Text, p.Preview = text, &preview{Disabled: true}
	return "sendMessage", p
}

// chatParam is a chat's number as a number, a name as text.
func chatParam(c ChatID) any {
	if n, ok := c.number(); ok {
		return n
	}
	return string(c)
}

// captioned reports that a message has a picture to show and fits into a caption.
// One that does not is sent whole without its picture: words count more, and two
// messages could be torn apart by a kill between them.
func captioned(m alerts.Message) bool {
	return m.Sketch != nil && units(asPlain(m)) <= maxCaption
}

// subject is what an alert is of, from its JSON.
type subject struct {
	Rule     string `json:"rule"`
	Key      string `json:"key"`
	Corrects *struct {
		Key string `json:"key"`
	} `json:"corrects"`
	Follows *struct {
		Episodes []string `json:"episodes"`
	} `json:"follows"` // of a reminder and an escalation
}

func subjectOf(m alerts.Message) subject {
	var body struct {
		Data subject `json:"data"`
	}
	_ = json.Unmarshal(m.Data, &body) // an alert without it has no subject
	return body.Data
}

// unanswered are kinds that ask nobody to do anything.
var unanswered = []alerts.Kind{
	alerts.KindTest, alerts.KindNotice, alerts.KindUndelivered, alerts.KindFresh, alerts.KindMended,
	alerts.KindRearmed, alerts.KindCorrection, alerts.KindDigest, alerts.KindDaily,
}

// answerable reports whether a message has buttons: to acknowledge it and, where it
// comes of a rule, to mute that.
func answerable(m alerts.Message) (acknowledge, mute bool) {
	if m.ID == "" || slices.Contains(unanswered, m.Kind) || subjectOf(m).Rule == "" {
		return false, false
	}
	return true, m.Kind != alerts.KindStale && m.Kind != alerts.KindFault
}
