package evm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"liqwatch/chains"
)

// pool is the nodes behind one chain.
type pool struct {
	nodes []*node
	hedge time.Duration
	unit  time.Duration // the wait between two rounds grows from this

	mu    sync.Mutex
	chain uint64 // wanted chain id; 0 takes that of the first node that answers
}

// chainID is the id that all nodes are held to; 0 while not known.
func (p *pool) chainID() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chain
}

// verify makes sure once that a node is of this chain.
func (p *pool) verify(ctx context.Context, n *node) error {
	id, err := n.identify(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.chain == 0 {
		p.chain = id
	}
	return n.accept(id, p.chain)
}

// ask says how one question is put to the pool.
type ask struct {
	// rounds is how often all nodes are tried before giving up.
	rounds int
	// block is the newest block the question is about: nodes not yet there come last.
	block uint64
	// slow questions are given more time before a second node is asked as well.
	slow bool
	// skip leaves nodes out.
	skip func(*node) bool
}

const (
	defaultHedge  = 1500 * time.Millisecond
	slowHedge     = 12 * time.Second
	defaultRounds = 4
	defaultUnit   = 150 * time.Millisecond
	longestWait   = 30 * time.Second
)

// do puts a question to the nodes, best first, until one gives an answer that
// holds. A node that fails or is slow is not waited for if there is another.
func do[T any](ctx context.Context, p *pool, a ask, question func(context.Context, *node) (T, error)) (T, error) {
	var zero T
	if a.rounds == 0 {
		a.rounds = defaultRounds
	}
	var failures []nodeFailure
	for round := range a.rounds {
		if round > 0 {
			if err := sleep(ctx, p.pauseBefore(round, a)); err != nil {
				return zero, p.giveUp(ctx, failures)
			}
		}
		nodes := p.order(a)
		if len(nodes) == 0 {
			failures = append(failures, nodeFailure{err: chains.ErrUnreachable})
			continue
		}
		answer, failed, ok := race(ctx, p, nodes, a, question)
		if ok {
			return answer, nil
		}
		failures = failed
		if given(ctx) || p.allWrong() || !slices.ContainsFunc(failed, func(f nodeFailure) bool { return faultKind(f.err).retryable() }) {
			break
		}
	}
	return zero, p.giveUp(ctx, failures)
}

type nodeFailure struct {
	node *node
	err  error
}

// race asks nodes one after the other, the next when one fails or takes long.
func race[T any](ctx context.Context, p *pool, nodes []*node, a ask, question func(context.Context, *node) (T, error)) (T, []nodeFailure, bool) {
	type outcome struct {
		node   *node
		answer T
		err    error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome, len(nodes))
	start := func(n *node) {
		go func() {
			var answer T
			err := p.verify(ctx, n)
			if err == nil {
				answer, err = question(ctx, n)
			}
			n.settle(ctx, err)
			outcomes <- outcome{n, answer, err}
		}()
	}
	patience := p.hedge
	if a.slow {
		patience = max(patience, slowHedge)
	}
	start(nodes[0])
	started, pending := 1, 1
	overdue := map[*node]bool{}
	var failed []nodeFailure
	for pending > 0 {
		late := time.NewTimer(patience)
		select {
		case o := <-outcomes:
			pending--
			delete(overdue, o.node)
			if o.err == nil {
				late.Stop()
				for n := range overdue {
					// Cancelling it hides how it would have ended; being overtaken is bad enough.
					n.settle(context.WithoutCancel(ctx), &fault{kind: kindTransient, text: "slower than another node", late: true})
				}
				return o.answer, nil, true
			}
			failed = append(failed, nodeFailure{o.node, o.err})
			if started < len(nodes) && pending == 0 {
				start(nodes[started])
				started, pending = started+1, pending+1
			}
		case <-late.C:
			if started < len(nodes) {
				overdue[nodes[started-1]] = true
				start(nodes[started])
				started, pending = started+1, pending+1
			}
		}
		late.Stop()
	}
	var zero T
	return zero, failed, false
}

// order is whom to ask, best first: healthy nodes that have the block, in the
// configured order; then healthy ones that may be behind; the rest only if there
// is nobody else.
func (p *pool) order(a ask) []*node {
	now := time.Now()
	type ranked struct {
		n    *node
		rank int
	}
	var list []ranked
	usable := false
	for _, n := range p.nodes {
		if a.skip != nil && a.skip(n) {
			continue
		}
		n.mu.Lock()
		r := ranked{n, 2}
		switch {
		case n.health.usable(now) && n.head >= a.block:
			r.rank = 0
		case n.health.usable(now):
			r.rank = 1
		case n.health.state == stateWrong && n.health.rest.After(now):
			r.rank = 4
		case n.health.throttled && n.health.rest.After(now):
			r.rank = 3
		}
		n.mu.Unlock()
		usable = usable || r.rank < 2
		list = append(list, r)
	}
	slices.SortStableFunc(list, func(x, y ranked) int { return cmp.Compare(x.rank, y.rank) })
	var out []*node
	for _, r := range list {
		// Resting nodes are asked only when nobody else is left; throttled ones not even then.
		if r.rank < 2 || !usable && r.rank == 2 {
			out = append(out, r.n)
		}
	}
	return out
}

// pauseBefore is the wait before another round: growing, and at least as long as
// the first throttled node asked for when no other is left.
func (p *pool) pauseBefore(round int, a ask) time.Duration {
	pause := p.unit << min(round, 5)
	if len(p.order(a)) > 0 {
		return pause
	}
	now := time.Now()
	soonest := longestWait
	throttled := false
	for _, n := range p.nodes {
		n.mu.Lock()
		if n.health.throttled {
			throttled, soonest = true, min(soonest, n.health.rest.Sub(now))
		}
		n.mu.Unlock()
	}
	if !throttled {
		return pause
	}
	return max(pause, soonest)
}

// giveUp says why no node answered. When one said why it never will, that is the error.
func (p *pool) giveUp(ctx context.Context, failed []nodeFailure) error {
	if p.allWrong() {
		return fmt.Errorf("%w: %s; check rpc and id of this chain", chains.ErrWrongChain, p.resting())
	}
	var reasons []string
	var cause error
	for _, f := range failed {
		if f.node == nil {
			reasons = append(reasons, p.resting())
			continue
		}
		reasons = append(reasons, f.node.label+": "+f.err.Error())
		if cause == nil || faultKind(cause).retryable() && !faultKind(f.err).retryable() {
			cause = f.err
		}
	}
	if len(reasons) == 0 {
		reasons = append(reasons, p.resting())
	}
	e := &poolError{text: strings.Join(reasons, "; "), cause: cause}
	if given(ctx) {
		e.cause = context.Cause(ctx)
		return e
	}
	if cause != nil {
		e.hint = hint(faultKind(cause))
	}
	if e.word() == nil {
		e.cause = errors.Join(chains.ErrUnreachable, cause)
	}
	return e
}

// allWrong reports that every node is of another chain.
func (p *pool) allWrong() bool {
	return !slices.ContainsFunc(p.nodes, func(n *node) bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.health.state != stateWrong
	})
}

