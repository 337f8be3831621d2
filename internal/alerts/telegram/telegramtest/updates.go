package telegramtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// updateQueue is what users did that the bot has not been told of.
type updateQueue struct {
	next    int64 // number of the next update
	waiting []update
	faults  []Fault
	poller  chan struct{} // closed to end the poll under way
	webhook bool
	more    chan struct{}
	queries map[string]time.Time // presses that wait for an answer
	polls   int
	taken   []int64 // updates that were confirmed
}

type update struct {
	id   int64
	body map[string]any
}

func (q *updateQueue) init() {
	q.next, q.more, q.queries = 700_000_001, make(chan struct{}), map[string]time.Time{}
}

// User is somebody who writes to the bot.
type User struct {
	ID   int64
	Name string
}

// Written is what a user wrote.
type Written struct {
	Chat, Kind string // Kind is private, group, supergroup or channel
	Text       string
	Thread     int64
	Date       time.Time
	Reply      int64 // the message of the bot that it answers
}

// Write makes a user write something.
func (s *Server) Write(u User, w Written) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.Date.IsZero() {
		w.Date = s.now()
	}
	m := map[string]any{
		"message_id": 1_000_000 + s.queue.next, "from": person(u), "date": w.Date.Unix(), "text": w.Text,
		"chat": map[string]any{"id": number(w.Chat), "type": kind(w.Kind)},
	}
	if w.Thread != 0 {
		m["message_thread_id"], m["is_topic_message"] = w.Thread, true
	}
	if w.Reply != 0 {
		m["reply_to_message"] = s.shown(w.Reply)
	}
	s.queue.add("message", m)
}

// Press makes a user press a button under a message of the bot.
func (s *Server) Press(u User, kindOfChat string, message int64, data string) (query string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	query = strconv.FormatInt(4_382_000_000_000_000+s.queue.next, 10)
	m := s.shown(message)
	m["chat"].(map[string]any)["type"] = kind(kindOfChat)
	s.queue.queries[query] = s.now()
	s.queue.add("callback_query", map[string]any{"id": query, "from": person(u), "message": m, "chat_instance": "1", "data": data})
	return query
}

// Raw queues an update as it is.
func (s *Server) Raw(kind string, body any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.add(kind, body)
}

// ScriptUpdates appends faults, one for each question for updates.
func (s *Server) ScriptUpdates(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.faults = append(s.queue.faults, faults...)
}

// Webhook sets or deletes a webhook: with one, nobody may ask for updates.
func (s *Server) Webhook(set bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.webhook = set
}

// Confirmed are the updates that the bot has confirmed, and how many wait.
func (s *Server) Confirmed() (confirmed []int64, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int64{}, s.queue.taken...), len(s.queue.waiting)
}

// Polls counts the questions for updates so far.
func (s *Server) Polls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.polls
}

func person(u User) map[string]any {
	return map[string]any{"id": u.ID, "is_bot": false, "first_name": u.Name}
}

func kind(k string) string {
	if k == "" {
		return "supergroup"
	}
	return k
}

// shown is a message of the bot as an update shows it.
func (s *Server) shown(id int64) map[string]any {
	m := map[string]any{"message_id": id, "chat": map[string]any{"id": json.Number("0")}}
	if id < 1 || id > int64(len(s.calls)) {
		return m
	}
	c := s.calls[id-1]
	m["chat"] = map[string]any{"id": number(c.Chat), "type": "supergroup"}
	m["date"], m["message_thread_id"] = c.At.Unix(), c.Thread
	if c.Photo != nil {
		m["caption"] = c.Text
	} else {
		m["text"] = c.Text
	}
	if c.Buttons != nil {
		var rows [][]map[string]string
		for _, row := range c.Buttons {
			var out []map[string]string
			for _, b := range row {
				out = append(out, map[string]string{"text": b.Text, "callback_data": b.Data})
			}
			rows = append(rows, out)
		}
		m["reply_markup"] = map[string]any{"inline_keyboard": rows}
	}
	return m
}

func (q *updateQueue) add(kind string, body any) {
	q.waiting = append(q.waiting, update{q.next, map[string]any{"update_id": q.next, kind: body}})
	q.next++
	close(q.more)
	q.more = make(chan struct{})
}

// confirm forgets what lies before an offset.
func (q *updateQueue) confirm(offset int64) {
	for len(q.waiting) > 0 && q.waiting[0].id < offset {
		q.taken = append(q.taken, q.waiting[0].id)
		q.waiting = q.waiting[1:]
	}
}

// updates answers getUpdates: one at a time, held open until there is something.
func (s *Server) updates(w http.ResponseWriter, r *http.Request, p parameters) {
	s.mu.Lock()
	q := &s.queue
	q.polls++
	limit := 100
	if p.Limit != nil {
		limit = *p.Limit
	}
	var refusal *answer
	switch {
	case q.webhook:
		a := refuse(http.StatusConflict, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
		refusal = &a
	case limit < 1 || limit > 100 || p.Timeout < 0:
		a := bad("wrong limit or timeout")
		refusal = &a
	}
	var fault Fault
	if len(q.faults) > 0 {
		fault, q.faults = q.faults[0], q.faults[1:]
	}
	if refusal != nil || fault != (Fault{}) {
		s.mu.Unlock()
		if refusal != nil {
			write(w, *refusal)
			return
		}
		misbehave(w, r, fault, answer{OK: true, Result: []any{}})
		return
	}
	if q.poller != nil {
		close(q.poller) // the one before is thrown out
	}
	ended := make(chan struct{})
	q.poller = ended
	q.confirm(p.Offset)
	s.mu.Unlock()
	s.hold(w, r, ended, time.Duration(p.Timeout)*time.Second, limit)
}

func (s *Server) hold(w http.ResponseWriter, r *http.Request, ended chan struct{}, wait time.Duration, limit int) {
	deadline := time.After(wait)
	for {
		s.mu.Lock()
		more, found := s.queue.more, s.queue.waiting
		s.mu.Unlock()
		late := false
		if len(found) == 0 {
			select {
			case <-more:
				continue
			case <-ended:
				write(w, refuse(http.StatusConflict, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"))
				return
			case <-r.Context().Done():
				late = true
			case <-deadline:
			}
		}
		s.mu.Lock()
		if s.queue.poller == ended {
			s.queue.poller = nil
		}
		s.mu.Unlock()
		if late {
			return
		}
		out := []any{}
		for _, u := range found[:min(limit, len(found))] {
			out = append(out, u.body)
		}
		write(w, answer{OK: true, Result: out})
		return
	}
}

// pressAge is how old a press may be to be answered.
const pressAge = 15 * time.Minute

func (s *Server) answerPress(p parameters) answer {
	at, known := s.queue.queries[p.QueryID]
	if !known || s.now().Sub(at) > pressAge {
		return bad("query is too old and response timeout expired or query ID is invalid")
	}
	if n := len([]rune(p.Text)); n > 200 {
		return bad("MESSAGE_TOO_LONG")
	}
	delete(s.queue.queries, p.QueryID)
	return answer{OK: true, Result: true}
}

// String tells of a call in a failed test.
func (c Call) String() string {
	return fmt.Sprintf("%s to %s (taken %t, early %t, reply %d, %d bytes of picture): %s", c.Method, c.Chat, c.Taken, c.Early, c.Reply, len(c.Photo), c.Text)
}
