package catalog

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/store/storetest"
)

// fixture is a type's settings when its server is at an address, and the secrets in them.
type fixture struct {
	settings func(t testing.TB, at string) map[string]any
	secrets  []string
	mirror   func(t testing.TB) string // in the type's own protocol
	takes    []string                  // see [notifiertest.Subject]
	printer  bool                      // calls nobody, and holds no secret
}

const hookKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// dressed is an address with a secret in every part that can hold one.
func dressed(at string) string {
	scheme, rest, _ := strings.Cut(at, "://")
	return scheme + "://me:userhunter2@" + rest + "/pathhunter2?key=queryhunter2"
}

var dressedSecrets = []string{"userhunter2", "pathhunter2", "queryhunter2", base64.StdEncoding.EncodeToString([]byte("me:userhunter2"))}

// fixtures are all types of notifiers. A new one gets its own here: its secrets are
// then looked for in everything that comes out of it.
var fixtures = map[string]fixture{
	"stdout": {printer: true},
	"telegram": {
		secrets: []string{"AAhunter2", "987654:"},
		settings: func(_ testing.TB, at string) map[string]any {
			return map[string]any{"token": "987654:AAhunter2", "chat_id": 42, "api_url": at}
		},
	},
	"webhook": {
		secrets: append([]string{hookKey, "0123456789abcdef0123"}, dressedSecrets...),
		settings: func(_ testing.TB, at string) map[string]any {
			return map[string]any{"url": dressed(at), "secret": "whsec_" + hookKey, "allow_private": true}
		},
	},
	"slack": {
		secrets: []string{"xoxb-hunter2", "userhunter2"},
		settings: func(_ testing.TB, at string) map[string]any {
			return map[string]any{"token": "xoxb-hunter2", "channel": "C0123456789", "thread": true, "api_url": strings.Replace(at, "://", "://me:userhunter2@", 1), "allow_private": true}
		},
	},
	"discord": {
		secrets: []string{"tokenhunter2", "userhunter2", "queryhunter2"},
		settings: func(_ testing.TB, at string) map[string]any {
			return map[string]any{"webhook_url": strings.Replace(at, "://", "://me:userhunter2@", 1) + "/api/webhooks/1/tokenhunter2?key=queryhunter2", "allow_private": true}
		},
	},
	"email": {
		secrets: []string{"passhunter2", base64.StdEncoding.EncodeToString([]byte("\x00me\x00passhunter2")), base64.StdEncoding.EncodeToString([]byte("passhunter2"))},
		mirror:  smtpMirror,
		settings: func(t testing.TB, at string) map[string]any {
			u, err := url.Parse(at)
			require.NoError(t, err)
			return map[string]any{
				"server": u.Host, "tls": "implicit", "user": "me", "password": "passhunter2", "from": "a@example.org",
				"to": []string{"b@example.org"}, "ca_file": testAuthority(t), "allow_private": true,
			}
		},
	},
	"ntfy": {
		secrets: []string{"topic-hunter2", "tk_hunter2", "userhunter2"},
		settings: func(_ testing.TB, at string) map[string]any {
			return map[string]any{"topic": "topic-hunter2", "token": "tk_hunter2", "url": strings.Replace(at, "://", "://me:userhunter2@", 1), "allow_private": true}
		},
	},
	"pagerduty": {
		secrets: append([]string{"hunter2hunter2hunter2hunter2hunt"}, dressedSecrets...),
		settings: func(_ testing.TB, at string) map[string]any {
			return map[string]any{"routing_key": "hunter2hunter2hunter2hunter2hunt", "url": dressed(at), "allow_private": true}
		},
	},
	"alertmanager": {
		secrets: append([]string{"passhunter2", base64.StdEncoding.EncodeToString([]byte("me:passhunter2"))}, dressedSecrets...),
		settings: func(_ testing.TB, at string) map[string]any {
			return map[string]any{"urls": []string{dressed(at), dressed(at)}, "user": "me", "password": "passhunter2", "allow_private": true}
		},
	},
	"exec": {
		secrets: []string{"envhunter2"},
		settings: func(testing.TB, string) map[string]any {
			return map[string]any{"command": []string{"sh", "-c", "cat >&2; env >&2; echo $KEY; exit 1"}, "env": map[string]string{"KEY": "envhunter2"}}
		},
	},
	"shoutrrr": {
		secrets: []string{"AAAhunter2.1234"},
		takes:   []string{"mirrors with 300"}, // Gotify's sender reads everything below 400 as taken
		settings: func(_ testing.TB, at string) map[string]any {
			scheme, host, _ := strings.Cut(at, "://")
			query := ""
			if scheme == "http" {
				query = "?disabletls=yes"
			}
			return map[string]any{"url": "gotify://" + host + "/AAAhunter2.1234" + query}
		},
	},
}

func TestEveryTypeHasAFixture(t *testing.T) {
	require.ElementsMatch(t, slices.Collect(maps.Keys(notifierTypes)), slices.Collect(maps.Keys(fixtures)))
	for name, f := range fixtures {
		require.NotEqual(t, f.printer, len(f.secrets) > 0, name)
	}
}

// callers are the fixtures as subjects, made by the catalog.
func callers(t testing.TB) map[string]notifiertest.Subject {
	out := map[string]notifiertest.Subject{}
	for name, f := range fixtures {
		if f.printer {
			continue
		}
		s := notifiertest.Subject{Secrets: f.secrets, Takes: f.takes, New: func(at string) (alerts.Notifier, error) {
			settings, err := config.FromMap(name, f.settings(t, at))
			if err != nil {
				return nil, err
			}
			return notifierTypes[name](settings, io.Discard)
		}}
		if f.mirror != nil {
			s.Mirror = f.mirror(t)
		}
		out[name] = s
	}
	return out
}

