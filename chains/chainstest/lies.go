package chainstest

import (
	"encoding/json"
	"net/http"
	"slices"

	"liqwatch/chains"
)

// Lie is one way in which a node says what is not so.
type Lie struct {
	Name string
	// Alone says whether one node's answers give the lie away: they contradict the
	// question, themselves or each other. Of the others only a second node can tell.
	Alone bool

	method string // "" is every method
	answer func(n *Node, b Behaviour, req rpcRequest, honest rpcAnswer) rpcAnswer
	// body writes the HTTP answer in place of the node.
	body func(n *Node, w http.ResponseWriter, reqs []rpcRequest, honest []any)
}

// Lies are all that a node can be made to tell, by name.
func Lies() []Lie { return slices.Clone(catalogue) }

var (
	catalogue = slices.Concat(transportLies, blockLies, logLies, callLies)
	lies      = func() map[string]Lie {
		m := make(map[string]Lie, len(catalogue))
		for _, l := range catalogue {
			m[l.Name] = l
		}
		return m
	}()
)

// result makes a lie that changes a successful answer of one method.
func result(name, method string, alone bool, change func(n *Node, req rpcRequest, honest any) any) Lie {
	return Lie{Name: name, Alone: alone, method: method, answer: func(n *Node, _ Behaviour, req rpcRequest, a rpcAnswer) rpcAnswer {
		if a.Error == nil {
			a.Result = change(n, req, a.Result)
		}
		return a
	}}
}

func constant(v any) func(*Node, rpcRequest, any) any {
	return func(*Node, rpcRequest, any) any { return v }
}

var transportLies = []Lie{
	{Name: "answer with another id", Alone: true, answer: func(_ *Node, _ Behaviour, _ rpcRequest, a rpcAnswer) rpcAnswer {
		a.ID = json.RawMessage("999999")
		return a
	}},
	{Name: "answer of JSON-RPC 1.0", Alone: true, answer: func(_ *Node, _ Behaviour, _ rpcRequest, a rpcAnswer) rpcAnswer {
		a.Version = "1.0"
		return a
	}},
	{Name: "result and error both", Alone: true, answer: func(_ *Node, _ Behaviour, _ rpcRequest, a rpcAnswer) rpcAnswer {
		a.Error = &RPCError{Code: -32000, Message: "well"}
		if a.Result == nil {
			a.Result = "0x"
		}
		return a
	}},
	{Name: "neither result nor error", Alone: true, answer: func(_ *Node, _ Behaviour, _ rpcRequest, a rpcAnswer) rpcAnswer {
		a.Result, a.Error = nil, nil
		return a
	}},
	body("HTML page with status 200", func(w http.ResponseWriter, _ []any) { _, _ = w.Write([]byte("<html><body>maintenance</body></html>")) }),
	body("half an answer", func(w http.ResponseWriter, honest []any) {
		raw, _ := json.Marshal(honest[0])
		_, _ = w.Write(raw[:len(raw)/2])
	}),
	body("an answer twice in a batch", func(w http.ResponseWriter, honest []any) { write(w, []any{honest[0], honest[0]}) }),
	body("nothing", func(http.ResponseWriter, []any) {}),
	body("gzip that is none", func(w http.ResponseWriter, honest []any) {
		w.Header().Set("Content-Encoding", "gzip")
		raw, _ := json.Marshal(honest[0])
		_, _ = w.Write(raw)
	}),
	body("a body without end", func(w http.ResponseWriter, _ []any) {
		_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"result":"0x`))
		for chunk := []byte(zeros(1 << 20)); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}),
}

func zeros(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0'
	}
	return string(b)
}

func body(name string, answer func(w http.ResponseWriter, honest []any)) Lie {
	return Lie{Name: name, Alone: true, body: func(_ *Node, w http.ResponseWriter, _ []rpcRequest, honest []any) { answer(w, honest) }}
}

// field makes a lie that changes fields of every block.
func field(name string, change func(n *Node, req rpcRequest, block map[string]any)) Lie {
	return result(name, "eth_getBlockByNumber", true, func(n *Node, req rpcRequest, honest any) any {
		if m, ok := honest.(map[string]any); ok {
			change(n, req, m)
		}
		return honest
	})
}

