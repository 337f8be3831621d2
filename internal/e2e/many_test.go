package e2e

import (
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/postgres"
	"liqwatch/internal/store"
)

// takeover is the time within which another process must lead.
const takeover = 10 * time.Second

// herd are processes of one configuration on one Postgres.
type herd struct {
	*world
	t         *testing.T
	server    *postgres.Server
	database  string
	receiver  *receiver
	members   []*member
	took      []string
	uncertain int // sends that may have been cut off by what was done to their process
}

// member is one process, with a way of its own to the server.
type member struct {
	*daemon
	name string
	wire *wire
	page string
	file string
}

const manyRules = `
rules:
  - {name: eth, axis: ETH, levels: [2300, 2400], approach: [4%%, 2%%, 1%%, 0.5%%], rearm: 1%%, notify: [hook]}
notifiers:
  hook: {type: webhook, url: %q, secret: "${env:HOOK_SECRET}", allow_private: true}
log: {level: debug}
`

// Three processes are one watcher, whatever happens to the one that leads: each alert
// is made and sent once.
func TestThreeProcessesAreOneWatcher(t *testing.T) {
	h := gather(t, 3)
	days := []int{h.day()}
	for _, disturb := range []func(){h.leaderKilled, func() { h.leaderPaused(pauseTime(t)) }, h.leaderCutOff, h.serverRestarted} {
		disturb()
		h.quiet()
		days = append(days, h.day())
	}
	for _, line := range h.took {
		t.Log(line)
	}
	require.Greater(t, days[0], 8)
	for _, n := range days[1:] {
		require.Equal(t, days[1], n, "a day is told like any other, whoever watches: %v", days)
	}
	attempts, messages := h.receiver.counts()
	t.Logf("%d messages, %d of them twice; days of %v messages", messages, attempts-messages, days)
	require.LessOrEqual(t, attempts-messages, h.uncertain, "only what was on its way when its process was cut off may come twice")
	h.everythingArrived(messages)
	h.secretsStayHidden()
	h.endsWell()
}

// everythingArrived holds what is in the store against what came.
func (h *herd) everythingArrived(messages int) {
	s, err := store.OpenReadOnly(h.t.Context(), h.database)
	require.NoError(h.t, err)
	defer func() { require.NoError(h.t, s.Close()) }()
	q, err := s.Queue(h.t.Context())
	require.NoError(h.t, err)
	require.Zero(h.t, q.Waiting)
	require.Zero(h.t, q.Dead)
	all, err := s.Alerts(h.t.Context(), 10*messages)
	require.NoError(h.t, err)
	require.Len(h.t, all, messages)
	h.receiver.mu.Lock()
	defer h.receiver.mu.Unlock()
	for _, a := range all {
		require.Contains(h.t, h.receiver.bodies, a.ID)
	}
}

// pauseTime is how long the leader is stopped; LIQWATCH_PAUSE says otherwise.
func pauseTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("LIQWATCH_PAUSE")
	if text == "" {
		return 12 * time.Second
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}

func gather(t *testing.T, n int) *herd {
	t.Helper()
	w := populated(t, aave.V36, anvil.Options{})
	h := &herd{world: w, t: t, server: postgres.Run(t), receiver: receive(t)}
	h.set(2700)
	h.database = h.server.Database(t)
	for i := range n {
		h.members = append(h.members, h.join(fmt.Sprint("process ", i+1)))
	}
	h.leader(nil)
	return h
}

// join starts a process whose way to the server can be cut.
func (h *herd) join(name string) *member {
	h.t.Helper()
	wire := newWire(h.t, fmt.Sprintf("127.0.0.1:%d", h.server.Port))
	u, err := url.Parse(h.database)
	require.NoError(h.t, err)
	u.Host = wire.addr()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(h.t, err)
	page := l.Addr().String()
	require.NoError(h.t, l.Close())
	file := h.configuration(h.t, fmt.Sprintf(manyRules, h.receiver.URL))
	text, err := os.ReadFile(file)
	require.NoError(h.t, err)
	var lines []string
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "store:"):
			line = "store: " + u.String() + "\n"
		case strings.HasPrefix(line, "web:"):
			line = fmt.Sprintf("web: {listen: %q}\n", page)
		}
		lines = append(lines, line)
	}
	require.NoError(h.t, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o600))
	m := &member{name: name, wire: wire, page: "http://" + page, file: file}
	m.start(h.t)
	return m
}

