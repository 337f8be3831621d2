package tron

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

// asker speaks raw JSON-RPC to the double.
type asker struct {
	t *testing.T
	n *Node
	w *World
}

func newAsker(t *testing.T, d Dialect) *asker {
	t.Helper()
	ctx := t.Context()
	// A chain that begins at block 6,000, so that a range can be too long.
	node := anvil.Run(t, anvil.Options{BlockTime: 3, ChainID: ChainID, Args: []string{"--number", "6000"}})
	w, err := Deploy(ctx, node, Options{Markets: 3})
	require.NoError(t, err)
	require.NoError(t, node.MineBlocks(ctx, 30))
	n, err := Serve(ctx, node.Client, d)
	require.NoError(t, err)
	return &asker{t: t, n: n, w: w}
}

func (a *asker) post(body string) (int, string) {
	a.t.Helper()
	resp, err := http.Post(a.n.URL, "application/json", strings.NewReader(body))
	require.NoError(a.t, err)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return resp.StatusCode, string(raw)
}

// ask returns the result, or the error as "code message data".
func (a *asker) ask(method, params string) (json.RawMessage, string) {
	a.t.Helper()
	status, body := a.post(fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":%q,"params":%s}`, method, params))
	require.Equal(a.t, http.StatusOK, status, "errors of JSON-RPC come with status 200")
	var out struct {
		Result json.RawMessage
		Error  *struct {
			Code    int
			Message string
			Data    string
		}
	}
	require.NoError(a.t, json.Unmarshal([]byte(body), &out), body)
	if out.Error != nil {
		return nil, fmt.Sprintf("%d %s %s", out.Error.Code, out.Error.Message, out.Error.Data)
	}
	return out.Result, ""
}

func (a *asker) refused(want, method, params string) {
	a.t.Helper()
	_, err := a.ask(method, params)
	require.Equal(a.t, want, err, "%s %s", method, params)
}

// What java-tron is documented to answer: documentation of its JSON-RPC interface,
// method by method.
func TestDocumentedRefusals(t *testing.T) {
	a := newAsker(t, Dialect{Version: V480})
	j := a.w.Market("USDT").JToken.Address.String()
	call := fmt.Sprintf(`{"to":%q,"data":"0x95d89b41"}`, j)
	for tag, want := range map[string]string{
		`"finalized"`:                "-32602 TAG [earliest | pending | finalized] not supported {}",
		`"pending"`:                  "-32602 TAG [earliest | pending | finalized] not supported {}",
		`"safe"`:                     "-32602 invalid block number {}",
		`"0x10"`:                     "-32602 QUANTITY not supported, just support TAG as latest {}",
		`"16"`:                       "-32602 QUANTITY not supported, just support TAG as latest {}",
		`{}`:                         "-32600 invalid json request {}",
		`{"blockNumber":"0xffffff"}`: "-32000 header not found {}",
		`{"blockHash":"0x00000000000000010000000000000000000000000000000000000000000000ab"}`: "-32000 header for hash not found {}",
	} {
		a.refused(want, "eth_call", "["+call+","+tag+"]")
	}
	a.refused("-32602 method parameters invalid {}", "eth_call", fmt.Sprintf(`[{"to":%q,"input":"0x95d89b41"},"latest"]`, j))
	a.refused("-32602 method parameters invalid {}", "eth_call", fmt.Sprintf(`[{"to":%q,"data":"0x","accessList":"0x"},"latest"]`, j))
	a.refused("-32602 invalid address hash value {}", "eth_call", `[{"to":"TGjYzgCyPobsNS9n6WcbdLVR9dH7mWqFx7","data":"0x"},"latest"]`)
	a.refused("-32600 Smart contract is not exist. {}", "eth_call", `[{"to":"0x00000000000000000000000000000000000000aa","data":"0x"},"latest"]`)
	a.refused("-32000 REVERT opcode executed {}", "eth_call", fmt.Sprintf(`[{"to":%q,"data":"0xdeadbeef"},"latest"]`, j))
	a.refused("-32602 TAG pending not supported {}", "eth_getBlockByNumber", `["pending",false]`)
	a.refused("-32602 TAG safe not supported {}", "eth_getBlockByNumber", `["safe",false]`)
	a.refused("-32602 invalid block number {}", "eth_getBlockByNumber", `["soon",false]`)
	for _, absent := range []string{"eth_getTransactionCount", "eth_sendRawTransaction", "eth_subscribe", "eth_feeHistory", "debug_traceCall"} {
		_, err := a.ask(absent, `[]`)
		require.True(t, strings.HasPrefix(err, "-32601 "), err)
	}
	a.refused("-32602 exceed max block range: 5000 {}", "eth_getLogs", fmt.Sprintf(`[{"fromBlock":"0x0","toBlock":"latest","address":%q}]`, j))
	a.refused("-32602 please verify: fromBlock <= toBlock {}", "eth_getLogs", `[{"fromBlock":"0x9","toBlock":"0x8"}]`)
	a.refused("-32602 topics size should be <= 4 {}", "eth_getLogs", `[{"topics":[null,null,null,null,null]}]`)
	a.refused("-32602 TAG pending not supported {}", "eth_getLogs", `[{"fromBlock":"pending"}]`)
	a.refused("-32602 invalid address at index 0: 0x41"+j[2:]+" {}", "eth_getLogs", fmt.Sprintf(`[{"address":"0x41%s"}]`, j[2:]))
	tenThousand := "[" + strings.Repeat(`"`+strings.Repeat("0", 64)+`",`, 1000) + `"` + strings.Repeat("0", 64) + `"]`
	a.refused("-32602 exceed max topics: 1000 {}", "eth_getLogs", `[{"topics":[`+tenThousand+`]}]`)
	result, _ := a.ask("eth_getBlockByNumber", `["0xffffff",false]`)
	require.Equal(t, "null", string(result))
}

func TestAnswersByVersion(t *testing.T) {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{BlockTime: 3, ChainID: ChainID})
	w, err := Deploy(ctx, node, Options{Markets: 3})
	require.NoError(t, err)
	j := w.Risk.Address.String()
	bad := chains.Keccak([]byte("enterMarkets(address[])"))
	data := fmt.Sprintf("0x%x%064x%064x%064x", bad[:4], 32, 1, 1)
	for version, want := range map[string]struct{ input, revert, stamp bool }{
		V480: {false, false, false}, V481: {false, true, false}, V482: {true, true, true},
	} {
		n, err := Serve(ctx, node.Client, Dialect{Version: version})
		require.NoError(t, err)
		a := &asker{t: t, n: n, w: w}
		_, refused := a.ask("eth_call", fmt.Sprintf(`[{"to":%q,"input":"0x007e3dd2"},"latest"]`, j))
		require.Equal(t, want.input, refused == "", "%s takes input", version)
		_, refused = a.ask("eth_call", fmt.Sprintf(`[{"to":%q,"data":%q},"latest"]`, j, data))
		require.True(t, strings.HasPrefix(refused, "-32000 REVERT opcode executed: not listed "), refused)
		require.Equal(t, want.revert, strings.HasSuffix(refused, "00"), "%s gives the data of a revert", version)
		logs, _ := a.ask("eth_getLogs", fmt.Sprintf(`[{"fromBlock":"0x1","toBlock":"latest","address":%q}]`, j))
		require.Equal(t, want.stamp, strings.Contains(string(logs), "blockTimestamp"))
		require.Contains(t, string(logs), `"removed":false`)
		batch := "[" + strings.Repeat(`{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]},`, 100) + `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}]`
		_, body := a.post(batch)
		require.Equal(t, version == V482, strings.HasPrefix(body, "{"), "one object for a batch too large")
	}
}

