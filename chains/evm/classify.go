package evm

import (
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// rpcError is the error object of JSON-RPC. Data is of no fixed shape.
type rpcError struct {
	Code    int64           `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// phrase maps words that nodes and providers use to what they mean. The order
// matters: the first phrase found decides.
type phrase struct {
	kind  kind
	words *regexp.Regexp
}

func words(k kind, re string) phrase { return phrase{k, regexp.MustCompile(`(?i)` + re)} }

var phrases = []phrase{
	// What a contract says when it reverts may hold any of the words below.
	words(kindRevert, `^(execution reverted|reverted|revert opcode|vm exception.*revert|vm execution error.*revert|transaction reverted)`),
	// A suspended or throttled key first: its text may hold any other word.
	words(kindRate, `rate.?limit|too many requests|request limit|compute units per second|throughput|exceeded the allowed_rps|frequency limit|is suspended for|capacity exceeded|lack of computing resources|exceeded (its|the|your) .*(quota|credits|capacity)|daily request|requests? per (second|minute|day)|project id request rate|concurrent requests|credits limit|usage limit`),
	words(kindAuth, `unauthori[sz]ed|invalid api.?key|api key .*(not|in)valid|must be authenticated|invalid project id|forbidden|access denied|tenant disabled|authentication`),
	words(kindNotCanonical, `not currently canonical|not canonical|non.?canonical`),
	words(kindPruned, `missing trie node|historical state|state .*(not available|unavailable|pruned|missing)|pruned|state histories|no state (available|found)|distance to target block exceeds|archive (node|data|access|mode|state|request)|old data not available|block.*out of range.*state|layer stale|state at block .* is not|world state unavailable|no historical rpc|block is too old|required historical state`),
	words(kindAddresses, `(max|maximum|too many|exceed\w*) (number of )?addresses|addresses.*(too many|exceed|limit|maximum)|exceed max (addresses|sub ?topics|topics)|too many .*topics`),
	words(kindResults, `more than \d[\d,]* (results|logs)|(exceed|exceeds|exceeded|exceeding) .*(results|logs)\b|too many (results|logs)|logs? (matched|response|results?) .*(exceed|limit|too)|result(s)? .*(limit|too (many|large)|exceed)|query returned more|max(imum)? (results|logs)|reduce the (number|amount) of (logs|results)|size (is )?larger than|response (size|is too)|log response|backend response too large|limit of .*logs`),
	words(kindRange, `smaller than size|block.?range|range .*(exceed|limit|too|large|wide|not supported|at most)|(exceed|max|maximum|too).*(block )?range|ranges over|max(imum)? .*blocks? (distance|range|span|count)|limited to( a)? (0 - )?[\d,]+ ?(block|range)?|(too many|more than) .*blocks|blocks? (distance|span|count)|fromblock .*toblock.*(limit|larg|exceed|range)|less than or equal to|specify (an address|less number of address)|eth_getlogs .*(limit|range)|(getlogs|logs) .*block|query .*too (large|broad|wide)|query exceeds|no backend is currently healthy to serve`),
	words(kindGas, `out of gas|gas (limit|cap|allowance) .*(exceed|reach)|gas required exceeds|intrinsic gas|gas uint64 overflow|execution aborted|execution (timeout|timed out)|cpu timeout|evm timeout|invalid opcode|bad instruction|invalid jump|stack (underflow|limit)|max code size|initcode size|outofgas|opcode|evm ?error|evm:|write protection|staticcall|call depth|return data out of bounds|vm (exception|execution)`),
	words(kindTooLarge, `too large|too big|exceed\w* .*(size|bytes|payload|limit of \d+ ?(m|k)b)|content.?length|entity|oversized|batch (size|limit|too)|batch .*(exceed|limit)|max.*(body|payload|size)|larger than allowed`),
	words(kindNoBlock, `header not found|unknown block|block not found|header for hash not found|cannot find block|block .*not (found|available|exist|known)|could not find block|not (yet )?(available|found) block|block number out of range|hash .*not found|invalid blockhash|after last accepted|beyond (the )?(current )?head|future block|into the future|from an unfinalized|blockoutofrange|after the latest`),
	words(kindRevert, `revert`),
	words(kindUnsupported, `method .*(not|does not|unsupported)|not supported|unsupported|unknown (method|field|argument)|not (available|allowed|enabled|whitelisted|implemented)|too many arguments|invalid (argument|params|json request|request)|missing value|unrecogni[sz]ed|unexpected|cannot unmarshal|expected at most|not exist`),
	words(kindTransient, `timeout|timed out|temporar|try again|internal|unavailable|overload|busy|upstream|gateway|connection`),
}

// Bare codes that mean something when the text does not.
var codes = map[int64]kind{
	3:      kindRevert,
	35:     kindRange,
	429:    kindRate,
	-32005: kindResults,
	-32016: kindRate,
	-32029: kindRate,
	-32601: kindUnsupported,
	-32602: kindUnsupported,
	-32604: kindUnsupported,
}

// classify turns a node's error into a fault. Unknown words are transient: they
// cost a retry, never a wrong conclusion.
func classify(e *rpcError) *fault {
	f := &fault{kind: kindTransient, text: clip(e.Message), answered: true}
	data := dataText(e.Data)
	known := false
	if e.Code == 3 {
		f.kind, known = kindRevert, true
	}
	for _, p := range phrases {
		if known {
			break
		}
		if p.words.MatchString(e.Message) || p.words.MatchString(data) {
			f.kind, known = p.kind, true
		}
	}
	if k, ok := codes[e.Code]; ok && !known {
		f.kind = k
	}
	switch f.kind {
	case kindRange, kindResults:
		f.span = suggestedSpan(e.Message + " " + data)
	case kindRate:
		f.retryAfter = suggestedWait(e.Message)
	case kindRevert:
		f.data = revertData(e.Data)
	}
	return f
}

// dataText is what an error's data say in words; hex data say nothing.
func dataText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		if strings.HasPrefix(s, "0x") {
			return ""
		}
		return s
	}
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return ""
	}
	for _, key := range []string{"message", "reason", "from", "to"} {
		if t, ok := m[key].(string); ok && key != "from" && key != "to" {
			s += " " + t
		}
	}
	// Infura's hint is an object of its own.
	from, okFrom := m["from"].(string)
	to, okTo := m["to"].(string)
	if okFrom && okTo {
		s += " [" + from + ", " + to + "]"
	}
	return s
}

var (
	hexPair   = regexp.MustCompile(`\[\s*"?(0x[0-9a-fA-F]+)"?\s*,\s*"?(0x[0-9a-fA-F]+)"?\s*\]`)
	spanWords = []*regexp.Regexp{
		regexp.MustCompile(`(?i)(?:limited to|limit(?:ed)?(?: is| of|:)?|max(?:imum)?(?: is| of|:)?|at most|up to|maximum (?:allowed )?(?:block )?range(?: is| of|:)?|max block range(?: is| of|:)?|max range(?: is| of|:)?|ranges over|range over|more than|than or equal to|within|exceeds? (?:the )?(?:limit of|maximum of|max of)?|maximum(?: is| allowed)?(?: set to|:)?|greater than|maximum allowed is|larger than allowed:|smaller than size)\s*(?:a |an |the |0 - )?([0-9][0-9,_']*)\s*(k\b)?`),
		regexp.MustCompile(`(?i)([0-9][0-9,_']*)\s*(k)?[ -]blocks?(?: range)?(?: limit)?`),
	}
	waitWords = regexp.MustCompile(`(?i)(?:suspended for|retry (?:after|in)|try again in|wait(?: for)?)\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|milliseconds?|s\b|sec|seconds?|m\b|min|minutes?)`)
)

// suggestedSpan reads how many blocks a refusal says are allowed, 0 if it does not.
func suggestedSpan(text string) uint64 {
	if m := hexPair.FindStringSubmatch(text); m != nil {
		from, errFrom := strconv.ParseUint(m[1][2:], 16, 64)
		to, errTo := strconv.ParseUint(m[2][2:], 16, 64)
		if errFrom == nil && errTo == nil && to >= from && to-from < 1<<40 {
			return to - from + 1
		}
	}
	if strings.Contains(text, "results") || strings.Contains(text, "logs") && !strings.Contains(text, "block") {
		return 0 // the number counts logs, not blocks
	}
	for _, re := range spanWords {
		m := re.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		n, err := strconv.ParseUint(strings.NewReplacer(",", "", "_", "", "'", "").Replace(m[1]), 10, 64)
		if err != nil || n == 0 || n > 1<<40 {
			continue
		}
		if m[2] != "" {
			n *= 1000
		}
		return n
	}
	return 0
}

// suggestedWait reads how long a throttled key is to wait, 0 if it is not said.
func suggestedWait(text string) time.Duration {
	m := waitWords.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n > 86_400 {
		return 0
	}
	unit := time.Second
	switch {
	case strings.HasPrefix(m[2], "ms") || strings.HasPrefix(m[2], "milli"):
		unit = time.Millisecond
	case strings.HasPrefix(m[2], "m"):
		unit = time.Minute
	}
	return time.Duration(n * float64(unit))
}

var longHex = regexp.MustCompile(`0x[0-9a-fA-F]*`)

// revertData finds what a call reverted with: a plain hex string, one inside
// words, or one inside an object, as different nodes write it.
func revertData(raw json.RawMessage) []byte {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		var m struct {
			Data   json.RawMessage `json:"data"`
			Result json.RawMessage `json:"result"`
		}
		if json.Unmarshal(raw, &m) != nil {
			return nil
		}
		if inner := revertData(m.Data); inner != nil {
			return inner
		}
		return nilIfEmpty(revertData(m.Result))
	}
	b, err := hex.DecodeString(strings.TrimPrefix(longHex.FindString(s), "0x"))
	if err != nil {
		return nil
	}
	return b
}

func nilIfEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}
