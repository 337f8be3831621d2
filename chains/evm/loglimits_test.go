package evm

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
	"liqwatch/chains/chainstest"
)

// refusals are what nodes and providers are known to answer, with what they mean.
var refusals = []struct {
	who, json string
	kind      kind
	span      uint64
}{
	{"Infura, documented", `{"code":-32005,"message":"query returned more than 10000 results"}`, kindResults, 0},
	{"Infura, hint", `{"code":-32005,"message":"query returned more than 10000 results. Try with this block range [0x100, 0x1ff].","data":{"from":"0x100","limit":10000,"to":"0x1FF"}}`, kindResults, 256},
	{"Infura, live", `{"code":-32602,"message":"range 1000000 exceeds limit of 10000"}`, kindRange, 10000},
	{"Infura, seconds", `{"code":-32005,"message":"daily request count exceeded, request rate limited"}`, kindRate, 0},
	{"Infura, rate", `{"code":-32005,"message":"project ID request rate exceeded"}`, kindRate, 0},
	{"Alchemy", `{"code":-32602,"message":"Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x0, 0x1f]"}`, kindResults, 32},
	{"Alchemy, free", `{"code":-32600,"message":"Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Based on your parameters, this block range should work: [0x10, 0x19]."}`, kindRange, 10},
	{"Alchemy, size", `{"code":-32008,"message":"Response size is larger than 150MB limit."}`, kindResults, 0},
	{"Alchemy, rate", `{"code":429,"message":"Your app has exceeded its compute units per second capacity."}`, kindRate, 0},
	{"QuickNode, paid", `{"code":-32614,"message":"eth_getLogs is limited to a 10,000 range"}`, kindRange, 10000},
	{"QuickNode, trial", `{"code":-32614,"message":"eth_getLogs is limited to a 5 range"}`, kindRange, 5},
	{"QuickNode, plan", `{"code":-32615,"message":"eth_getLogs is limited to 0 - 5 blocks range"}`, kindRange, 5},
	{"QuickNode, rate", `{"code":-32007,"message":"50/second request limit reached - reduce calls per second or upgrade your account"}`, kindRate, 0},
	{"Ankr", `{"code":-32000,"message":"block range is too wide"}`, kindRange, 0},
	{"Ankr, logs", `{"code":-32062,"message":"Block range is too large, max logs 200000 in response"}`, kindResults, 0},
	{"dRPC", `{"code":35,"message":"ranges over 10000 blocks are not supported on freetier"}`, kindRange, 10000},
	{"dRPC, results", `{"code":-32000,"message":"query exceeds max results 20000, retry with the range 100-200"}`, kindResults, 0},
	{"BlockPI", `{"code":-32602,"message":"eth_getLogs is limited to 1024 block range. Please check the parameter requirements at https://docs.blockpi.io"}`, kindRange, 1024},
	{"Chainstack, TRON", `{"code":-32602,"message":"exceed max block range: 5000"}`, kindRange, 5000},
	{"Chainstack", `{"code":-32000,"message":"Block range limit exceeded. See more details at https://docs.chainstack.com"}`, kindRange, 0},
	{"Cloudflare", `{"code":-32047,"message":"Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800"}`, kindRange, 800},
	{"Base, no backend", `{"code":-32011,"message":"no backend is currently healthy to serve traffic"}`, kindRange, 0},
	{"Base", `{"code":-32020,"message":"block range too large; max 10000 blocks"}`, kindRange, 10000},
	{"BSC", `{"code":-32000,"message":"exceed maximum block range: 5000"}`, kindRange, 5000},
	{"BSC, new", `{"code":-32005,"message":"limit exceeded"}`, kindResults, 0},
	{"Polygon", `{"code":-32000,"message":"Block range is too large"}`, kindRange, 0},
	{"Optimism", `{"code":-32000,"message":"backend response too large"}`, kindResults, 0},
	{"Arbitrum", `{"code":-32000,"message":"logs matched by query exceeds limit of 10000"}`, kindResults, 0},
	{"zkSync", `{"code":-32602,"message":"Query returned more than 10000 results. Try with this block range [0x1, 0x80]."}`, kindResults, 128},
	{"Avalanche", `{"code":-32000,"message":"requested too many blocks from 0 to 10000, maximum is set to 2048"}`, kindRange, 2048},
	{"Harmony", `{"code":-32000,"message":"query must be smaller than size 1024"}`, kindRange, 1024},
	{"Fantom", `{"code":-32000,"message":"too wide blocks range, the limit is 100000"}`, kindRange, 100000},
	{"Moonbeam", `{"code":-32603,"message":"block range is too wide (maximum 1024)"}`, kindRange, 1024},
	{"Tenderly", `{"code":-32602,"message":"Too many blocks requested. Maximum allowed is 10000"}`, kindRange, 10000},
	{"1rpc", `{"code":-32001,"message":"eth_getLogs is limited to 0 - 10000 blocks range"}`, kindRange, 10000},
	{"publicnode", `{"code":-32701,"message":"exceed maximum block range: 50000"}`, kindRange, 50000},
	{"llamarpc", `{"code":-32602,"message":"query exceeds limit. range too large, max: 1k blocks"}`, kindRange, 1000},
	{"merkle", `{"code":-32602,"message":"some arguments are invalid. error: range is larger than allowed: 1000"}`, kindRange, 1000},
	{"erigon", `{"code":-32000,"message":"query block range exceeds server limit"}`, kindRange, 0},
	{"geth", `{"code":-32602,"message":"exceed max topics"}`, kindAddresses, 0},
	{"geth, range", `{"code":-32602,"message":"exceed maximum block range 10000"}`, kindRange, 10000},
	{"nethermind", `{"code":-32005,"message":"Too many logs requested. Max logs per response is 20000."}`, kindResults, 0},
	{"besu", `{"code":-32005,"message":"Requested range exceeds maximum range limit"}`, kindRange, 0},
	{"reth", `{"code":-32602,"message":"query exceeds max block range 100000"}`, kindRange, 100000},
	{"reth, results", `{"code":-32602,"message":"query exceeds max results 20000, retry with the range 10-20"}`, kindResults, 0},
	{"java-tron, results", `{"code":-32005,"message":"query returned more than 10000 results"}`, kindResults, 0},
	{"java-tron, addresses", `{"code":-32602,"message":"exceed max addresses: 1000"}`, kindAddresses, 0},
	{"TronGrid", `{"code":-32000,"message":"The key exceeds the frequency limit(15), and the query server is suspended for 25s"}`, kindRate, 0},
	{"TronGrid, old", `{"code":403,"message":"request exceeded the allowed_rps(10), and the query server is suspended for 5 s"}`, kindRate, 0},
	{"java-tron, busy", `{"code":-32000,"message":"this node is lack of computing resources"}`, kindRate, 0},
	{"geth, pruned", `{"code":-32000,"message":"missing trie node 5a1b (path ) state 0x5a1b is not available"}`, kindPruned, 0},
	{"reth, pruned", `{"code":4444,"message":"state at block #100 is pruned"}`, kindPruned, 0},
	{"erigon, pruned", `{"code":-32000,"message":"old data not available due to pruning"}`, kindPruned, 0},
	{"nethermind, pruned", `{"code":-32000,"message":"No state available for block 0x12"}`, kindPruned, 0},
	{"geth, orphan", `{"code":-32000,"message":"hash is not currently canonical"}`, kindNotCanonical, 0},
	{"geth, unknown", `{"code":-32000,"message":"header not found"}`, kindNoBlock, 0},
	{"geth, logs", `{"code":-32000,"message":"unknown block"}`, kindNoBlock, 0},
	{"geth, revert", `{"code":3,"message":"execution reverted: too much","data":"0x08c379a0"}`, kindRevert, 0},
	{"old geth, revert", `{"code":-32000,"message":"execution reverted: block range is too wide"}`, kindRevert, 0},
	{"java-tron, revert", `{"code":-32000,"message":"REVERT opcode executed"}`, kindRevert, 0},
	{"anvil, opcode", `{"code":-32603,"message":"EVM error InvalidFEOpcode"}`, kindGas, 0},
	{"openethereum, revert", `{"code":-32015,"message":"VM execution error.","data":"Reverted 0x1234"}`, kindRevert, 0},
	{"geth, gas", `{"code":-32000,"message":"out of gas"}`, kindGas, 0},
	{"geth, time", `{"code":-32000,"message":"execution aborted (timeout = 5s)"}`, kindGas, 0},
	{"java-tron, time", `{"code":-32000,"message":"CPU timeout for 'DUP1' operation executing"}`, kindGas, 0},
	{"geth, method", `{"code":-32601,"message":"the method eth_foo does not exist/is not available"}`, kindUnsupported, 0},
	{"geth, arguments", `{"code":-32602,"message":"too many arguments, want at most 2"}`, kindUnsupported, 0},
	{"key", `{"code":-32000,"message":"Unauthorized: invalid API key"}`, kindAuth, 0},
	{"nobody knows", `{"code":-32000,"message":"the dog ate it"}`, kindTransient, 0},
}

