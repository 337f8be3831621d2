package evm

import (
	"errors"
	"fmt"
	"sync"

	"liqwatch/chains"
)

// tipDepth is how many recent blocks are remembered, to know reorgs from nodes
// that lag and to hold logs against headers.
const tipDepth = 512

// tip is what has been seen of the end of the chain.
type tip struct {
	mu        sync.Mutex
	served    header // the head last given out; zero before the first
	finalized chains.Block
	recent    map[uint64]header
	// hashable: headers of this chain can be hashed here, so one that does not
	// give its own hash is a lie.
	hashable bool
	warned   bool
}

func newTip(chainID uint64) *tip {
	t := &tip{recent: map[uint64]header{}}
	switch chainID {
	case 1, 11155111, 560048, 10, 8453:
		t.hashable = true
	}
	return t
}

// admit decides on a header whose hash did or did not come out right. warn is
// true the first time that a wrong one is let through.
func (t *tip) admit(h header, err error) (warn bool, _ error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.proven {
		t.hashable = true
	}
	if errors.Is(err, errHashMismatch) && !t.hashable {
		first := !t.warned
		t.warned = true
		return first, nil
	}
	return false, err
}

// remember keeps a canonical header.
func (t *tip) remember(h header) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep(h)
}

func (t *tip) keep(h header) {
	if h.Number+tipDepth < t.served.Number {
		return
	}
	t.recent[h.Number] = h
	if len(t.recent) > 2*tipDepth {
		for number := range t.recent {
			if number+tipDepth < t.served.Number {
				delete(t.recent, number)
			}
		}
	}
}

// at is the header remembered for that block, if any.
func (t *tip) at(b chains.Block) (header, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, ok := t.recent[b.Number]
	return h, ok && h.Hash == b.Hash
}

// head is the head last given out.
func (t *tip) head() header {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.served
}

// serve gives out a new head. Blocks above it belong to a branch left behind.
func (t *tip) serve(h header) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for number := h.Number + 1; number <= t.served.Number && number < h.Number+tipDepth; number++ {
		delete(t.recent, number)
	}
	t.served = h
	t.keep(h)
}

// contradicts reports that h is on another branch than what was remembered at its
// height or right above it.
func (t *tip) contradicts(h header) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.recent[h.Number]
	child, above := t.recent[h.Number+1]
	return ok && known.Hash != h.Hash || above && child.Parent != h.Hash
}

// below is the newest remembered header below a height, within what is remembered.
func (t *tip) below(number uint64) (header, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for back := uint64(1); back <= min(number, tipDepth); back++ {
		if h, ok := t.recent[number-back]; ok {
			return h, true
		}
	}
	return header{}, false
}

// final is the finalized block last given out.
func (t *tip) final() chains.Block {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.finalized
}

// finalize keeps the finalized block from going backward when a node that is
// behind is asked, and from changing at all.
func (t *tip) finalize(b chains.Block) (chains.Block, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.Number == t.finalized.Number && t.finalized.Hash != (chains.Hash{}) && b.Hash != t.finalized.Hash {
		return chains.Block{}, &fault{kind: kindFinality, text: fmt.Sprintf("finalized block %d was %s and is %s", b.Number, t.finalized.Hash, b.Hash)}
	}
	if b.Number >= t.finalized.Number {
		t.finalized = b
	}
	return t.finalized, nil
}