var blockLies = []Lie{
	{Name: "another chain id", Alone: true, method: "eth_chainId", answer: func(n *Node, _ Behaviour, _ rpcRequest, a rpcAnswer) rpcAnswer {
		a.Result = hexNumber(n.Chain.ID + 1)
		return a
	}},
	result("chain id in words", "eth_chainId", true, constant("mainnet")),
	field("the block's hash is wrong", func(_ *Node, _ rpcRequest, b map[string]any) { b["hash"] = chains.Hash{1}.String() }),
	field("the block's parent is wrong", func(_ *Node, _ rpcRequest, b map[string]any) { b["parentHash"] = chains.Hash{2}.String() }),
	field("the block's time is wrong", func(_ *Node, _ rpcRequest, b map[string]any) { b["timestamp"] = "0x7fffffff" }),
	field("the block's bloom is empty", func(_ *Node, _ rpcRequest, b map[string]any) { b["logsBloom"] = "0x" + zeros(512) }),
	field("the block's number is absurd", func(_ *Node, _ rpcRequest, b map[string]any) { b["number"] = "0x7fffffffffffffff" }),
	field("the block's number is no number", func(_ *Node, _ rpcRequest, b map[string]any) { b["number"] = "latest" }),
	field("the block has no hash", func(_ *Node, _ rpcRequest, b map[string]any) { delete(b, "hash") }),
	result("another block than asked", "eth_getBlockByNumber", true, func(n *Node, req rpcRequest, honest any) any {
		if len(req.Params) > 0 && string(req.Params[0]) == `"latest"` {
			return honest
		}
		return blockJSON(n.Chain.canonical(5))
	}),
	result("no latest block", "eth_getBlockByNumber", true, constant(nothing)),
	result("a list instead of a block", "eth_getBlockByNumber", true, constant([]any{})),
	result("an old block again as the newest", "eth_getBlockByNumber", false, func(n *Node, req rpcRequest, honest any) any {
		if len(req.Params) > 0 && string(req.Params[0]) == `"latest"` {
			return blockJSON(n.Chain.canonical(n.Chain.Head().Number / 2))
		}
		return honest
	}),
}

// changed makes a lie that changes the logs of every answer that has some.
func changed(name string, alone bool, change func(logs []any) []any) Lie {
	return result(name, "eth_getLogs", alone, func(_ *Node, _ rpcRequest, honest any) any {
		logs, ok := honest.([]any)
		if !ok || len(logs) == 0 {
			return honest
		}
		return change(logs)
	})
}

func oneLog(name string, key string, value any) Lie {
	return changed(name, true, func(logs []any) []any {
		logs[len(logs)-1].(map[string]any)[key] = value
		return logs
	})
}

var logLies = []Lie{
	result("null instead of logs", "eth_getLogs", true, constant(nothing)),
	result("an object instead of logs", "eth_getLogs", true, constant(map[string]any{})),
	result("no logs where there are some", "eth_getLogs", false, constant([]any{})),
	changed("one log left out", false, func(logs []any) []any { return logs[1:] }),
	changed("a log twice", true, func(logs []any) []any { return append(logs, logs[len(logs)-1]) }),
	changed("logs in reverse", true, func(logs []any) []any { slices.Reverse(logs); return logs }),
	oneLog("a log of another address", "address", chains.Address{0xde, 0xad}.String()),
	oneLog("a log of another topic", "topics", []string{chains.Hash{0xbe}.String()}),
	oneLog("a log without topics", "topics", []string{}),
	oneLog("a log out of range", "blockNumber", "0x7ffffff"),
	oneLog("a log of another branch", "blockHash", chains.Hash{0xba}.String()),
	oneLog("a removed log", "removed", true),
	oneLog("a log whose data are not hex", "data", "0xabc"),
	oneLog("a log without place", "logIndex", nil),
	oneLog("a log with five topics", "topics", []string{chains.Hash{}.String(), chains.Hash{}.String(), chains.Hash{}.String(), chains.Hash{}.String(), chains.Hash{}.String()}),
	changed("a log with other data", false, func(logs []any) []any {
		logs[0].(map[string]any)["data"] = "0x" + zeros(64)
		return logs
	}),
}

// output makes a lie that changes what calls return.
func output(name string, alone bool, change func(out []byte) []byte) Lie {
	return result(name, "eth_call", alone, func(_ *Node, _ rpcRequest, honest any) any {
		text, _ := honest.(string)
		out, err := hexBytes(text)
		if err != nil {
			return honest
		}
		return hexData(change(out))
	})
}

var callLies = []Lie{
	output("a call returns nothing", true, func([]byte) []byte { return nil }),
	output("a packed answer is cut off", true, func(out []byte) []byte { return out[:max(0, len(out)-3)] }),
	output("a packed answer has more than was asked", true, func(out []byte) []byte { return append(out, 0, 0, 0, 0) }),
	output("a packed answer is of another time", true, func(out []byte) []byte {
		if len(out) > 64 {
			out[63] ^= 1
		}
		return out
	}),
	output("a packed answer is of another block", true, func(out []byte) []byte {
		if len(out) > 32 {
			out[31] ^= 1
		}
		return out
	}),
	output("a packed answer is of another branch", true, func(out []byte) []byte {
		if len(out) > 96 {
			out[95] ^= 1
		}
		return out
	}),
	output("a packed answer is of another chain", true, func(out []byte) []byte {
		if len(out) > 128 {
			out[127] ^= 1
		}
		return out
	}),
	output("a value is ten times what it is", false, func(out []byte) []byte {
		if len(out) > 0 {
			out[len(out)-1] *= 10
		}
		return out
	}),
	result("null instead of a call's answer", "eth_call", true, constant(nothing)),
	result("a call's answer is no hex", "eth_call", true, constant("0xzz")),
	{Name: "reads are of an older block", Alone: true, method: "eth_call", answer: func(n *Node, b Behaviour, req rpcRequest, _ rpcAnswer) rpcAnswer {
		b.Lag, b.IgnorePin, b.Lie = 3, true, ""
		out, err := n.call(b, req.Params)
		return rpcAnswer{Version: "2.0", ID: req.ID, Result: out, Error: err}
	}},
}
