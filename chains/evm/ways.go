package evm

import (
	"context"
	"errors"
	"sync"
	"time"

	"liqwatch/chains"
)

// way is how many reads are put into one request.
type way int

const (
	wayOverride   way = iota // our program at an unused address, by state override
	wayDeployless            // our program as initcode, answering by revert
	wayMulticall             // Multicall3
	wayPlain                 // an eth_call each, in JSON-RPC batches
)

func (w way) String() string {
	return [...]string{"state override", "deployless code", "Multicall3", "single calls"}[w]
}

// pin is how a read names its block.
type pin int

const (
	pinCanonical pin = iota // {blockHash, requireCanonical}
	pinHash                 // {blockHash}
	pinNumber               // by number; the hash is looked at afterwards
)

// ref is the block reference as an argument.
func (p pin) ref(b chains.Block) any {
	switch p {
	case pinCanonical:
		return map[string]any{"blockHash": b.Hash.String(), "requireCanonical": true}
	case pinHash:
		return map[string]any{"blockHash": b.Hash.String()}
	default:
		return hexNumber(b.Number)
	}
}

// What a pack holds before anything was learned.
const (
	firstViews   = 1_000
	mostViews    = 20_000
	firstBatch   = 50
	firstShare   = 5_000_000
	maxPackBytes = 1 << 20 // of packed input; twice that as hex
	maxInitcode  = 49_152
)

// ways is what one node allows, found out once and remembered.
type ways struct {
	finding sync.Mutex // held while finding out

	mu    sync.Mutex
	found bool
	// unproven: found by a first read that went well, at a block that may have been the
	// node's newest: whether it obeys the block asked for has not been seen.
	unproven bool
	doubt    time.Time // when to find out again, after a refusal in words not known
	way      way
	pin      pin
	gas      uint64 // gas a call gets
	views    int    // reads in the next pack
	most     int    // reads in any pack: halved when one was too much
	packed   int    // bytes of packed input in one request
	slots    int    // slots in one pack
	batch    int    // calls in one JSON-RPC batch
	checked  bool   // slots by override were once held against eth_getStorageAt
	byNumber bool   // eth_getLogs does not take a block hash
	oddHash  bool   // BLOCKHASH inside calls is not that of the parent
}

func (w *ways) known() (way, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.way, w.found && (w.doubt.IsZero() || time.Now().Before(w.doubt))
}

// trying reports that nothing is known yet: the best way is being tried.
func (w *ways) trying() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.found
}

// byWay has a question asked by the way that the node allows. The first question of
// all is asked by the best way at once; only when it fails are the ways found out, and
// so they are when a node that has not proven itself answers from another block.
func (c *Client) byWay(ctx context.Context, n *node, at chains.Block, question func(way) error) error {
	w, known := n.ways.known()
	if known || n.ways.trying() {
		err := question(w)
		again := !known || faultKind(err) == kindLie && n.ways.distrust()
		if err == nil || given(ctx) || !again {
			return err
		}
	}
	w, err := n.ways.find(ctx, c, n, at)
	if err != nil {
		return err
	}
	return question(w)
}

// took remembers that a read by this way and pin went well.
func (w *ways) took(c *Client, n *node, r request, s stamp) {
	if w.trying() && r.way == wayOverride {
		w.settle(c, n, r.way, r.pin, s, false)
		w.mu.Lock()
		w.unproven = true
		w.mu.Unlock()
	}
	n.mu.Lock()
	behind := r.at.Number < n.head
	n.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unproven = w.unproven && !behind
}

// distrust forgets a way that has not proven itself; false when there is none such.
func (w *ways) distrust() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.found || !w.unproven {
		return false
	}
	w.found, w.unproven = false, false
	return true
}

func (w *ways) logsByNumber() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.byNumber
}

// learnHash remembers on which chains BLOCKHASH cannot be held against the parent.
func (w *ways) learnHash(odd bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.oddHash = odd
}

func (w *ways) refuseLogsByHash() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.byNumber = true
}

// find is the best way that the node allows, by trying them in order at the
// block before at, so that a node that quietly reads its newest block shows it.
func (w *ways) find(ctx context.Context, c *Client, n *node, at chains.Block) (way, error) {
	if known, ok := w.known(); ok {
		return known, nil
	}
	w.finding.Lock()
	defer w.finding.Unlock()
	if known, ok := w.known(); ok {
		return known, nil
	}
	if at.Number > 0 {
		h, err := c.numbered(ctx, n, at.Number-1)
		if err != nil {
			return 0, err
		}
		c.tip.remember(h)
		at = h.Block
	}
	doubt := false
	var untrue error
	for _, try := range []way{wayOverride, wayDeployless, wayMulticall} {
		for _, p := range []pin{pinCanonical, pinHash, pinNumber} {
			s, _, err := c.packed(ctx, n, request{way: try, pin: p, at: at, share: firstShare, probe: true})
			if err == nil {
				w.settle(c, n, try, p, s, doubt)
				w.learnHash(s.parent != at.Parent)
				return try, nil
			}
			decided, unclear := refusal(err)
			if !decided {
				return 0, err
			}
			doubt = doubt || unclear
			if faultKind(err) == kindLie {
				untrue = err
			}
		}
	}
	if untrue != nil {
		// Where stamped reads are untrue, single calls would be as well, and nothing would show it.
		return 0, untrue
	}
	p, err := c.plainPin(ctx, n, at)
	if err != nil {
		return 0, err
	}
	w.settle(c, n, wayPlain, p, stamp{}, doubt)
	return wayPlain, nil
}

// refusal reports whether an error means that the node does not allow a way, and
// whether that was said in words not known.
func refusal(err error) (decided, unclear bool) {
	var f *fault
	if !errors.As(err, &f) {
		return false, false
	}
	switch f.kind {
	case kindUnsupported, kindRevert, kindGas, kindTooLarge, kindLie:
		return true, false
	case kindTransient:
		return f.answered, f.answered
	default:
		return false, false
	}
}

// doubtFor is how long a conclusion from unclear words stands.
const doubtFor = 5 * time.Minute

func (w *ways) settle(c *Client, n *node, found way, p pin, s stamp, doubt bool) {
	w.mu.Lock()
	w.found, w.unproven, w.way, w.pin, w.gas = true, false, found, p, s.gasStart
	w.views, w.most = firstViews, mostViews
	w.packed, w.batch, w.slots = maxPackBytes, firstBatch, slotsFor(s.gasStart)
	switch found {
	case wayDeployless:
		w.packed = maxInitcode - len(packerDeployless) - inputHead
	case wayMulticall:
		w.views = 500
	case wayOverride, wayPlain:
	}
	w.doubt = time.Time{}
	if doubt {
		w.doubt = time.Now().Add(doubtFor)
	}
	w.mu.Unlock()
	c.log.Info().Str("node", n.label).Stringer("way", found).Uint64("gas", s.gasStart).Msg("bulk reads")
}

// plainPin finds how single calls can be pinned, by calls to an address without code.
func (c *Client) plainPin(ctx context.Context, n *node, at chains.Block) (pin, error) {
	for _, p := range []pin{pinCanonical, pinHash} {
		raw, err := n.one(ctx, "eth_call", map[string]any{"to": packerAddress, "data": "0x"}, p.ref(at))
		if err == nil {
			if _, err = hexBytes(raw); err == nil {
				return p, nil
			}
		}
		if decided, _ := refusal(err); !decided {
			return 0, err
		}
	}
	return pinNumber, nil
}
