package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// shelf is a ledger that keeps what a database would: text, by rule and number, and
// of alerts with one key the first. It can be told to fail, and to die after a commit.
type shelf struct {
	checkpoints map[string]map[uint64]string
	rest        map[string]string // pruned, doubts and revisions by rule
	posts       []Post
	keys        map[string]bool
	writes      int
	fail        error
}

func newShelf() *shelf {
	return &shelf{checkpoints: map[string]map[uint64]string{}, rest: map[string]string{}, keys: map[string]bool{}}
}

type shelfRest struct {
	Pruned    bool
	Doubts    []Doubt
	Revisions map[string]int
}

func (s *shelf) Kept(context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(s.rest)), nil
}

func (s *shelf) LoadBeats(context.Context) ([]Beat, error) { return nil, nil }

func (s *shelf) LoadState(_ context.Context, rule string) (State, error) {
	st := State{Rule: rule}
	if s.rest[rule] == "" {
		return st, nil
	}
	var rest shelfRest
	if err := json.Unmarshal([]byte(s.rest[rule]), &rest); err != nil {
		return st, err
	}
	st.Pruned, st.Doubts, st.Revisions = rest.Pruned, rest.Doubts, rest.Revisions
	for _, seq := range slices.Sorted(maps.Keys(s.checkpoints[rule])) {
		var c Checkpoint
		if err := json.Unmarshal([]byte(s.checkpoints[rule][seq]), &c); err != nil {
			return st, err
		}
		st.Checkpoints = append(st.Checkpoints, c)
	}
	return st, nil
}

func (s *shelf) Commit(_ context.Context, c Change) error {
	if s.fail != nil {
		return s.fail
	}
	s.writes++
	for _, st := range c.States {
		if err := s.keep(st); err != nil {
			return err
		}
	}
	for _, p := range c.Posts {
		if !s.keys[p.Alert.Key] {
			s.keys[p.Alert.Key] = true
			s.posts = append(s.posts, p)
		}
	}
	return nil
}

func (s *shelf) keep(c StateChange) error {
	rest, err := json.Marshal(shelfRest{c.Pruned, c.Doubts, c.Revisions})
	if err != nil {
		return err
	}
	s.rest[c.Rule] = string(rest)
	if s.checkpoints[c.Rule] == nil {
		s.checkpoints[c.Rule] = map[uint64]string{}
	}
	all := s.checkpoints[c.Rule]
	maps.DeleteFunc(all, func(seq uint64, _ string) bool { return seq < c.From || seq > c.To })
	for _, p := range c.Add {
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		all[p.Seq] = string(text)
	}
	return nil
}

// ledger is what people were told, in order, without what only a process that was
// not restarted can know: the value of a number at the look before.
func (s *shelf) ledger(t require.TestingT) []string {
	var out []string
	for _, p := range s.posts {
		a := p.Alert
		if a.Gauge != nil {
			g := *a.Gauge
			g.Before = decimal.NullDecimal{}
			a.Gauge = &g
		}
		text, err := json.Marshal(a)
		require.NoError(t, err)
		out = append(out, fmt.Sprint(p.Notify, string(text)))
	}
	return out
}
