package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"sync"
	"time"
)

// answers keeps what was answered a moment ago, as bytes: a thousand viewers who
// ask the same within a second cost one answer.
type answers struct {
	mu   sync.Mutex
	all  map[string]*answer
	kept int // bytes of those in all that are made
}

type answer struct {
	once   sync.Once
	born   time.Time // when it was made; zero while it is
	kind   string
	body   []byte
	packed []byte // gzip
	etag   string
	err    error

	counted int // bytes, among those kept
}

const (
	answerLife  = time.Second
	mostAnswers = 512
	mostKept    = 64 << 20 // bytes
)

// errUnmade is what others get of an answer whose making broke off.
var errUnmade = errors.New("make an answer: it broke off")

func newAnswers() *answers { return &answers{all: map[string]*answer{}} }

// forget drops everything: somebody has changed something and wants to see it.
func (c *answers) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
}

func (c *answers) clear() {
	clear(c.all)
	c.kept = 0
}

// size is how many bytes are kept.
func (c *answers) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept
}

// keep counts an answer that is made, and drops all where they have become too much.
func (c *answers) keep(key string, a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.born = time.Now()
	if c.all[key] != a {
		return // dropped meanwhile
	}
	a.counted = len(a.body) + len(a.packed)
	if c.kept += a.counted; c.kept > mostKept {
		c.clear()
	}
}

func (a *answer) old() bool { return !a.born.IsZero() && time.Since(a.born) > answerLife }

// expire drops what is too old to be given to anybody.
func (c *answers) expire() {
	for key, a := range c.all {
		if a.old() {
			c.kept -= a.counted
			delete(c.all, key)
		}
	}
}

func (c *answers) of(key string, make func() (kind string, body []byte, err error)) *answer {
	c.mu.Lock()
	a := c.all[key]
	if a == nil || a.old() {
		if c.expire(); len(c.all) >= mostAnswers {
			c.clear()
		}
		a = &answer{err: errUnmade}
		c.all[key] = a
	}
	c.mu.Unlock()
	a.once.Do(func() {
		defer c.keep(key, a)
		if a.kind, a.body, a.err = make(); a.err != nil {
			return
		}
		h := fnv.New64a()
		_, _ = h.Write(a.body)
		a.etag = fmt.Sprintf(`"%x"`, h.Sum64())
		if !strings.HasPrefix(a.kind, "image/png") && len(a.body) > 600 {
			a.packed = pack(a.body)
		}
	})
	return a
}

func pack(body []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, 5)
	if err != nil {
		return nil
	}
	if _, err := z.Write(body); err != nil || z.Close() != nil {
		return nil
	}
	return b.Bytes()
}

// answer writes what make makes, or what it made for somebody else within the last second.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, make func() (string, []byte, error)) {
	key := r.URL.Path + "?" + r.URL.Query().Encode()
	if s.writer(r) {
		key += " writer"
	}
	a := s.cache.of(key, make)
	if a.err != nil {
		s.refuse(w, a.err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", a.etag)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding, Cookie, Authorization")
	body := a.body
	if a.packed != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body = a.packed
		h.Set("Content-Encoding", "gzip")
	}
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body) // whoever has gone does not mind
}
