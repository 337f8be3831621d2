package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Heap is many messages that wait for one notifier, as a digest tells them.
type Heap struct {
	Count  int         `json:"count"`
	Counts []HeapCount `json:"counts"` // the most urgent first
	// Lines are the most urgent, at most [MostLines].
	Lines []HeapLine `json:"lines"`
	// Oldest and Newest are when the first and the last of them were made.
	Oldest time.Time `json:"oldest"`
	Newest time.Time `json:"newest"`
	// Last is the alert of the newest delivery in the heap: it is in no other one.
	Last string `json:"-"`
	// Link leads to the page's list; may be empty.
	Link string `json:"link,omitempty"`
}

// HeapCount is how many of a heap are alike.
type HeapCount struct {
	Kind     Kind     `json:"kind"`
	Severity Severity `json:"severity"`
	Count    int      `json:"count"`
}

// HeapLine is one message of a heap.
type HeapLine struct {
	ID       string    `json:"id"`
	Severity Severity  `json:"severity"`
	Title    string    `json:"title"`
	Time     time.Time `json:"time"`
}

// MostLines is how many messages of a heap a digest names: what fits a phone.
const MostLines = 12

// maxTitle is how much of a title a digest's line shows.
const maxTitle = 90

// sum says how many there are of each kind, such as "12 crossing, 3 approach".
func (h Heap) sum(s Severity) string {
	var parts []string
	for _, c := range h.Counts {
		if c.Severity == s {
			parts = append(parts, separate(fmt.Sprint(c.Count))+" "+string(c.Kind))
		}
	}
	return strings.Join(parts, ", ")
}

// severity is that of the most urgent.
func (h Heap) severity() Severity {
	top := Info
	for _, c := range h.Counts {
		if c.Severity.Rank() > top.Rank() {
			top = c.Severity
		}
	}
	return top
}

// Severities are those that the heap holds, the most urgent first.
func (h Heap) Severities() []Severity {
	var out []Severity
	for _, s := range []Severity{Critical, Warning, Info} {
		if slices.ContainsFunc(h.Counts, func(c HeapCount) bool { return c.Severity == s }) {
			out = append(out, s)
		}
	}
	return out
}

// More is how many the lines leave out.
func (h Heap) More() int { return h.Count - len(h.Lines) }

// Short are the lines as a phone shows them.
func (h Heap) Short() []string {
	out := make([]string, len(h.Lines))
	for i, l := range h.Lines {
		out[i] = cut(clean(l.Title), maxTitle)
	}
	return out
}

// cut shortens a text to a number of characters.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return strings.TrimRight(string(r[:most-1]), " ") + "…"
}

// digest is the one message for a heap. Its key is that of the newest delivery in
// it, so that it is made once.
func digest(notifier, link string, reason Reason, h Heap, now time.Time) (Post, error) {
	h.Link = link
	a := Alert{
		Key: fmt.Sprintf("digest|%s|%s", notifier, h.Last), Kind: KindDigest, Reason: reason, Severity: h.severity(),
		Rule: deliveryRule, Notify: []string{notifier}, Seen: now, Heap: &h,
	}
	m, err := Compose(a)
	if err != nil {
		return Post{}, err
	}
	return Post{Alert: a, Message: m, Notify: a.Notify}, nil
}
