package watch

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"liqwatch/chains"
)

// ChainStatus is where the watching of one chain stands.
type ChainStatus struct {
	Chain string
	// Tried tells that the first pass has ended, well or not.
	Tried bool
	// Block is that of the last pass that succeeded; zero before the first.
	Block chains.Block
	Final uint64
	// Fed is when that pass ended; before the first, when watching began.
	Fed time.Time
	// Markets tells by market when its book last moved to a new block.
	Markets map[string]time.Time
	// Unread tells of every market without a book why it has none.
	Unread map[string]string
	Spots  map[string]SpotPrice // by axis
	// Why is what made the last pass fail; empty when it succeeded. It may name a
	// node, without its secrets.
	Why string
}

// Status is that of every chain, by name. It waits for a pass that is being judged.
func (e *Engine) Status() []ChainStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]ChainStatus, 0, len(e.chains))
	for name, c := range e.chains {
		s := ChainStatus{
			Chain: name, Tried: c.tried, Block: c.block, Final: c.final, Fed: c.blockAt,
			Markets: map[string]time.Time{}, Unread: map[string]string{}, Spots: maps.Clone(c.spots), Why: c.why,
		}
		for market, u := range c.unread {
			s.Unread[market] = u.why
		}
		for market, at := range c.bookAt {
			s.Markets[market] = at.when
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b ChainStatus) int { return cmp.Compare(a.Chain, b.Chain) })
	return out
}

// Swept tells by market when all its accounts were last read again. It is for the
// goroutine that makes the passes, such as in [Watcher.Passed].
func (f *Follower) Swept() map[string]time.Time {
	out := map[string]time.Time{}
	for _, t := range f.tracked {
		if t.loaded {
			out[t.market.Name()] = t.swept
		}
	}
	return out
}
