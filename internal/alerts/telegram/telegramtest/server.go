// Package telegramtest is a Bot API server for tests, as strict as the real one:
// about tokens, chats, the length of a text after its entities, and markup. It can
// be told to misbehave, one call at a time.
package telegramtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// Fault is how one call goes wrong.
type Fault struct {
	Code       int           // HTTP status; 0 for a call that goes well
	Text       string        // the description, or the whole body where Raw
	Raw        bool          // the body is Text and no JSON
	RetryAfter int           // seconds, of a 429
	Accept     bool          // take the message, then fail
	Hang       time.Duration // before answering
	Drop       bool          // close the connection without an answer
}

// Call is one call that came in.
type Call struct {
	At        time.Time
	Chat      string
	Text      string // after entities, as a reader sees it
	Raw       string // as sent
	ParseMode string
	Thread    int64
	Taken     bool // the message is in the chat
	Early     bool // came before a retry_after had passed
}

// Server is a Bot API server with one bot.
type Server struct {
	URL string

	http   *httptest.Server
	token  string
	now    func() time.Time
	mu     sync.Mutex
	chats  map[string]string // number -> "" or the number it moved to
	faults []Fault
	calls  []Call
	until  time.Time
}

// New starts a server for a bot that is in the given chats; Close ends it.
func New(token string, chats ...string) *Server {
	s := &Server{token: token, now: time.Now, chats: map[string]string{}}
	for _, c := range chats {
		s.chats[c] = ""
	}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	return s
}

// Close ends the server.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// Script appends faults, one for each call to come.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Migrate makes a chat move.
func (s *Server) Migrate(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chats[from], s.chats[to] = to, ""
}

// Calls are those that came in so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call{}, s.calls...)
}

type answer struct {
	OK          bool           `json:"ok"`
	Code        int            `json:"error_code,omitempty"`
	Description string         `json:"description,omitempty"`
	Parameters  map[string]any `json:"parameters,omitempty"`
	Result      any            `json:"result,omitempty"`
}

func refuse(code int, text string) answer { return answer{Code: code, Description: text} }

// ServeHTTP answers as api.telegram.org does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method, ok := strings.CutPrefix(r.URL.Path, "/bot"+s.token+"/")
	if !ok {
		write(w, refuse(http.StatusUnauthorized, "Unauthorized"))
		return
	}
	if method != "sendMessage" {
		write(w, refuse(http.StatusNotFound, "Not Found: method not found"))
		return
	}
	var req struct {
		ChatID    json.RawMessage `json:"chat_id"`
		Thread    int64           `json:"message_thread_id"`
		Text      string          `json:"text"`
		ParseMode string          `json:"parse_mode"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&req); err != nil {
		write(w, refuse(http.StatusBadRequest, "Bad Request: can't parse the request"))
		return
	}
	s.mu.Lock()
	now := s.now()
	call := Call{At: now, Chat: strings.Trim(string(req.ChatID), `"`), Raw: req.Text, ParseMode: req.ParseMode, Thread: req.Thread}
	var fault Fault
	if now.Before(s.until) {
		call.Early = true
		fault = Fault{Code: http.StatusTooManyRequests, RetryAfter: int(s.until.Sub(now)/time.Second) + 1}
	} else if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	if call.ParseMode == "" && strings.Contains(fault.Text, "can't parse entities") {
		fault = Fault{} // plain text has none
	}
	text, reply := s.judge(call)
	call.Text = text
	call.Taken = reply.OK && (fault.Code == 0 || fault.Accept)
	s.calls = append(s.calls, call)
	if fault.Code == http.StatusTooManyRequests && !call.Early {
		s.until = now.Add(time.Duration(fault.RetryAfter) * time.Second)
	}
	s.mu.Unlock()
	misbehave(w, r, fault, reply)
}

func misbehave(w http.ResponseWriter, r *http.Request, fault Fault, reply answer) {
	if fault.Hang > 0 {
		select {
		case <-time.After(fault.Hang):
		case <-r.Context().Done():
		}
	}
	switch {
	case fault.Drop:
		panic(http.ErrAbortHandler)
	case fault.Code == 0:
		write(w, reply)
	case fault.Raw:
		w.WriteHeader(fault.Code)
		fmt.Fprint(w, fault.Text)
	case fault.Code == http.StatusTooManyRequests:
		a := refuse(fault.Code, fmt.Sprintf("Too Many Requests: retry after %d", fault.RetryAfter))
		a.Parameters = map[string]any{"retry_after": fault.RetryAfter}
		write(w, a)
	default:
		write(w, refuse(fault.Code, fault.Text))
	}
}

// judge takes or refuses a message on its merits.
func (s *Server) judge(c Call) (string, answer) {
	moved, known := s.chats[c.Chat]
	if !known {
		return "", refuse(http.StatusBadRequest, "Bad Request: chat not found")
	}
	if moved != "" {
		a := refuse(http.StatusBadRequest, "Bad Request: group chat was upgraded to a supergroup chat")
		a.Parameters = map[string]any{"migrate_to_chat_id": json.Number(moved)}
		return "", a
	}
	text := c.Raw
	switch c.ParseMode {
	case "":
	case "HTML":
		var err error
		if text, err = parse(c.Raw); err != nil {
			return "", refuse(http.StatusBadRequest, "Bad Request: can't parse entities: "+err.Error())
		}
	default:
		return "", refuse(http.StatusBadRequest, "Bad Request: unsupported parse_mode")
	}
	if strings.TrimSpace(text) == "" {
		return "", refuse(http.StatusBadRequest, "Bad Request: message text is empty")
	}
	if len(utf16.Encode([]rune(text))) > 4096 {
		return "", refuse(http.StatusBadRequest, "Bad Request: message is too long")
	}
	return text, answer{OK: true, Result: map[string]any{"message_id": len(s.calls) + 1}}
}

func write(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json")
	if !a.OK {
		w.WriteHeader(a.Code)
	}
	_ = json.NewEncoder(w).Encode(a)
}
