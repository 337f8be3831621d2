// Package exec hands alerts to a command of the user's.
//
// The command is run without a shell. It reads the JSON that a webhook receives from
// its standard input and finds the few words that a script needs in its environment;
// of liqwatch's own environment, which may hold keys, it sees next to nothing.
package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
	"liqwatch/internal/config"
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	Command []string                 `yaml:"command,required" doc:"the program and its arguments, as a list; no shell reads it"`
	Timeout time.Duration            `yaml:"timeout" default:"20s" doc:"after it the command and all that it started are killed; at most 25s"`
	Env     map[string]config.Secret `yaml:"env" doc:"added to its environment, such as a key that it needs"`
}

const (
	longest   = 25 * time.Second // a send has 30 s in all
	temporary = 75               // EX_TEMPFAIL of sysexits.h
	maxOutput = 64 << 10         // bytes that are kept of what it writes
	maxShown  = 200              // characters of that in an error
	maxWord   = 10_000           // characters of one environment variable
	lastWords = time.Second      // for what it wrote, once it is dead
)

// Notifier runs one command.
type Notifier struct {
	command []string
	timeout time.Duration
	env     []string
	secrets []string
}

var nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	if len(s.Command) == 0 || s.Command[0] == "" {
		return nil, errors.New("exec: command: want the program and its arguments as a list, such as [/usr/local/bin/tell, --loud]")
	}
	if s.Timeout > longest {
		return nil, fmt.Errorf("exec: timeout: at most %s", longest)
	}
	path, err := exec.LookPath(s.Command[0])
	if err != nil {
		return nil, fmt.Errorf("exec: command: there is no program %q that may be run", s.Command[0])
	}
	n := &Notifier{command: append([]string{path}, s.Command[1:]...), timeout: s.Timeout}
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			n.env = append(n.env, name+"="+value)
		}
	}
	for name, secret := range s.Env {
		if !nameForm.MatchString(name) || strings.HasPrefix(name, "LIQWATCH_") {
			return nil, fmt.Errorf("exec: env: %q is no name for a variable of yours; want letters, digits and _, not beginning with LIQWATCH_", name)
		}
		n.env = append(n.env, name+"="+secret.Reveal())
		n.secrets = append(n.secrets, secret.Reveal())
	}
	// The longest first: one may be part of another.
	slices.SortFunc(n.secrets, func(a, b string) int { return len(b) - len(a) })
	return n, nil
}

// Send runs the command once. Exit status 0 means that it has told, 75 that it could
// not for now, any other that it never will.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, n.command[0], n.command[1:]...) //nolint:gosec // running the user's command is the purpose
	cmd.Env = append(slices.Clone(n.env), words(m)...)
	cmd.Stdin = bytes.NewReader(append(slices.Clone(m.Data), '\n'))
	var out, errs head
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = lastWords
	inGroup(cmd)
	err := cmd.Run()
	// What it left behind must not outlive it, and hold the next message back.
	endGroup(cmd)
	if errs.Len() > 0 { // what went wrong is said there, where the command has manners
		out = errs
	}
	return n.judge(ctx, err, out.Bytes())
}

func (n *Notifier) judge(ctx context.Context, err error, output []byte) error {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		// A child that it left holds its output open; the command itself ended well.
		return nil
	case ctx.Err() != nil:
		return alerts.Unsure(fmt.Errorf("exec: the command was killed after %s%s", n.timeout, n.said(output)))
	case !errors.As(err, &exit):
		return fmt.Errorf("exec: start the command: %w", errors.Unwrap(err))
	case exit.ExitCode() == temporary:
		return fmt.Errorf("exec: the command ended with status 75: to be tried again%s", n.said(output))
	case exit.ExitCode() < 0:
		return alerts.Unsure(fmt.Errorf("exec: the command was killed by a signal%s", n.said(output)))
	}
	return alerts.Refused(fmt.Errorf("exec: the command ended with status %d%s", exit.ExitCode(), n.said(output)))
}

// said is the beginning of what the command wrote, without its secrets.
func (n *Notifier) said(output []byte) string {
	text := string(output)
	for _, secret := range n.secrets {
		text = strings.ReplaceAll(text, secret, "[secret]")
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return ": " + clip.To(text, maxShown, clip.Runes)
}

// words are the environment that a script reads.
func words(m alerts.Message) []string {
	out := []string{
		"LIQWATCH_ID=" + m.ID, "LIQWATCH_KIND=" + string(m.Kind), "LIQWATCH_SEVERITY=" + string(m.Severity),
		"LIQWATCH_TITLE=" + m.Title, "LIQWATCH_TEXT=" + m.Text, "LIQWATCH_TIME=" + m.Time.UTC().Format(time.RFC3339),
	}
	if m.MayRepeat {
		out = append(out, "LIQWATCH_MAY_REPEAT=1")
	}
	for i, w := range out {
		out[i] = clip.To(strings.ReplaceAll(w, "\x00", ""), maxWord, clip.Runes)
	}
	return out
}

// head keeps the first bytes written to it and takes the rest.
type head struct{ bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	if left := maxOutput - h.Len(); left > 0 {
		h.Buffer.Write(p[:min(left, len(p))])
	}
	return len(p), nil
}
