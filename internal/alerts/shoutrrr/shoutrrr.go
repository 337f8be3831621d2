// Package shoutrrr sends alerts by the shoutrrr library, for the services that have no
// notifier of their own here: Pushover, Gotify, Teams, Matrix, Opsgenie and more.
//
// The library gives no answer to the questions that the outbox asks (was it refused
// for good, how long to wait, did it arrive) and knows no context. So every failure is
// tried again, and may be a repeat; and a send that does not come back keeps the next
// from being begun.
package shoutrrr

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/clip"
	"liqwatch/internal/config"
)

// Settings is the notifier's block of the configuration.
type Settings struct {
	URL config.Secret `yaml:"url,required" doc:"the service's address as shoutrrr writes it, such as pushover://shoutrrr:TOKEN@USER"`
}

// instead are the services that have a notifier of their own, which knows more.
var instead = map[string]string{
	"slack": "slack", "discord": "discord", "ntfy": "ntfy", "pagerduty": "pagerduty", "smtp": "email", "telegram": "telegram",
	"generic": "webhook", "logger": "stdout",
}

// limits are how many characters the services take; the library refuses more, or the
// service cuts it.
var limits = map[string]int{"pushover": 1024, "pushbullet": 1000, "ifttt": 1000, "opsgenie": 10_000, "join": 1000, "bark": 2000}

const (
	maxText  = 3000
	maxTitle = 120
)

// Notifier sends to one service.
type Notifier struct {
	name   string
	sender types.Sender
	limit  int
	// busy holds the one send that may be under way: what cannot be stopped is not
	// begun a second time.
	busy chan struct{}
}

// New makes a notifier from its settings.
func New(from alerts.Settings) (*Notifier, error) {
	var s Settings
	if err := from.Decode(&s); err != nil {
		return nil, err
	}
	r, err := router.New(nil)
	if err != nil {
		return nil, errors.New("shoutrrr: start the library")
	}
	u, err := url.Parse(s.URL.Reveal())
	if err != nil || u.Scheme == "" {
		return nil, errors.New("shoutrrr: url: want SERVICE://..., as shoutrrr's pages write it")
	}
	name, _, _ := strings.Cut(strings.ToLower(u.Scheme), "+")
	if own, ok := instead[name]; ok {
		return nil, fmt.Errorf("shoutrrr: url: write type: %s instead; it knows when to wait and when to give up", own)
	}
	if known := services(r); !slices.Contains(known, name) {
		return nil, fmt.Errorf("shoutrrr: url: there is no service %q; there are %s", name, strings.Join(known, ", "))
	}
	sender, err := r.Locate(s.URL.Reveal())
	if err != nil { // its text holds the address
		return nil, fmt.Errorf("shoutrrr: url: this is not how %s is addressed; see its page in shoutrrr's documentation", name)
	}
	n := &Notifier{name: name, sender: sender, limit: maxText, busy: make(chan struct{}, 1)}
	if limit, ok := limits[name]; ok {
		n.limit = limit
	}
	return n, nil
}

// services are those that are sent to by the library.
func services(r *router.ServiceRouter) []string {
	all := map[string]bool{}
	for _, name := range r.ListServices() {
		if _, own := instead[name]; !own {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Limits are a chat's.
func (*Notifier) Limits() alerts.Limits { return alerts.ChatLimits() }

// Send sends the message once, and leaves the library alone when it takes too long.
func (n *Notifier) Send(ctx context.Context, m alerts.Message) error {
	select {
	case n.busy <- struct{}{}:
	default:
		return fmt.Errorf("shoutrrr: %s: the send before this one has not come back yet", n.name)
	}
	text := m.Text
	if m.MayRepeat {
		text += "\n(may repeat)"
	}
	done := make(chan error, 1)
	go func() {
		err := n.call(clip.To(m.Title, maxTitle, clip.Units), clip.To(text, n.limit, clip.Units))
		<-n.busy // before the caller, who may send the next at once, is told
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			return nil
		}
		return alerts.Unsure(fmt.Errorf("shoutrrr: %s: %s", n.name, cause(err)))
	case <-ctx.Done():
		return alerts.Unsure(fmt.Errorf("shoutrrr: %s: no answer in time", n.name))
	}
}

// call keeps a fault of the library from ending the program.
func (n *Notifier) call(title, text string) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanic
		}
	}()
	params := types.Params{}
	params.SetTitle(title)
	return n.sender.Send(text, &params)
}

var (
	errPanic = errors.New("the library broke down")
	status   = regexp.MustCompile(`\b[45][0-9]{2}\b`)
)

// cause tells of an error what can hold no secret: the library writes the address,
// and what the server said, into its errors.
func cause(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, errPanic):
		return errPanic.Error()
	case errors.As(err, &dns):
		return "there is no such host"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	if code := status.FindString(err.Error()); code != "" {
		return "it was not taken; the error speaks of " + code
	}
	return "it was not taken"
}
