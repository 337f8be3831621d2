package telegram

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"liqwatch/internal/alerts/clip"
)

// update is one thing that somebody did; see
// https://core.telegram.org/bots/api#update. Everything in it is anybody's.
type update struct {
	ID      int64     `json:"update_id"`
	Message *written  `json:"message"`
	Press   *pressing `json:"callback_query"`
}

// written is a message of a user.
type written struct {
	ID      int64    `json:"message_id"`
	Date    int64    `json:"date"`
	From    *user    `json:"from"`
	Chat    chat     `json:"chat"`
	Topic   int64    `json:"message_thread_id"`
	IsTopic bool     `json:"is_topic_message"`
	Text    string   `json:"text"`
	Reply   *written `json:"reply_to_message"`
	Markup  *struct {
		Rows [][]struct {
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	} `json:"reply_markup"`
}

// pressing is a button that a user pressed.
type pressing struct {
	ID      string   `json:"id"`
	From    *user    `json:"from"`
	Message *written `json:"message"`
	Data    string   `json:"data"`
}

type user struct {
	ID        int64  `json:"id"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
}

type chat struct {
	ID   int64  `json:"id"`
	Type string `json:"type"` // private, group, supergroup or channel
	Name string `json:"username"`
}

// parseUpdates reads what getUpdates gave. One update that cannot be read does not
// keep the others away; it is taken as one that asks for nothing. The offset is
// that after the last; 0 when none has a number.
func parseUpdates(result json.RawMessage) (updates []update, offset int64, err error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(result, &raw); err != nil {
		return nil, 0, fmt.Errorf("telegram: read updates: %w", err)
	}
	for _, r := range raw {
		var u update
		if json.Unmarshal(r, &u) != nil {
			var number struct {
				ID int64 `json:"update_id"`
			}
			_ = json.Unmarshal(r, &number) // without a number it is passed over
			u = update{ID: number.ID}
		}
		if u.ID > 0 {
			updates = append(updates, u)
			offset = max(offset, u.ID+1)
		}
	}
	return updates, offset, nil
}

// sent is when a message was written.
func (w written) sent() time.Time { return time.Unix(w.Date, 0) }

// alert is the id of the alert that a message of ours is about, from its buttons.
func (w *written) alert() string {
	if w == nil || w.Markup == nil {
		return ""
	}
	for _, row := range w.Markup.Rows {
		for _, b := range row {
			if p, ok := parsePress(b.Data); ok {
				return p.id
			}
		}
	}
	return ""
}

// name is what a user is called in what is kept and shown. They chose it themselves:
// the number behind it says who they are.
func (u *user) name() string {
	if u == nil {
		return "somebody on Telegram"
	}
	name := strings.TrimSpace(u.FirstName + " " + u.LastName)
	if name == "" {
		name = "@" + u.Username
	}
	return clip.To(printable(name), 60, clip.Units) + " (Telegram " + strconv.FormatInt(u.ID, 10) + ")"
}

// order is a command as somebody wrote it.
type order struct {
	name string // without the slash, in lower case
	args []string
}

// parseOrder reads "/mute eth 2h" or "/mute@bot eth 2h". False for what is no
// command, or one to another bot.
func parseOrder(text, bot string) (order, bool) {
	words := strings.Fields(printable(clip.To(text, 500, clip.Units)))
	if len(words) == 0 || len(words[0]) < 2 || words[0][0] != '/' {
		return order{}, false
	}
	name, to, addressed := strings.Cut(words[0][1:], "@")
	if addressed && !strings.EqualFold(to, bot) {
		return order{}, false
	}
	return order{strings.ToLower(name), words[1:]}, true
}
