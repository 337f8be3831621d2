package store_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/alerts/telegram"
	"liqwatch/internal/alerts/webhook"
	"liqwatch/internal/config"
	"liqwatch/internal/store/storetest"
)

// subjects are all notifiers that hold a secret.
func subjects() map[string]notifiertest.Subject {
	return map[string]notifiertest.Subject{
		"telegram": {
			Secrets: []string{"AAhunter2", "987654:"},
			New: func(url string) (alerts.Notifier, error) {
				s, err := config.FromMap("x", map[string]any{"token": "987654:AAhunter2", "chat_id": 42, "api_url": url})
				if err != nil {
					return nil, err
				}
				return telegram.New(s)
			},
		},
		"webhook": {
			Secrets: []string{"pathhunter2", "queryhunter2", "userhunter2", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", "0123456789abcdef0123"},
			New: func(url string) (alerts.Notifier, error) {
				url = url[:len(url)-len(trimScheme(url))] + "me:userhunter2@" + trimScheme(url) + "/pathhunter2?key=queryhunter2"
				s, err := config.FromMap("x", map[string]any{"url": url, "secret": killSecret, "allow_private": true})
				if err != nil {
					return nil, err
				}
				return webhook.New(s)
			},
		},
	}
}

func trimScheme(url string) string {
	_, rest, _ := bytes.Cut([]byte(url), []byte("://"))
	return string(rest)
}

func TestSecretsAreInNoError(t *testing.T) {
	for name, s := range subjects() {
		t.Run(name, func(t *testing.T) { notifiertest.Run(t, s) })
	}
}

// What bad servers do to the senders shows in the logs and in the store; no secret does.
func TestSecretsAreInNoLogAndNoStore(t *testing.T) {
	for name, subject := range subjects() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			s := open(t, path)
			var log bytes.Buffer
			notifiers := map[string]alerts.Notifier{"other": &sink{}}
			for server, h := range notifiertest.Servers() {
				srv := httptest.NewServer(h)
				defer srv.Close()
				n, err := subject.New(srv.URL)
				require.NoError(t, err)
				notifiers[server] = n
				require.NoError(t, s.Post(t.Context(), time.Now().Add(-time.Hour), storetest.Post(t, server, alerts.Info, server)))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			alerts.NewDispatcher(s, notifiers, alerts.DispatchOptions{Timeout: 300 * time.Millisecond}, zerolog.New(zerolog.SyncWriter(&log)).Level(zerolog.TraceLevel)).Run(ctx)
			require.NoError(t, s.Close())
			require.Regexp(t, "sendMessage|answered", log.String())
			subject.Hides(t, log.String())
			for _, file := range []string{path, path + "-wal"} {
				dump, err := os.ReadFile(file)
				if os.IsNotExist(err) {
					continue
				}
				require.NoError(t, err)
				subject.Hides(t, string(dump))
			}
		})
	}
}