func TestBlocksAreOfTheShapeThatEthereumDecodersRefuse(t *testing.T) {
	a := newAsker(t, Dialect{})
	raw, _ := a.ask("eth_getBlockByNumber", `["latest",false]`)
	var b map[string]any
	require.NoError(t, json.Unmarshal(raw, &b))
	// The members and values of the block printed in the documentation of eth_getBlockByNumber.
	for key, want := range map[string]any{
		"stateRoot": "0x", "difficulty": "0x0", "totalDifficulty": "0x0", "extraData": "0x", "nonce": "0x0000000000000000",
		"baseFeePerGas": "0x0", "sha3Uncles": zeroHash, "receiptsRoot": zeroHash, "mixHash": zeroHash, "logsBloom": zeroBloom,
	} {
		require.Equal(t, want, b[key], key)
	}
	require.Len(t, b, 21)
	number, _ := a.w.Node.BlockNumber(t.Context())
	require.Equal(t, fmt.Sprintf("0x%016x", number), b["hash"].(string)[:18])
	require.Equal(t, fmt.Sprintf("0x%016x", number-1), b["parentHash"].(string)[:18])
	parent, _ := a.ask("eth_getBlockByNumber", fmt.Sprintf(`["%d",false]`, number-1))
	require.Contains(t, string(parent), fmt.Sprintf(`"hash":%q`, b["parentHash"]))
	byHash, _ := a.ask("eth_getBlockByHash", fmt.Sprintf(`[%q,false]`, b["hash"]))
	require.JSONEq(t, string(raw), string(byHash))
	require.True(t, bytes.Index(raw, []byte(`"baseFeePerGas"`)) < bytes.Index(raw, []byte(`"uncles"`)), "keys are in alphabetical order")
	final, _ := a.ask("eth_getBlockByNumber", `["finalized",false]`)
	require.Contains(t, string(final), fmt.Sprintf(`"number":"0x%x"`, number-19))
	eth, err := ethclient.Dial(a.n.URL)
	require.NoError(t, err)
	defer eth.Close()
	_, err = eth.HeaderByNumber(t.Context(), nil)
	require.ErrorContains(t, err, "hex string has length 0, want 64")
	id, err := eth.ChainID(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(ChainID), id.Int64())
}

