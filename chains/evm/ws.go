package evm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	wsDial  = 5 * time.Second
	wsPing  = 15 * time.Second
	wsQuiet = 40 * time.Second // without even a pong, the connection is dead
	wsWrite = 10 * time.Second
)

// wsConn is a conn over a websocket, dialled when first needed and again after it
// broke. It also listens for new heads, but only as a reason to ask.
type wsConn struct {
	url    string
	header http.Header
	ids    *idSource
	count  *counter
	wake   *wake

	dialing sync.Mutex
	mu      sync.Mutex
	live    *wsLink
	closed  bool
}

// wsLink is one connection of its life.
type wsLink struct {
	ws    *websocket.Conn
	write sync.Mutex

	mu      sync.Mutex
	waiting map[uint64]chan []byte // by first id of the request
	dead    chan struct{}
	err     error
}

func newWSConn(url string, header http.Header, count *counter, w *wake) *wsConn {
	return &wsConn{url: url, header: header, ids: &idSource{}, count: count, wake: w}
}

func (c *wsConn) close() {
	c.mu.Lock()
	c.closed = true
	link := c.live
	c.mu.Unlock()
	if link != nil {
		link.fail(errors.New("closed"))
	}
}

func (c *wsConn) ask(ctx context.Context, calls []call) ([]reply, error) {
	link, err := c.link(ctx)
	if err != nil {
		return nil, err
	}
	first := c.ids.take(len(calls))
	body, err := encodeCalls(first, calls)
	if err != nil {
		return nil, err
	}
	c.count.asked(calls)
	c.count.moved(len(body), 0)
	answer, err := link.roundTrip(ctx, first, body)
	if err != nil {
		return nil, connectionFault(ctx, err)
	}
	return decodeReplies(answer, first, len(calls))
}

// link is the live connection, dialled if there is none.
func (c *wsConn) link(ctx context.Context) (*wsLink, error) {
	c.dialing.Lock()
	defer c.dialing.Unlock()
	c.mu.Lock()
	link, closed := c.live, c.closed
	c.mu.Unlock()
	if closed {
		return nil, &fault{kind: kindTransient, text: "client is closed"}
	}
	if link != nil {
		select {
		case <-link.dead:
		default:
			return link, nil
		}
	}
	dialer := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, HandshakeTimeout: wsDial, EnableCompression: true,
	}
	ws, resp, err := dialer.DialContext(ctx, c.url, c.header)
	if resp != nil && resp.Body != nil {
		defer resp.Body.Close()
	}
	if err != nil {
		if resp != nil && errors.Is(err, websocket.ErrBadHandshake) {
			return nil, statusFault(resp, nil, 0, 1)
		}
		return nil, connectionFault(ctx, err)
	}
	ws.SetReadLimit(maxBody)
	link = &wsLink{ws: ws, waiting: map[uint64]chan []byte{}, dead: make(chan struct{})}
	c.mu.Lock()
	c.live = link
	c.mu.Unlock()
	go link.read(c)
	go link.ping()
	c.subscribe(link)
	return link, nil
}

// subscribe asks for new heads and does not care for the answer: polling goes on.
func (c *wsConn) subscribe(link *wsLink) {
	calls := []call{{"eth_subscribe", []any{"newHeads"}}}
	if body, err := encodeCalls(c.ids.take(1), calls); err == nil {
		c.count.asked(calls)
		_ = link.send(body) // a broken link shows at the next question
	}
}

func (l *wsLink) send(body []byte) error {
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.ws.SetWriteDeadline(time.Now().Add(wsWrite)); err != nil {
		return err
	}
	return l.ws.WriteMessage(websocket.TextMessage, body)
}

func (l *wsLink) roundTrip(ctx context.Context, first uint64, body []byte) ([]byte, error) {
	got := make(chan []byte, 1)
	l.mu.Lock()
	l.waiting[first] = got
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, first)
		l.mu.Unlock()
	}()
	if err := l.send(body); err != nil {
		l.fail(err)
		return nil, err
	}
	select {
	case answer := <-got:
		return answer, nil
	case <-l.dead:
		return nil, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fail ends the connection; everybody waiting is told why.
func (l *wsLink) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = err
	close(l.dead)
	_ = l.ws.Close()
}

func (l *wsLink) ping() {
	tick := time.NewTicker(wsPing)
	defer tick.Stop()
	for {
		select {
		case <-l.dead:
			return
		case <-tick.C:
			if err := l.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(wsWrite)); err != nil {
				l.fail(err)
				return
			}
		}
	}
}

func (l *wsLink) read(c *wsConn) {
	alive := func(string) error { return l.ws.SetReadDeadline(time.Now().Add(wsQuiet)) }
	l.ws.SetPongHandler(alive)
	for {
		if err := alive(""); err != nil {
			l.fail(err)
			return
		}
		_, message, err := l.ws.ReadMessage()
		if err != nil {
			l.fail(err)
			return
		}
		c.count.moved(0, len(message))
		l.deliver(message, c.wake)
	}
}

// deliver hands a message to the question it answers, or rings on a new head.
func (l *wsLink) deliver(message []byte, w *wake) {
	ids, notification := messageIDs(message)
	if notification {
		w.ring()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if got, ok := l.waiting[id]; ok {
			delete(l.waiting, id)
			got <- message
			return
		}
	}
	if len(ids) == 0 && len(l.waiting) == 1 {
		// A refusal without an id can only be meant for the one question there is.
		for id, got := range l.waiting {
			delete(l.waiting, id)
			got <- message
		}
	}
}

// messageIDs reads which questions a message answers.
func messageIDs(message []byte) (ids []uint64, notification bool) {
	type envelope struct {
		ID     *uint64 `json:"id"`
		Method string  `json:"method"`
	}
	message = bytes.TrimSpace(message)
	var list []envelope
	if len(message) > 0 && message[0] == '[' {
		if json.Unmarshal(message, &list) != nil {
			return nil, false
		}
	} else {
		var one envelope
		if json.Unmarshal(message, &one) != nil {
			return nil, false
		}
		if one.Method == "eth_subscription" {
			return nil, true
		}
		list = []envelope{one}
	}
	for _, e := range list {
		if e.ID != nil {
			ids = append(ids, *e.ID)
		}
	}
	return ids, false
}
