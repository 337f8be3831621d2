package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// hub tells viewers what has changed. It never waits for one.
type hub struct {
	mu      sync.Mutex
	viewers map[*viewer]struct{}
	serial  uint64
}

// viewer is one open stream of events.
type viewer struct {
	axis    string
	mu      sync.Mutex
	pending []string
	wake    chan struct{}
}

const (
	mostViewers = 2000
	// viewerPace is the least time between two events to one viewer.
	viewerPace = time.Second
	// keepAlive is how often a silent stream says that it lives.
	keepAlive = 15 * time.Second
)

func newHub() *hub { return &hub{viewers: map[*viewer]struct{}{}} }

// tell adds an event for every viewer whom it concerns: "state", "history",
// "alerts", or "ladder AXIS".
func (h *hub) tell(event string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.serial++
	name, axis, of := strings.Cut(event, " ")
	for v := range h.viewers {
		if !of || axis == v.axis {
			v.add(name)
		}
	}
}

func (v *viewer) add(name string) {
	v.mu.Lock()
	if !slices.Contains(v.pending, name) {
		v.pending = append(v.pending, name)
	}
	v.mu.Unlock()
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

func (v *viewer) drain() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.pending
	v.pending = nil
	return out
}

func (h *hub) join(axis string) *viewer {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.viewers) >= mostViewers {
		return nil
	}
	v := &viewer{axis: axis, wake: make(chan struct{}, 1)}
	h.viewers[v] = struct{}{}
	return v
}

func (h *hub) leave(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.viewers, v)
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.viewers)
}

// watched are the axes that somebody looks at.
func (h *hub) watched() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for v := range h.viewers {
		if !slices.Contains(out, v.axis) {
			out = append(out, v.axis)
		}
	}
	return out
}

// events streams what has changed, as server-sent events. Each only says what to
// ask for again, so that a viewer that was away for an hour has missed nothing.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	axis, err := s.axis(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	v := s.hub.join(axis)
	if v == nil {
		s.refuse(w, problem{http.StatusServiceUnavailable, "too-many-viewers", fmt.Sprintf("there are %d viewers already", mostViewers)})
		return
	}
	defer s.hub.leave(v)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	send := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(10 * time.Second)) // a viewer that is gone is found out by the write
		_, err := fmt.Fprint(w, text)
		return err == nil && out.Flush() == nil
	}
	live := send("retry: 3000\nevent: all\ndata: {}\n\n")
	quiet := time.NewTicker(keepAlive)
	defer quiet.Stop()
	for live {
		select {
		case <-r.Context().Done():
			return
		case <-quiet.C:
			live = send(": alive\n\n")
		case <-v.wake:
			for _, name := range v.drain() {
				live = live && send(fmt.Sprintf("event: %s\ndata: {}\n\n", name))
			}
			pause(r.Context().Done(), viewerPace)
		}
	}
}

func pause(done <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}
