package evm

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/chains/chainstest"
)

// Whatever way a node does not answer, the other one is asked, soon.
func TestFailover(t *testing.T) {
	for name := range chainstest.Faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chain := world(33)
			bad, good := chainstest.NewNode(t, chain), chainstest.NewNode(t, chain)
			c := client(t, Config{ChainID: 1, Hedge: 300 * time.Millisecond}, bad, good)
			_, err := exercise(t.Context(), c, chain) // both are known to be well
			require.NoError(t, err)
			bad.Behave(chainstest.Behaviour{Fault: name})
			good.Forget()
			difference, err := exercise(t.Context(), c, chain)
			require.NoError(t, err)
			require.Empty(t, difference)

			// It rests, is out when it fails again, and comes back after three good answers.
			c.pool.nodes[0].mu.Lock()
			assert.NotEmpty(t, c.pool.nodes[0].health.why)
			c.pool.nodes[0].health.rest = time.Time{}
			c.pool.nodes[0].mu.Unlock()
			_, err = c.Head(t.Context())
			require.NoError(t, err)
			assert.Eventually(t, func() bool {
				c.pool.nodes[0].mu.Lock()
				defer c.pool.nodes[0].mu.Unlock()
				return c.pool.nodes[0].health.state == stateOut || c.pool.nodes[0].health.throttled
			}, 15*time.Second, 10*time.Millisecond)
			bad.Behave(chainstest.Behaviour{})
			c.pool.nodes[0].mu.Lock()
			c.pool.nodes[0].health.rest = time.Time{}
			c.pool.nodes[0].mu.Unlock()
			for range goodsToBack {
				_, err := c.Head(t.Context())
				require.NoError(t, err)
			}
			c.pool.nodes[0].mu.Lock()
			assert.Equal(t, stateGood, c.pool.nodes[0].health.state)
			c.pool.nodes[0].mu.Unlock()
		})
	}
}

func TestDeadEndpointsDoNotStopTheOthers(t *testing.T) {
	chain := world(33)
	node := chainstest.NewNode(t, chain)
	cfg := Config{ChainID: 1, Endpoints: []Endpoint{
		{URL: "http://127.0.0.1:1/KEY"}, {URL: "ws://127.0.0.1:1/KEY"}, {URL: "https://127.0.0.1:1"}, {URL: "http://does-not-exist.invalid/KEY"},
	}}
	difference, err := exercise(t.Context(), client(t, cfg, node), chain)
	require.NoError(t, err)
	require.Empty(t, difference)
}

func TestWrongChain(t *testing.T) {
	chain := world(33)
	stranger, friend := chainstest.NewNode(t, chain), chainstest.NewNode(t, chain)
	stranger.Behave(chainstest.Behaviour{ChainID: 137})
	difference, err := exercise(t.Context(), client(t, Config{ChainID: 1}, stranger, friend), chain)
	require.NoError(t, err)
	require.Empty(t, difference)
	require.Empty(t, stranger.Asked("eth_call"), "a node of another chain was asked")

	_, err = client(t, Config{ChainID: 1}, stranger).Head(t.Context())
	require.ErrorIs(t, err, chains.ErrWrongChain)
	require.ErrorContains(t, err, "137")

	// Without a configured id the first node that answers decides.
	c := client(t, Config{}, stranger)
	can, err := c.Capabilities(t.Context())
	require.ErrorIs(t, err, chains.ErrUnreachable, "the calls ran on chain 1")
	require.Zero(t, can.ChainID)
}

// The head never goes backward because a node is behind or syncing from scratch.
func TestHeadDoesNotFollowNodesThatLag(t *testing.T) {
	for _, lag := range []uint64{1, 2, 20, 300, 900} {
		chain := world(33)
		chain.MineEmpty(1000)
		a, b := chainstest.NewNode(t, chain), chainstest.NewNode(t, chain)
		b.Behave(chainstest.Behaviour{Lag: lag})
		c := client(t, Config{ChainID: 1}, b, a)
		head, err := c.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, chain.Head(), head)
		// A node that is behind is not asked about what it does not have yet.
		b.Forget()
		_, err = c.Read(t.Context(), head, views())
		require.NoError(t, err)
		require.Empty(t, b.Asked("eth_call"))
		// Now only the lagging node is left: the head stays, nothing is undone.
		a.Behave(chainstest.Behaviour{Fault: "reset"})
		for range 5 {
			now, err := c.Head(t.Context())
			require.NoError(t, err)
			require.Equal(t, head, now)
		}
	}
}

