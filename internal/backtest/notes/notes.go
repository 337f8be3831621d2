// Package notes collects what was odd about the data of a backtest: counted,
// shown with its line, never silently dropped.
package notes

import (
	"fmt"
	"slices"
	"strings"
)

// Kinds of notes. They are stable: reports are compared by them.
const (
	BadRow        = "bad-row"        // a row that cannot be read; left out
	OutOfOrder    = "out-of-order"   // rows not in the order of time; sorted
	Repeated      = "repeated"       // two rows for the same time or event
	Gap           = "gap"            // time without a price
	Glitch        = "glitch"         // a single tick far off its neighbours
	NoZone        = "no-zone"        // a time without a zone; read as UTC
	Rounded       = "rounded"        // more digits than are kept
	MissingColumn = "missing-column" // a column the report would have used
	Inconsistent  = "inconsistent"   // a book that contradicts itself; left out
	Unseen        = "unseen"         // a liquidation of an account that was never seen
	AboveTrigger  = "above-trigger"  // an account liquidated while the predicate says healthy
	Assumption    = "assumption"     // what had to be assumed
)

// Examples is how many places of one kind are kept; all are counted.
const Examples = 5

// Note is one kind of oddity.
type Note struct {
	Kind string `json:"kind"`
	// What is one sentence on what was done about it.
	What  string `json:"what"`
	Count int    `json:"count"`
	// Where are the first places, "file:line: detail".
	Where []string `json:"where,omitempty"`
}

// Notes are all of a source, in the order of their first appearance.
type Notes struct{ list []Note }

// Add counts one oddity. where may be empty.
func (n *Notes) Add(kind, what, where string) {
	i := slices.IndexFunc(n.list, func(x Note) bool { return x.Kind == kind && x.What == what })
	if i < 0 {
		i = len(n.list)
		n.list = append(n.list, Note{Kind: kind, What: what})
	}
	n.list[i].Count++
	if where != "" && len(n.list[i].Where) < Examples {
		n.list[i].Where = append(n.list[i].Where, where)
	}
}

// At is where for a line of a file.
func At(file string, line int, detail string) string {
	where := fmt.Sprintf("%s:%d", file, line)
	if detail != "" {
		where += ": " + detail
	}
	return where
}

// Merge appends the notes of another source.
func (n *Notes) Merge(other Notes) {
	for _, o := range other.list {
		i := slices.IndexFunc(n.list, func(x Note) bool { return x.Kind == o.Kind && x.What == o.What })
		if i < 0 {
			n.list = append(n.list, Note{Kind: o.Kind, What: o.What, Count: o.Count, Where: slices.Clone(o.Where)})
			continue
		}
		n.list[i].Count += o.Count
		n.list[i].Where = append(n.list[i].Where, o.Where[:min(len(o.Where), Examples-len(n.list[i].Where))]...)
	}
}

// All are the notes.
func (n *Notes) All() []Note { return slices.Clone(n.list) }

// Count is how often a kind was noted.
func (n *Notes) Count(kind string) int {
	total := 0
	for _, x := range n.list {
		if x.Kind == kind {
			total += x.Count
		}
	}
	return total
}

// String is one line per note.
func (n Note) String() string {
	s := fmt.Sprintf("%s: %s (%d)", n.Kind, n.What, n.Count)
	if len(n.Where) > 0 {
		s += ": " + strings.Join(n.Where, "; ")
		if n.Count > len(n.Where) {
			s += "; ..."
		}
	}
	return s
}