func (m *member) start(t *testing.T) {
	m.daemon = watch(t, m.file, "HOOK_SECRET="+hookSecret)
}

// ready is what /readyz says; empty when nobody answers.
func (m *member) ready() string {
	client := http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get(m.page + "/readyz")
	if err != nil {
		return ""
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %s", answer.StatusCode, strings.TrimSpace(string(body)))
}

// counted is how often the log says something.
func (m *member) counted(words string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, l := range m.lines {
		if strings.Contains(l, words) {
			n++
		}
	}
	return n
}

const leads = `"message":"leading"`

// watches reports that it leads and has read everything since.
func (m *member) watches() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range slices.Backward(m.lines) {
		switch {
		case strings.Contains(l, `"message":"pass"`) && strings.Contains(l, `"level":"debug"`):
			return true
		case strings.Contains(l, leads), strings.Contains(l, "standing by"), strings.Contains(l, "the turn is over"):
			return false
		}
	}
	return false
}

// leader waits until somebody other than the one given leads and has read everything.
func (h *herd) leader(not *member) *member {
	h.t.Helper()
	var found *member
	require.Eventually(h.t, func() bool {
		for _, m := range h.members {
			if m != not && m.watches() {
				found = m
				return true
			}
		}
		return false
	}, time.Minute, 20*time.Millisecond, "nobody leads")
	return found
}

// taken waits for another to take over from the leader, and notes how long it took:
// until it leads, and until it has read everything.
func (h *herd) taken(what string, from time.Time, before map[*member]int, not *member) *member {
	h.t.Helper()
	var next *member
	require.Eventually(h.t, func() bool {
		for _, m := range h.members {
			if m != not && m.counted(leads) > before[m] {
				next = m
				return true
			}
		}
		return false
	}, 2*takeover, 5*time.Millisecond, "nobody took over")
	led := time.Since(from)
	h.leader(not)
	h.took = append(h.took, fmt.Sprintf("leader %s: another leads after %.1f s, and has read everything after %.1f s", what, led.Seconds(), time.Since(from).Seconds()))
	require.Less(h.t, led, takeover, what)
	return next
}

func (h *herd) turns() map[*member]int {
	out := map[*member]int{}
	for _, m := range h.members {
		out[m] = m.counted(leads)
	}
	return out
}

func (h *herd) set(usd int64) {
	h.t.Helper()
	require.NoError(h.t, h.SetETH(h.t.Context(), big.NewInt(usd*1e8)))
}

// day moves the price down through both levels and up again, waits until all that must
// be told of it was told, and counts that.
func (h *herd) day() int {
	_, dawn := h.receiver.counts()
	for _, usd := range []int64{2480, 2440, 2420, 2405, 2390, 2360, 2340, 2320, 2305, 2290, 2400, 2700} {
		m := h.leader(nil)
		seen := m.seen()
		h.set(usd)
		m.hasLooked(h.t, seen, h.head(h.t).Number)
	}
	h.quiet()
	_, dusk := h.receiver.counts()
	return dusk - dawn
}

// quiet waits until nothing has come for a while.
func (h *herd) quiet() {
	h.t.Helper()
	last, since := 0, time.Now()
	require.Eventually(h.t, func() bool {
		_, now := h.receiver.counts()
		if now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 700*time.Millisecond
	}, time.Minute, 10*time.Millisecond)
}

func (h *herd) leaderKilled() {
	old := h.leader(nil)
	before, from := h.turns(), time.Now()
	h.uncertain++
	old.kill(h.t)
	h.set(2440) // while nobody leads
	h.taken("killed", from, before, old)
	h.set(2700)
	old.start(h.t)
	require.Eventually(h.t, func() bool { return strings.HasPrefix(old.ready(), "200 standby") }, 30*time.Second, 20*time.Millisecond,
		"who comes back stands by")
}

