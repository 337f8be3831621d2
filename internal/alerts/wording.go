package alerts

import "encoding/json"

// Compose says an alert in words.
func Compose(a Alert) (Message, error) {
	data, err := json.Marshal(a)
	return Message{Kind: a.Kind, Severity: a.Severity, Title: a.Key, Time: a.Seen, Data: data}, err
}
