package alerts

import (
	"encoding/json"
	"time"
)

// Message is an alert in words, made once and kept, so that every repeat is the same.
type Message struct {
	// ID is the same on every repeat, and of no other message.
	ID       string    `json:"id"`
	Kind     Kind      `json:"kind"`
	Severity Severity  `json:"severity"`
	Title    string    `json:"title"` // one line, plain
	Text     string    `json:"text"`  // plain, the title not in it
	Fields   []Field   `json:"fields,omitempty"`
	Time     time.Time `json:"time"` // when the alert was made
	// Data is the alert for machines: exact numbers as strings.
	Data json.RawMessage `json:"data"`
	// Sketch is the ladder when the alert was made; nil where there is none.
	Sketch *Sketch `json:"sketch,omitempty"`
	// MayRepeat marks a send whose predecessor may have arrived.
	MayRepeat bool `json:"-"`
}

// Field is one named number or fact of a message.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
