package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"liqwatch/internal/watch"
)

// progress shows long work on a terminal, and nothing anywhere else.
type progress struct {
	to   io.Writer
	bar  *progressbar.ProgressBar
	what string
}

func newProgress(cmd *cli.Command) *progress {
	p := &progress{}
	if w := cmd.Root().ErrWriter; isTerminal(w) {
		p.to = w
	}
	return p
}

// Report moves the bar.
func (p *progress) Report(at watch.Progress) {
	if p.to == nil || at.Total == 0 {
		return
	}
	if p.what != at.What {
		p.Finish()
		p.what = at.What
		p.bar = progressbar.NewOptions64(int64(at.Total),
			progressbar.OptionSetWriter(p.to), progressbar.OptionSetDescription(at.Chain+": "+at.What),
			progressbar.OptionClearOnFinish(), progressbar.OptionShowCount())
	}
	_ = p.bar.Set64(int64(at.Done))
}

// Finish takes the bar away.
func (p *progress) Finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar, p.what = nil, ""
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
