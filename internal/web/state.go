package web

import (
	"net/http"
	"strings"
	"time"

	"liqwatch/protocols"
)

type state struct {
	Time    time.Time    `json:"time"`
	Version string       `json:"version"`
	Ready   bool         `json:"ready"`
	Why     string       `json:"why,omitempty"` // not ready because
	Stale   bool         `json:"stale"`
	Chains  []chainState `json:"chains"`
	Viewers int          `json:"viewers"`
	// Notifiers are how those do whom rules tell; empty where it is not known.
	Notifiers []notifierState `json:"notifiers"`
}

type notifierState struct {
	Notifier string     `json:"notifier"`
	Overdue  *time.Time `json:"overdue"` // since when its oldest message should have been sent
	Failing  *time.Time `json:"failing"` // since when every send failed
	Why      string     `json:"why,omitempty"`
}

type chainState struct {
	Chain      string     `json:"chain"`
	Block      uint64     `json:"block"`
	BlockTime  *time.Time `json:"block_time"`
	Final      uint64     `json:"final"`
	Fed        *time.Time `json:"fed"`
	AgeSeconds int64      `json:"age_seconds"`
	// LimitSeconds is the age from which on its numbers are called stale.
	LimitSeconds int64         `json:"limit_seconds"`
	Stale        bool          `json:"stale"`
	Why          string        `json:"why,omitempty"`
	Markets      []marketState `json:"markets"`
	Nodes        []nodeState   `json:"nodes"`
}

type marketState struct {
	Market     string     `json:"market"`
	Protocol   string     `json:"protocol,omitempty"`
	Block      uint64     `json:"block"`
	Fed        *time.Time `json:"fed"`
	AgeSeconds int64      `json:"age_seconds"` // -1 before the first
	Stale      bool       `json:"stale"`
	Why        string     `json:"why,omitempty"` // what keeps it behind
	Positions  int        `json:"positions"`
	Verified   *time.Time `json:"verified"` // when all accounts were last read again
	Faults     []fault    `json:"faults"`
	Coming     int        `json:"coming_prices"`
	Known      bool       `json:"known"` // false: not read yet, or resyncing
}

type fault struct {
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
}

type nodeState struct {
	Node     string            `json:"node"`
	State    string            `json:"state,omitempty"` // "good", "out", ... where the chain's client tells
	Why      string            `json:"why,omitempty"`
	Requests map[string]uint64 `json:"requests"`
	Failed   uint64            `json:"failed"`
}

// Asked is how much was asked of the node.
func (n nodeState) Asked() uint64 {
	var sum uint64
	for _, c := range n.Requests {
		sum += c
	}
	return sum
}

func (s *Server) stateAPI(r *http.Request) (any, error) { return s.state(r), nil }

// state is where everything stands: the proof of life.
func (s *Server) state(r *http.Request) *state {
	snap, now := s.views.snapshot(), s.opt.Now()
	out := &state{Time: now.UTC(), Version: s.opt.Version, Chains: []chainState{}, Viewers: s.hub.count(), Notifiers: []notifierState{}}
	why := s.notReady(r.Context())
	out.Ready, out.Why = len(why) == 0, strings.Join(why, "; ")
	sinks, _ := s.sinks(r.Context()) // an error is among the reasons already
	for _, k := range sinks {
		if k.Overdue.After(now) {
			k.Overdue = time.Time{} // held back until then: quiet hours
		}
		out.Notifiers = append(out.Notifiers, notifierState{k.Name, moment(k.Overdue), moment(k.Failing), plain(k.Why)})
	}
	books := map[string]protocols.Book{}
	for _, b := range snap.books {
		books[b.Market()] = b
	}
	for _, c := range snap.chains {
		one := s.chainState(c, books, now)
		out.Stale = out.Stale || one.Stale
		for _, m := range one.Markets {
			out.Stale = out.Stale || m.Stale
		}
		out.Chains = append(out.Chains, one)
	}
	return out
}

func (s *Server) chainState(c ChainState, books map[string]protocols.Book, now time.Time) chainState {
	out := chainState{
		Chain: c.Name, Block: c.Block.Number, Final: c.Final, Why: plain(c.Why), Markets: []marketState{}, Nodes: []nodeState{},
		AgeSeconds: int64(now.Sub(c.Fed).Seconds()), LimitSeconds: int64(s.limit(c).Seconds()),
		Stale: c.Block.Number == 0 || now.Sub(c.Fed) > s.limit(c),
	}
	if c.Block.Number != 0 {
		at, fed := time.Unix(int64(c.Block.Time), 0).UTC(), c.Fed.UTC()
		out.BlockTime, out.Fed = &at, &fed
	}
	for _, m := range c.Markets {
		one := marketState{Market: m.Name, Faults: []fault{}, Fed: moment(m.Fed), Why: plain(m.Why), Verified: moment(m.Verified)}
		one.AgeSeconds = -1
		if !m.Fed.IsZero() {
			one.AgeSeconds = int64(now.Sub(m.Fed).Seconds())
		}
		one.Stale = m.Fed.IsZero() || now.Sub(m.Fed) > s.limit(c)
		if b := books[m.Name]; b != nil {
			one.Known, one.Protocol, one.Block, one.Positions, one.Coming = true, b.Protocol(), b.Block().Number, b.Len(), len(b.Coming())
			for _, f := range b.Faults() {
				one.Faults = append(one.Faults, fault{f.Kind, plain(f.Detail)})
			}
		}
		out.Markets = append(out.Markets, one)
	}
	for _, n := range c.Nodes {
		out.Nodes = append(out.Nodes, nodeState{n.Name, n.State, plain(n.Why), n.Requests, n.Failed})
	}
	return out
}

// moment is a time, or nothing for one that has not come.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
