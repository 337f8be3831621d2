package store_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"liqwatch/devnet/postgres"
	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram"
	"liqwatch/internal/alerts/telegram/telegramtest"
	"liqwatch/internal/alerts/webhook"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/store/storetest"
)

const (
	killToken  = "1:AAkill"
	killSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	kills      = 100
)

func TestMain(m *testing.M) {
	if path := os.Getenv("LIQWATCH_KILL_STORE"); path != "" {
		if err := victim(path, os.Getenv("LIQWATCH_KILL_HOOK"), os.Getenv("LIQWATCH_KILL_CHAT"), os.Getenv("LIQWATCH_KILL_DRAIN") != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(postgres.Main(m.Run))
}

// cents is the price at a block: down and up through both levels, for ever.
func cents(number uint64) int64 {
	at := int64(number % 60)
	if at > 30 {
		at = 60 - at
	}
	return 265_000 - at*1_700
}

func killNotifiers(hook, chat string) (map[string]alerts.Notifier, error) {
	hs, err := config.FromMap("hook", map[string]any{"url": hook, "secret": killSecret, "allow_private": true})
	if err != nil {
		return nil, err
	}
	h, err := webhook.New(hs)
	if err != nil {
		return nil, err
	}
	cs, err := config.FromMap("chat", map[string]any{"token": killToken, "chat_id": 42, "api_url": chat})
	if err != nil {
		return nil, err
	}
	c, err := telegram.New(cs)
	return map[string]alerts.Notifier{"hook": h, "chat": c}, err
}

func killRule() alerts.Rule {
	r := storetest.Rule()
	r.Notify = []string{"hook", "chat"}
	return r
}

// victim watches and delivers until it is killed; draining, until all is delivered.
// What it prints was committed before.
func victim(path, hook, chat string, drain bool) error {
	ctx := context.Background()
	s, err := store.Open(ctx, "sqlite:"+path)
	if err != nil {
		return err
	}
	notifiers, err := killNotifiers(hook, chat)
	if err != nil {
		return err
	}
	d := alerts.NewDispatcher(s, notifiers, alerts.DispatchOptions{}, zerolog.Nop())
	r := killRule()
	tr, err := alerts.NewTracker(ctx, s, []alerts.Rule{r}, alerts.StaleRule{}, zerolog.Nop(), d.Wake)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { d.Run(running) })
	fmt.Println("ready")
	if drain {
		for {
			_, a, err1 := s.NextDue(ctx, "hook")
			_, b, err2 := s.NextDue(ctx, "chat")
			if err1 != nil || err2 != nil || !a && !b {
				stop()
				wg.Wait()
				return s.Close()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	number := uint64(0)
	if seen := tr.Seen("ethereum"); len(seen) > 0 {
		number = seen[0].Number - min(seen[0].Number, 1) // the last block is looked at again, as watch does
	}
	for {
		number++
		o := storetest.Look(r, number, 0, cents(number))
		o.Seen = time.Now()
		o.Final = map[string]uint64{"ethereum": max(number, 64) - 64}
		out, err := tr.Observe(ctx, o)
		if err != nil {
			return err
		}
		for _, a := range out.Alerts {
			fmt.Println("committed", number, a.Key)
		}
		time.Sleep(time.Millisecond)
	}
}

// witness receives webhooks, and can shoot the sender while it waits for the answer.
type witness struct {
	t      *testing.T
	wh     *standardwebhooks.Webhook
	mu     sync.Mutex
	ids    map[string]map[string]int // alert key -> webhook id -> times
	bodies map[string]string         // webhook id -> body
	shoot  func()
	after  int
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // killed while sending: nothing arrived
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.wh.VerifyIgnoringTimestamp(raw, r.Header); err != nil {
		w.t.Errorf("webhook: %v", err)
	}
	var b alerts.Body
	if err := json.Unmarshal(raw, &b); err != nil {
		w.t.Errorf("webhook: %v", err)
	}
	id := r.Header.Get("webhook-id")
	if w.ids[b.Data.Key] == nil {
		w.ids[b.Data.Key] = map[string]int{}
	}
	w.ids[b.Data.Key][id]++
	if had, ok := w.bodies[id]; ok && had != string(raw) {
		w.t.Errorf("webhook %s: another body on a repeat", id)
	}
	w.bodies[id] = string(raw)
	if w.after--; w.after == 0 && w.shoot != nil {
		w.shoot() // accepted, but never marked as sent
	}
}

// run starts a victim and kills it; it gives the alerts that were surely committed.
func (w *witness) run(path, hook, chat string, drain bool) (committed []string, last uint64) {
	w.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "LIQWATCH_KILL_STORE="+path, "LIQWATCH_KILL_HOOK="+hook, "LIQWATCH_KILL_CHAT="+chat)
	if drain {
		cmd.Env = append(cmd.Env, "LIQWATCH_KILL_DRAIN=1")
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	require.NoError(w.t, err)
	require.NoError(w.t, cmd.Start())
	w.mu.Lock()
	w.after, w.shoot = 1+rand.IntN(8), func() { _ = cmd.Process.Kill() }
	if drain || rand.IntN(2) == 0 {
		w.shoot = nil
	}
	byReceiver := w.shoot != nil
	w.mu.Unlock()
	lines := bufio.NewReader(pipe)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		var n uint64
		var key string
		switch {
		case line == "ready\n" && !drain:
			wait := time.Duration(rand.IntN(60)) * time.Millisecond
			if byReceiver {
				wait = 5 * time.Second
			}
			timer := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
		default:
			if _, err := fmt.Sscanf(line, "committed %d %s", &n, &key); err == nil {
				committed, last = append(committed, key), n
			}
		}
	}
	err = cmd.Wait()
	require.Empty(w.t, stderr.String(), "a store that cannot be opened or written")
	if drain {
		require.NoError(w.t, err)
	}
	w.mu.Lock()
	w.shoot = nil
	w.mu.Unlock()
	return committed, last
}

func TestNothingIsLostOrDoubledByKills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "liqwatch.db")
	wh, err := standardwebhooks.NewWebhook(killSecret)
	require.NoError(t, err)
	w := &witness{t: t, wh: wh, ids: map[string]map[string]int{}, bodies: map[string]string{}}
	hook := httptest.NewServer(w)
	defer hook.Close()
	chat := telegramtest.New(killToken, "42")
	defer chat.Close()

	var committed []string
	for range kills {
		got, _ := w.run(path, hook.URL, chat.URL, false)
		committed = append(committed, got...)
	}
	w.run(path, hook.URL, chat.URL, true)

	s, err := store.Open(t.Context(), "sqlite:"+path) // checks the whole file
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	st, err := s.LoadState(t.Context(), killRule().Name)
	require.NoError(t, err)
	want := undisturbed(t, st.Blocks()[0].Number)

	repeats := 0
	for _, key := range committed {
		require.Contains(t, want, key)
	}
	for key := range want {
		require.Len(t, w.ids[key], 1, "alert %s: webhook ids %v", key, w.ids[key])
		for _, n := range w.ids[key] {
			repeats += n - 1
		}
	}
	require.Len(t, w.ids, len(want), "an alert that an undisturbed run does not have")
	sent, unmarked, again := chatSummary(chat)
	require.Equal(t, len(want), sent)
	require.Zero(t, unmarked, "a repeat that does not say so")
	t.Logf("%d kills: %d alerts, 0 lost; webhook repeats %d (same id, same body); Telegram repeats %d (all marked)", kills, len(want), repeats, again)
	require.Greater(t, len(want), kills/2, "too few alerts to say anything")
}

// undisturbed are the keys of a run that nobody kills.
func undisturbed(t *testing.T, upTo uint64) map[string]bool {
	t.Helper()
	keys, s, r := map[string]bool{}, alerts.State{}, killRule()
	for n := uint64(1); n <= upTo; n++ {
		next, out, err := alerts.Advance(r, s, storetest.Look(r, n, 0, cents(n)))
		require.NoError(t, err)
		s = next
		for _, a := range out.Alerts {
			keys[a.Key] = true
		}
	}
	return keys
}

// chatSummary counts messages in the chat, those that came twice, and those of them
// that do not say that they may.
func chatSummary(chat *telegramtest.Server) (sent, unmarked, again int) {
	const mark = "\n(may repeat)"
	seen := map[string]int{}
	for _, c := range chat.Calls() {
		if !c.Taken {
			continue
		}
		text := strings.TrimSuffix(c.Text, mark)
		if seen[text]++; seen[text] > 1 {
			again++
			if text == c.Text {
				unmarked++
			}
		}
	}
	return len(seen), unmarked, again
}
