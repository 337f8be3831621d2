package recorded

import (
	"context"
	"fmt"
	"sort"
	"sync"

	"liqwatch/chains"
)

// Chain plays one chain of a recording.
type Chain struct {
	tape  *tape
	track *track

	mu    sync.Mutex
	at    int // in track.heads; -1 without any
	final *chains.Block
	// canon are the blocks known to be canonical at this head, by number.
	canon map[uint64]chains.Block
	top   uint64 // newest number in canon
	// again counts the askings of reads that were answered more than once.
	again map[repeat]int
}

type repeat struct {
	key  askKey
	read uint32
}

var _ chains.Chain = (*Chain)(nil)

func newChain(t *tape, i int) *Chain {
	return &Chain{tape: t, track: t.chains[i], at: -1, canon: map[uint64]chains.Block{}, again: map[repeat]int{}}
}

func (c *Chain) start() {
	c.apply(c.track.first)
	if len(c.track.heads) > 0 {
		c.moveTo(0)
	}
}

func (c *Chain) moveTo(index int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = index
	now := c.track.heads[index]
	c.follow(now.head)
	c.apply(now)
}

// follow makes canonical what parents link to the head, and forgets what may
// have been undone.
func (c *Chain) follow(head chains.Block) {
	if c.top > head.Number {
		for number := range c.canon {
			if number > head.Number && (c.final == nil || number > c.final.Number) {
				delete(c.canon, number)
			}
		}
	}
	c.top = head.Number
	for b := head; ; {
		if c.canon[b.Number] == b {
			return
		}
		c.canon[b.Number] = b
		parent, known := c.track.known[b.Parent]
		if !known || b.Number == 0 || parent.Number != b.Number-1 {
			c.forgetBelow(b)
			return
		}
		b = parent
	}
}

// forgetBelow drops blocks that nothing links to the head any more, final ones excepted.
func (c *Chain) forgetBelow(lowest chains.Block) {
	for number := range c.canon {
		if number < lowest.Number && (c.final == nil || number > c.final.Number) {
			delete(c.canon, number)
		}
	}
}

// apply takes what was found canonical at a moment.
func (c *Chain) apply(m moment) {
	for _, b := range m.blocks {
		c.canon[b.Number] = b
		c.top = max(c.top, b.Number)
	}
	if m.final != nil {
		c.final = m.final
		c.canon[m.final.Number] = *m.final
		c.top = max(c.top, m.final.Number)
	}
}

// Name is the chain's name in the configuration it was recorded with.
func (c *Chain) Name() string { return c.track.name }

// Capabilities are those of the nodes it was recorded from.
func (c *Chain) Capabilities(ctx context.Context) (chains.Capabilities, error) {
	if c.track.can == nil {
		return chains.Capabilities{}, c.missing("capabilities")
	}
	return *c.track.can, ctx.Err()
}

// Head is the head at this moment of the recording.
func (c *Chain) Head(ctx context.Context) (chains.Block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at < 0 {
		return chains.Block{}, c.missing("head")
	}
	return c.track.heads[c.at].head, ctx.Err()
}

// Finalized is the newest block that was known to be final by this moment.
func (c *Chain) Finalized(ctx context.Context) (chains.Block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.final == nil {
		return chains.Block{}, c.missing("finalized block")
	}
	return *c.final, ctx.Err()
}

// Block is the canonical block of that number at this moment: asked for when the
// recording was made, or linked to the head by parents.
func (c *Chain) Block(ctx context.Context, number uint64) (chains.Block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.canon[number]; ok {
		return b, ctx.Err()
	}
	if c.at >= 0 && number > c.track.heads[c.at].head.Number {
		return chains.Block{}, fmt.Errorf("block %d of %s: %w", number, c.Name(), chains.ErrNotFound)
	}
	return chains.Block{}, c.missing(fmt.Sprintf("block %d", number))
}

// Logs answers any part of what was asked when the recording was made: fewer
// addresses, topics or blocks of the same branch.
func (c *Chain) Logs(ctx context.Context, filter chains.Filter, from uint64, to chains.Block) ([]chains.Log, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.canon[to.Number]; ok && b.Hash != to.Hash {
		return nil, fmt.Errorf("logs of %s up to block %d: %w", c.Name(), to.Number, chains.ErrReorged)
	}
	if filter.Empty() || from > to.Number {
		return nil, nil
	}
	if c.track.known[to.Hash] != to {
		return nil, c.missing(fmt.Sprintf("logs up to block %d %s", to.Number, to.Hash))
	}
	logs, ok := c.logs(c.track.byTo[to], filter, from, to)
	if !ok {
		logs, ok = c.logs(nil, filter, from, to)
	}
	if !ok {
		return nil, c.missing(fmt.Sprintf("logs of blocks %d to %d by these contracts and topics", from, to.Number))
	}
	return logs, nil
}

// span is a part of the wanted range and the logs that were recorded for it.
type span struct {
	from, to uint64
	logs     []uint32
}

