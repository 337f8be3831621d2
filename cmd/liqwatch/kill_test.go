package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/telegram/telegramtest"
	"liqwatch/internal/store"
)

const (
	killSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	killToken  = "1:AAkill"
	killRules  = 6 // each tells a crossing, and a re-arming of what it told before
)

// killing is a daemon that is killed again and again, the node it follows, the
// receivers, and the count of what they must have been told in the end.
type killing struct {
	*aave.World
	t         *testing.T
	dir, path string
	hook      *hookWitness
	chat      *telegramtest.Server
	moves     int
	alerts    int // of all moves so far
	log       strings.Builder
}

// hookWitness counts webhooks by what they tell.
type hookWitness struct {
	t      *testing.T
	wh     *standardwebhooks.Webhook
	mu     sync.Mutex
	ids    map[string]map[string]int // alert key -> webhook id -> times
	bodies map[string]string
}

func (w *hookWitness) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // its sender died: nothing arrived
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
	if had, ok := w.bodies[id]; ok && had != string(raw) {
		w.t.Errorf("webhook %s: another body on a repeat", id)
	}
	w.bodies[id] = string(raw)
	if w.ids[b.Data.Key] == nil {
		w.ids[b.Data.Key] = map[string]int{}
	}
	w.ids[b.Data.Key][id]++
}

// TestNothingIsLostOrDoubledByKillsOfWatch kills the daemon with alerts in flight.
// LIQWATCH_KILLS says how often; "make kills" has a thousand.
func TestNothingIsLostOrDoubledByKillsOfWatch(t *testing.T) {
	kills := 36
	if n, err := strconv.Atoi(os.Getenv("LIQWATCH_KILLS")); err == nil {
		kills = n
	}
	k := newKilling(t)
	met := map[string]int{}
	for i := range kills {
		point := killpoints[i%len(killpoints)]
		if k.kill(point) {
			met[point]++
		}
		k.sound()
	}
	k.drain()
	repeats, again := k.judge()
	t.Logf("%d kills: %d price moves, %d alerts to each receiver, 0 lost, 0 twice under another id; webhook repeats %d, Telegram repeats %d (all marked)",
		kills, k.moves, k.alerts, repeats, again)
	for _, point := range killpoints {
		t.Logf("%4d %s", met[point], point)
		require.Equal(t, kills/len(killpoints), met[point]+missing(kills, point), "the point was not met: %s\n%s", point, k.log.String())
	}
}

// missing is 1 less than a full share for points that the last round does not reach.
func missing(kills int, point string) int {
	for i := range kills % len(killpoints) {
		if killpoints[i] == point {
			return -1
		}
	}
	return 0
}

