package chainstest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

// WS is the node's address for websockets.
func (n *Node) WS() string { return "ws" + strings.TrimPrefix(n.URL, "http") }

// Ring sends a newHeads notification to everybody who subscribed.
func (n *Node) Ring() {
	n.mu.Lock()
	listeners := append([]func(any){}, n.listeners...)
	n.mu.Unlock()
	for _, tell := range listeners {
		tell(map[string]any{
			"jsonrpc": "2.0", "method": "eth_subscription",
			"params": map[string]any{"subscription": "0x1", "result": blockJSON(n.Chain.canonical(n.Chain.Head().Number))},
		})
	}
}

// serveWS answers each message as the same request over HTTP would be. Messages
// are worked on side by side, so answers come in any order.
func (n *Node) serveWS(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.Close() }()
	go func() { // a test that ends must not wait for its clients
		<-n.quit
		_ = ws.Close()
	}()
	var write sync.Mutex
	send := func(v any) {
		write.Lock()
		defer write.Unlock()
		_ = ws.WriteJSON(v) // a client that went away is no fault of the test
	}
	for {
		_, message, err := ws.ReadMessage()
		if err != nil {
			return
		}
		if bytes.Contains(message, []byte("eth_subscribe")) {
			n.mu.Lock()
			n.listeners = append(n.listeners, send)
			n.mu.Unlock()
		}
		go func() {
			inner := r.Clone(r.Context())
			inner.Header = http.Header{}
			inner.Body = http.NoBody
			answer := httptest.NewRecorder()
			n.serve(answer, inner, message)
			write.Lock()
			defer write.Unlock()
			_ = ws.WriteMessage(websocket.TextMessage, answer.Body.Bytes())
		}()
	}
}
