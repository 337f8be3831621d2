package tron

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// kind says what a failed request means for what is done next.
type kind int

const (
	kindTransient  kind = iota // no answer, or one of no meaning: another node, or later
	kindRate                   // too many requests: wait
	kindAuth                   // the key is refused
	kindTimeout                // the call took more than its 80 ms: smaller, or again
	kindRange                  // too many blocks in one eth_getLogs
	kindResults                // too many logs in one answer
	kindTooLarge               // request or answer larger than the node takes
	kindRevert                 // the call reverted
	kindNoContract             // there is no contract at that address
	kindRefused                // the node refuses the request as such
)

// fault is one failed request.
type fault struct {
	kind kind
	text string
	wait time.Duration // how long the node asks to be left alone; 0 when it does not say
}

// Error is the node's own words, cut short.
func (f *fault) Error() string { return f.text }

var suspended = regexp.MustCompile(`suspended for (\d+) ?s`)

// Rate limits come as status 403 with a suspension, 429, 503, or status 200 with a
// body that is no JSON-RPC at all.
func classifyHTTP(status int, header http.Header, body []byte) *fault {
	text := gatewayText(body)
	switch {
	case status == http.StatusUnauthorized:
		return &fault{kind: kindAuth, text: fmt.Sprintf("the key is refused (status 401: %s); check the TRON-PRO-API-KEY header", text)}
	case status == http.StatusForbidden, status == http.StatusTooManyRequests:
		f := &fault{kind: kindRate, text: fmt.Sprintf("rate limit (status %d: %s)", status, text), wait: retryAfter(header)}
		if m := suspended.FindStringSubmatch(text); m != nil {
			seconds, _ := strconv.Atoi(m[1])
			f.wait = min(time.Duration(seconds)*time.Second, 5*time.Minute)
		} else if status == http.StatusForbidden && f.wait == 0 {
			f.wait = 30 * time.Second
		}
		return f
	case status == http.StatusServiceUnavailable:
		return &fault{kind: kindRate, text: "busy (status 503)", wait: retryAfter(header)}
	case status == http.StatusRequestEntityTooLarge:
		return &fault{kind: kindTooLarge, text: "the request is too large (status 413)"}
	case status == http.StatusNotFound:
		return &fault{kind: kindRefused, text: "status 404: the address must end in /jsonrpc"}
	case status != http.StatusOK:
		return &fault{kind: kindTransient, text: fmt.Sprintf("status %d: %s", status, text)}
	case isGatewayError(body):
		return &fault{kind: kindRate, text: "rate limit (status 200: " + text + ")"}
	}
	return nil
}

// isGatewayError: {"Error": ...} or {"success": false, ...} in place of JSON-RPC.
func isGatewayError(body []byte) bool {
	var g struct {
		Version string          `json:"jsonrpc"`
		Error   json.RawMessage `json:"Error"`
		Success *bool           `json:"success"`
	}
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) || json.Unmarshal(body, &g) != nil {
		return false
	}
	return g.Version == "" && (len(g.Error) > 0 || g.Success != nil && !*g.Success)
}

func gatewayText(body []byte) string {
	var g struct {
		Error string `json:"Error"`
	}
	if json.Unmarshal(body, &g) == nil && g.Error != "" {
		return clip(g.Error)
	}
	return clip(string(body))
}

func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > 160 {
		return s[:160] + "..."
	}
	return s
}

func retryAfter(h http.Header) time.Duration {
	s := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(s); err == nil && seconds >= 0 {
		return min(time.Duration(seconds)*time.Second, 10*time.Minute)
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(time.Until(at), 0), 10*time.Minute)
	}
	return 0
}

// classifyRPC reads java-tron's errors, whose codes say little.
func classifyRPC(code int, message string, _ json.RawMessage) *fault {
	low := strings.ToLower(message)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(low, p) {
				return true
			}
		}
		return false
	}
	f := &fault{kind: kindRefused, text: fmt.Sprintf("%s (%d)", clip(message), code)}
	switch {
	case has("cpu timeout", "outoftime", "out of time", "already_time_out"):
		f.kind = kindTimeout
	case has("lack of computing resources", "rate limit", "too many requests", "exceeds the frequency", "suspended for"):
		f.kind = kindRate
		if m := suspended.FindStringSubmatch(low); m != nil {
			seconds, _ := strconv.Atoi(m[1])
			f.wait = min(time.Duration(seconds)*time.Second, 5*time.Minute)
		}
	case has("exceed max block range", "block range", "range is too", "ranges over", "range exceeds", "max range"):
		f.kind = kindRange
	case has("query returned more than", "more than 10000", "too many results"):
		f.kind = kindResults
	case has("batch size", "response exceeds the limit", "exceed max"):
		f.kind = kindTooLarge
	case has("revert"):
		f.kind = kindRevert
	case has("smart contract is not exist", "no contract or not a valid"):
		f.kind = kindNoContract
	case has("out of energy", "not enough energy", "memory overflow"):
		f.kind = kindTimeout
	case code == -32603, code == -32000 && has("internal error", "execution"):
		f.kind = kindTransient
	}
	return f
}
