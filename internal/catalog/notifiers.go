package catalog

import (
	"fmt"
	"io"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/alertmanager"
	"liqwatch/internal/alerts/discord"
	"liqwatch/internal/alerts/email"
	"liqwatch/internal/alerts/exec"
	"liqwatch/internal/alerts/ntfy"
	"liqwatch/internal/alerts/pagerduty"
	"liqwatch/internal/alerts/shoutrrr"
	"liqwatch/internal/alerts/slack"
	"liqwatch/internal/alerts/stdout"
	"liqwatch/internal/alerts/webhook"
	"liqwatch/internal/config"
)

// notifierTypes are the ways to send a message. To add one is one line.
var notifierTypes = map[string]func(alerts.Settings, io.Writer) (alerts.Notifier, error){
	"alertmanager": plain(alertmanager.New),
	"discord":      plain(discord.New),
	"email":        plain(email.New),
	"exec":         plain(exec.New),
	"ntfy":         plain(ntfy.New),
	"pagerduty":    plain(pagerduty.New),
	"shoutrrr":     plain(shoutrrr.New),
	"slack":        plain(slack.New),
	"stdout":       func(_ alerts.Settings, out io.Writer) (alerts.Notifier, error) { return stdout.New(out), nil },
	"telegram":     plain(newTelegram),
	"webhook":      plain(webhook.New),
}

// plain is a notifier that needs nothing but its settings.
func plain[N alerts.Notifier](make func(alerts.Settings) (N, error)) func(alerts.Settings, io.Writer) (alerts.Notifier, error) {
	return func(s alerts.Settings, _ io.Writer) (alerts.Notifier, error) { return make(s) }
}

// Notifiers makes all configured notifiers; out is where those that print write.
func Notifiers(cfg *config.Config, out io.Writer) (map[string]alerts.Notifier, error) {
	made := map[string]alerts.Notifier{}
	for name, n := range cfg.Notifiers {
		make, ok := notifierTypes[n.Type]
		if !ok {
			return nil, n.Position.Wrap(fmt.Errorf("notifier %s: there is no type %q; there are %s", name, n.Type, names(notifierTypes)))
		}
		notifier, err := make(n.Settings, out)
		if config.IsInvalid(err) {
			return nil, err // names its own place, which stands first
		}
		if err != nil {
			return nil, n.Position.Wrap(fmt.Errorf("notifier %s: %w", name, err))
		}
		made[name] = notifier
	}
	return made, nil
}
