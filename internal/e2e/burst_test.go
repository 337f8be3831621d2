package e2e

import (
	"database/sql"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
	"liqwatch/internal/alerts/telegram/telegramtest"
)

const burstRules = `
rules:
  - {name: everybody, watch: health_factor, largest: %d, below: [1], notify: [hook, chat]}
notifiers:
  hook: {type: webhook, url: %q, secret: "${env:HOOK_SECRET}", allow_private: true}
  chat: {type: telegram, token: "1:AAburst", chat_id: -100, api_url: %q, commands: false}
log: {level: debug}
`

// All that borrow against ETH cross in one block: everything is in the ledger with
// that block, the webhook is told of each, and the group is told in a digest, at no
// more than Telegram's pace. LIQWATCH_BURST is how many borrowers there are;
// "make burst" has 10,000 that cross.
func TestABurstIsToldWholeAndReadably(t *testing.T) {
	borrowers := 600
	if n, err := strconv.Atoi(os.Getenv("LIQWATCH_BURST")); err == nil {
		borrowers = n
	}
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{})
	world := &world{node: node}
	var err error
	world.World, err = aave.Deploy(ctx, node, aave.V36, aave.Options{})
	require.NoError(t, err)
	pop, err := population.AddPlain(ctx, world.World, borrowers, 7)
	require.NoError(t, err)
	crossing := 0
	for _, b := range pop.Borrowers {
		if b.Collateral == "WETH" || b.Collateral == "wstETH" {
			crossing++
		}
	}

	hook := &counter{ids: map[string]int{}}
	server := httptest.NewServer(hook)
	defer server.Close()
	chat := telegramtest.New("1:AAburst", "-100")
	defer chat.Close()
	config := world.configuration(t, fmt.Sprintf(burstRules, borrowers, server.URL, chat.URL))
	d := watch(t, config, "HOOK_SECRET="+hookSecret)
	d.hasLooked(t, 0, world.head(t).Number)

	require.NoError(t, world.SetETH(ctx, big.NewInt(100e8)))
	mined := time.Now()
	l := ledger{t: t, path: filepath.Join(filepath.Dir(config), "liqwatch.db")}
	require.Eventually(t, func() bool { return l.count(`SELECT count(*) FROM alerts WHERE kind = 'crossing'`) > 0 },
		time.Minute, 2*time.Millisecond, "nothing was told")
	took := time.Since(mined)
	require.Equal(t, crossing, l.count(`SELECT count(*) FROM alerts WHERE kind = 'crossing'`), "one block, one commit")

	require.Eventually(t, func() bool {
		return l.count(`SELECT count(*) FROM deliveries WHERE notifier = 'chat' AND fate = 'pending'`) == 0
	},
		2*time.Minute, 50*time.Millisecond, "the group was not told")
	readable := time.Since(mined)
	require.Eventually(t, func() bool { return l.count(`SELECT count(*) FROM deliveries WHERE fate = 'pending'`) == 0 },
		5*time.Minute, 50*time.Millisecond, "not everything was delivered")
	require.Zero(t, l.count(`SELECT count(*) FROM deliveries WHERE fate = 'dead'`))
	digested := l.count(`SELECT count(*) FROM deliveries WHERE notifier = 'chat' AND fate = 'digested'`)
	sent := l.count(`SELECT count(*) FROM deliveries d JOIN alerts a ON a.id = d.alert WHERE notifier = 'chat' AND fate = 'sent' AND a.kind = 'crossing'`)
	require.Equal(t, crossing, digested+sent)
	require.Equal(t, crossing, hook.once(t), "the webhook is told of each, once")

	var times []time.Time
	for _, c := range chat.Calls() {
		require.True(t, c.Taken)
		times = append(times, c.At)
	}
	for i := range times {
		if i >= 20 {
			require.GreaterOrEqual(t, times[i].Sub(times[i-20]), time.Minute, "more than 20 messages a minute to a group")
		}
		if i > 0 {
			require.GreaterOrEqual(t, times[i].Sub(times[i-1]), 900*time.Millisecond, "more than one message a second to a chat")
		}
	}
	t.Logf("%d positions crossed in one block: in the ledger %s after it was mined; the group could read everything after %s in %d messages (%d alerts one by one, %d in digests); the webhook took all %d",
		crossing, took.Round(time.Millisecond), readable.Round(time.Millisecond), len(times), sent, digested, crossing)
}

// counter is an endpoint that counts by id.
type counter struct {
	mu  sync.Mutex
	ids map[string]int
}

func (c *counter) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids[r.Header.Get("webhook-id")]++
}

func (c *counter) once(t *testing.T) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, n := range c.ids {
		require.Equal(t, 1, n, id)
	}
	return len(c.ids)
}

// ledger reads the store beside the daemon.
type ledger struct {
	t    *testing.T
	path string
}

func (l ledger) count(query string) int {
	l.t.Helper()
	db, err := sql.Open("sqlite", "file:"+l.path+"?mode=ro&_pragma=busy_timeout(5000)")
	require.NoError(l.t, err)
	defer func() { _ = db.Close() }()
	var n int
	require.NoError(l.t, db.QueryRowContext(l.t.Context(), query).Scan(&n))
	return n
}
