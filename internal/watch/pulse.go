package watch

import (
	"context"
	"fmt"
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

func (e *Engine) sources(limit time.Duration) []alerts.Source {
	var out []alerts.Source
	for name, c := range e.chains {
		out = append(out, alerts.Source{
			Name: name, What: "chain", Block: alerts.Ref(name, c.block), Fed: c.blockAt, Limit: limit, Why: c.why,
		})
		for _, b := range c.books {
			out = append(out, alerts.Source{
				Name: b.Market(), What: "market", Block: alerts.Ref(name, b.Block()), Fed: e.bookAt(c, b), Limit: limit, Why: c.why,
			})
		}
	}
	for _, axis := range e.axes() {
		if at, ok := e.priced[axis]; ok {
			out = append(out, alerts.Source{Name: axis, What: "price", Fed: at, Limit: limit, Why: "no market gives a price for it"})
		}
	}
	return out
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
