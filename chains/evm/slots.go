package evm

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

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
	// mostSlots bounds a pack where gas does not, so that it ends well before any timeout.
	mostSlots = 60_000
	// programShare is the gas for one run of a program, programs are to be asked in
	// runs that need less than three quarters of it.
	programShare = 5_000_000
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
	return int(min((gas-kept)/slotGas, mostSlots))
}

// weight is about how many slots a read takes, inputSize how many bytes of input.
func weight(r chains.Read) int {
	if r.Program == nil {
		return 1
	}
	return len(r.Data) / max(1, r.Program.Item) * r.Program.Slots
}

func inputSize(r chains.Read) int {
	if r.Program == nil {
		return 32
	}
	return callHead + len(r.Data)
}

// slotPacks answers storage reads and runs of programs from one node: the slot reader
// takes the place of each contract's code, and the packer asks them all in one request.
func (c *Client) slotPacks(ctx context.Context, n *node, at chains.Block, _ []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	out := make([]chains.Answer, 0, len(reads))
	err := c.byWay(ctx, n, at, func(w way) error {
		if w != wayOverride {
			return &fault{kind: kindUnsupported, text: "state overrides are refused"}
		}
		out = out[:0]
		asked := n.ways.withWitness(reads)
		for len(out) < len(asked) {
			rest := asked[len(out):]
			rest = rest[:n.ways.fitSlots(rest)]
			answers, err := c.slotPack(ctx, n, at, rest)
			if tooMuch(err) && len(rest) > 1 && !n.ways.trying() {
				n.ways.halveSlots(rest)
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, answers...)
		}
		err := c.checkSlots(ctx, n, at, asked, out)
		out = out[:min(len(out), len(reads))]
		return err
	})
	return out, err
}

// withWitness adds a slot that is never zero to runs of programs alone, as long as the
// node has not shown that it keeps storage.
func (w *ways) withWitness(reads []chains.Read) []chains.Read {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.checked || slices.ContainsFunc(reads, chains.Read.IsSlot) {
		return reads
	}
	return append(slices.Clone(reads), reads[0].Program.Witness)
}

// fitSlots is how many of the reads one request may hold, at least one.
func (w *ways) fitSlots(reads []chains.Read) int {
	most, sum := w.slotCount(), 0
	for i, r := range reads {
		if sum += weight(r); sum > most && i > 0 {
			return i
		}
	}
	return len(reads)
}

// slotCalls are the reads as calls of a pack: runs of slots of one contract are one
// call. count is how many reads each call answers.
func slotCalls(reads []chains.Read) (calls []packedCall, count []int, moved []chains.Override, share uint64) {
	share = slotShare
	placed := map[chains.Address]bool{}
	place := func(a chains.Address, code []byte) {
		if !placed[a] {
			placed[a] = true
			moved = append(moved, chains.Override{Address: a, Code: code})
		}
	}
	for i, r := range reads {
		if r.Program != nil {
			share = programShare
			place(r.To, r.Program.Code)
			for _, a := range r.Program.Storage {
				place(a, slotReader)
			}
			calls, count = append(calls, packedCall{to: r.To, data: r.Data}), append(count, 1)
			continue
		}
		place(r.To, slotReader)
		last := len(calls) - 1
		if i == 0 || reads[i-1].To != r.To || len(calls[last].data) >= 32*slotRun {
			calls, count = append(calls, packedCall{to: r.To}), append(count, 0)
			last++
		}
		calls[last].data = append(calls[last].data, r.Slot[:]...)
		count[last]++
	}
	return calls, count, moved, share
}

// slotPack reads the first of the slots, all if gas suffices, in one request.
func (c *Client) slotPack(ctx context.Context, n *node, at chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	calls, count, moved, share := slotCalls(reads)
	p, most := n.ways.pinned()
	_, packed, err := c.packed(ctx, n, request{way: wayOverride, pin: p, at: at, share: min(share, max(most, slotShare)), calls: calls, moved: moved})
	if err != nil {
		return nil, err
	}
	if len(packed) == 0 {
		return nil, &fault{kind: kindGas, text: "too little gas for storage reads"}
	}
	out := make([]chains.Answer, 0, len(reads))
	for i, a := range packed {
		if program := reads[len(out)].Program; program != nil {
			if a.heavy {
				alone, err := c.plain(ctx, n, at, moved, reads[len(out):len(out)+1])
				if err != nil {
					return nil, err
				}
				out = append(out, alone[0])
				continue
			}
			out = append(out, chains.Answer{Data: a.data, Failed: a.failed})
			continue
		}
		if a.failed || a.heavy || len(a.data) != len(calls[i].data) || len(a.data) != 32*count[i] {
			return nil, lie("storage of %s was not read", calls[i].to)
		}
		for word := a.data; len(word) > 0; word = word[32:] {
			out = append(out, chains.Answer{Data: word[:32:32]})
		}
	}
	return out, nil
}

// checkSlots makes sure once per node that it keeps the storage of a contract whose code
// is replaced: one that forgets it answers zeros. A word that is not zero shows it;
// where all are, one is held against eth_getStorageAt.
func (c *Client) checkSlots(ctx context.Context, n *node, at chains.Block, reads []chains.Read, answers []chains.Answer) error {
	n.ways.mu.Lock()
	checked, p := n.ways.checked, n.ways.pin
	n.ways.mu.Unlock()
	if checked {
		return nil
	}
	one := slices.IndexFunc(reads, chains.Read.IsSlot)
	for i, a := range answers {
		if reads[i].IsSlot() && !bytes.Equal(a.Data, make([]byte, 32)) {
			n.ways.mu.Lock()
			n.ways.checked = true
			n.ways.mu.Unlock()
			return nil
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
	return nil // zero by both: that proves little, so the next answer is looked at again
}

func leftPad(b []byte) []byte {
	out := make([]byte, 32)
	copy(out[32-len(b):], b)
	return out
}

func (w *ways) slotCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return cmp.Or(w.slots, slotsFor(0))
}

func (w *ways) halveSlots(reads []chains.Read) {
	asked := 0
	for _, r := range reads {
		asked += weight(r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slots = max(1, min(w.slots, asked/2))
}
