package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains/recorded"
	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram"
	"liqwatch/internal/alerts/telegram/telegramtest"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
)

// After the demo's story somebody asks in the chat how things are, looks at the
// ladder, acknowledges by the button and mutes by command: all of it from and into
// what the program holds.
func TestAChatIsAnsweredFromWhatIsWatched(t *testing.T) {
	rec, err := recorded.Open(bytes.NewReader(demoRecording))
	require.NoError(t, err)
	p, err := newPlayer(t.Context(), rec, pageFlags{listen: "off"}, io.Discard, zerolog.Nop())
	require.NoError(t, err)
	defer p.Close()
	pause := func(context.Context) error { return nil }
	require.NoError(t, p.play(t.Context(), pause, func(ctx context.Context) error {
		chatAfter(ctx, t, p)
		return nil
	}))
}

func chatAfter(ctx context.Context, t *testing.T, p *player) {
	t.Helper()
	rules, err := rulesOf(p.cfg, terminal)
	require.NoError(t, err)
	tracker, err := alerts.NewTracker(ctx, p.store, rules, alerts.StaleRule{}, zerolog.Nop(), nil)
	require.NoError(t, err)
	require.NoError(t, tracker.KeepMutes(ctx, p.store))
	b := &board{p.cfg, newWatched(p.engine, p.markets), p.store, tracker}

	const group = "-1001234567890"
	srv := telegramtest.New("123456:AAhunter2", group)
	defer srv.Close()
	cfg, err := config.Parse("chat", []byte(fmt.Sprintf(`
chains: {devnet: {id: 31337, rpc: [http://127.0.0.1:8545]}}
markets: [{name: m, protocol: aave-v3, chain: devnet, pool_addresses_provider: "0x0000000000000000000000000000000000000001", from_block: 0}]
notifiers: {risk: {type: telegram, token: "123456:AAhunter2", chat_id: %s, api_url: %q}}
`, group, srv.URL)))
	require.NoError(t, err)
	notifiers, err := catalog.Notifiers(cfg, io.Discard)
	require.NoError(t, err)
	desk := alerts.NewDesk(tracker, p.store, time.Now)
	listeners := telegram.Listeners(notifiers, desk, b, zerolog.Nop())
	require.Len(t, listeners, 1)
	listening, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); listeners[0].Run(listening) }()
	defer func() { stop(); <-done }()

	ada := telegramtest.User{ID: 1, Name: "Ada"}
	ask := func(text string, want ...string) telegramtest.Call {
		t.Helper()
		before := len(srv.Calls())
		srv.Write(ada, telegramtest.Written{Chat: group, Text: text})
		require.Eventually(t, func() bool { return len(srv.Calls()) > before }, 20*time.Second, 5*time.Millisecond)
		got := srv.Calls()[before]
		for _, w := range want {
			require.Contains(t, got.Text, w)
		}
		return got
	}
	rule := p.cfg.Rules[0]
	ask("/status", "devnet: no new data, block ", "rule "+rule.Name, "Nothing waits to be sent")
	level := decimal.NewFromInt(1800)
	l, err := b.ladder(rule.Axis)
	require.NoError(t, err)
	due, err := l.Stretch(l.Spot(), level)
	require.NoError(t, err)
	require.True(t, due.AtRiskUSD.IsPositive())
	got := ask("/map "+strings.ToLower(rule.Axis)+" 1800", "1,800: "+alerts.Dollars(due.AtRiskUSD)+", "+alerts.Count(due.Accounts, "account"))
	require.NotEmpty(t, got.Photo)
	require.NotEmpty(t, ask("/map "+rule.Axis).Photo)
	ask("/map nothing", "there are "+rule.Axis)

	recent, err := desk.Recent(ctx, 1)
	require.NoError(t, err)
	ask("/ack "+recent[0].ID, "Acknowledged by Ada", recent[0].Message.Title)
	kept, err := p.store.Alert(ctx, recent[0].ID)
	require.NoError(t, err)
	require.Equal(t, "Ada (Telegram 1)", kept.AcknowledgedBy)
	ask("/mute "+rule.Name+" 2h", "is muted until")
	ask("/status", rule.Name+" is muted until")
	ask("/unmute "+rule.Name, "is not muted any more")
}
