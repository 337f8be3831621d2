package tron

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"liqwatch/chains"
)

// Read answers views at the newest block, never older than at and of its branch.
// Reads joined together are answered at one block.
func (c *Client) Read(ctx context.Context, at chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	if chains.AnyLinked(reads) {
		return chains.ReadLinked(reads, func(level []chains.Read) ([]chains.Answer, error) { return c.Read(ctx, at, level) })
	}
	groups, err := grouped(reads)
	if err != nil {
		return nil, fmt.Errorf("chain %s: %w", c.cfg.Name, err)
	}
	r := &reading{c: c, at: at, reads: reads, answers: make([]chains.Answer, len(reads))}
	// Some calls are under way at once, so that a slow line does not keep the pace
	// below what the nodes allow.
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(callsAtOnce)
	for len(groups) > 0 && ctx.Err() == nil {
		n := c.fill(groups)
		part := groups[:n]
		groups = groups[n:]
		work.Go(func() error { return r.pack(ctx, part) })
	}
	if err := work.Wait(); err != nil {
		return nil, fmt.Errorf("chain %s: read at block %d: %w", c.cfg.Name, at.Number, err)
	}
	if len(groups) > 0 {
		return nil, fmt.Errorf("chain %s: read at block %d: %w", c.cfg.Name, at.Number, context.Cause(ctx))
	}
	return r.answers, nil
}

// callsAtOnce bounds the calls of one Read under way together.
const callsAtOnce = 3

// span is reads [from, to) that belong together.
type span struct{ from, to int }

func grouped(reads []chains.Read) ([]span, error) {
	var out []span
	for i := range reads {
		if reads[i].IsSlot() || reads[i].Program != nil {
			return nil, errors.New("storage slots cannot be read in bulk on TRON")
		}
		if reads[i].Joined && len(out) > 0 {
			out[len(out)-1].to++
			continue
		}
		out = append(out, span{i, i + 1})
	}
	return out, nil
}

// fill is how many groups go into the next call: as many views as calls have been
// found to bear, and at least one group.
func (c *Client) fill(groups []span) int {
	c.mu.Lock()
	size := c.size.pack
	c.mu.Unlock()
	n, views := 0, 0
	for n < len(groups) {
		k := groups[n].to - groups[n].from
		if n > 0 && views+k > size {
			break
		}
		views += k
		n++
	}
	return n
}

// sizes is what has been learned of how many views a call bears. It is found by
// halving between what went well and what took too long.
type sizes struct {
	pack    int // views put into a call
	proven  int // the most that went well
	ceiling int // the least that took too long; mostPack+1 when nothing did
	good    int // full calls in a row that went well
}

// forget is after how many good calls a larger one is tried again: nodes differ,
// and their load does.
const (
	growAfter   = 8
	forgetAfter = 400
)

// slowTries is how often a call may time out before it counts: small calls fail now
// and then by a pause of the node's own, and one no larger than what went well before
// most likely did.
func (c *Client) slowTries(views int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if views <= c.size.proven {
		return 4
	}
	return 2
}

func (c *Client) tooSlow(views int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.size
	s.ceiling, s.good = min(s.ceiling, views), 0
	if s.proven >= views {
		s.proven = views / 2
	}
	s.pack = max(1, min(s.pack, max(s.proven, views/2)))
}

func (c *Client) fastEnough(views int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.size
	s.proven = max(s.proven, views)
	if views+views/8 < s.pack {
		return
	}
	if s.good++; s.good%forgetAfter == 0 {
		s.ceiling = mostPack + 1
	}
	if s.good%growAfter == 0 && s.pack < s.ceiling-1 {
		s.pack += max(1, (s.ceiling-s.pack)/2)
		s.pack = min(s.pack, s.ceiling-1)
	}
}

// reading is one Read under way.
type reading struct {
	c       *Client
	at      chains.Block
	reads   []chains.Read
	answers []chains.Answer
}

// packTries bounds how often a call is repeated that was answered from a block too
// old, from another branch, or not in time.
const packTries = 8

// pack reads some groups in one call, or in several when one takes too long.
func (r *reading) pack(ctx context.Context, groups []span) error {
	from, to := groups[0].from, groups[len(groups)-1].to
	slow := 0
	var last error
	for range packTries {
		err := r.once(ctx, from, to)
		var f *fault
		switch {
		case err == nil:
			r.c.fastEnough(to - from)
			return nil
		case errors.As(err, &f) && (f.kind == kindTimeout || f.kind == kindTooLarge):
			// Pauses of the node's own make small calls fail now and then: once more
			// before anything is made smaller.
			if slow++; slow < r.c.slowTries(to-from) {
				last = err
				continue
			}
			return r.smaller(ctx, groups, err)
		case errors.Is(err, errStale):
			last = err
			continue
		}
		return err
	}
	if errors.Is(last, errStale) {
		if ok, err := r.c.canonical(ctx, r.at); err != nil || !ok {
			return errors.Join(chains.ErrReorged, err)
		}
	}
	return fmt.Errorf("%w: %w", chains.ErrUnreachable, last)
}

