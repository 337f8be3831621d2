package tron

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

// Versions of java-tron that the double can be.
const (
	V480 = "4.8.0"
	V481 = "4.8.1"
	V482 = "4.8.2"
)

// Dialect is how the double speaks when nothing is wrong with it.
type Dialect struct {
	// Version of java-tron; 4.8.0, the strictest, when empty.
	Version string
	// CPUGas stands for the 80 ms that a constant call may take: a call that needs
	// more gas times out. 0: no limit.
	CPUGas uint64
	// APIKey that TRON-PRO-API-KEY must hold; none is asked for when empty.
	APIKey string
	// Depth is how many blocks "finalized" trails the head; 19 when 0.
	Depth uint64
	// Solid makes it the solidity port: its latest block is the finalized one.
	Solid bool
}

// CPULimit is the usual budget of a call: about a dozen account snapshots.
const CPULimit = 600_000

// Node is the double: an HTTP server on loopback.
type Node struct {
	URL     string // .../jsonrpc
	dialect Dialect
	evm     *anvil.Client
	server  *http.Server

	moving sync.Mutex

	mu     sync.Mutex
	faults Faults
	counts map[string]int // requests by method; a batch counts each of its members
	state  faultState
	codes  map[string]bool // addresses known to hold code
}

// Serve starts the double in front of an EVM; it ends with the context or Close.
func Serve(ctx context.Context, evm *anvil.Client, d Dialect) (*Node, error) {
	return ServeOn(ctx, evm, d, "127.0.0.1:0")
}

// ServeOn is Serve on a given address of this machine.
func ServeOn(ctx context.Context, evm *anvil.Client, d Dialect, listen string) (*Node, error) {
	if d.Version == "" {
		d.Version = V480
	}
	if !slices.Contains([]string{V480, V481, V482}, d.Version) {
		return nil, fmt.Errorf("double of a TRON node: version %q: want %s, %s or %s", d.Version, V480, V481, V482)
	}
	if d.Depth == 0 {
		d.Depth = 19
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("double of a TRON node: %w", err)
	}
	n := &Node{URL: "http://" + l.Addr().String() + "/jsonrpc", dialect: d, evm: evm, counts: map[string]int{}, codes: map[string]bool{}}
	n.server = &http.Server{Handler: n, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = n.server.Serve(l) }()
	context.AfterFunc(ctx, n.Close)
	return n, nil
}

// Close stops the double at once.
func (n *Node) Close() { _ = n.server.Close() }

// Requests is how many requests of a method came, members of a batch counted; ""
// is all of them.
func (n *Node) Requests(method string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.counts[method]
}

// ResetRequests starts counting anew.
func (n *Node) ResetRequests() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.counts)
}

// maxMessage is node.jsonrpc.maxMessageSize.
const maxMessage = 4 << 20

// ServeHTTP answers POST /jsonrpc and nothing else.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/jsonrpc" {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxMessage+1))
	switch {
	case err != nil:
		return
	case len(body) > maxMessage:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if status, text := n.refuse(r.Header, body); text != "" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
		return
	}
	w.Header().Set("Content-Type", "application/json-rpc")
	_, _ = w.Write(n.answer(r.Context(), body))
}

type request struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method"`
	Params  []json.RawMessage `json:"params"`
}

// maxBatch is node.jsonrpc.maxBatchSize, since 4.8.2.
const maxBatch = 100

func (n *Node) answer(ctx context.Context, body []byte) []byte {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "[") {
		var batch []request
		if err := json.Unmarshal(body, &batch); err != nil {
			return encode(failure(nil, fail(-32700, "JSON parse error")))
		}
		if n.dialect.Version == V482 && len(batch) > maxBatch {
			return encode(failure(nil, fail(-32005, fmt.Sprintf("Batch size %d exceeds the limit of %d", len(batch), maxBatch))))
		}
		out := make([]map[string]any, 0, len(batch))
		for _, q := range batch {
			out = append(out, n.one(ctx, q))
		}
		return encode(out)
	}
	var q request
	if err := json.Unmarshal(body, &q); err != nil {
		return encode(failure(nil, fail(-32700, "JSON parse error")))
	}
	return encode(n.one(ctx, q))
}

// encode writes keys in alphabetical order, as java-tron does.
func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings and numbers always encode
	}
	return raw
}

// rpcError is an error answer.
type rpcError struct {
	code    int
	message string
	data    string
}

// Error is the message.
func (e *rpcError) Error() string { return e.message }

func fail(code int, message string) *rpcError {
	return &rpcError{code: code, message: message, data: "{}"}
}

func failure(id json.RawMessage, e *rpcError) map[string]any {
	return map[string]any{"jsonrpc": "2.0", "id": id, "error": map[string]any{"code": e.code, "message": e.message, "data": e.data}}
}

func (n *Node) one(ctx context.Context, q request) map[string]any {
	n.mu.Lock()
	n.counts[q.Method]++
	n.counts[""]++
	n.mu.Unlock()
	result, err := n.dispatch(ctx, q.Method, q.Params)
	if err == nil {
		return map[string]any{"jsonrpc": "2.0", "id": q.ID, "result": result}
	}
	var e *rpcError
	if !errors.As(err, &e) {
		e = fail(-32603, "Internal error")
	}
	return failure(q.ID, e)
}

type method func(*Node, context.Context, []json.RawMessage) (any, error)

func constant(v any) method {
	return func(*Node, context.Context, []json.RawMessage) (any, error) { return v, nil }
}

var chainIDHex = fmt.Sprintf("0x%x", ChainID)

var methods = map[string]method{
	"eth_chainId": constant(chainIDHex), "net_version": constant(chainIDHex),
	"net_listening": constant(true), "net_peerCount": constant("0x1e"), "eth_syncing": constant(false),
	"eth_protocolVersion": constant("0x1f"), "eth_gasPrice": constant("0x64"), "eth_accounts": constant([]string{}),
	"web3_clientVersion": (*Node).clientVersion, "eth_blockNumber": (*Node).blockNumber,
	"eth_getBlockByNumber": (*Node).blockByNumber, "eth_getBlockByHash": (*Node).blockByHash,
	"eth_call": (*Node).call, "eth_getLogs": (*Node).logs,
	"eth_getBalance": (*Node).balance, "eth_getCode": (*Node).code, "eth_getStorageAt": (*Node).storage,
}

func (n *Node) dispatch(ctx context.Context, name string, params []json.RawMessage) (any, error) {
	m, ok := methods[name]
	if !ok {
		return nil, fail(-32601, "the method "+name+" does not exist/is not available")
	}
	return m(n, ctx, params)
}

func (n *Node) clientVersion(context.Context, []json.RawMessage) (any, error) {
	return "TRON/v" + n.dialect.Version + "/Linux/Java1.8/GreatVoyage-v" + n.dialect.Version, nil
}

// head is the number of the block that this request takes for the latest.
func (n *Node) head(ctx context.Context) (uint64, error) {
	number, err := n.evm.BlockNumber(ctx)
	if err != nil {
		return 0, err
	}
	back := n.older()
	if n.dialect.Solid {
		back += n.dialect.Depth
	}
	return number - min(back, number), nil
}

func (n *Node) blockNumber(ctx context.Context, _ []json.RawMessage) (any, error) {
	number, err := n.head(ctx)
	return fmt.Sprintf("0x%x", number), err
}

// ID is a block's id as TRON writes it: the height, then 24 bytes of the hash.
func ID(number uint64, hash chains.Hash) chains.Hash {
	for i := range 8 {
		hash[i] = byte(number >> (56 - 8*i))
	}
	return hash
}
