package watch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/protocols"
)

// failed keeps why a chain's pass failed, for the alert that data have stopped,
// and lets the other chains go on without it.
func (e *Engine) failed(chain string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.chains[chain]
	c.tried, c.why = true, err.Error()
}

// Pulse tells the rules how old the data of every chain, market and watched price are.
func (e *Engine) Pulse(ctx context.Context, limit time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.tracker.Pulse(ctx, e.Now(), e.sources(limit)); err != nil {
		return fmt.Errorf("tell the age of the data: %w", err)
	}
	return nil
}

// sources are what must not fall silent. Where a chain is silent, that is told, and
// not again for every market and price that depends on it.
func (e *Engine) sources(limit time.Duration) []alerts.Source {
	var out []alerts.Source
	silence := false
	for name, c := range e.chains {
		out = append(out, alerts.Source{
			Name: name, What: "chain", Block: alerts.Ref(name, c.block), Fed: c.fed(), Limit: limit, Why: c.whySilent(e.Now(), limit),
		})
		if e.Now().Sub(c.fed()) > limit {
			silence = true
			continue
		}
		for _, b := range c.books {
			out = append(out, alerts.Source{
				Name: b.Market(), What: "market", Block: alerts.Ref(name, b.Block()), Fed: e.bookAt(c, b), Limit: limit, Why: c.why,
			})
		}
	}
	out = append(out, e.missing(limit)...)
	for _, axis := range e.axes() {
		if at, ok := e.priced[axis]; ok && !silence {
			out = append(out, alerts.Source{Name: axis, What: "price", Fed: at, Limit: limit, Why: "no market gives a price for it"})
		}
	}
	if !silence {
		out = append(out, e.gaugeSources(limit)...)
	}
	return out
}

// fed is when a chain last gave news: when a block was taken, and no later than the
// block's own time, for nodes that are hours behind go on giving blocks.
func (c *chainState) fed() time.Time {
	if own := time.Unix(int64(c.block.Time), 0); c.clocked && own.Before(c.blockAt) {
		return own
	}
	return c.blockAt
}

// whySilent is why the last pass failed, or that the nodes are behind.
func (c *chainState) whySilent(now time.Time, limit time.Duration) string {
	if c.why == "" && now.Sub(c.blockAt) <= limit && now.Sub(c.fed()) > limit {
		return "the nodes answer, but are behind: their newest block is that old"
	}
	return c.why
}

// keepsTime tells that a chain's blocks follow the clock of the world: those of the
// local nodes of developers need not.
func keepsTime(chainID uint64) bool { return chainID != 1337 && chainID != 31337 }

// missing are the markets that have no book yet: nothing is known of them, which
// must not pass for nothing being at risk.
func (e *Engine) missing(limit time.Duration) []alerts.Source {
	var out []alerts.Source
	for name, c := range e.chains {
		if e.Now().Sub(c.fed()) > limit {
			continue
		}
		for market, m := range c.unread {
			out = append(out, alerts.Source{Name: market, What: "market", Block: alerts.Ref(name, c.block), Fed: m.since, Limit: limit, Why: m.why})
		}
	}
	return out
}

// unread is a market without a book.
type unread struct {
	since time.Time
	why   string
}

// leave notes which markets the last pass left without a book.
func (c *chainState) leave(out Outcome, books []protocols.Book, now time.Time) {
	before := c.unread
	c.unread = map[string]unread{}
	for name, err := range out.Failed {
		if slices.ContainsFunc(books, func(b protocols.Book) bool { return b.Market() == name }) {
			continue
		}
		u, was := before[name]
		if !was {
			u.since = now
		}
		u.why = err.Error()
		c.unread[name] = u
	}
}

// bookAt is when a market's book was brought to its block.
func (e *Engine) bookAt(c *chainState, b protocols.Book) time.Time {
	if at, ok := c.bookAt[b.Market()]; ok && at.block == b.Block() {
		return at.when
	}
	return c.blockAt
}

// fedAt is when a market last moved to a new block.
type fedAt struct {
	block chains.Block
	when  time.Time
}

// feed notes which books have moved.
func (c *chainState) feed(books []protocols.Book, now time.Time) {
	if c.bookAt == nil {
		c.bookAt = map[string]fedAt{}
	}
	for _, b := range books {
		if was, ok := c.bookAt[b.Market()]; !ok || was.block != b.Block() {
			c.bookAt[b.Market()] = fedAt{b.Block(), now}
		}
	}
}