// smaller splits a call that took too long: by groups, and where it is one group, view by
// view until all were answered at one block.
func (r *reading) smaller(ctx context.Context, groups []span, cause error) error {
	from, to := groups[0].from, groups[len(groups)-1].to
	if len(groups) > 1 {
		r.c.tooSlow(to - from)
		half := len(groups) / 2
		if err := r.pack(ctx, groups[:half]); err != nil {
			return err
		}
		return r.pack(ctx, groups[half:])
	}
	if to-from == 1 {
		return fmt.Errorf("%w: a single view takes longer than the node allows: %w", chains.ErrUnreachable, cause)
	}
	for range packTries {
		same, err := r.singly(ctx, from, to)
		if err != nil || same {
			return err
		}
	}
	return fmt.Errorf("%w: %d reads that belong together were never answered at one block: the node's time limit is too short for them", chains.ErrUnreachable, to-from)
}

func (r *reading) singly(ctx context.Context, from, to int) (bool, error) {
	for i := from; i < to; i++ {
		if err := r.pack(ctx, []span{{i, i + 1}}); err != nil {
			return false, err
		}
		if r.answers[i].At.Hash != r.answers[from].At.Hash {
			return false, nil
		}
	}
	return true, nil
}

// errStale: the answer is of an older block than asked, or of another branch.
var errStale = errors.New("answered from a block that is not a descendant of the one asked for")

// once sends one call and checks its stamp.
func (r *reading) once(ctx context.Context, from, to int) error {
	results, stamp, err := r.c.aggregate(ctx, r.reads[from:to], r.at)
	if err != nil {
		return err
	}
	block, err := r.c.place(ctx, stamp, r.at)
	if err != nil {
		return err
	}
	for i, res := range results {
		res.At = block
		r.answers[from+i] = res
	}
	return nil
}

// stamp is what a call says of the block it ran in.
type stamp struct {
	number, time uint64
	parent       chains.Hash
	asked        chains.Hash // hash of the block asked for, as that branch has it; zero when too old or the same
}

// place finds the block of a stamp and makes sure that it descends from at.
func (c *Client) place(ctx context.Context, s stamp, at chains.Block) (*chains.Block, error) {
	switch {
	case s.number < at.Number:
		return nil, fmt.Errorf("block %d, wanted %d or later: %w", s.number, at.Number, errStale)
	case s.number == at.Number:
		if s.parent != at.Parent || s.time != at.Time {
			return nil, fmt.Errorf("another block %d: %w", s.number, errStale)
		}
		return &at, nil
	case s.number-at.Number <= 256 && s.asked != at.Hash:
		return nil, fmt.Errorf("block %d of another branch: %w", s.number, errStale)
	case s.number-at.Number > 256:
		if ok, err := c.canonical(ctx, at); err != nil || !ok {
			return nil, errors.Join(chains.ErrReorged, err)
		}
	}
	is := func(b chains.Block) bool { return b.Number == s.number && b.Parent == s.parent && b.Time == s.time }
	c.mu.Lock()
	b, known := c.blocks[s.number]
	c.mu.Unlock()
	if known && is(b) {
		return &b, nil
	}
	// The call knows its block's parent and time but not its hash.
	b, err := c.Block(ctx, s.number)
	if errors.Is(err, chains.ErrNotFound) {
		return nil, fmt.Errorf("block %d is gone again: %w", s.number, errStale)
	}
	if err != nil {
		return nil, err
	}
	if !is(b) {
		return nil, fmt.Errorf("block %d was replaced meanwhile: %w", s.number, errStale)
	}
	return &b, nil
}

// callOnce asks one view of the newest block.
func (c *Client) callOnce(ctx context.Context, to chains.Address, data []byte) ([]byte, error) {
	var out string
	args := map[string]string{"to": "0x" + hex.EncodeToString(to[:]), "data": "0x" + hex.EncodeToString(data)}
	// Only to and data: older versions refuse every other key.
	if err := c.ask(ctx, "eth_call", []any{args, "latest"}, &out); err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(out, "0x"))
	if err != nil {
		return nil, fmt.Errorf("eth_call: %w", err)
	}
	return raw, nil
}
