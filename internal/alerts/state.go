package alerts

import (
	"maps"
	"slices"

	"github.com/shopspring/decimal"
)

// State is all that is remembered of one rule. The checkpoints speak of the chain
// and are taken back by a reorg; doubts and revisions speak of messages, which
// cannot be unsent, and are not.
type State struct {
	Rule string
	// Checkpoints are the states after the latest observations, oldest first.
	Checkpoints []Checkpoint
	// Pruned tells that older checkpoints were forgotten.
	Pruned bool
	// Doubts are alerts of orphaned blocks that the new branch has not confirmed yet.
	Doubts []Doubt
	// Revisions counts, for each claim, how often it was taken back.
	Revisions map[string]int

	made []Alert // of the observation being applied
	// bySubject is what the checkpoints of a gauge rule add up to; nil before somebody asked.
	bySubject map[string][]Episode
}

// Checkpoint is a rule's state after one observation.
type Checkpoint struct {
	Seq uint64 `json:"seq"` // grows by one; starts at 1
	// PriceChain is the chain whose reorgs take this checkpoint back.
	PriceChain string          `json:"price_chain"`
	Blocks     []BlockRef      `json:"blocks"`
	Price      decimal.Decimal `json:"price,omitzero"`
	Episodes   []Episode       `json:"episodes"`
	// Partial: Episodes are only those that changed since the checkpoint before.
	Partial bool `json:"partial,omitempty"`
	// Alerts are those this observation made or confirmed.
	Alerts []Alert `json:"alerts,omitempty"`
}

// Doubt is an alert of an orphaned block.
type Doubt struct {
	Alert Alert `json:"alert"`
	// Open are the claims not yet seen on the new branch.
	Open []string `json:"open"`
	// Chain and Until: once an observation reaches this block, what is open is not true.
	Chain string `json:"chain"`
	Until uint64 `json:"until"`
}

func (s State) last() Checkpoint {
	if len(s.Checkpoints) == 0 {
		return Checkpoint{}
	}
	return s.Checkpoints[len(s.Checkpoints)-1]
}

// Episodes are the current ones. They are a copy.
func (s State) Episodes() []Episode { return slices.Clone(s.last().Episodes) }

// Blocks are those of the latest observation, one for each chain.
func (s State) Blocks() []BlockRef { return s.last().Blocks }

// Price is that of the latest observation; zero before the first.
func (s State) Price() decimal.Decimal { return s.last().Price }

// covers reports that none of the blocks is newer than those applied.
func (s State) covers(blocks []BlockRef) bool {
	have := s.Blocks()
	for _, b := range blocks {
		h, ok := of(have, b.Chain)
		if !ok || b.Number > h.Number || b.Number == h.Number && b.Hash != h.Hash {
			return false
		}
	}
	return true
}

func (s State) clone() State {
	s.Checkpoints = slices.Clone(s.Checkpoints)
	s.Doubts = slices.Clone(s.Doubts)
	s.Revisions = maps.Clone(s.Revisions)
	s.made = nil
	return s
}

func (s *State) push(c Checkpoint) {
	c.Seq = s.last().Seq + 1
	s.Checkpoints = append(s.Checkpoints, c)
}

// prune forgets checkpoints that no reorg can reach: the newest final one stays, as
// the state to go back to.
func (s *State) prune(final map[string]uint64) {
	keep := max(0, len(s.Checkpoints)-1-KeepUnfinal)
	for i := len(s.Checkpoints) - 1; i > keep; i-- {
		if s.Checkpoints[i].final(final) {
			keep = i
		}
	}
	if keep > 0 {
		s.Checkpoints, s.Pruned = slices.Clone(s.Checkpoints[keep:]), true
	}
}

// final reports that no reorg can take the checkpoint back.
func (c Checkpoint) final(final map[string]uint64) bool {
	b, _ := of(c.Blocks, c.PriceChain)
	n, ok := final[c.PriceChain]
	return ok && b.Number <= n
}

// merge is the newer list, with the chains that only the older one has.
func merge(older, newer []BlockRef) []BlockRef {
	out := slices.Clone(newer)
	for _, b := range older {
		if _, ok := of(newer, b.Chain); !ok {
			out = append(out, b)
		}
	}
	return out
}

// diff is what a ledger has to change to hold the next state instead of this one.
// Checkpoints are only added and dropped at the ends; the oldest of a gauge rule may
// become one that holds everything.
func (s State) diff(next State) StateChange {
	c := StateChange{Rule: next.Rule, To: next.last().Seq, Pruned: next.Pruned, Doubts: next.Doubts, Revisions: next.Revisions}
	if len(next.Checkpoints) > 0 {
		c.From = next.Checkpoints[0].Seq
	}
	for i, p := range next.Checkpoints {
		if p.Seq > s.last().Seq || i == 0 && !p.Partial && !s.whole(p.Seq) {
			c.Add = append(c.Add, p)
		}
	}
	return c
}

// whole reports that the checkpoint of that number is kept and holds everything.
func (s State) whole(seq uint64) bool {
	return slices.ContainsFunc(s.Checkpoints, func(c Checkpoint) bool { return c.Seq == seq && !c.Partial })
}
