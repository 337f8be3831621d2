package evm

import (
	"bytes"
	"context"
	"fmt"

	"liqwatch/chains"
)

const (
	// slotGas bounds what one slot costs in a pack: 2,100 for the cold SLOAD, 512
	// for its calldata, the rest for the loop and memory.
	slotGas = 2_850
	// slotRun is the number of slots read by one call inside a pack, slotShare the
	// gas for it: the run needs less than three quarters of the share.
	slotRun   = 500
	slotShare = 1_600_000
	// usualGas is geth's default for an eth_call.
	usualGas = 50_000_000
)

// slotsFor is how many slots fit in a call of that much gas (0: not known).
func slotsFor(gas uint64) int {
	if gas == 0 {
		gas = usualGas
	}
	const kept = slotShare + slotShare/32 + 100_000
	if gas < kept+slotGas {
		return 1
	}
	return int(min((gas-kept)/slotGas, maxPackBytes/40))
}

// slotPacks answers storage reads from one node: the slot reader takes the place
// of each contract's code, and the packer asks them all in one request.
func (c *Client) slotPacks(ctx context.Context, n *node, at chains.Block, _ []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	w, err := n.ways.find(ctx, c, n, at)
	if err != nil {
		return nil, err
	}
	if w != wayOverride {
		return nil, &fault{kind: kindUnsupported, text: "state overrides are refused"}
	}
	out := make([]chains.Answer, 0, len(reads))
	for len(out) < len(reads) {
		rest := reads[len(out):]
		rest = rest[:min(len(rest), n.ways.slotCount())]
		answers, err := c.slotPack(ctx, n, at, rest)
		if tooMuch(err) && len(rest) > 1 {
			n.ways.halveSlots(len(rest))
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, answers...)
	}
	return out, c.checkSlots(ctx, n, at, reads, out)
}

// slotPack reads the first of the slots, all if gas suffices, in one request.
func (c *Client) slotPack(ctx context.Context, n *node, at chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	var calls []packedCall
	var readers []chains.Override
	for i, r := range reads {
		last := len(calls) - 1
		if i == 0 || reads[i-1].To != r.To {
			readers = append(readers, chains.Override{Address: r.To, Code: slotReader})
		}
		if i == 0 || reads[i-1].To != r.To || len(calls[last].data) >= 32*slotRun {
			calls = append(calls, packedCall{to: r.To})
			last++
		}
		calls[last].data = append(calls[last].data, r.Slot[:]...)
	}
	p, _ := n.ways.pinned()
	_, packed, err := c.packed(ctx, n, request{way: wayOverride, pin: p, at: at, share: slotShare, calls: calls, moved: readers})
	if err != nil {
		return nil, err
	}
	if len(packed) == 0 {
		return nil, &fault{kind: kindGas, text: "too little gas for storage reads"}
	}
	out := make([]chains.Answer, 0, len(reads))
	for i, a := range packed {
		if a.failed || a.heavy || len(a.data) != len(calls[i].data) {
			return nil, lie("storage of %s was not read", calls[i].to)
		}
		for word := a.data; len(word) > 0; word = word[32:] {
			out = append(out, chains.Answer{Data: word[:32:32]})
		}
	}
	return out, nil
}

// checkSlots holds one slot against eth_getStorageAt, once per node: a node that
// forgets the storage of a contract whose code is replaced would answer zeros.
func (c *Client) checkSlots(ctx context.Context, n *node, at chains.Block, reads []chains.Read, answers []chains.Answer) error {
	n.ways.mu.Lock()
	checked, p := n.ways.checked, n.ways.pin
	n.ways.mu.Unlock()
	if checked {
		return nil
	}
	one := 0
	for i, a := range answers {
		if !bytes.Equal(a.Data, make([]byte, 32)) {
			one = i
			break
		}
	}
	raw, err := n.one(ctx, "eth_getStorageAt", reads[one].To, reads[one].Slot, p.ref(at))
	if faultKind(err) == kindUnsupported && err != nil {
		raw, err = n.one(ctx, "eth_getStorageAt", reads[one].To, reads[one].Slot, hexNumber(at.Number))
	}
	if err != nil {
		return fmt.Errorf("check storage reads: %w", err)
	}
	word, err := hexBytes(raw)
	if err != nil || len(word) > 32 {
		return lie("storage word of %d bytes", len(word))
	}
	if !bytes.Equal(answers[one].Data, leftPad(word)) {
		return lie("a slot of %s is %x by state override and %x by eth_getStorageAt", reads[one].To, answers[one].Data, word)
	}
	n.ways.mu.Lock()
	// An all-zero answer proves little: look again next time.
	n.ways.checked = !bytes.Equal(answers[one].Data, make([]byte, 32))
	n.ways.mu.Unlock()
	return nil
}

func leftPad(b []byte) []byte {
	out := make([]byte, 32)
	copy(out[32-len(b):], b)
	return out
}

func (w *ways) slotCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slots
}

func (w *ways) halveSlots(asked int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slots = max(1, min(w.slots, asked/2))
}
