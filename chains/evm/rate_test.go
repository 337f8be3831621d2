package evm

import (
	"context"
	"net/http"
	"slices"
	"sort"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"liqwatch/chains/chainstest"
)

func TestRateLimitIsKept(t *testing.T) {
	chain := world(33)
	node := chainstest.NewNode(t, chain)
	node.Behave(chainstest.Behaviour{RateLimit: 20})
	c, err := New(Config{Name: "x", ChainID: 1, Endpoints: []Endpoint{{URL: node.URL, RequestsPerSecond: 20}}}, zerolog.Nop())
	require.NoError(t, err)
	defer c.Close()
	for range 3 {
		difference, err := exercise(t.Context(), c, chain)
		require.NoError(t, err)
		require.Empty(t, difference)
	}
	asked := node.Asked("")
	times := make([]time.Time, len(asked))
	for i, a := range asked {
		times[i] = a.At
	}
	sort.Slice(times, func(i, j int) bool { return times[i].Before(times[j]) })
	for i := range times {
		if i+20 < len(times) {
			assert.GreaterOrEqual(t, times[i+20].Sub(times[i]), 900*time.Millisecond)
		}
	}
}

// Waiting for one's own rate is no fault of the node.
func TestOwnRateIsNotHeldAgainstTheNode(t *testing.T) {
	node := chainstest.NewNode(t, world(33))
	c, err := New(Config{Name: "x", ChainID: 1, Endpoints: []Endpoint{{URL: node.URL, RequestsPerSecond: 0.1}}}, zerolog.Nop())
	require.NoError(t, err)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.pool.nodes[0].identify(ctx)
	require.NoError(t, err)
	_, err = c.header(ctx, c.pool.nodes[0], "latest")
	require.ErrorIs(t, err, errPaced)
	c.pool.nodes[0].settle(t.Context(), err)
	require.Equal(t, stateNew, c.pool.nodes[0].health.state)
	require.Zero(t, c.pool.nodes[0].health.bads)
}

func TestRetryAfterIsObeyed(t *testing.T) {
	chain := world(33)
	node := chainstest.NewNode(t, chain)
	c := client(t, Config{ChainID: 1}, node)
	_, err := c.Head(t.Context())
	require.NoError(t, err)
	node.Behave(chainstest.Behaviour{RateLimit: 1, RetryAfter: "1"})
	_, err = c.Block(t.Context(), 3)
	require.NoError(t, err)
	began := time.Now()
	node.Forget()
	_, err = c.Block(t.Context(), 4) // refused, then answered
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(began), time.Second)
	assert.Len(t, node.Asked(""), 1, "asked while it wanted to be left alone")
}

func TestRetryAfterForms(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "0.5": 500 * time.Millisecond, "-1": 0, "soon": 0, "NaN": 0,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		assert.Equal(t, want, retryAfter(v, now), "%q", v)
	}
	assert.Equal(t, 25*time.Second, suggestedWait("the query server is suspended for 25s"))
	assert.Equal(t, 5*time.Second, suggestedWait("suspended for 5 s"))
	assert.Equal(t, 2*time.Minute, suggestedWait("try again in 2 minutes"))
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pace{rate: 10}
		var sent []time.Time
		for i := range 60 {
			n := 1 + i%3
			require.NoError(t, p.wait(t.Context(), n))
			for range n {
				sent = append(sent, time.Now())
			}
		}
		for i := range sent {
			j, _ := slices.BinarySearchFunc(sent, sent[i].Add(time.Second), time.Time.Compare)
			require.LessOrEqual(t, j-i, 12, "questions within a second") // a batch of three may straddle the edge
		}
	})
}
