package web

import (
	"encoding/json"
	"errors"
	"net/http"

	"liqwatch/internal/store"
	"liqwatch/thresholds"
)

// problem is an answer that says what was wrong with the question.
type problem struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is what a person reads.
func (p problem) Error() string { return p.Message }

func bad(code, message string) problem { return problem{http.StatusBadRequest, code, message} }

// refuse answers with words. What is not the asker's fault is logged, and its
// cause is not told: it may name what a page must not.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	var p problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, thresholds.ErrNoAxis):
		p = problem{http.StatusNotFound, "unknown-axis", err.Error()}
	case errors.Is(err, thresholds.ErrPrice):
		p = bad("bad-price", err.Error())
	case errors.Is(err, thresholds.ErrUnknownMarket):
		p = problem{http.StatusNotFound, "unknown-market", err.Error()}
	case errors.Is(err, store.ErrNoAlert):
		p = problem{http.StatusNotFound, "unknown-alert", "there is no such alert"}
	case errors.Is(err, errStarting):
		p = problem{http.StatusServiceUnavailable, "starting", err.Error()}
	default:
		s.log.Error().Err(err).Msg("answer")
		p = problem{http.StatusInternalServerError, "internal", "this could not be answered; the log says why"}
	}
	if p.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Del("Content-Encoding")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(map[string]problem{"error": p})
}

// asProblem turns what an asker did wrong into words for a piece of the page.
func asProblem(err error, p *problem) bool {
	if errors.As(err, p) {
		return true
	}
	for _, known := range []error{thresholds.ErrNoAxis, thresholds.ErrPrice, thresholds.ErrUnknownMarket, errStarting} {
		if errors.Is(err, known) {
			*p = problem{http.StatusBadRequest, "bad-question", err.Error()}
			return true
		}
	}
	return false
}
