package telegram

import (
	"strings"

	"liqwatch/internal/alerts"
)

// mostThreads is how many episodes are remembered: those of the last days.
const mostThreads = 1000

// threads are the first messages of episodes, so that those to come answer them.
// They are not kept over a restart: the next message is the first one then.
type threads struct {
	first map[string]int64
	order []string // oldest first
}

// episodeOf names the episode that a message is of; empty for none. An alert's key
// is rule|axis|level|side|episode|mark.
func episodeOf(m alerts.Message) string {
	s := subjectOf(m)
	if f := s.Follows; f != nil {
		if len(f.Episodes) == 0 {
			return ""
		}
		return f.Episodes[len(f.Episodes)-1] // the deepest level, as in the key of what it repeats
	}
	key := s.Key
	if s.Corrects != nil {
		key = s.Corrects.Key
	}
	i := strings.LastIndexByte(key, '|')
	if strings.Count(key, "|") < 5 || i < 0 {
		return ""
	}
	return key[:i]
}

// threadOf is the first message of the episode; 0 when this is it.
func (n *Notifier) threadOf(m alerts.Message) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.threads.first[episodeOf(m)]
}

// remember notes the first message of an episode.
func (n *Notifier) remember(m alerts.Message, id int64) {
	key := episodeOf(m)
	if key == "" || id == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	t := &n.threads
	if t.first == nil {
		t.first = map[string]int64{}
	}
	if _, known := t.first[key]; known {
		return
	}
	if len(t.order) >= mostThreads {
		delete(t.first, t.order[0])
		t.order = t.order[1:]
	}
	t.first[key], t.order = id, append(t.order, key)
}
