package tron

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
)

func TestRateLimitsInAllTheirDisguises(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		kind   kind
		wait   time.Duration
	}{
		"node":       {200, nil, `{"Error":"class java.lang.IllegalAccessException : lack of computing resources"}`, kindRate, 0},
		"suspension": {403, nil, `{"Error":"The key exceeds the frequency limit(15), and the query server is suspended for 30s"}`, kindRate, 30 * time.Second},
		"short":      {403, nil, `{"Error":"exceeded the allowed_rps(10), suspended for 5 s"}`, kindRate, 5 * time.Second},
		"bare 403":   {403, nil, ``, kindRate, 30 * time.Second},
		"429":        {429, http.Header{"Retry-After": {"7"}}, ``, kindRate, 7 * time.Second},
		"503":        {503, nil, `<html>`, kindRate, 0},
		"v1":         {200, nil, `{"success":false,"error":"x","statusCode":403}`, kindRate, 0},
		"401":        {401, nil, `{"Error":"ApiKey not exists"}`, kindAuth, 0},
		"413":        {413, nil, ``, kindTooLarge, 0},
		"500":        {500, nil, ``, kindTransient, 0},
	} {
		f := classifyHTTP(c.status, c.header, []byte(c.body))
		require.NotNil(t, f, name)
		require.Equal(t, c.kind, f.kind, name)
		require.Equal(t, c.wait, f.wait, name)
	}
	require.Nil(t, classifyHTTP(200, nil, []byte(`{"jsonrpc":"2.0","id":1,"result":null}`)))
	require.Nil(t, classifyHTTP(200, nil, []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"x"}}`)))
}

func TestErrorsByTheirWords(t *testing.T) {
	for text, want := range map[string]kind{
		"CPU timeout for 'DUP1' operation executing": kindTimeout, "exceed max block range: 5000": kindRange,
		"query returned more than 10000 results": kindResults, "Batch size 101 exceeds the limit of 100": kindTooLarge,
		"REVERT opcode executed: nope": kindRevert, "Smart contract is not exist.": kindNoContract,
		"QUANTITY not supported, just support TAG as latest": kindRefused, "Response exceeds the limit of 26214400": kindTooLarge,
		"eth_getLogs range is too large, max is 1k blocks": kindRange,
	} {
		require.Equal(t, want, classifyRPC(-32000, text, nil).kind, text)
	}
}

func TestAggregateRoundTrip(t *testing.T) {
	// A real answer of aggregate3 is what the double's contract returns; here the
	// decoder is held to refuse everything that was cut or bent.
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "answer")
		n := rapid.IntRange(0, 5).Draw(t, "n")
		out, err := decodeAggregate(raw, n)
		if err == nil && len(out) != n {
			t.Fatalf("%d answers, want %d", len(out), n)
		}
	})
}

func TestBlocksOfAnotherHeightAreRefused(t *testing.T) {
	good := rpcBlock{Number: "0x5", Timestamp: "0x10"}
	good.Hash[7], good.ParentHash[7] = 5, 4
	b, err := good.block()
	require.NoError(t, err)
	require.Equal(t, chains.Block{Number: 5, Hash: good.Hash, Parent: good.ParentHash, Time: 16}, b)
	bad := good
	bad.Hash[7] = 6
	_, err = bad.block()
	require.ErrorContains(t, err, "of another height")
	bad = good
	bad.ParentHash[7] = 5
	_, err = bad.block()
	require.ErrorContains(t, err, "of another height")
}

func FuzzDecodeAggregate(f *testing.F) {
	f.Add(encodeAggregate([]chains.Read{chains.View(chains.Address{1}, []byte{1, 2, 3})}), 1)
	f.Fuzz(func(_ *testing.T, raw []byte, n int) {
		if n >= 0 && n < 1000 {
			_, _ = decodeAggregate(raw, n)
		}
	})
}
