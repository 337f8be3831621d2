package telegram

import (
	"strings"
	"time"

	"liqwatch/internal/alerts"
)

// keyboard is the buttons under a message.
type keyboard struct {
	Rows [][]button `json:"inline_keyboard"`
}

type button struct {
	Text string `json:"text"`
	// Data is what comes back when the button is pressed, at most maxData bytes.
	Data string `json:"callback_data"`
}

const maxData = 64

// What buttons ask for.
const (
	pressAck  = "ack"
	pressMute = "mute"
)

// muteLengths are those that buttons offer.
var muteLengths = []struct {
	text   string
	length time.Duration
}{{"1h", time.Hour}, {"8h", 8 * time.Hour}}

// buttons are those of a message; nil when it has none.
func buttons(m alerts.Message) *keyboard { return answered(m, "Acknowledge") }

// answered are the buttons of a message with another word for the first.
func answered(m alerts.Message, word string) *keyboard {
	acknowledge, mute := answerable(m)
	if !acknowledge || len(pressMute+":1h:"+m.ID) > maxData {
		return nil
	}
	k := &keyboard{Rows: [][]button{{{word, pressAck + ":" + m.ID}}}}
	if mute {
		var row []button
		for _, l := range muteLengths {
			row = append(row, button{"Mute " + strings.Replace(l.text, "h", " h", 1), pressMute + ":" + l.text + ":" + m.ID})
		}
		k.Rows = append(k.Rows, row)
	}
	return k
}

// press is what a button asked for.
type press struct {
	what   string
	length time.Duration // of a mute
	id     string        // of the alert
}

// parsePress reads a button's data. It may be anybody's: false for what is not ours.
func parsePress(data string) (press, bool) {
	what, rest, _ := strings.Cut(data, ":")
	switch what {
	case pressAck:
		return press{what: what, id: rest}, isID(rest)
	case pressMute:
		text, id, _ := strings.Cut(rest, ":")
		for _, l := range muteLengths {
			if l.text == text {
				return press{what, l.length, id}, isID(id)
			}
		}
	}
	return press{}, false
}

// isID reports a text that may be an alert's id.
func isID(s string) bool {
	ok := s != "" && len(s) < maxData
	for _, r := range s {
		ok = ok && (r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	}
	return ok
}