func TestRefusalsAreUnderstood(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.who, func(t *testing.T) {
			var f *fault
			require.True(t, errors.As(decodeRPCError(json.RawMessage(r.json)), &f))
			assert.Equal(t, r.kind, f.kind, "%s", r.json)
			assert.Equal(t, r.span, f.span, "%s", r.json)
		})
	}
}

// Whatever a node's limit and words, the number of questions stays within what a
// bisection needs, and the answer is whole.
func TestRangesAreSplitByWhatTheNodeBears(t *testing.T) {
	chain := world(600)
	for _, r := range refusals {
		if r.kind != kindRange && r.kind != kindTransient {
			continue
		}
		t.Run(r.who, func(t *testing.T) {
			t.Parallel()
			var e chainstest.RPCError
			require.NoError(t, json.Unmarshal([]byte(r.json), &e))
			limit := uint64(37)
			if r.span > 0 {
				limit = min(r.span, 600)
			}
			node := chainstest.NewNode(t, chain)
			node.Behave(chainstest.Behaviour{MaxRange: limit, RangeError: e})
			c := client(t, Config{ChainID: 1}, node)
			head, err := c.Head(t.Context())
			require.NoError(t, err)
			node.Forget()
			logs, err := c.Logs(t.Context(), follow, 0, head)
			require.NoError(t, err)
			require.True(t, sameLogs(logs, chain.Logs(0, 600, follow.Match)))
			asked := len(node.Asked("eth_getLogs"))
			if r.kind == kindTransient {
				// A refusal that does not speak of ranges is tried once more before it is taken for a limit.
				for range 3 {
					_, err = c.Logs(t.Context(), follow, 0, head)
					require.NoError(t, err)
				}
			}
			span, _ := c.pool.nodes[0].limits.now()
			assert.LessOrEqual(t, span, max(limit, 1))
			needed := int((601 + span - 1) / span)
			// The last stretch may be cut off before the node's limit is known.
			assert.LessOrEqual(t, asked, needed+bits.Len64(firstSpan)+2, "asked %d times for %d pieces", asked, needed)
			node.Forget()
			_, err = c.Logs(t.Context(), follow, 0, head)
			require.NoError(t, err)
			assert.LessOrEqual(t, len(node.Asked("eth_getLogs")), needed+2, "the limit was not remembered")
		})
	}
}

