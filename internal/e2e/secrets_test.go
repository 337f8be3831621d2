package e2e

import (
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
)

// Every place of the file that may hold a secret holds one with this word in it.
const secretWord = "hunter2"

const secretFile = `chains:
  devnet:
    id: 31337
    rpc: ["http://me:rpcpass-hunter2@%[1]s/v2/rpckey-hunter2?token=query-hunter2", "http://%[2]s/v2/otherkey-hunter2"]
    headers: {X-Api-Key: header-hunter2}
markets:
  - {name: aave, protocol: aave-v3, chain: devnet, pool_addresses_provider: %[3]q, from_block: %[4]d}
rules:
  - {name: eth, axis: ETH, levels: [2400], approach: [5%%], notify: [hook, chat, slack, pager, mail, script]}
notifiers:
  hook: {type: webhook, url: "http://me:hookpass-hunter2@%[2]s/hook-hunter2", secret: whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg==, allow_private: true}
  chat: {type: telegram, token: "1:AAtoken-hunter2", chat_id: 42, api_url: "http://%[2]s"}
  slack: {type: slack, webhook_url: "http://%[2]s/services/hunter2/hunter2", allow_private: true}
  pager: {type: pagerduty, routing_key: hunter2hunter2hunter2hunter2hunt, url: "http://%[2]s", allow_private: true}
  mail: {type: email, server: "%[2]s", tls: implicit, user: me, password: mail-hunter2, from: a@example.org, to: [b@example.org], allow_private: true}
  script: {type: exec, command: [sh, -c, "env >&2; exit 1"], env: {KEY: env-hunter2}}
heartbeat: {url: "http://%[2]s/ping-hunter2", allow_private: true}
store: sqlite:%[5]s
web: {listen: "127.0.0.1:0", token: "webtoken-hunter2-webtoken"}
log: {level: debug}
`

// TestSecretsComeOutNowhere runs the daemon with everything going wrong around it,
// by servers that say back what was said to them, and looks for the secrets in its
// log, on every page, in every answer and in every byte of its store.
func TestSecretsComeOutNowhere(t *testing.T) {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{})
	w := &world{node: node}
	var err error
	w.World, err = aave.Deploy(ctx, node, aave.V36, aave.Options{})
	require.NoError(t, err)
	to, err := url.Parse(node.URL)
	require.NoError(t, err)
	sound := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.URL.Path, r.Out.URL.RawQuery = "/", ""
	}})
	defer sound.Close()
	mirror := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		said, _ := httputil.DumpRequest(r, true)
		rw.WriteHeader(http.StatusInternalServerError)
		_, _ = rw.Write(said)
	}))
	defer mirror.Close()

	dir := t.TempDir()
	config, db := filepath.Join(dir, "liqwatch.yaml"), filepath.Join(dir, "liqwatch.db")
	host := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	text := fmt.Sprintf(secretFile, host(sound), host(mirror), w.Provider, w.FromBlock, db)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))

	var out strings.Builder
	for _, args := range [][]string{
		{"config", "check", "-c", config}, {"doctor", "-c", config}, {"notify", "test", "-c", config, "hook"}, {"notify", "test", "-c", config, "mail"},
		{"map", "-c", config, "--axis", "ETH"}, {"verify", "-c", config},
	} {
		stdout, stderr, _ := liqwatch(t, args...)
		fmt.Fprintf(&out, "%s\n%s\n%s\n", args, stdout, stderr)
	}
	require.NotContains(t, out.String(), secretWord)

	d := watch(t, config)
	d.hasLooked(t, 0, w.head(t).Number)
	require.NoError(t, w.SetETH(ctx, big.NewInt(2450e8)))
	l := ledger{t: t, path: db}
	require.Eventually(t, func() bool {
		return l.count(`SELECT count(DISTINCT notifier) FROM deliveries WHERE attempts > 0 AND reason <> ''`) == 6
	}, 30*time.Second, 20*time.Millisecond, "not every notifier has failed")
	for _, at := range []string{
		"/", "/parts?axis=ETH", "/login", "/metrics", "/healthz", "/readyz", "/api/v1/openapi.json", "/api/v1/state", "/api/v1/axes", "/api/v1/ladder?axis=ETH",
		"/api/v1/whatif?axis=ETH&price=2200", "/api/v1/walls?axis=ETH", "/api/v1/accounts?axis=ETH", "/api/v1/markets", "/api/v1/liquidations", "/api/v1/alerts",
		"/api/v1/history?axis=ETH", "/api/v1/nowhere", "/?axis=hunter3",
	} {
		require.NotContains(t, fetch(t, d.page()+at), secretWord, at)
	}
	for _, name := range []string{"hook", "mail"} { // the page does tell of them, so that the absence of secrets means something
		require.Contains(t, fetch(t, d.page()+"/api/v1/alerts"), `"`+name+`"`)
	}
	_, _ = d.interrupt(t)
	require.NotContains(t, d.tail(1<<20), secretWord)
	for _, file := range []string{db, db + "-wal", db + "-shm"} {
		bytes, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		require.NotContains(t, string(bytes), secretWord, file)
	}
}

// fetch gives head and body of an answer, whatever its status.
func fetch(t *testing.T, at string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer webtoken-hunter2-webtoken")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	head, err := httputil.DumpResponse(res, false)
	require.NoError(t, err)
	return string(head) + string(body)
}
