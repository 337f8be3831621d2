package evm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// idSource hands out JSON-RPC ids.
type idSource struct{ last atomic.Uint64 }

func (s *idSource) take(n int) uint64 { return s.last.Add(uint64(n)) - uint64(n) + 1 }

// node is one endpoint and all that was learned about it.
type node struct {
	label   string // scheme and host: all that may be shown
	conn    conn
	pace    *pace
	count   *counter
	timeout time.Duration
	log     zerolog.Logger

	mu     sync.Mutex
	health health
	head   uint64 // newest block it told of
	chain  uint64 // its chain id, 0 while not known
	limits logLimits

	ways ways
}

// ask sends calls as one request, within the node's pace and timeout.
func (n *node) ask(ctx context.Context, calls ...call) ([]reply, error) {
	if err := n.pace.wait(ctx, len(calls)); err != nil {
		return nil, fmt.Errorf("%w: %w", errPaced, err)
	}
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	replies, err := n.conn.ask(ctx, calls)
	if err != nil {
		n.count.failed()
	}
	return replies, err
}

// errPaced is a question that was never sent: its time ended while it waited for
// the rate set for the endpoint.
var errPaced = errors.New("waiting for the rate set for this endpoint")

// one asks a single question.
func (n *node) one(ctx context.Context, method string, params ...any) (json.RawMessage, error) {
	replies, err := n.ask(ctx, call{method, params})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if replies[0].err != nil {
		return nil, fmt.Errorf("%s: %w", method, replies[0].err)
	}
	return replies[0].result, nil
}

// identify is the node's chain id, asked once.
func (n *node) identify(ctx context.Context) (uint64, error) {
	n.mu.Lock()
	known := n.chain
	n.mu.Unlock()
	if known != 0 {
		return known, nil
	}
	raw, err := n.one(ctx, "eth_chainId")
	if err != nil {
		return 0, err
	}
	id, err := quantity(raw)
	if err != nil {
		return 0, fmt.Errorf("eth_chainId: %w", err)
	}
	return id, nil
}

// accept holds the node's chain id against the wanted one. A wrong one is asked
// for again later: an operator may repair the endpoint.
func (n *node) accept(id, want uint64) error {
	if id != want {
		return errWrongChain{got: id, want: want}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.chain = id
	n.health.right()
	return nil
}

// errWrongChain is a node of another chain.
type errWrongChain struct{ got, want uint64 }

func (e errWrongChain) Error() string {
	return fmt.Sprintf("its chain id is %d and not %d", e.got, e.want)
}

// settle remembers how a question went.
func (n *node) settle(ctx context.Context, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.health.state
	var wrong errWrongChain
	var f *fault
	switch {
	case err == nil:
		n.health.good()
	case given(ctx), errors.Is(err, errPaced):
		return // the caller went away: that says nothing of the node
	case errors.As(err, &wrong):
		n.health.wrong(time.Now(), wrong.Error())
	case !errors.As(err, &f):
		n.health.bad(time.Now(), &fault{kind: kindTransient, text: clip(err.Error())})
	case f.kind == kindTransient || f.kind == kindRate || f.kind == kindAuth || f.kind == kindLie || f.kind == kindFinality:
		n.health.bad(time.Now(), f)
	default:
		n.health.good() // a refusal of this question is still an answer
	}
	if after := n.health.state; after != before {
		ev := n.log.Warn()
		if after == stateGood {
			ev = n.log.Info()
		}
		ev.Str("node", n.label).Stringer("was", before).Stringer("is", after).Str("why", n.health.why).Msg("node changed state")
	}
}

// stands is the state of the node, and why it is one that is not asked.
func (n *node) stands() (state, why string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.health.state == stateOut || n.health.state == stateWrong {
		why = n.health.why
	}
	return n.health.state.String(), why
}

// saw remembers how far the node has come.
func (n *node) saw(number uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.head = number
}