func TestSecretsAreInNoError(t *testing.T) {
	for name, s := range callers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			notifiertest.Run(t, s)
		})
	}
}

// What bad servers do to the senders shows in the logs, in messages to others and in
// the store; no secret does.
func TestSecretsAreInNoLogNoMessageAndNoStore(t *testing.T) {
	for name, subject := range callers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.db")
			s, err := store.Open(t.Context(), "sqlite:"+path)
			require.NoError(t, err)
			var log, said page
			other, err := notifierTypes["stdout"](nil, &said)
			require.NoError(t, err)
			notifiers := map[string]alerts.Notifier{"other": other}
			at := map[string]string{"own": subject.Mirror}
			// One of each sort: every dead letter is a message to all the others, and all
			// servers are met by the errors' own test.
			servers := notifiertest.Servers()
			for _, server := range []string{"mirrors with 400", "mirrors with 429", "mirrors with 500", "mirrors as a status", "mirrors as no HTTP", "mirrors as a header", "redirects elsewhere", "hangs"} {
				srv := httptest.NewServer(servers[server])
				defer srv.Close()
				at[server] = srv.URL
			}
			for server, url := range at {
				if url == "" {
					continue
				}
				notifiers[server], err = subject.New(url)
				require.NoError(t, err)
				// An hour old: what is not given up is told elsewhere as late.
				require.NoError(t, s.Post(t.Context(), time.Now().Add(-time.Hour), storetest.Post(t, server, alerts.Info, server)))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			done := make(chan struct{})
			go func() {
				defer close(done)
				alerts.NewDispatcher(s, notifiers, alerts.DispatchOptions{Timeout: 300 * time.Millisecond}, zerolog.New(&log).Level(zerolog.TraceLevel)).Run(ctx)
			}()
			require.Eventually(t, func() bool {
				for server := range notifiers {
					if server != "other" && !strings.Contains(log.String(), fmt.Sprintf(`"notifier":%q`, server)) {
						return false
					}
				}
				return strings.Contains(said.String(), name+": ")
			}, 45*time.Second, 50*time.Millisecond, "every sender has failed, and it was told elsewhere: %s", &said)
			cancel()
			<-done
			require.NoError(t, s.Close())
			require.Contains(t, log.String(), name+": ", "its errors are logged")
			subject.Hides(t, log.String())
			subject.Hides(t, said.String())
			var dump []byte
			for _, file := range []string{path, path + "-wal"} {
				part, err := os.ReadFile(file)
				if !os.IsNotExist(err) {
					require.NoError(t, err)
				}
				dump = append(dump, part...)
			}
			require.Contains(t, string(dump), name+": ", "its errors are kept")
			subject.Hides(t, string(dump))
		})
	}
}

// page is written and read by many.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// A secret that is written wrongly is in no error either.
func TestSecretsAreInNoErrorOfTheConfiguration(t *testing.T) {
	for name, f := range fixtures {
		if f.printer {
			continue
		}
		good := f.settings(t, "http://127.0.0.1:1")
		for key := range good {
			for _, bad := range []any{"hunter2 \x7f%zz", "hunter2", "://hunter2:hunter2@", []string{"hunter2"}, map[string]any{"hunter2": "hunter2"}, 7} {
				if text, ok := bad.(string); ok && !secretKeys[key] && strings.Contains(text, "hunter2") {
					continue
				}
				values := maps.Clone(good)
				values[key] = bad
				settings, err := config.FromMap(name, values)
				require.NoError(t, err)
				if _, err = notifierTypes[name](settings, io.Discard); err != nil && secretKeys[key] {
					require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2", "%s: %s: %v", name, key, bad)
				}
				for _, secret := range f.secrets {
					require.NotContains(t, fmt.Sprint(err), secret, "%s: %s: %v", name, key, bad)
				}
			}
		}
	}
}

// secretKeys are the keys whose values are secrets by their place.
var secretKeys = map[string]bool{
	"token": true, "secret": true, "url": true, "urls": true, "webhook_url": true, "api_url": true, "password": true, "routing_key": true, "topic": true,
}

// No name from outside can make a notifier fail in the program, hang or panic.
func TestHostileNamesBreakNoNotifier(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/message" { // Gotify
			fmt.Fprint(w, `{"id":1,"appid":1,"message":"x","date":"2026-01-02T03:04:05Z"}`)
			return
		}
		fmt.Fprint(w, `{"ok":true,"id":"x","status":"success","result":{"message_id":1}}`)
	}))
	defer srv.Close()
	for name, subject := range callers(t) {
		t.Run(name, func(t *testing.T) {
			n, err := subject.New(srv.URL)
			require.NoError(t, err)
			for _, hostile := range notifiertest.Hostile {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				if name == "email" { // nobody there speaks its protocol
					cancel()
				}
				err := n.Send(ctx, notifiertest.HostileMessage(t, hostile))
				cancel()
				if name != "email" && name != "exec" {
					require.NoError(t, err, "%.40q", hostile)
				}
			}
		})
	}
}

// testAuthority is a file with the certificate that httptest's servers use.
func testAuthority(t testing.TB) string {
	t.Helper()
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	path := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	require.NoError(t, os.WriteFile(path, block, 0o600))
	return path
}
