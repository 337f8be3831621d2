package web

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"time"
)

//go:embed assets
var assets embed.FS

// routes are all there is. Those under /api/v1 are in assets/openapi.json too, and
// a test holds the two together.
func (s *Server) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", s.page)
	m.HandleFunc("GET /parts", s.parts)
	m.HandleFunc("GET /whatif", s.whatIfPart)
	m.HandleFunc("GET /heatmap.png", s.heatmapImage)
	m.HandleFunc("GET /static/{file}", s.static)
	m.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { s.loginPage(w, "") })
	m.HandleFunc("POST /login", s.logIn)
	m.HandleFunc("POST /logout", s.logOut)
	m.HandleFunc("POST /acknowledge", s.write(s.acknowledgeForm))
	m.HandleFunc("POST /mute", s.write(s.muteForm))
	m.HandleFunc("GET /healthz", s.healthz)
	m.HandleFunc("GET /readyz", s.readyz)
	m.Handle("GET /metrics", s.meter.handler())
	for pattern, h := range s.api() {
		m.HandleFunc(pattern, h)
	}
	m.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		s.refuse(w, problem{http.StatusNotFound, "unknown-path", "there is nothing here: /api/v1/openapi.json lists what there is"})
	})
	return s.guard(http.NewCrossOriginProtection().Handler(m))
}

// api are the answers for machines.
func (s *Server) api() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/openapi.json":             s.openAPI,
		"GET /api/v1/state":                    s.json(s.stateAPI),
		"GET /api/v1/axes":                     s.json(s.axesAPI),
		"GET /api/v1/ladder":                   s.ladderAPI,
		"GET /api/v1/whatif":                   s.json(s.whatIfAPI),
		"GET /api/v1/walls":                    s.json(s.wallsAPI),
		"GET /api/v1/accounts":                 s.json(s.accountsAPI),
		"GET /api/v1/markets":                  s.json(s.marketsAPI),
		"GET /api/v1/liquidations":             s.json(s.liquidationsAPI),
		"GET /api/v1/alerts":                   s.json(s.alertsAPI),
		"GET /api/v1/history":                  s.json(s.historyAPI),
		"GET " + eventsPath:                    s.events,
		"POST /api/v1/alerts/{id}/acknowledge": s.write(s.acknowledgeAPI),
		"POST /api/v1/rules/{rule}/mute":       s.write(s.muteAPI),
		"DELETE /api/v1/rules/{rule}/mute":     s.write(s.unmuteAPI),
	}
}

// json answers with one JSON document, made at most once a second for all who ask the same.
func (s *Server) json(make func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, func() (string, []byte, error) {
			v, err := make(r)
			if err != nil {
				return "", nil, err
			}
			return encode(v)
		})
	}
}

func encode(v any) (string, []byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	if err := e.Encode(v); err != nil {
		return "", nil, fmt.Errorf("write JSON: %w", err)
	}
	return "application/json", b.Bytes(), nil
}

var kinds = map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.PathValue("file"))
	kind := kinds[path.Ext(name)]
	body, err := assets.ReadFile("assets/" + name)
	if err != nil || kind == "" {
		s.refuse(w, problem{http.StatusNotFound, "unknown-path", "there is no such file"})
		return
	}
	s.answer(w, r, func() (string, []byte, error) { return kind, body, nil })
}

func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, func() (string, []byte, error) {
		body, err := assets.ReadFile("assets/openapi.json")
		return "application/json", body, err
	})
}

// healthz says whether the process does its work: it looks around, and the store answers.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	if since := time.Since(s.views.looked()); since > 10*lookEvery {
		s.say(w, http.StatusServiceUnavailable, fmt.Sprintf("the page has not looked around for %s", since.Round(time.Second)))
		return
	}
	if _, err := s.opt.Keeper.Queue(r.Context()); err != nil {
		s.log.Error().Err(err).Msg("health")
		s.say(w, http.StatusServiceUnavailable, "the store does not answer; the log says why")
		return
	}
	s.say(w, http.StatusOK, "ok")
}

// queueLimit is the age of a waiting message from which on nobody should rely on alerts.
const queueLimit = time.Minute

// readyz says whether what is shown and sent can be relied on now.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if why := s.notReady(r.Context()); why != "" {
		s.say(w, http.StatusServiceUnavailable, why)
		return
	}
	s.say(w, http.StatusOK, "ok")
}

func (s *Server) notReady(ctx context.Context) string {
	snap, now := s.views.snapshot(), s.opt.Now()
	if len(snap.chains) == 0 {
		return "nothing has been looked at yet"
	}
	for _, c := range snap.chains {
		switch age := now.Sub(c.Fed); {
		case c.Block.Number == 0:
			return c.Name + ": the first pass has not ended"
		case age > s.opt.StaleAfter:
			return fmt.Sprintf("%s: no block for %s", c.Name, age.Round(time.Second))
		}
		for _, m := range c.Markets {
			if m.Fed.IsZero() || now.Sub(m.Fed) > s.opt.StaleAfter {
				return m.Name + ": not read, or stale"
			}
		}
	}
	q, err := s.opt.Keeper.Queue(ctx)
	if err != nil {
		s.log.Error().Err(err).Msg("ready")
		return "the store does not answer"
	}
	if !q.Oldest.IsZero() && now.Sub(q.Oldest) > queueLimit {
		return fmt.Sprintf("%d messages wait to be delivered, the oldest for %s", q.Waiting, now.Sub(q.Oldest).Round(time.Second))
	}
	return ""
}

func (s *Server) say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}
