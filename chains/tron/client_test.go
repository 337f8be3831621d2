package tron_test

import (
	"context"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/tron"
	"liqwatch/devnet/anvil"
	double "liqwatch/devnet/tron"
	"liqwatch/protocols/abi"
)

// setup is a double with a small market, and a client of it.
type setup struct {
	t    *testing.T
	w    *double.World
	node *double.Node
	c    *tron.Client
}

func start(t *testing.T, d double.Dialect) *setup {
	t.Helper()
	ctx := t.Context()
	evm := anvil.Run(t, anvil.Options{BlockTime: 3, ChainID: double.ChainID})
	w, err := double.Deploy(ctx, evm, double.Options{Markets: 10})
	require.NoError(t, err)
	require.NoError(t, evm.MineBlocks(ctx, 30))
	n, err := double.Serve(ctx, evm.Client, d)
	require.NoError(t, err)
	c := client(t, n.URL, nil)
	return &setup{t: t, w: w, node: n, c: c}
}

func client(t *testing.T, url string, header http.Header) *tron.Client {
	t.Helper()
	c, err := tron.New(tron.Config{
		Name: "tron", ChainID: tron.MainnetID, Patience: 10 * time.Second,
		Endpoints: []tron.Endpoint{{URL: url, Header: header, RequestsPerSecond: 1e6}},
	}, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// cash asks every market for its cash, five times over: more than one call bears.
func (s *setup) cash() []chains.Read {
	var reads []chains.Read
	for range 5 {
		for _, m := range s.w.Markets {
			reads = append(reads, chains.View(m.JToken.Address, abi.Call("exchangeRateStored()")))
		}
	}
	return reads
}

func (s *setup) head() chains.Block {
	s.t.Helper()
	b, err := s.c.Head(s.t.Context())
	require.NoError(s.t, err)
	return b
}

func TestEveryVersionIsRead(t *testing.T) {
	for _, version := range []string{double.V480, double.V481, double.V482} {
		t.Run(version, func(t *testing.T) {
			s := start(t, double.Dialect{Version: version, CPUGas: double.CPULimit})
			ctx := t.Context()
			can, err := s.c.Capabilities(ctx)
			require.NoError(t, err)
			require.Equal(t, chains.Capabilities{ChainID: tron.MainnetID, BlockTime: 3 * time.Second, Hashes: tron.Multicall3, Base58: true}, can)
			head := s.head()
			final, err := s.c.Finalized(ctx)
			require.NoError(t, err)
			require.Equal(t, head.Number-19, final.Number)
			again, err := s.c.Block(ctx, head.Number)
			require.NoError(t, err)
			require.Equal(t, head, again)
			_, err = s.c.Block(ctx, head.Number+1)
			require.ErrorIs(t, err, chains.ErrNotFound)

			answers, err := s.c.Read(ctx, head, s.cash())
			require.NoError(t, err)
			for _, a := range answers {
				require.Equal(t, head, *a.At)
				require.Len(t, a.Data, 32)
			}
			answers, err = s.c.Read(ctx, head, []chains.Read{chains.View(s.w.Market("TRX").JToken.Address, abi.Call("underlying()"))})
			require.NoError(t, err)
			require.True(t, answers[0].Failed, "the native market has no underlying()")

			logs, err := s.c.Logs(ctx, chains.Filter{Addresses: []chains.Address{s.w.Risk.Address}, Topics: []chains.Hash{abi.Topic("MarketListed(address)")}}, 0, head)
			require.NoError(t, err)
			require.Len(t, logs, 10)
		})
	}
}

func TestTheHeadMovesBetweenCalls(t *testing.T) {
	s := start(t, double.Dialect{CPUGas: 150_000})
	s.node.SetFaults(double.Faults{Moves: 1})
	head := s.head()
	reads := chains.Join(s.cash()[:4]...)
	for range 9 {
		reads = append(reads, chains.Join(s.cash()[:4]...)...)
	}
	answers, err := s.c.Read(t.Context(), head, reads)
	require.NoError(t, err)
	blocks := map[chains.Hash]bool{}
	for i, a := range answers {
		require.GreaterOrEqual(t, a.At.Number, head.Number)
		require.Equal(t, answers[i/4*4].At.Hash, a.At.Hash, "reads that belong together are of one block")
		truth, err := s.c.Block(t.Context(), a.At.Number)
		require.NoError(t, err)
		require.Equal(t, truth, *a.At)
		blocks[a.At.Hash] = true
	}
	require.Greater(t, len(blocks), 1)
}

func TestReadsOfAnUndoneBlockAreNotAnswered(t *testing.T) {
	s := start(t, double.Dialect{})
	head := s.head()
	require.NoError(t, s.node.Fork(t.Context(), 3))
	_, err := s.c.Read(t.Context(), head, s.cash())
	require.ErrorIs(t, err, chains.ErrReorged)
	_, err = s.c.Logs(t.Context(), chains.Filter{Addresses: []chains.Address{s.w.Risk.Address}, Topics: []chains.Hash{{1}}}, 0, head)
	require.ErrorIs(t, err, chains.ErrReorged)
	next := s.head()
	require.NotEqual(t, head.Hash, next.Hash)
	_, err = s.c.Read(t.Context(), next, s.cash())
	require.NoError(t, err)
}

func TestAnOlderHeadIsNotBelieved(t *testing.T) {
	s := start(t, double.Dialect{})
	head := s.head()
	s.node.SetFaults(double.Faults{Older: 2})
	for range 20 {
		b := s.head()
		require.Equal(t, head, b)
		answers, err := s.c.Read(t.Context(), head, s.cash()[:3])
		require.NoError(t, err)
		require.Equal(t, head.Number, answers[0].At.Number)
	}
}

func TestRateLimitsAreWaitedOut(t *testing.T) {
	for name, f := range map[string]double.Faults{
		"status 200 in disguise":     {Resources: 4},
		"status 503":                 {Busy: 4},
		"status 403 with suspension": {Quota: 3, Suspension: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, double.Dialect{})
			s.node.SetFaults(f)
			for range 6 {
				head := s.head()
				_, err := s.c.Read(t.Context(), head, s.cash()[:3])
				require.NoError(t, err)
			}
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	s := start(t, double.Dialect{})
	s.node.SetFaults(double.Faults{Quota: 1, Suspension: time.Hour})
	_, _ = s.c.Head(t.Context())
	_, err := s.c.Head(t.Context())
	require.ErrorIs(t, err, chains.ErrUnreachable)
	require.ErrorContains(t, err, "suspended")
}

func TestTimeoutsMakeCallsSmaller(t *testing.T) {
	for _, limit := range []uint64{60_000, 90_000, 200_000, 1_000_000} {
		s := start(t, double.Dialect{CPUGas: limit})
		s.node.SetFaults(double.Faults{Hiccups: 7})
		answers, err := s.c.Read(t.Context(), s.head(), s.cash())
		require.NoError(t, err, "limit %d", limit)
		require.Len(t, answers, 50)
	}
	s := start(t, double.Dialect{CPUGas: 25_000})
	_, err := s.c.Read(t.Context(), s.head(), s.cash())
	require.ErrorIs(t, err, chains.ErrUnreachable)
	require.ErrorContains(t, err, "a single view takes longer than the node allows")
}

func TestHolesInTheLogIndexAreFoundLater(t *testing.T) {
	s := start(t, double.Dialect{})
	ctx := t.Context()
	f := chains.Filter{Addresses: []chains.Address{s.w.Poster.Address}, Topics: []chains.Hash{abi.Topic("PricePosted(address,uint256,uint256,uint256)")}}
	last := s.head()
	_, err := s.c.Logs(ctx, f, last.Number-5, last)
	require.NoError(t, err)
	s.node.SetFaults(double.Faults{Holes: 3})
	seen := 0
	for i := range 30 {
		require.NoError(t, s.w.Post(ctx, "USDT", new(big.Int).Add(s.w.InTRX("USDT", 10_000, double.TRXPrice), big.NewInt(int64(i)))))
		head := s.head()
		logs, err := s.c.Logs(ctx, f, last.Number+1, head)
		require.NoError(t, err)
		seen += len(logs)
		last = head
	}
	require.GreaterOrEqual(t, seen, 29, "all but what the last request may have missed")
	require.LessOrEqual(t, seen, 30, "and none twice")
}

func TestWrongKeysAndChainsAreNamed(t *testing.T) {
	s := start(t, double.Dialect{APIKey: "0123-secret"})
	_, err := client(t, s.node.URL, http.Header{"TRON-PRO-API-KEY": {"0123-secret"}}).Head(t.Context())
	require.NoError(t, err)
	_, err = client(t, s.node.URL, http.Header{"TRON-PRO-API-KEY": {"4567-secret"}}).Head(t.Context())
	require.ErrorContains(t, err, "check the TRON-PRO-API-KEY header")
	require.NotContains(t, err.Error(), "4567")
	other, err := tron.New(tron.Config{Name: "nile", ChainID: 3448148188, Endpoints: []tron.Endpoint{{URL: s.node.URL, Header: http.Header{"TRON-PRO-API-KEY": {"0123-secret"}}}}}, zerolog.Nop())
	require.NoError(t, err)
	_, err = other.Capabilities(t.Context())
	require.ErrorIs(t, err, chains.ErrWrongChain)
	_, err = tron.New(tron.Config{Endpoints: []tron.Endpoint{{URL: "wss://api.trongrid.io"}}}, zerolog.Nop())
	require.ErrorContains(t, err, "TRON has no websocket")
}

// A key in the address must reach no error.
func TestSecretsStayOutOfErrors(t *testing.T) {
	c, err := tron.New(tron.Config{Name: "tron", Patience: 50 * time.Millisecond, Endpoints: []tron.Endpoint{{URL: "http://user:hunter2@127.0.0.1:1/v2/SECRETKEY/jsonrpc", RequestsPerSecond: 1000}}}, zerolog.Nop())
	require.NoError(t, err)
	_, err = c.Head(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "SECRETKEY")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestTheSolidityPortHasNoForks(t *testing.T) {
	s := start(t, double.Dialect{})
	solid, err := double.Serve(t.Context(), s.w.Node.Client, double.Dialect{Solid: true})
	require.NoError(t, err)
	c := client(t, solid.URL, nil)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, s.head().Number-19, head.Number)
	require.NoError(t, s.node.Fork(t.Context(), 3))
	answers, err := c.Read(t.Context(), head, s.cash()[:2])
	require.NoError(t, err)
	require.Equal(t, head, *answers[0].At)
}

func TestCancellationEndsWaiting(t *testing.T) {
	s := start(t, double.Dialect{})
	s.node.SetFaults(double.Faults{Resources: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := s.c.Head(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
