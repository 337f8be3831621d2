package evm

import "time"

// state is where a node stands. The moves between them are in health alone.
//
//	new   --good--> good       new --bad--> out
//	good  --bad twice--> out   good --lie or refused key--> out
//	out   --3 good in a row--> good
//	any   --another chain--> wrong (until it answers for the right one)
type state int

const (
	stateNew state = iota
	stateGood
	stateOut
	stateWrong
)

func (s state) String() string { return [...]string{"new", "good", "out", "wrong chain"}[s] }

const (
	badsToOut   = 2
	goodsToBack = 3
	longestRest = 30 * time.Second
)

// health is the small machine that says whether a node is asked.
type health struct {
	state state
	bads  int       // in a row
	goods int       // in a row while out
	rest  time.Time // not asked before, unless nobody else is left
	// throttled: the rest was asked for by the node, and is kept even then.
	throttled bool
	why       string
}

// good is an answer that held.
func (h *health) good() {
	h.bads, h.rest, h.throttled, h.why = 0, time.Time{}, false, ""
	switch h.state {
	case stateNew:
		h.state = stateGood
	case stateOut:
		if h.goods++; h.goods >= goodsToBack {
			h.state = stateGood
		}
	case stateGood, stateWrong:
	}
}

// bad is a question without a usable answer.
func (h *health) bad(now time.Time, f *fault) {
	h.bads++
	h.goods = 0
	h.why = f.Error()
	pause := min(longestRest, 250*time.Millisecond<<min(h.bads, 7))
	switch f.kind {
	case kindRate:
		// A throttled node is well; it only wants to be left alone.
		h.throttled = true
		h.rest = now.Add(max(pause, f.retryAfter))
		return
	case kindAuth:
		h.state, h.rest = stateOut, now.Add(longestRest)
		return
	case kindLie, kindFinality:
		h.state, h.rest = stateOut, now.Add(max(pause, 5*time.Second))
		return
	default:
	}
	h.rest = now.Add(pause)
	if h.state == stateNew || h.bads >= badsToOut {
		h.state = stateOut
	}
}

// wrong is a node that answered for another chain.
func (h *health) wrong(now time.Time, why string) {
	h.state, h.goods, h.why = stateWrong, 0, why
	h.rest = now.Add(longestRest)
}

// right is a node of whom the chain is known to be the configured one.
func (h *health) right() {
	if h.state == stateWrong {
		h.state = stateOut
	}
}

// usable reports whether the node is among the first choices.
func (h *health) usable(now time.Time) bool {
	return (h.state == stateGood || h.state == stateNew) && !h.rest.After(now)
}

// probe reports whether an idle question may find out if the node is back.
func (h *health) probe(now time.Time) bool { return !h.rest.After(now) }