func TestHeadFarAheadOfTheOthersIsChecked(t *testing.T) {
	chain, strange := world(33), chainstest.NewChain(1)
	strange.MineEmpty(5000)
	good, bad := chainstest.NewNode(t, chain), chainstest.NewNode(t, strange)
	for range 3 {
		head, err := client(t, Config{ChainID: 1}, bad, good).Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, chain.Head(), head)
	}
}

func TestHeadFollowsAReorg(t *testing.T) {
	chain := world(33)
	c := client(t, Config{ChainID: 1}, chainstest.NewNode(t, chain))
	_, err := c.Head(t.Context())
	require.NoError(t, err)
	for depth := range 20 {
		want := chain.Reorg(depth + 1)
		if depth%2 == 1 { // even when the new branch is shorter
			chain.Drop(1)
			want = chain.Head()
		}
		head, err := c.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, want.Hash, head.Hash, "depth %d", depth+1)
	}
}

// A node hides logs at the tip and shows them later: with two nodes nothing is missed.
func TestLogsHiddenByOneNode(t *testing.T) {
	chain := world(5)
	hiding, honest := chainstest.NewNode(t, chain), chainstest.NewNode(t, chain)
	hiding.Behave(chainstest.Behaviour{Lie: "no logs where there are some"})
	c := client(t, Config{ChainID: 1}, hiding, honest)
	for i := range 50 {
		chain.Mine(event(tokenA, borrow, i))
		head, err := c.Head(t.Context())
		require.NoError(t, err)
		logs, err := c.Logs(t.Context(), follow, head.Number, head)
		require.NoError(t, err)
		require.Len(t, logs, 1)
	}
}

// A block whose bloom leaves no room for a log is believed to be empty at once.
func TestEmptyBlocksCostOneQuestion(t *testing.T) {
	chain := world(5)
	node := chainstest.NewNode(t, chain)
	c := client(t, Config{ChainID: 1}, node)
	for range 5 {
		chain.Mine()
		head, err := c.Head(t.Context())
		require.NoError(t, err)
		node.Forget()
		logs, err := c.Logs(t.Context(), follow, head.Number, head)
		require.NoError(t, err)
		require.Empty(t, logs)
		require.Len(t, node.Asked(""), 1)
	}
}

// The health machine: any history of answers leaves it in a state that its rules allow.
func TestHealth(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var h health
		now := time.Unix(1e9, 0)
		goods := 0 // in a row
		for range rapid.IntRange(1, 40).Draw(rt, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 10_000).Draw(rt, "ms")) * time.Millisecond)
			before := h.state
			k := rapid.SampledFrom([]kind{-1, -1, kindTransient, kindRate, kindLie, kindAuth}).Draw(rt, "kind")
			if k < 0 {
				goods++
				h.good()
				if before == stateOut && h.state == stateGood && goods < goodsToBack {
					rt.Fatalf("back after %d good answers", goods)
				}
				continue
			}
			goods = 0
			h.bad(now, &fault{kind: k})
			switch {
			case h.usable(now):
				rt.Fatalf("usable right after %s", k)
			case h.rest.Sub(now) > longestRest:
				rt.Fatalf("rests %s", h.rest.Sub(now))
			case k == kindRate && h.state != before:
				rt.Fatalf("a throttled node went from %s to %s", before, h.state)
			case (k == kindLie || k == kindAuth) && h.state != stateOut:
				rt.Fatalf("%s and still %s", k, h.state)
			}
		}
	})
}

