package catalog

import (
	"fmt"
	"io"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/stdout"
	"liqwatch/internal/alerts/telegram"
	"liqwatch/internal/alerts/webhook"
	"liqwatch/internal/config"
)

// notifierTypes are the ways to send a message. To add one is one line.
var notifierTypes = map[string]func(alerts.Settings, io.Writer) (alerts.Notifier, error){
	"stdout":   func(_ alerts.Settings, out io.Writer) (alerts.Notifier, error) { return stdout.New(out), nil },
	"telegram": func(s alerts.Settings, _ io.Writer) (alerts.Notifier, error) { return telegram.New(s) },
	"webhook":  func(s alerts.Settings, _ io.Writer) (alerts.Notifier, error) { return webhook.New(s) },
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
		if err != nil {
			return nil, n.Position.Wrap(fmt.Errorf("notifier %s: %w", name, err))
		}
		made[name] = notifier
	}
	return made, nil
}