// logs answers from the given ranges, or from all when there are none given.
func (c *Chain) logs(ranges []int, filter chains.Filter, from uint64, to chains.Block) ([]chains.Log, bool) {
	if ranges == nil {
		ranges = make([]int, len(c.track.ranges))
		for i := range ranges {
			ranges[i] = i
		}
	}
	var spans []span
	for _, i := range ranges {
		r := c.track.ranges[i]
		if r.from > to.Number || !covers(c.tape.filters[r.filter], filter) {
			continue
		}
		if last, ok := c.shared(r.to, to); ok && last >= max(from, r.from) {
			spans = append(spans, span{max(from, r.from), last, r.logs})
		}
	}
	sort.SliceStable(spans, func(i, j int) bool { return spans[i].from < spans[j].from })
	next := from // first block not covered yet
	seen := map[uint32]bool{}
	var out []chains.Log
	for _, s := range spans {
		if s.from > next {
			return nil, false
		}
		for _, id := range s.logs {
			if l := c.tape.logs[id]; l.Block >= s.from && l.Block <= s.to && !seen[id] && filter.Match(l) {
				seen[id] = true
				out = append(out, l)
			}
		}
		if s.to >= to.Number {
			next = to.Number + 1
		} else {
			next = max(next, s.to+1)
		}
	}
	if next <= to.Number {
		return nil, false
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Block != out[j].Block {
			return out[i].Block < out[j].Block
		}
		return out[i].Index < out[j].Index
	})
	return out, true
}

// shared is the newest block that two branches have in common, as far as the
// recorded headers tell.
func (c *Chain) shared(a, b chains.Block) (uint64, bool) {
	for a != b {
		if a.Number < b.Number {
			a, b = b, a
		}
		parent, ok := c.track.known[a.Parent]
		if !ok || a.Number == 0 || parent.Number != a.Number-1 {
			return 0, false
		}
		a = parent
	}
	return a.Number, true
}

// covers reports that a filter lets through whatever the other does.
func covers(wide, narrow chains.Filter) bool {
	return subset(narrow.Addresses, wide.Addresses) && subset(narrow.Topics, wide.Topics)
}

func subset[T comparable](small, large []T) bool {
	if len(large) > 16 {
		set := make(map[T]bool, len(large))
		for _, x := range large {
			set[x] = true
		}
		for _, x := range small {
			if !set[x] {
				return false
			}
		}
		return true
	}
	for _, x := range small {
		found := false
		for _, y := range large {
			found = found || x == y
		}
		if !found {
			return false
		}
	}
	return true
}

// Read answers what was read at that block when the recording was made.
func (c *Chain) Read(ctx context.Context, at chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	return c.answers(ctx, at, nil, reads)
}

// ReadMoved answers what was read at that block with the same code replaced.
func (c *Chain) ReadMoved(ctx context.Context, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	if c.track.can != nil && !c.track.can.Overrides {
		return nil, fmt.Errorf("read %s: %w", c.Name(), chains.ErrNoOverrides)
	}
	return c.answers(ctx, at, moved, reads)
}

func (c *Chain) answers(ctx context.Context, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key := askKey{block: at}
	if len(moved) > 0 {
		id, ok := c.tape.moved[digestOf(moved)]
		if !ok {
			return nil, c.missing(fmt.Sprintf("reads at block %d with this code replaced", at.Number))
		}
		key.moved = id
	}
	if err := chains.CheckLinks(reads); err != nil {
		return nil, fmt.Errorf("read %s: %w", c.Name(), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]chains.Answer, len(reads))
	for i := range reads {
		r, asked := chains.Resolve(reads, i, out)
		if !asked {
			out[i] = chains.Answer{Failed: true}
			continue
		}
		id, ok := c.tape.reads[keyOf(r)]
		if !ok {
			return nil, c.missing(fmt.Sprintf("read %d of %d, of %s at any block", i+1, len(reads), r.To))
		}
		answer, ok := c.answer(key, id)
		if !ok {
			return nil, c.missing(fmt.Sprintf("read %d of %d, of %s at block %d %s", i+1, len(reads), r.To, at.Number, at.Hash))
		}
		out[i] = answer
	}
	return out, nil
}

// answer finds one read; of several answers to it each asking gets the next,
// and from then on the last.
func (c *Chain) answer(key askKey, read uint32) (chains.Answer, bool) {
	list := c.track.asked[key]
	i := sort.Search(len(list), func(i int) bool { return list[i].read >= read })
	if i == len(list) || list[i].read != read {
		return chains.Answer{}, false
	}
	if i+1 < len(list) && list[i+1].read == read {
		r := repeat{key, read}
		for n := c.again[r]; n > 0 && i+1 < len(list) && list[i+1].read == read; n-- {
			i++
		}
		c.again[r]++
	}
	out := c.tape.answers[list[i].answer-1]
	if list[i].at != 0 {
		at := c.tape.headers[list[i].at-1].block
		out.At = &at
	}
	return out, true
}

func (c *Chain) missing(what string) error {
	return fmt.Errorf("%s of %s: %w", what, c.Name(), chains.ErrNotRecorded)
}