// No part of an endpoint's address beyond scheme and host is ever shown.
func TestSecretsAreNotShown(t *testing.T) {
	var logged bytes.Buffer
	chain := world(33)
	node := chainstest.NewNode(t, chain)
	host := strings.TrimPrefix(node.URL, "http://")
	urls := []string{
		"http://user:SECRET@" + host + "/v2/SECRET?key=SECRET#SECRET",
		"http://127.0.0.1:1/SECRET", "ws://u:SECRET@127.0.0.1:1/SECRET?SECRET", "https://" + host + "/SECRET",
		"http://no-such-host.invalid/SECRET",
	}
	for name := range chainstest.Faults {
		if name == "hang" || name == "drip" {
			continue
		}
		node.Behave(chainstest.Behaviour{Fault: name})
		for _, u := range urls {
			c, err := New(Config{Name: "x", ChainID: 1, Timeout: 300 * time.Millisecond, Endpoints: []Endpoint{{URL: u, Header: http.Header{"Key": {"SECRET"}}}}}, zerolog.New(&logged))
			require.NoError(t, err)
			c.pool.unit = time.Millisecond
			_, err = pollOnce(t, c)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "SECRET")
			c.Close()
		}
	}
	require.NotContains(t, logged.String(), "SECRET")
	require.NotEmpty(t, logged.String())
	for _, bad := range []string{"SECRET", "ftp://h/SECRET", "http://[::1/SECRET", "://SECRET", "http://h:badport/SECRET"} {
		_, err := New(Config{Name: "x", Endpoints: []Endpoint{{URL: bad}}}, zerolog.Nop())
		require.Error(t, err)
		require.NotContains(t, err.Error(), "SECRET")
	}
}

func pollOnce(t *testing.T, c *Client) ([]candidate, error) {
	found, err := c.pollHeads(t.Context())
	return found, err
}

// A chain that undoes a final block is not followed, and nothing is taken back.
func TestFinalityIsNotUndone(t *testing.T) {
	chain := world(33)
	chain.Finalize(20)
	node := chainstest.NewNode(t, chain)
	c := client(t, Config{ChainID: 1}, node)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	final, err := c.Finalized(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(20), final.Number)
	for _, depth := range []int{5, 14, 30} {
		now := chain.Reorg(depth)
		got, err := c.Head(t.Context())
		if depth < 13 {
			require.NoError(t, err)
			require.Equal(t, now, got)
			continue
		}
		require.ErrorIs(t, err, chains.ErrFinality)
		_, err = c.Finalized(t.Context())
		require.ErrorIs(t, err, chains.ErrFinality)
	}
	require.NotEqual(t, head, chain.Head())

	// Beside a node that keeps its word, the other is left out.
	kept, broken := world(33), world(33)
	kept.Finalize(20)
	broken.Finalize(20)
	c = client(t, Config{ChainID: 1}, chainstest.NewNode(t, broken), chainstest.NewNode(t, kept))
	_, err = c.Finalized(t.Context())
	require.NoError(t, err)
	broken.Reorg(30)
	broken.MineEmpty(7) // and is longer
	kept.Reorg(2)
	for range 3 {
		got, err := c.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, kept.Head(), got)
		kept.Mine()
		got, err = c.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, kept.Head(), got)
	}
}

// Errors say which node, what is wrong, and what the operator can do.
func TestErrorsSayWhatToDo(t *testing.T) {
	chain := world(33)
	for fault, want := range map[string]string{"401": "check the key", "429": "lower the rate", "loose error": "lower the rate", "502": "HTML page"} {
		node := chainstest.NewNode(t, chain)
		node.Behave(chainstest.Behaviour{Fault: fault})
		c := client(t, Config{ChainID: 1}, node)
		_, err := c.pollHeads(t.Context())
		require.ErrorIs(t, err, chains.ErrUnreachable, fault)
		require.ErrorContains(t, err, want, fault)
		require.ErrorContains(t, err, node.URL, fault)
	}
	node := chainstest.NewNode(t, chain)
	node.Behave(chainstest.Behaviour{Fault: "hang"})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := client(t, Config{ChainID: 1}, node).Block(ctx, 3)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = New(Config{Name: "x", Agree: 2, Endpoints: []Endpoint{{URL: "http://h"}}}, zerolog.Nop())
	require.ErrorContains(t, err, "agree")
	_, err = New(Config{Name: "x"}, zerolog.Nop())
	require.ErrorContains(t, err, "no rpc endpoint")
}
