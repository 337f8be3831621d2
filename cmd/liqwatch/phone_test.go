package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains/recorded"
	"liqwatch/devnet/debian"
	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram"
	"liqwatch/internal/alerts/telegram/telegramtest"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/internal/web/webtest"
)

// demoAlerts are the alerts of the demo, oldest first, as they are kept.
func demoAlerts(t *testing.T) []alerts.Listed {
	t.Helper()
	rec, err := recorded.Open(bytes.NewReader(demoRecording))
	require.NoError(t, err)
	p, err := newPlayer(t.Context(), rec, pageFlags{listen: "off"}, io.Discard, zerolog.Nop())
	require.NoError(t, err)
	defer p.Close()
	var out []alerts.Listed
	pause := func(context.Context) error { return nil }
	require.NoError(t, p.play(t.Context(), pause, func(ctx context.Context) (err error) {
		out, err = p.store.Alerts(ctx, 200)
		return err
	}))
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// What is kept for a picture is small, without gaps, and adds up to what the words say.
func TestTheSketchOfAnAlertAddsUp(t *testing.T) {
	seen := 0
	for _, a := range demoAlerts(t) {
		s := a.Message.Sketch
		if s == nil {
			require.NotContains(t, []alerts.Kind{alerts.KindApproach, alerts.KindCrossing}, a.Alert.Kind)
			continue
		}
		seen++
		kept, err := json.Marshal(s)
		require.NoError(t, err)
		require.LessOrEqual(t, len(kept), 8<<10)
		require.NotContains(t, string(a.Message.Data), `"bars"`, "a webhook's body stays small")
		require.LessOrEqual(t, len(s.Bars), 50)
		require.True(t, s.Level.Equal(a.Alert.Level) && s.Spot.Equal(a.Alert.Price))
		sum, edge := decimal.Zero, false
		for i, b := range s.Bars {
			require.True(t, i == 0 || b.From.Equal(s.Bars[i-1].To))
			edge = edge || b.From.Equal(s.Spot)
			if b.From.GreaterThanOrEqual(s.Level) && b.To.LessThanOrEqual(s.Spot) {
				sum = sum.Add(b.AtRiskUSD)
			}
		}
		require.True(t, edge, "the price is an edge")
		if !s.Crossed && a.Alert.Side == alerts.Down {
			// Bars are valued each at its own far end, the words at the level.
			require.InDelta(t, s.AtRiskUSD.InexactFloat64(), sum.InexactFloat64(), 0.1*s.AtRiskUSD.InexactFloat64(), a.Message.Title)
		}
	}
	require.NotZero(t, seen)
}

// asReceived sends alerts to a chat and gives what a strict server received.
func asReceived(t *testing.T, all []alerts.Listed) []telegramtest.Call {
	t.Helper()
	const token = "123456:AAhunter2-hunter2_hunter2"
	srv := telegramtest.New(token, "-1001234567890")
	defer srv.Close()
	cfg, err := config.Parse("phone", []byte(fmt.Sprintf(`
chains: {devnet: {id: 31337, rpc: [http://127.0.0.1:8545]}}
markets: [{name: m, protocol: aave-v3, chain: devnet, pool_addresses_provider: "0x0000000000000000000000000000000000000001", from_block: 0}]
notifiers: {risk: {type: telegram, token: %q, chat_id: -1001234567890, api_url: %q}}
`, token, srv.URL)))
	require.NoError(t, err)
	notifiers, err := catalog.Notifiers(cfg, io.Discard)
	require.NoError(t, err)
	for _, a := range all {
		m := a.Message
		m.ID = a.ID
		require.NoError(t, notifiers["risk"].(*telegram.Notifier).Send(t.Context(), m))
	}
	return srv.Calls()
}

//go:embed testdata/phone.html
var phonePage string

// shownMessage is a message as a phone shows it.
type shownMessage struct {
	Picture template.URL
	Caption template.HTML
	Text    string
	Time    string
	Rows    [][]telegramtest.Button
	Answers bool
}

// A real message of the demo on a phone: picture and words fit on one
// screen, nothing is wider than it, and the words are those that were sent.
func TestAnAlertOnAPhone(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	all := demoAlerts(t)
	calls := asReceived(t, all)
	b := webtest.Open(t, debian.Program(t, "chromium", "chromium"))
	for _, want := range []struct {
		name string
		kind alerts.Kind
	}{{"approach", alerts.KindApproach}, {"crossing", alerts.KindCrossing}} {
		i := largest(all, want.kind)
		require.GreaterOrEqual(t, i, 0, "the demo has an alert of kind %s", want.kind)
		c := calls[i]
		require.Equal(t, "sendPhoto", c.Method)
		require.LessOrEqual(t, len(c.Photo), 100_000)
		page := phone(t, shownMessage{
			Picture: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(c.Photo)),
			Caption: template.HTML(c.Raw), Text: c.Text, Time: all[i].Created.Format("15:04"), Rows: c.Buttons, Answers: c.Reply != 0,
		})
		for _, scheme := range []string{"light", "dark"} {
			b.On(webtest.Screen{Width: 390, Height: 844, Scheme: scheme})
			b.Go(page)
			b.Until("the picture is there", `document.querySelector("img").complete && document.querySelector("img").naturalWidth === 1080`)
			require.LessOrEqual(t, webtest.Eval[int](b, `document.scrollingElement.scrollWidth`), 390)
			require.LessOrEqual(t, webtest.Eval[int](b, `Math.ceil(document.querySelector(".bubble").getBoundingClientRect().bottom)`), 844, "one screen")
			require.Equal(t, c.Text, strings.TrimSpace(webtest.Eval[string](b, `document.querySelector(".caption").innerText`)))
			b.Picture("telegram-" + want.name + "-" + scheme)
		}
	}
}

// largest is the alert of a kind, with a picture, that speaks of the most.
func largest(all []alerts.Listed, kind alerts.Kind) int {
	best := -1
	for i, a := range all {
		if a.Alert.Kind == kind && a.Message.Sketch != nil && (best < 0 || a.Alert.Totals.AtRiskUSD.GreaterThan(all[best].Alert.Totals.AtRiskUSD)) {
			best = i
		}
	}
	return best
}

func phone(t *testing.T, m shownMessage) string {
	t.Helper()
	tmpl, err := template.New("").Parse(phonePage)
	require.NoError(t, err)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = tmpl.Execute(w, m)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}