func newKilling(t *testing.T) *killing {
	node := anvil.Run(t, anvil.Options{})
	w, err := aave.Deploy(t.Context(), node, aave.V36, aave.Options{})
	require.NoError(t, err)
	wh, err := standardwebhooks.NewWebhook(killSecret)
	require.NoError(t, err)
	k := &killing{World: w, t: t, dir: t.TempDir(), hook: &hookWitness{t: t, wh: wh, ids: map[string]map[string]int{}, bodies: map[string]string{}}}
	hook := httptest.NewServer(k.hook)
	t.Cleanup(hook.Close)
	k.chat = telegramtest.New(killToken, "42")
	t.Cleanup(k.chat.Close)
	k.path = filepath.Join(k.dir, "liqwatch.db")
	exe, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(exe, filepath.Join(k.dir, "liqwatch")))
	require.NoError(t, writeConfig(k.dir, "liqwatch", node.URL, w.Provider, w.FromBlock))
	f, err := os.OpenFile(filepath.Join(k.dir, "liqwatch.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	fmt.Fprintf(f, "store: sqlite:%s\nnotifiers:\n  hook: {type: webhook, url: %q, secret: %q, allow_private: true}\n", k.path, hook.URL, killSecret)
	fmt.Fprintf(f, "  chat: {type: telegram, token: %q, chat_id: 42, api_url: %q, max_per_minute: 0, digest_over: 0}\nrules:\n", killToken, k.chat.URL)
	for i := range killRules {
		fmt.Fprintf(f, "  - {name: r%d, axis: ETH, levels: [%d], approach: [0.5%%], rearm: 1%%, notify: [hook, chat]}\n", i, 2401+i)
	}
	k.set(2500)
	first := k.start("")
	require.Eventually(t, k.begun, 30*time.Second, 10*time.Millisecond, "no first look\n%s", &k.log)
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()
	return k
}

// start runs the daemon; a point makes it die there.
func (k *killing) start(point string) *exec.Cmd {
	k.t.Helper()
	cmd := exec.Command(filepath.Join(k.dir, "liqwatch"), "watch", "-c", filepath.Join(k.dir, "liqwatch.yaml"))
	if point != "" {
		cmd.Env = append(os.Environ(), "LIQWATCH_KILL_AT="+point)
	}
	k.log.Reset()
	cmd.Stdout, cmd.Stderr = &k.log, &k.log
	require.NoError(k.t, cmd.Start())
	return cmd
}

// kill starts the daemon, gives it something to tell and sees it die.
func (k *killing) kill(point string) (met bool) {
	k.t.Helper()
	times := 1
	switch point {
	case pointMigration, pointMigrated:
		times += rand.IntN(k.older())
	case pointAccepted:
		times += rand.IntN(2 * killRules)
	}
	if k.committed() == k.alerts {
		k.move()
	}
	cmd := k.start(fmt.Sprintf("%d|%s", times, point))
	wait := 15 * time.Second
	if point == pointRandom {
		wait = time.Duration(rand.IntN(1500)) * time.Millisecond
	}
	timer := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
	defer func() { met = met && (timer.Stop() || point == pointRandom) }()
	err := cmd.Wait()
	require.ErrorContains(k.t, err, "signal: killed", "%s: it ended by itself\n%s", point, &k.log)
	return true
}

// move takes the price through all levels, down and up in turn, to where it never
// was, so that no two messages are alike. Every rule tells that it crossed, and, from
// the second time on, that what was crossed before is left behind.
func (k *killing) move() {
	k.moves++
	k.alerts += killRules
	if k.moves > 1 {
		k.alerts += killRules
	}
	if k.moves%2 == 1 {
		k.set(2300 - 0.01*float64(k.moves))
	} else {
		k.set(2500 + 0.01*float64(k.moves))
	}
}

func (k *killing) set(usd float64) {
	k.t.Helper()
	require.NoError(k.t, k.SetETH(k.t.Context(), big.NewInt(int64(usd*1e8))))
}

// query asks the store beside the daemon for a number.
func (k *killing) query(q string) int {
	k.t.Helper()
	db, err := sql.Open("sqlite", "file:"+k.path+"?mode=ro&_pragma=busy_timeout(5000)")
	require.NoError(k.t, err)
	defer func() { _ = db.Close() }()
	var n int
	if err := db.QueryRowContext(k.t.Context(), q).Scan(&n); err != nil {
		return -1 // not there yet
	}
	return n
}

func (k *killing) begun() bool { return k.query(`SELECT count(*) FROM rule_states`) == killRules }

func (k *killing) committed() int {
	return k.query(`SELECT count(*) FROM alerts WHERE kind IN ('crossing', 'rearmed')`)
}

// sound holds the file against SQLite's own check.
func (k *killing) sound() {
	k.t.Helper()
	db, err := sql.Open("sqlite", "file:"+k.path+"?mode=ro")
	require.NoError(k.t, err)
	defer func() { _ = db.Close() }()
	var verdict string
	require.NoError(k.t, db.QueryRowContext(k.t.Context(), `PRAGMA integrity_check`).Scan(&verdict))
	require.Equal(k.t, "ok", verdict)
}

// older takes the schema back to that of an earlier version, with the alerts in it,
// and tells how many migrations the next start has to make.
func (k *killing) older() int {
	k.t.Helper()
	ctx := context.WithoutCancel(k.t.Context())
	db, err := sql.Open("sqlite", "file:"+k.path)
	require.NoError(k.t, err)
	defer func() { _ = db.Close() }()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("../../internal/store/migrations/sqlite"))
	require.NoError(k.t, err)
	_, err = p.DownTo(ctx, 1)
	require.NoError(k.t, err)
	return len(p.ListSources()) - 1
}

// drain lets the daemon live until everything is delivered.
func (k *killing) drain() {
	k.t.Helper()
	last := k.start("")
	require.Eventually(k.t, func() bool {
		return k.committed() == k.alerts && k.query(`SELECT count(*) FROM deliveries WHERE fate = 'pending'`) == 0
	}, 2*time.Minute, 50*time.Millisecond, "not all is delivered\n%s", &k.log)
	require.NoError(k.t, last.Process.Signal(os.Interrupt))
	require.NoError(k.t, last.Wait())
	s, err := store.Open(k.t.Context(), "sqlite:"+k.path) // checks the whole file
	require.NoError(k.t, err)
	require.NoError(k.t, s.Close())
}

// judge counts what came to the receivers.
func (k *killing) judge() (repeats, again int) {
	t := k.t
	told := 0
	for key, ids := range k.hook.ids {
		if strings.HasPrefix(key, "r") {
			told++
		}
		require.Len(t, ids, 1, "alert %s came under several ids: %v", key, ids)
		for _, n := range ids {
			repeats += n - 1
		}
	}
	require.Equal(t, k.alerts, told, "alerts told by webhook")
	const mark = "\n(may repeat)"
	seen := map[string]int{}
	for _, c := range k.chat.Calls() {
		if !c.Taken {
			continue
		}
		text := strings.TrimSuffix(c.Text, mark)
		if seen[text]++; seen[text] > 1 {
			again++
			require.NotEqual(t, text, c.Text, "a repeat that does not say so: %s", text)
		}
	}
	require.Equal(t, k.alerts, len(seen), "alerts told by Telegram")
	return repeats, again
}
