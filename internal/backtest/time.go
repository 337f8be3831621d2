package backtest

import (
	"encoding/json"
	"fmt"
	"time"
)

// Time is unix seconds, written as RFC 3339 in UTC; zero is "never", null in JSON.
type Time uint64

// String is the RFC 3339 form, or "never".
func (t Time) String() string {
	if t == 0 {
		return "never"
	}
	return stamp(uint64(t))
}

// MarshalJSON writes the RFC 3339 form.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(stamp(uint64(t)))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read a time: %w", err)
	}
	if s == nil {
		*t = 0
		return nil
	}
	at, err := time.Parse(time.RFC3339, *s)
	if err != nil {
		return fmt.Errorf("read a time: %w", err)
	}
	*t = Time(at.Unix())
	return nil
}

// stamp writes a moment for people.
func stamp(t uint64) string { return time.Unix(int64(t), 0).UTC().Format(time.RFC3339) }