// leaderPaused stops the leader and wakes it: it must find that another leads, send
// nothing of its own, and stand by.
func (h *herd) leaderPaused(d time.Duration) {
	old := h.leader(nil)
	before, from := h.turns(), time.Now()
	require.NoError(h.t, old.cmd.Process.Signal(syscall.SIGSTOP))
	h.set(2440)
	h.taken("stopped", from, before, old)
	h.set(2380)
	h.set(2350)
	time.Sleep(d - time.Since(from))
	sent := old.counted(`"message":"delivered"`)
	h.set(2340)
	require.NoError(h.t, old.cmd.Process.Signal(syscall.SIGCONT))
	require.Eventually(h.t, func() bool { return strings.HasPrefix(old.ready(), "200 standby") }, takeover, 20*time.Millisecond,
		"woken, it does not stand by: %s", old.ready())
	h.quiet()
	require.Equal(h.t, sent, old.counted(`"message":"delivered"`), "the woken leader sent something")
	require.Equal(h.t, before[old], old.counted(leads))
	h.took = append(h.took, fmt.Sprintf("stopped for %s and woken: sent 0, stands by", d.Round(time.Second)))
	h.set(2700)
}

// leaderCutOff stalls the leader's way to the server, and opens it again.
func (h *herd) leaderCutOff() {
	old := h.leader(nil)
	before, from := h.turns(), time.Now()
	h.uncertain++
	old.wire.stall(true)
	h.set(2440)
	h.taken("cut off", from, before, old)
	h.set(2390)
	h.quiet()
	old.wire.stall(false)
	require.Eventually(h.t, func() bool { return strings.HasPrefix(old.ready(), "200 standby") }, 30*time.Second, 20*time.Millisecond)
	h.set(2700)
}

// serverRestarted crashes Postgres and starts it again after longer than a leadership lasts.
func (h *herd) serverRestarted() {
	h.uncertain++
	before := h.turns()
	h.server.Stop()
	h.set(2440)
	time.Sleep(6 * time.Second)
	require.NoError(h.t, h.server.Resume(h.t.Context()))
	h.taken("lost with its Postgres, which came back", time.Now(), before, nil)
	h.set(2700)
}

// secretsStayHidden looks for the passwords in all that the processes said.
func (h *herd) secretsStayHidden() {
	for _, m := range h.members {
		require.Zero(h.t, m.counted(postgres.Password), m.name)
		require.Zero(h.t, m.counted(hookSecret), m.name)
	}
}

// endsWell ends all by Ctrl-C, the leader first: another takes over at once.
func (h *herd) endsWell() {
	old := h.leader(nil)
	before, from := h.turns(), time.Now()
	code, took := old.interrupt(h.t)
	require.Zero(h.t, code)
	require.Less(h.t, took, 3*time.Second)
	h.taken("told to end", from, before, old)
	for _, m := range h.members {
		if m != old {
			code, _ := m.interrupt(h.t)
			require.Zero(h.t, code, m.name)
		}
	}
	h.t.Log(h.took[len(h.took)-1])
}

// wire is a way to a server that can be stalled: what is sent stays on the way.
type wire struct {
	l  net.Listener
	mu sync.Mutex
	// open is closed while the wire is not stalled.
	open  chan struct{}
	conns []net.Conn
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &wire{l: l, open: make(chan struct{})}
	close(w.open)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.join(c, to)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		w.stall(false)
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, c := range w.conns {
			_ = c.Close()
		}
	})
	return w
}

func (w *wire) addr() string { return w.l.Addr().String() }

func (w *wire) stall(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.open:
		if yes {
			w.open = make(chan struct{})
		}
	default:
		if !yes {
			close(w.open)
		}
	}
}

func (w *wire) wait() {
	w.mu.Lock()
	open := w.open
	w.mu.Unlock()
	<-open
}

func (w *wire) join(c net.Conn, to string) {
	defer func() { _ = c.Close() }()
	w.wait()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	w.mu.Lock()
	w.conns = append(w.conns, c, s)
	w.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][]net.Conn{{c, s}, {s, c}} {
		both.Go(func() { w.carry(way[0], way[1]) })
	}
	both.Wait()
}

func (w *wire) carry(from, to net.Conn) {
	defer func() { _, _ = from.Close(), to.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		w.wait()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
