package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// question is one call that a node is asked.
type question struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method"`
	Params  []json.RawMessage `json:"params"`
}

// refusal is a node's error.
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// vice is something that a node does wrong: it refuses a question or changes it.
type vice func(q *question) *refusal

// proxy is a node with vices in front of an honest one.
func proxy(t *testing.T, upstream string, vices ...vice) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went away
		}
		var questions []question
		batch := bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
		if !batch {
			body = append(append([]byte("["), body...), ']')
		}
		if !assert.NoError(t, json.Unmarshal(body, &questions)) {
			return
		}
		answers := make([]json.RawMessage, len(questions))
		for i, q := range questions {
			answers[i] = answer(r, upstream, q, vices)
		}
		w.Header().Set("Content-Type", "application/json")
		var out any = answers
		if !batch {
			out = answers[0]
		}
		_ = json.NewEncoder(w).Encode(out) // a client that went away is no fault of the test
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

func answer(r *http.Request, upstream string, q question, vices []vice) json.RawMessage {
	for _, v := range vices {
		if no := v(&q); no != nil {
			out, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": q.ID, "error": no})
			return out
		}
	}
	body, _ := json.Marshal(q)
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, upstream, bytes.NewReader(body))
	if err != nil {
		return json.RawMessage("null")
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return json.RawMessage("null")
	}
	defer res.Body.Close()
	out, _ := io.ReadAll(res.Body)
	return out
}

func noOverrides(q *question) *refusal {
	if q.Method == "eth_call" && len(q.Params) > 2 {
		return &refusal{-32602, "too many arguments, want at most 2"}
	}
	return nil
}

func noInitcode(q *question) *refusal {
	if q.Method == "eth_call" && !strings.Contains(string(q.Params[0]), `"to"`) {
		return &refusal{-32602, "missing to in call"}
	}
	return nil
}

// olderBlock answers calls of the state ten blocks before the one that is named.
func olderBlock(q *question) *refusal {
	if q.Method == "eth_call" && len(q.Params) > 1 {
		q.Params[1] = json.RawMessage(`"0x64"`)
	}
	return nil
}

// pruned has no state of blocks below one, which it knows by number only: it does
// not take block hashes.
func pruned(from uint64) vice {
	return func(q *question) *refusal {
		if q.Method != "eth_call" || len(q.Params) < 2 {
			return nil
		}
		var number string
		if json.Unmarshal(q.Params[1], &number) != nil {
			return &refusal{-32602, "invalid argument 1: hex string without 0x prefix"}
		}
		n, err := strconv.ParseUint(strings.TrimPrefix(number, "0x"), 16, 64)
		if err == nil && n < from {
			return &refusal{-32000, "missing trie node 7a9bd4 (path ) state 0x7a9bd4 is not available"}
		}
		return nil
	}
}

func logsUpTo(blocks uint64) vice {
	return func(q *question) *refusal {
		var filter struct{ FromBlock, ToBlock string }
		if q.Method != "eth_getLogs" || json.Unmarshal(q.Params[0], &filter) != nil {
			return nil
		}
		from, err1 := strconv.ParseUint(strings.TrimPrefix(filter.FromBlock, "0x"), 16, 64)
		to, err2 := strconv.ParseUint(strings.TrimPrefix(filter.ToBlock, "0x"), 16, 64)
		if err1 == nil && err2 == nil && to-from >= blocks {
			return &refusal{-32005, "query exceeds max block range " + strconv.FormatUint(blocks, 10)}
		}
		return nil
	}
}

func noLogs(q *question) *refusal {
	if q.Method == "eth_getLogs" {
		return &refusal{-32601, "the method eth_getLogs does not exist/is not available"}
	}
	return nil
}

// hiddenLogs forgets what happened: every filter looks for a topic that nobody emits.
func hiddenLogs(q *question) *refusal {
	if q.Method == "eth_getLogs" {
		var filter map[string]any
		if json.Unmarshal(q.Params[0], &filter) == nil {
			filter["topics"] = []any{"0x" + strings.Repeat("77", 32)}
			q.Params[0], _ = json.Marshal(filter)
		}
	}
	return nil
}

func otherChain(q *question) *refusal {
	if q.Method == "eth_chainId" {
		q.Method, q.Params = "eth_blockNumber", nil // any other number
	}
	return nil
}
