package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
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

func (s *Server) say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}
