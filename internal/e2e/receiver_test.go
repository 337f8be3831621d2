package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
)

const hookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// receiver is somebody's webhook endpoint.
type receiver struct {
	URL string

	mu       sync.Mutex
	attempts []string // webhook-ids in the order of their coming
	bodies   map[string][]byte
	fresh    []alerts.Body // first comings, not yet taken
	hold     bool
	held     chan struct{} // one value when a request is being held
}

// receive starts an endpoint that believes nothing without a signature.
func receive(t *testing.T) *receiver {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(hookSecret)
	require.NoError(t, err)
	r := &receiver{bodies: map[string][]byte{}, held: make(chan struct{}, 1)}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if !assert.NoError(t, err) || !assert.NoError(t, wh.Verify(body, req.Header), "a message without a good signature came") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.take(t, req.Header.Get("webhook-id"), body) {
			r.held <- struct{}{}
			<-req.Context().Done() // the sender is dead before it has an answer
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	r.URL = s.URL
	return r
}

// take keeps a message and tells whether its answer is to be held back.
func (r *receiver) take(t *testing.T, id string, body []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts = append(r.attempts, id)
	if before, again := r.bodies[id]; again {
		assert.Equal(t, string(before), string(body), "a repeat has the id and the body of the first")
	} else {
		var b alerts.Body
		assert.NoError(t, json.Unmarshal(body, &b))
		r.bodies[id] = body
		r.fresh = append(r.fresh, b)
	}
	held := r.hold
	r.hold = false
	return held
}

// holdNext keeps the next request open until its sender is gone.
func (r *receiver) holdNext() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold = true
}

// counts are the attempts so far and the different messages among them.
func (r *receiver) counts() (attempts, messages int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.attempts), len(r.bodies)
}

// next waits for n new messages and a little longer, for those that should not come.
func (r *receiver) next(t *testing.T, n int) []alerts.Body {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		r.mu.Lock()
		have := len(r.fresh)
		r.mu.Unlock()
		if have >= n || time.Now().After(deadline) {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.fresh
	r.fresh = nil
	return out
}
