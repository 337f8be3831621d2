package evm

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/chainstest"
)

func wsClient(t *testing.T, urls ...string) *Client {
	t.Helper()
	cfg := Config{Name: "test", ChainID: 1, Timeout: 2 * time.Second, Hedge: 300 * time.Millisecond}
	for _, u := range urls {
		cfg.Endpoints = append(cfg.Endpoints, Endpoint{URL: u})
	}
	c, err := New(cfg, zerolog.Nop())
	require.NoError(t, err)
	c.pool.unit = 5 * time.Millisecond
	t.Cleanup(c.Close)
	return c
}

func TestWebsocket(t *testing.T) {
	chain := world(33)
	node := chainstest.NewNode(t, chain)
	c := wsClient(t, node.WS())
	difference, err := exercise(t.Context(), c, chain)
	require.NoError(t, err)
	require.Empty(t, difference)
	require.Len(t, node.Asked("eth_subscribe"), 1)

	// A ring is a reason to look, long before the next look is due.
	head := chain.Head()
	c.blockTime = time.Hour
	c.wake.ring()
	found := make(chan chains.Block, 1)
	go func() {
		b, err := c.Wait(t.Context(), head)
		assert.NoError(t, err)
		found <- b
	}()
	time.Sleep(50 * time.Millisecond)
	want := chain.Mine()
	node.Ring()
	select {
	case b := <-found:
		require.Equal(t, want, b)
	case <-time.After(5 * time.Second):
		t.Fatal("the ring was not heard")
	}
}

// The same lies over a websocket: the truth from the other node, or from none.
func TestLiesOverWebsocket(t *testing.T) {
	for _, lie := range chainstest.Lies() {
		if !lie.Alone || lie.Name == "a body without end" || lie.Name == "gzip that is none" {
			continue // these are about HTTP, or about two nodes
		}
		t.Run(lie.Name, func(t *testing.T) {
			t.Parallel()
			chain := world(33)
			liar, honest := chainstest.NewNode(t, chain), chainstest.NewNode(t, chain)
			liar.Behave(chainstest.Behaviour{Lie: lie.Name})
			difference, err := exercise(t.Context(), wsClient(t, liar.WS(), honest.URL), chain)
			assert.NoError(t, err)
			assert.Empty(t, difference)
		})
	}
}

func TestWebsocketIsDialledAgain(t *testing.T) {
	chain := world(33)
	node := chainstest.NewNode(t, chain)
	c := wsClient(t, node.WS())
	for range 3 {
		_, err := c.Head(t.Context())
		require.NoError(t, err)
		conn := c.pool.nodes[0].conn.(*wsConn)
		conn.mu.Lock()
		link := conn.live
		conn.mu.Unlock()
		_ = link.ws.Close() // the network, not the client, ends it
		<-link.dead
	}
}

// A websocket that stays open and says nothing is not relied on for longer than
// three blocks.
func TestSilentWebsocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, blockTime := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 12 * time.Second} {
			w := newWake()
			assert.LessOrEqual(t, w.pause(blockTime), longestPoll, "never heard")
			w.ring()
			began := time.Now()
			for w.pause(blockTime) > longestPoll || time.Since(began) == 0 {
				time.Sleep(w.pause(blockTime))
			}
			assert.LessOrEqual(t, time.Since(began), 3*blockTime+longestPoll)
			time.Sleep(3 * blockTime)
			assert.LessOrEqual(t, w.pause(blockTime), longestPoll)
		}
	})
}