func TestTooManyResultsAndAddresses(t *testing.T) {
	chain := world(200)
	node := chainstest.NewNode(t, chain)
	node.Behave(chainstest.Behaviour{MaxLogs: 20, MaxAddresses: 3})
	c := client(t, Config{ChainID: 1}, node)
	f := chains.Filter{Topics: follow.Topics}
	for i := range 20 {
		f.Addresses = append(f.Addresses, chains.Address{1, byte(i)})
	}
	f.Addresses = append(f.Addresses, follow.Addresses...)
	head, err := c.Head(t.Context())
	require.NoError(t, err)
	logs, err := c.Logs(t.Context(), f, 0, head)
	require.NoError(t, err)
	require.True(t, sameLogs(logs, chain.Logs(0, 200, follow.Match)))
}

// Any limit, any range, any mixture of refusals: all logs, once each, in order.
func TestAnyLimitGivesAllLogs(t *testing.T) {
	chain := world(150)
	node := chainstest.NewNode(t, chain)
	rapid.Check(t, func(rt *rapid.T) {
		r := refusals[rapid.IntRange(0, len(refusals)-1).Draw(rt, "words")]
		e := chainstest.RPCError{Code: -32000, Message: "nope"}
		if r.kind == kindRange {
			require.NoError(t, json.Unmarshal([]byte(r.json), &e))
		}
		node.Behave(chainstest.Behaviour{
			MaxRange: uint64(rapid.IntRange(1, 200).Draw(rt, "range")), RangeError: e,
			MaxLogs: rapid.IntRange(2, 400).Draw(rt, "logs"), NoLogsByHash: rapid.Bool().Draw(rt, "byNumber"),
		})
		c := client(t, Config{ChainID: 1}, node)
		defer c.Close()
		to := uint64(rapid.IntRange(0, 150).Draw(rt, "to"))
		from := uint64(rapid.IntRange(0, int(to)).Draw(rt, "from"))
		b, err := c.Block(t.Context(), to)
		if err != nil {
			rt.Fatal(err)
		}
		logs, err := c.Logs(t.Context(), follow, from, b)
		if err != nil {
			rt.Fatal(err)
		}
		if want := chain.Logs(from, to, follow.Match); !sameLogs(logs, want) {
			rt.Fatal(fmt.Sprintf("%d logs, want %d", len(logs), len(want)))
		}
	})
}