// resting says why each node is not asked.
func (p *pool) resting() string {
	var out []string
	for _, n := range p.nodes {
		n.mu.Lock()
		out = append(out, n.label+": "+cmp.Or(n.health.why, "not asked yet"))
		n.mu.Unlock()
	}
	return strings.Join(out, "; ")
}

// poolError keeps the cause for errors.Is and shows the reasons of all nodes.
type poolError struct {
	text, hint string
	cause      error
}

func (e *poolError) Error() string {
	text := e.text
	if word := e.word(); word != nil {
		text = word.Error() + ": " + text
	}
	if e.hint != "" {
		text += " (" + e.hint + ")"
	}
	return text
}

// word is what package chains calls the cause, or why the question ended.
func (e *poolError) word() error {
	for _, word := range []error{
		chains.ErrPruned, chains.ErrReorged, chains.ErrNotFound, chains.ErrFinality, chains.ErrUnreachable, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(e.cause, word) {
			return word
		}
	}
	return nil
}

func (e *poolError) Unwrap() error { return e.cause }

// hint is what the operator can do about a kind of fault.
func hint(k kind) string {
	switch k {
	case kindPruned:
		return "use an archive node, or a newer block"
	case kindAuth:
		return "check the key of this endpoint"
	case kindRate:
		return "lower the rate of this endpoint or add another"
	case kindLie:
		return "add another endpoint, or replace this one"
	case kindTooLarge, kindResults, kindRange:
		return "this endpoint allows too little; use another plan or endpoint"
	default:
		return ""
	}
}
