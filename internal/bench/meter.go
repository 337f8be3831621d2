// Package bench measures what reading a market costs, against the usual way of
// doing it, on the same node in the same run.
package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Meter stands between a client and a node. It counts what passes, adds a delay to
// every round trip, and can refuse long log ranges as providers do. What it
// counts is seen on the wire, so it trusts neither side's own count.
type Meter struct {
	URL      string // where clients connect
	node     string
	delay    time.Duration
	logRange uint64
	client   *http.Client
	server   *http.Server

	mu    sync.Mutex
	count Count
}

// Count is what passed a meter.
type Count struct {
	Requests int // JSON-RPC requests; a batch of n counts n
	Trips    int // HTTP round trips
	Up, Down int64
	Methods  map[string]int
}

// NewMeter listens on a loopback port in front of a node. A logRange of zero
// refuses nothing.
func NewMeter(ctx context.Context, node string, delay time.Duration, logRange uint64) (*Meter, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the meter: %w", err)
	}
	m := &Meter{
		URL: "http://" + l.Addr().String(), node: node, delay: delay, logRange: logRange,
		client: &http.Client{Timeout: 5 * time.Minute},
		count:  Count{Methods: map[string]int{}},
	}
	m.server = &http.Server{Handler: m, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = m.server.Serve(l) }()
	return m, nil
}

// Close stops listening.
func (m *Meter) Close() error { return m.server.Close() }

// Count is what has passed so far.
func (m *Meter) Count() Count {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.count
	c.Methods = map[string]int{}
	for k, v := range m.count.Methods {
		c.Methods[k] = v
	}
	return c
}

// Bytes are those of both directions.
func (c Count) Bytes() int64 { return c.Up + c.Down }

// Per is how often a method was asked for each of so many blocks; for all where none
// were followed.
func (c Count) Per(method string, blocks int) float64 {
	return float64(c.Methods[method]) / float64(max(1, blocks))
}

// Since is what has passed since an earlier count.
func (c Count) Since(before Count) Count {
	d := Count{
		Requests: c.Requests - before.Requests, Trips: c.Trips - before.Trips,
		Up: c.Up - before.Up, Down: c.Down - before.Down, Methods: map[string]int{},
	}
	for k, v := range c.Methods {
		if n := v - before.Methods[k]; n > 0 {
			d.Methods[k] = n
		}
	}
	return d
}

type call struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

// ServeHTTP passes one request on and counts it.
func (m *Meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	calls := decodeCalls(body)
	time.Sleep(m.delay)
	answer, status, err := m.forward(r, body, calls)
	if err != nil {
		http.Error(w, "the node could not be reached", http.StatusBadGateway)
		return
	}
	m.add(calls, len(body), len(answer))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(answer) //nolint:gosec // JSON from the node to a JSON-RPC client on this machine
}

func (m *Meter) forward(r *http.Request, body []byte, calls []call) ([]byte, int, error) {
	if refused := m.refusal(calls); refused != nil {
		return refused, http.StatusOK, nil
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, m.node, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := m.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return answer, res.StatusCode, err
}

func (m *Meter) add(calls []call, up, down int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count.Trips++
	m.count.Requests += len(calls)
	m.count.Up += int64(up)
	m.count.Down += int64(down)
	for _, c := range calls {
		m.count.Methods[c.Method]++
	}
}

func decodeCalls(body []byte) []call {
	if b := bytes.TrimSpace(body); len(b) > 0 && b[0] == '[' {
		var many []call
		_ = json.Unmarshal(body, &many)
		return many
	}
	var one call
	if json.Unmarshal(body, &one) != nil {
		return nil
	}
	return []call{one}
}

// refusal answers a log query over too many blocks as providers do.
func (m *Meter) refusal(calls []call) []byte {
	if m.logRange == 0 || len(calls) != 1 || calls[0].Method != "eth_getLogs" || len(calls[0].Params) == 0 {
		return nil
	}
	var q struct{ FromBlock, ToBlock string }
	if json.Unmarshal(calls[0].Params[0], &q) != nil {
		return nil
	}
	from, errFrom := hexNumber(q.FromBlock)
	to, errTo := hexNumber(q.ToBlock)
	if errFrom != nil || errTo != nil || to < from || to-from < m.logRange {
		return nil
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"range %d exceeds limit of %d"}}`,
		calls[0].ID, to-from+1, m.logRange)
}

func hexNumber(s string) (uint64, error) {
	return strconv.ParseUint(strings.TrimPrefix(s, "0x"), 16, 64)
}
