package tron

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// maxBody bounds an answer; java-tron's own limit is 25 MiB.
const maxBody = 32 << 20

// node is one endpoint: its pace, its rest after refusals, its counters.
type node struct {
	url    string
	label  string // scheme and host: all that may be shown
	header http.Header
	http   *http.Client
	rate   float64

	mu       sync.Mutex
	next     time.Time // when the next request may go out
	rest     time.Time // until when nothing may
	failures int       // in a row
	requests map[string]uint64
	up, down uint64
	id       uint64
}

func newNode(e Endpoint, timeout time.Duration) (*node, error) {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("want an http or https address that ends in /jsonrpc (TRON has no websocket)")
	}
	rate := e.RequestsPerSecond
	if rate <= 0 {
		rate = defaultRate
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &node{
		url: e.URL, label: u.Scheme + "://" + u.Host, header: e.Header.Clone(), rate: rate,
		http: &http.Client{Timeout: timeout, Transport: transport}, requests: map[string]uint64{},
	}, nil
}

// ready is how long until the node may be asked.
func (n *node) ready(now time.Time) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return max(n.rest.Sub(now), n.next.Sub(now), 0)
}

// take reserves the next request.
func (n *node) take(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next.Before(now) {
		n.next = now
	}
	n.next = n.next.Add(time.Duration(float64(time.Second) / n.rate))
}

// blame gives the node a rest after a failure: as long as it asked for, else
// doubling from half a second to thirty.
func (n *node) blame(f *fault, now time.Time) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failures++
	rest := 500 * time.Millisecond << min(n.failures-1, 6)
	rest = min(rest, 30*time.Second)
	if f.wait > 0 {
		rest = f.wait
	}
	n.rest = now.Add(rest)
	return rest
}

func (n *node) praise() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failures = 0
}

type rpcAnswer struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int             `json:"code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	} `json:"error"`
}

// ask sends one request. Every error is a *fault.
func (n *node) ask(ctx context.Context, method string, params []any, result any) error {
	n.mu.Lock()
	n.id++
	id := n.id
	n.requests[method]++
	n.mu.Unlock()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err != nil {
		return &fault{kind: kindRefused, text: err.Error()}
	}
	status, header, raw, err := n.post(ctx, body)
	if err != nil {
		return &fault{kind: kindTransient, text: plain(err)}
	}
	if f := classifyHTTP(status, header, raw); f != nil {
		return f
	}
	var a rpcAnswer
	if err := json.Unmarshal(raw, &a); err != nil {
		return &fault{kind: kindTransient, text: fmt.Sprintf("the answer is not JSON-RPC: %.80q", raw)}
	}
	if a.Error != nil {
		return classifyRPC(a.Error.Code, a.Error.Message, a.Error.Data)
	}
	if string(a.ID) != fmt.Sprint(id) {
		return &fault{kind: kindTransient, text: "the answer is to another request"}
	}
	if err := json.Unmarshal(a.Result, result); err != nil || len(a.Result) == 0 {
		return &fault{kind: kindTransient, text: fmt.Sprintf("the answer to %s has another shape than documented", method)}
	}
	return nil
}

func (n *node) post(ctx context.Context, body []byte) (int, http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	for k, v := range n.header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := n.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return 0, nil, nil, err
	}
	if len(raw) > maxBody {
		return 0, nil, nil, fmt.Errorf("the answer has more than %d MiB", maxBody>>20)
	}
	n.mu.Lock()
	n.up += uint64(len(body))
	n.down += uint64(len(raw))
	n.mu.Unlock()
	return resp.StatusCode, resp.Header, raw, nil
}

// plain is what went wrong with a connection, without the address: a key may be in it.
func plain(err error) string {
	var ue *url.Error
	for errors.As(err, &ue) {
		err = ue.Err
	}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "name does not resolve"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return "connection: " + op.Err.Error()
	}
	return "connection failed"
}

// Stats is what was asked of the nodes so far, by method.
type Stats struct {
	Requests           map[string]uint64
	BytesUp, BytesDown uint64
}

// Stats are those of all nodes together.
func (c *Client) Stats() Stats {
	out := Stats{Requests: map[string]uint64{}}
	for _, n := range c.nodes {
		n.mu.Lock()
		for m, k := range n.requests {
			out.Requests[m] += k
		}
		out.BytesUp += n.up
		out.BytesDown += n.down
		n.mu.Unlock()
	}
	return out
}

// Total is the number of requests of all methods.
func (s Stats) Total() uint64 {
	var sum uint64
	for _, k := range s.Requests {
		sum += k
	}
	return sum
}