func TestACallThatNeedsTooMuchTimesOut(t *testing.T) {
	a := newAsker(t, Dialect{CPUGas: 30_000})
	c := a.w.Risk.Address.String()
	_, err := a.ask("eth_call", fmt.Sprintf(`[{"to":%q,"data":"0xb0772d0b"},"latest"]`, c)) // getAllMarkets()
	require.Equal(t, "-32000 CPU timeout for 'SLOAD' operation executing {}", err)
	_, err = a.ask("eth_call", fmt.Sprintf(`[{"to":%q,"data":"0x007e3dd2"},"latest"]`, c)) // isComptroller()
	require.Empty(t, err)
}

func TestRefusalsOfTheGateway(t *testing.T) {
	a := newAsker(t, Dialect{})
	body := `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}`
	a.n.SetFaults(Faults{Resources: 2})
	_, first := a.post(body)
	require.Contains(t, first, "0x2b6653dc")
	status, second := a.post(body)
	require.Equal(t, 200, status)
	require.Equal(t, `{"Error":"class java.lang.IllegalAccessException : lack of computing resources"}`, second)
	a.n.SetFaults(Faults{Quota: 1, Suspension: 300 * time.Millisecond})
	_, _ = a.post(body)
	status, text := a.post(body)
	require.Equal(t, 403, status)
	require.Equal(t, `{"Error":"The key exceeds the frequency limit(1), and the query server is suspended for 1s"}`, text)
	resp, err := http.Get(a.n.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
}

func TestForksReplaceBlocksSilently(t *testing.T) {
	a := newAsker(t, Dialect{})
	before, _ := a.ask("eth_getBlockByNumber", `["latest",false]`)
	require.NoError(t, a.n.Fork(t.Context(), 3))
	after, _ := a.ask("eth_getBlockByNumber", `["latest",false]`)
	var x, y struct{ Number, Hash, Timestamp string }
	require.NoError(t, json.Unmarshal(before, &x))
	require.NoError(t, json.Unmarshal(after, &y))
	require.Equal(t, x.Number, y.Number)
	require.NotEqual(t, x.Hash, y.Hash)
	require.NotEqual(t, x.Timestamp, y.Timestamp)
}
