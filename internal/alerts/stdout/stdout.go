// Package stdout writes alerts to a terminal or a file: for the demo, and for
// whoever pipes them on.
package stdout

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"liqwatch/internal/alerts"
)

// Notifier writes to one writer.
type Notifier struct {
	mu sync.Mutex
	w  io.Writer
}

// New makes a notifier that writes to w.
func New(w io.Writer) *Notifier { return &Notifier{w: w} }

// Send writes the message: a line with time, severity and title, and the text
// indented below it.
func (n *Notifier) Send(_ context.Context, m alerts.Message) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	mark := ""
	if m.MayRepeat {
		mark = " (may repeat)"
	}
	text := "    " + strings.ReplaceAll(m.Text, "\n", "\n    ")
	_, err := fmt.Fprintf(n.w, "%s %-8s %s%s\n%s\n", m.Time.UTC().Format("15:04:05"), m.Severity, m.Title, mark, text)
	if err != nil {
		return fmt.Errorf("stdout: write: %w", err)
	}
	return nil
}
