package web

import (
	"bytes"
	"compress/gzip"
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
	mu  sync.Mutex
	all map[string]*answer
}

type answer struct {
	once   sync.Once
	born   time.Time
	kind   string
	body   []byte
	packed []byte // gzip
	etag   string
	err    error
}

const (
	answerLife  = time.Second
	mostAnswers = 512
)

func newAnswers() *answers { return &answers{all: map[string]*answer{}} }

// forget drops everything: somebody has changed something and wants to see it.
func (c *answers) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.all)
}

func (c *answers) of(key string, make func() (kind string, body []byte, err error)) *answer {
	c.mu.Lock()
	a := c.all[key]
	if a == nil || time.Since(a.born) > answerLife {
		if len(c.all) >= mostAnswers {
			clear(c.all)
		}
		a = &answer{born: time.Now()}
		c.all[key] = a
	}
	c.mu.Unlock()
	a.once.Do(func() {
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
