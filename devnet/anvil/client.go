package anvil

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Client is a JSON-RPC client for one node: small, unchecked, good enough to
// drive a node of our own. It is not how liqwatch reads chains.
type Client struct {
	url  string
	http *http.Client
	id   atomic.Uint64
}

// NewClient talks to the node at url.
func NewClient(url string) *Client {
	return &Client{url: url, http: &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
}

// RPCError is what a node answered instead of a result.
type RPCError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// Error has the message and, for a revert, its data.
func (e *RPCError) Error() string {
	if len(e.Data) > 0 {
		return fmt.Sprintf("%s (%d, data %s)", e.Message, e.Code, e.Data)
	}
	return fmt.Sprintf("%s (%d)", e.Message, e.Code)
}

// Request is one question of a batch. Result, where not nil, is decoded into.
type Request struct {
	Method string
	Params []any
	Result any
	Err    error
}

type envelope struct {
	Version string          `json:"jsonrpc"`
	ID      uint64          `json:"id"`
	Method  string          `json:"method,omitempty"`
	Params  []any           `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *RPCError       `json:"error,omitempty"`
}

// Call asks one question.
func (c *Client) Call(ctx context.Context, result any, method string, params ...any) error {
	var answer envelope
	if err := c.post(ctx, c.envelope(method, params), &answer); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return decode(method, answer, result)
}

// Batch asks many questions in one request; each has its own error.
func (c *Client) Batch(ctx context.Context, requests []Request) error {
	if len(requests) == 0 {
		return nil
	}
	out := make([]envelope, len(requests))
	byID := make(map[uint64]*Request, len(requests))
	for i := range requests {
		out[i] = c.envelope(requests[i].Method, requests[i].Params)
		byID[out[i].ID] = &requests[i]
	}
	var answers []envelope
	if err := c.post(ctx, out, &answers); err != nil {
		return fmt.Errorf("batch of %d: %w", len(requests), err)
	}
	for _, a := range answers {
		if r := byID[a.ID]; r != nil {
			r.Err = decode(r.Method, a, r.Result)
			delete(byID, a.ID)
		}
	}
	if len(byID) > 0 {
		return fmt.Errorf("batch of %d: %d without an answer", len(requests), len(byID))
	}
	return nil
}

func (c *Client) envelope(method string, params []any) envelope {
	if params == nil {
		params = []any{}
	}
	return envelope{Version: "2.0", ID: c.id.Add(1), Method: method, Params: params}
}

func decode(method string, answer envelope, result any) error {
	if answer.Error != nil {
		return fmt.Errorf("%s: %w", method, answer.Error)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

func (c *Client) post(ctx context.Context, body, answer any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("http status %s: %.200s", resp.Status, text)
	}
	return json.Unmarshal(text, answer)
}
