package evm

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// call is one question to a node.
type call struct {
	method string
	params []any
}

// reply is one checked answer: a result, or the error the node gave for this question.
type reply struct {
	result json.RawMessage
	err    error
}

type wireRequest struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type wireReply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
}

// encodeCalls writes calls as a JSON-RPC request, as a batch when there are several.
func encodeCalls(firstID uint64, calls []call) ([]byte, error) {
	wire := make([]wireRequest, len(calls))
	for i, c := range calls {
		params := c.params
		if params == nil {
			params = []any{}
		}
		wire[i] = wireRequest{Version: "2.0", ID: firstID + uint64(i), Method: c.method, Params: params}
	}
	if len(wire) == 1 {
		return json.Marshal(wire[0])
	}
	return json.Marshal(wire)
}

// decodeReplies reads the answer to n calls whose ids start at firstID. Every id
// must be answered exactly once, with a result or an error and not both.
func decodeReplies(body []byte, firstID uint64, n int) ([]reply, error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil, lie("empty answer")
	}
	if body[0] != '[' {
		return decodeSingle(body, firstID, n)
	}
	var wire []wireReply
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, lie("answer is not JSON-RPC: %v", describeJSON(err, body))
	}
	if n == 1 && len(wire) != 1 || len(wire) != n {
		return nil, lie("%d answers to %d questions", len(wire), n)
	}
	out := make([]reply, n)
	seen := make([]bool, n)
	for _, w := range wire {
		var id uint64
		if err := json.Unmarshal(w.ID, &id); err != nil || id < firstID || id-firstID >= uint64(n) || seen[id-firstID] {
			return nil, lie("answer to a question not asked (id %s)", clip(string(w.ID)))
		}
		r, err := w.check()
		if err != nil {
			return nil, err
		}
		seen[id-firstID], out[id-firstID] = true, r
	}
	return out, nil
}

func decodeSingle(body []byte, id uint64, n int) ([]reply, error) {
	var w wireReply
	if err := json.Unmarshal(body, &w); err != nil {
		return nil, lie("answer is not JSON-RPC: %v", describeJSON(err, body))
	}
	r, err := w.check()
	if err != nil {
		if text := looseText(body); text != "" {
			return nil, classify(&rpcError{Message: text})
		}
		return nil, err
	}
	if n != 1 {
		// A whole batch may be refused with one error object.
		if r.err != nil {
			return nil, r.err
		}
		return nil, lie("one answer to %d questions", n)
	}
	var got uint64
	matches := json.Unmarshal(w.ID, &got) == nil && got == id
	anonymous := len(w.ID) == 0 || string(w.ID) == "null"
	if !matches && (r.err == nil || !anonymous) {
		return nil, lie("answer to a question not asked (id %s)", clip(string(w.ID)))
	}
	return []reply{r}, nil
}

// check tells a result from an error. Some nodes send "error":null beside a result.
func (w wireReply) check() (reply, error) {
	hasError := len(w.Error) > 0 && string(w.Error) != "null"
	hasResult := len(w.Result) > 0 && string(w.Result) != "null"
	switch {
	case w.Version != "2.0" && w.Version != "":
		return reply{}, lie("answer is of JSON-RPC version %q", clip(w.Version))
	case hasError && hasResult:
		return reply{}, lie("answer holds both a result and an error")
	case hasError:
		return reply{err: decodeRPCError(w.Error)}, nil
	case len(w.Result) == 0:
		return reply{}, lie("answer holds neither a result nor an error")
	}
	return reply{result: w.Result}, nil
}

// looseText reads refusals that are JSON but not JSON-RPC, as gateways send them
// in place of an answer: {"Error":"..."}, {"message":"..."}. Empty when it is none.
func looseText(body []byte) string {
	var loose map[string]json.RawMessage
	if json.Unmarshal(body, &loose) != nil {
		return ""
	}
	for _, key := range []string{"Error", "error", "message", "msg"} {
		var text string
		if json.Unmarshal(loose[key], &text) == nil && text != "" {
			return text
		}
	}
	return ""
}

func decodeRPCError(raw json.RawMessage) error {
	var e rpcError
	if err := json.Unmarshal(raw, &e); err != nil {
		// Some gateways send the error as a bare string.
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return lie("error of a shape not known: %s", clip(string(raw)))
		}
		e = rpcError{Message: text}
	}
	return classify(&e)
}

// describeJSON says what a body that does not parse looks like.
func describeJSON(err error, body []byte) string {
	if len(body) > 0 && body[0] == '<' {
		return "an HTML page"
	}
	return fmt.Sprintf("%v in %s", err, clip(string(body)))
}

// clip keeps foreign text in errors short and on one line.
func clip(s string) string {
	const most = 120
	out := make([]rune, 0, most)
	for _, r := range s {
		if len(out) == most {
			return string(out) + "..."
		}
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}
