package notes

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// layouts with a zone first, then those without.
var zoned = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST"}

// Fractions of a second are accepted after seconds by time.Parse in any layout, and
// an hour without its leading zero by 15.
var zoneless = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02"}

// ParseTime reads unix seconds, milliseconds, or a written time, as unix seconds.
// utc reports that a written time had no zone and was read as UTC.
func ParseTime(s string) (at uint64, utc bool, err error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		if n > 100_000_000_000 { // no date in seconds is that late, every one in milliseconds is
			n /= 1000
		}
		if n > math.MaxInt32*2 {
			return 0, false, fmt.Errorf("time %q: too far in the future", s)
		}
		return n, false, nil
	}
	for _, l := range zoned {
		if t, err := time.Parse(l, s); err == nil {
			return unix(t, s)
		}
	}
	for _, l := range zoneless {
		if t, err := time.Parse(l, s); err == nil {
			at, _, err := unix(t, s)
			return at, true, err
		}
	}
	return 0, false, fmt.Errorf("time %q: want unix seconds or a date such as 2021-05-17T00:00:00Z", s)
}

func unix(t time.Time, s string) (uint64, bool, error) {
	if t.Unix() < 0 {
		return 0, false, fmt.Errorf("time %q: before 1970", s)
	}
	return uint64(t.Unix()), false, nil
}
