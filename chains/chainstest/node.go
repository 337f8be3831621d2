package chainstest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// TB is what is needed of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// Behaviour is how a node differs from an honest one without limits. The zero
// value is honest and unlimited.
type Behaviour struct {
	Lie   string // name of a [Lies] entry
	Fault string // name of a [Faults] entry

	Lag   uint64        // blocks that this node does not know yet
	Delay time.Duration // before each answer

	ChainID uint64 // told in place of the chain's

	MaxRange     uint64 // blocks in one eth_getLogs; 0 is unlimited
	RangeError   RPCError
	MaxLogs      int // logs in one answer
	LogsError    RPCError
	MaxAddresses int
	MaxBatch     int // calls in one JSON-RPC batch
	MaxData      int // bytes of calldata

	NoOverrides     bool // a third argument of eth_call is refused
	IgnoreOverrides bool // ... is taken and not heeded
	WipeOverridden  bool // ... empties the storage of contracts whose code is replaced
	NoInitcode      bool // eth_call without to is refused
	NoBlockHash     bool // block references are numbers and tags only
	NoCanonical     bool // ... or a block hash alone
	NoLogsByHash    bool
	NoFinalized     bool
	IgnorePin       bool   // reads are answered at the head, whatever block is named
	Pruned          uint64 // depth from which on states are gone; 0 keeps all
	Gas             uint64 // of an eth_call; 50 million when 0

	RateLimit  int // questions a second, over which 429 is answered
	RetryAfter string
}

// RPCError is the error a node gives.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
	HTTP    int    `json:"-"` // status; 200 when 0
}

func (e *RPCError) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Message) }

// Node serves a chain over HTTP.
type Node struct {
	Chain *Chain
	URL   string

	tb   TB
	mu   sync.Mutex
	b    Behaviour
	log  []Asked
	past []time.Time
	quit chan struct{}

	listeners []func(any) // of newHeads
}

// Asked is one question that a node was asked.
type Asked struct {
	Method string
	Params json.RawMessage
	At     time.Time
}

// NewNode serves a chain until the test ends. Questions that no client should ask
// (unknown methods, malformed arguments) fail the test.
func NewNode(tb TB, c *Chain) *Node {
	tb.Helper()
	n := &Node{Chain: c, tb: tb, quit: make(chan struct{})}
	s := httptest.NewServer(n)
	n.URL = s.URL
	tb.Cleanup(func() {
		close(n.quit)
		s.CloseClientConnections()
		s.Close()
	})
	return n
}

// Behave changes how the node answers from now on.
func (n *Node) Behave(b Behaviour) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.b = b
}

// Asked is what the node was asked since the last Forget.
func (n *Node) Asked(method string) []Asked {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []Asked
	for _, a := range n.log {
		if method == "" || a.Method == method {
			out = append(out, a)
		}
	}
	return out
}

// Forget empties the list of questions.
func (n *Node) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = nil
}

type rpcRequest struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method"`
	Params  []json.RawMessage `json:"params"`
}

type rpcAnswer struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Result  any             `json:"result,omitempty"`
	Error   *RPCError       `json:"error,omitempty"`
}

// nothing is a null result.
var nothing = json.RawMessage("null")

func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		n.serveWS(w, r)
		return
	}
	if body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20)); err == nil {
		n.serve(w, r, body)
	}
}

func (n *Node) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	n.mu.Lock()
	b := n.b
	n.mu.Unlock()
	if b.Delay > 0 && !n.wait(r, b.Delay) {
		return
	}
	if f, ok := Faults[b.Fault]; ok {
		if f(n, w, r) {
			return
		}
	}
	requests, batch, err := parse(body)
	if err != nil {
		n.tb.Errorf("node asked what is not JSON-RPC: %v", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if n.throttled(w, b, len(requests)) {
		return
	}
	if batch && b.MaxBatch > 0 && len(requests) > b.MaxBatch {
		write(w, rpcAnswer{Version: "2.0", ID: nothing, Error: &RPCError{Code: -32005, Message: "Batch size too large"}})
		return
	}
	answers := make([]any, len(requests))
	for i, req := range requests {
		answers[i] = n.answer(b, req)
	}
	lie := lies[b.Lie]
	if lie.body != nil {
		lie.body(n, w, requests, answers)
		return
	}
	if batch {
		write(w, answers)
		return
	}
	if a, ok := answers[0].(rpcAnswer); ok && a.Error != nil && a.Error.HTTP != 0 {
		w.WriteHeader(a.Error.HTTP)
	}
	write(w, answers[0])
}

// wait reports false when the client went away or the test ended first.
func (n *Node) wait(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
	case <-n.quit:
	}
	return false
}

func parse(body []byte) (out []rpcRequest, batch bool, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		err = json.Unmarshal(body, &out)
		return out, true, err
	}
	var one rpcRequest
	err = json.Unmarshal(body, &one)
	return []rpcRequest{one}, false, err
}

// throttled answers 429 when a second held too many questions.
func (n *Node) throttled(w http.ResponseWriter, b Behaviour, asked int) bool {
	if b.RateLimit == 0 {
		return false
	}
	n.mu.Lock()
	now := time.Now()
	for len(n.past) > 0 && now.Sub(n.past[0]) >= time.Second {
		n.past = n.past[1:]
	}
	over := len(n.past)+asked > b.RateLimit
	if !over {
		for range asked {
			n.past = append(n.past, now)
		}
	}
	n.mu.Unlock()
	if over {
		if b.RetryAfter != "" {
			w.Header().Set("Retry-After", b.RetryAfter)
		}
		w.WriteHeader(http.StatusTooManyRequests)
	}
	return over
}

func (n *Node) answer(b Behaviour, req rpcRequest) any {
	raw, _ := json.Marshal(req.Params)
	n.mu.Lock()
	n.log = append(n.log, Asked{req.Method, raw, time.Now()})
	n.mu.Unlock()
	a := rpcAnswer{Version: "2.0", ID: req.ID}
	if req.Version != "2.0" || len(req.ID) == 0 {
		n.tb.Errorf("request without version or id")
	}
	result, err := n.dispatch(b, req)
	if err != nil {
		a.Error = err
	} else {
		a.Result = result
	}
	if lie := lies[b.Lie]; lie.answer != nil && (lie.method == "" || lie.method == req.Method) {
		a = lie.answer(n, b, req, a)
	}
	return a
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away is no fault of the test
}

func hexBytes(s string) ([]byte, error) {
	body, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return nil, fmt.Errorf("hex data %q without 0x", s)
	}
	return hex.DecodeString(body)
}

func hexData(b []byte) string { return "0x" + hex.EncodeToString(b) }

func hexNumber(n uint64) string { return fmt.Sprintf("0x%x", n) }
