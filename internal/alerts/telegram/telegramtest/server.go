// Package telegramtest is a Bot API server for tests, as strict as the real one:
// about tokens, chats, topics, the length of a text after its entities, markup,
// pictures, buttons, unknown parameters, and who may ask for updates. It can be told
// to misbehave, one call at a time.
package telegramtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
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

// Call is one message that came in, taken or not.
type Call struct {
	At        time.Time
	Method    string // sendMessage or sendPhoto
	Chat      string
	Text      string // after entities, as a reader sees it
	Raw       string // as sent
	ParseMode string
	Thread    int64
	Reply     int64 // the message it answers
	Silent    bool
	Photo     []byte
	Buttons   [][]Button
	ID        int64  // of the message in the chat; 0 for none
	Taken     bool   // the message is in the chat
	Early     bool   // came before a retry_after had passed
	Refused   string // why the server would not take it, scripted faults apart
}

// Button is one under a message.
type Button struct{ Text, Data string }

// Other is a call that sends nothing.
type Other struct {
	At     time.Time
	Method string
	Params map[string]any
}

// Server is a Bot API server with one bot.
type Server struct {
	URL string

	http   *httptest.Server
	token  string
	now    func() time.Time
	mu     sync.Mutex
	chats  map[string]string         // number -> "" or the number it moved to
	topics map[string]map[int64]bool // by chat; a chat without an entry is no forum and asks for none
	faults []Fault
	calls  []Call
	others []Other
	until  time.Time
	queue  updateQueue
}

// New starts a server for a bot that is in the given chats; Close ends it.
func New(token string, chats ...string) *Server {
	s := &Server{token: token, now: time.Now, chats: map[string]string{}, topics: map[string]map[int64]bool{}}
	s.queue.init()
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

// Script appends faults, one for each message to come. A fault that cannot be that of
// the call it meets (markup of a plain text, the picture of a text) is left out.
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

// Topics makes a chat a forum with the given topics open.
func (s *Server) Topics(chat string, topics ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topics[chat] = map[int64]bool{}
	for _, t := range topics {
		s.topics[chat][t] = true
	}
}

// Calls are the messages that came in so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call{}, s.calls...)
}

// Others are the calls so far that sent nothing; those for updates are not kept.
func (s *Server) Others() []Other {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Other{}, s.others...)
}

type answer struct {
	OK          bool           `json:"ok"`
	Code        int            `json:"error_code,omitempty"`
	Description string         `json:"description,omitempty"`
	Parameters  map[string]any `json:"parameters,omitempty"`
	Result      any            `json:"result,omitempty"`
}

func refuse(code int, text string) answer { return answer{Code: code, Description: text} }

func bad(text string, args ...any) answer {
	return refuse(http.StatusBadRequest, "Bad Request: "+fmt.Sprintf(text, args...))
}

// ServeHTTP answers as api.telegram.org does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method, ok := strings.CutPrefix(r.URL.Path, "/bot"+s.token+"/")
	if !ok {
		write(w, refuse(http.StatusUnauthorized, "Unauthorized"))
		return
	}
	params, photo, refusal := readParams(w, r, method)
	switch {
	case refusal != nil:
		write(w, *refusal)
	case method == "sendMessage" || method == "sendPhoto":
		s.message(w, r, method, params, photo)
	case method == "getUpdates":
		s.updates(w, r, params)
	default:
		s.mu.Lock()
		s.others = append(s.others, Other{s.now(), method, params.all})
		reply := s.other(method, params)
		s.mu.Unlock()
		write(w, reply)
	}
}

// message takes or refuses one message.
func (s *Server) message(w http.ResponseWriter, r *http.Request, method string, p parameters, photo []byte) {
	s.mu.Lock()
	now := s.now()
	call := Call{
		At: now, Method: method, Chat: p.chat(), Raw: p.Text + p.Caption, ParseMode: p.ParseMode, Thread: p.Thread,
		Silent: p.Silent, Photo: photo, Buttons: p.buttons(),
	}
	if p.Reply != nil {
		call.Reply = p.Reply.MessageID
	}
	var fault Fault
	if now.Before(s.until) {
		call.Early = true
		fault = Fault{Code: http.StatusTooManyRequests, RetryAfter: int(s.until.Sub(now)/time.Second) + 1}
	} else if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	if !fault.fits(call) {
		fault = Fault{}
	}
	text, reply := s.judge(call, p)
	call.Text = text
	call.Refused = reply.Description
	call.Taken = reply.OK && (fault.Code == 0 || fault.Accept)
	if call.Taken {
		call.ID = int64(len(s.calls)) + 1
	}
	s.calls = append(s.calls, call)
	if fault.Code == http.StatusTooManyRequests && !call.Early {
		s.until = now.Add(time.Duration(fault.RetryAfter) * time.Second)
	}
	s.mu.Unlock()
	misbehave(w, r, fault, reply)
}

// fits reports that a refusal can be that of a call.
func (f Fault) fits(c Call) bool {
	text := strings.ToLower(f.Text)
	switch {
	case f.Raw:
		return true
	case strings.Contains(text, "parse entities"):
		return c.ParseMode != ""
	case strings.Contains(text, "photo"), strings.Contains(text, "image"):
		return c.Photo != nil
	case strings.Contains(text, "thread"), strings.Contains(text, "topic"):
		return c.Thread != 0
	}
	return true
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

// other answers the calls that send nothing.
func (s *Server) other(method string, p parameters) answer {
	switch method {
	case "getMe":
		id, _, _ := strings.Cut(s.token, ":")
		return answer{OK: true, Result: map[string]any{"id": json.Number(id), "is_bot": true, "first_name": "Liquidations", "username": "liqwatch_bot"}}
	case "answerCallbackQuery":
		return s.answerPress(p)
	case "editMessageReplyMarkup":
		return s.edit(p)
	case "setMyCommands":
		if refusal := p.checkCommands(); refusal != nil {
			return *refusal
		}
		return answer{OK: true, Result: true}
	}
	return refuse(http.StatusNotFound, "Not Found: method not found")
}

// edit changes the buttons of a message.
func (s *Server) edit(p parameters) answer {
	if moved, known := s.chats[p.chat()]; !known || moved != "" {
		return bad("chat not found")
	}
	if p.MessageID < 1 || p.MessageID > int64(len(s.calls)) || s.calls[p.MessageID-1].ID == 0 {
		return bad("message to edit not found")
	}
	c := &s.calls[p.MessageID-1]
	next := p.buttons()
	if fmt.Sprint(c.Buttons) == fmt.Sprint(next) {
		return bad("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	if refusal := checkButtons(p.Markup); refusal != nil {
		return *refusal
	}
	c.Buttons = next
	return answer{OK: true, Result: map[string]any{"message_id": p.MessageID}}
}

func write(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json")
	if !a.OK {
		w.WriteHeader(a.Code)
	}
	_ = json.NewEncoder(w).Encode(a)
}

func number(s string) json.RawMessage {
	if _, err := strconv.ParseInt(s, 10, 64); err != nil {
		return json.RawMessage(strconv.Quote(s))
	}
	return json.RawMessage(s)
}
