package web_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/internal/watch"
	"liqwatch/internal/web"
	"liqwatch/protocols"
)

// viewersOf makes this program two hundred viewers of the page at an address instead
// of tests: on the two processors of a small machine their own work must not count as
// the page's, so they are another process, and the least important one.
const viewersOf = "LIQWATCH_TEST_VIEWERS"

const viewers = 200

func TestMain(m *testing.M) {
	if url := os.Getenv(viewersOf); url != "" {
		watchPage(url)
		return
	}
	os.Exit(m.Run())
}

// watchPage has every viewer keep a stream open and ask for the page again on every
// event, as the page's script does, until the input ends. Then it prints how often
// they were told and served, and how many bytes it took.
func watchPage(url string) {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19)
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	var told, served, size atomic.Int64
	var all sync.WaitGroup
	for range viewers {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			ask := func(path string) (*http.Response, error) {
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, nil)
				if err != nil {
					return nil, err
				}
				if path != "/api/v1/events?axis=ETH" {
					r.Header.Set("Accept-Encoding", "gzip")
				}
				return client.Do(r)
			}
			stream, err := ask("/api/v1/events?axis=ETH")
			if err != nil {
				return
			}
			defer stream.Body.Close()
			for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
				if lines.Text() != "data: {}" {
					continue
				}
				told.Add(1)
				part, err := ask("/parts?axis=ETH")
				if err != nil {
					return
				}
				n, err := io.Copy(io.Discard, part.Body)
				_ = part.Body.Close()
				if size.Add(n); err == nil && part.StatusCode == http.StatusOK {
					served.Add(1)
				}
			}
		})
	}
	all.Wait()
	fmt.Println(told.Load(), served.Load(), size.Load())
}

// moving is a source whose block goes on with every pass.
type moving struct {
	*world        // the page
	source *world // what its chains look like
	mu     sync.Mutex
	book   crowd
	at     chains.Block
}

func (m *moving) Books() []protocols.Book {
	m.mu.Lock()
	defer m.mu.Unlock()
	return []protocols.Book{atBlock{m.book, m.at}}
}

func (m *moving) Chains() []web.ChainState {
	c := m.source.Chains()
	m.mu.Lock()
	defer m.mu.Unlock()
	c[0].Block = m.at
	return c
}

// atBlock is a book said to be of a block.
type atBlock struct {
	crowd
	at chains.Block
}

func (b atBlock) Block() chains.Block { return b.at }

// pass is what the watcher does with the books of a block, and how long it takes.
func (m *moving) pass(t testing.TB) time.Duration {
	t.Helper()
	m.mu.Lock()
	m.at.Number++
	m.mu.Unlock()
	start := time.Now()
	_, _, err := watch.Observe(watch.Look{Axis: "ETH", Levels: []decimal.Decimal{decimal.NewFromInt(2650)}, Books: m.Books()})
	took := time.Since(start)
	require.NoError(t, err)
	m.page.Passed("devnet", took)
	return took
}

// crew is a process of viewers.
type crew struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	said strings.Builder
}

func hire(t testing.TB, w *world) *crew {
	t.Helper()
	c := &crew{cmd: exec.CommandContext(t.Context(), os.Args[0])}
	c.cmd.Env = append(os.Environ(), viewersOf+"="+w.server.URL)
	c.cmd.Stdout, c.cmd.Stderr = &c.said, os.Stderr
	var err error
	c.in, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	require.Eventually(t, func() bool {
		return strings.Contains(get(t, w, "/api/v1/state"), fmt.Sprintf(`"viewers":%d`, viewers))
	}, time.Minute, 100*time.Millisecond)
	return c
}

// leave ends the viewers and says what they have seen.
func (c *crew) leave(t testing.TB) (told, served, size int64) {
	t.Helper()
	require.NoError(t, c.in.Close())
	require.NoError(t, c.cmd.Wait())
	_, err := fmt.Sscan(c.said.String(), &told, &served, &size)
	require.NoError(t, err)
	return told, served, size
}

// watched runs passes once a second and gives how long they took.
func watched(t testing.TB, m *moving, passes int) []time.Duration {
	t.Helper()
	var out []time.Duration
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range passes {
		<-tick.C
		out = append(out, m.pass(t))
	}
	return out
}

func movingWorld(t testing.TB, n int) *moving {
	t.Helper()
	small := newWorld(t)
	m := &moving{source: small, book: crowdOf(small.books[0], n), at: small.books[0].Block()}
	m.world = worldOf(t, m.Books(), func(o *web.Options) { o.Source = m })
	get(t, m.world, "/?axis=ETH") // the first ladder is there
	return m
}

// Two hundred viewers in another process are told of every pass, and served.
func TestViewersAreServedWhilePassesGoOn(t *testing.T) {
	m := movingWorld(t, 5_000)
	c := hire(t, m.world)
	watched(t, m, 4)
	time.Sleep(time.Second) // the last event is on its way
	told, served, size := c.leave(t)
	t.Logf("told %d times, served %d times, %d bytes", told, served, size)
	require.GreaterOrEqual(t, told, int64(4*viewers))
	require.GreaterOrEqual(t, served, told-viewers, "all but those who left while asking")
	require.Less(t, size/max(1, served), int64(60_000), "bytes a time")
}

// BenchmarkViewers is the watcher's pass over 500,000 positions with two hundred
// viewers at an update a second, against the same passes without. Rounds take turns,
// so that what else the machine does falls on both.
func BenchmarkViewers(b *testing.B) {
	m := movingWorld(b, halfAMillion)
	const rounds, passes = 4, 15
	for b.Loop() {
		var alone, with []time.Duration
		var told, served int64
		var cost time.Duration
		for range rounds {
			start := processorTime(b)
			alone = append(alone, watched(b, m, passes)...)
			cost -= processorTime(b) - start
			c := hire(b, m.world)
			start = processorTime(b)
			with = append(with, watched(b, m, passes)...)
			cost += processorTime(b) - start
			t, s, _ := c.leave(b)
			told, served = told+t, served+s
		}
		slices.Sort(alone)
		slices.Sort(with)
		middle := func(d []time.Duration) float64 { return float64(d[len(d)/2]) / float64(time.Millisecond) }
		b.ReportMetric(middle(alone), "ms/pass-alone")
		b.ReportMetric(middle(with), "ms/pass-viewed")
		b.ReportMetric(middle(with)/middle(alone), "x-alone")
		b.ReportMetric(float64(cost)/float64(time.Millisecond)/rounds/passes, "cpu-ms/second-for-viewers")
		b.ReportMetric(float64(told)/rounds/passes/viewers, "updates/viewer-second")
		b.ReportMetric(float64(served)/float64(told), "served")
	}
}
