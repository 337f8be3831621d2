// Package history says what a backtest replays: positions, prices and liquidations
// of the past, as a stream of steps.
package history

import (
	"context"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/internal/backtest/notes"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// History is what really happened to the positions of one or more markets.
type History interface {
	// Kind is "vaults", "recording", "snapshot" or "events".
	Kind() string
	// Span is the first and last moment that can be replayed, unix seconds.
	Span() (from, to uint64)
	// LeftOut are positions whose books contradict themselves, with the reason.
	LeftOut() map[thresholds.Key]string
	// Notes are what was odd about the data, complete after a replay.
	Notes() []notes.Note
	// Replay streams steps in the order of time: first the state as of from, then all
	// that happened until to, inclusive. It ends at the first error of visit.
	Replay(ctx context.Context, from, to uint64, visit func(*Step) error) error
}

// Step is one moment at which something happened. It is valid during visit only;
// the books it gives stay valid.
type Step struct {
	Block chains.Block
	// Priced: an oracle's price may have changed.
	Priced bool
	// Acted are positions that their owners changed, in order.
	Acted []thresholds.Key
	// Liquidated are those that were executed, in order. Each row of the source is
	// one, however alike.
	Liquidated []Liquidation
	// Books are the markets as of the step, after all of it. Calling it can cost;
	// the second call of a step is free.
	Books func() []protocols.Book
}

// Liquidation is one that was executed.
type Liquidation struct {
	Key  thresholds.Key
	Time uint64 // unix seconds
	// Line is where the source says so; empty for a chain.
	Line string
	// DebtUSD is the debt repaid or put up for auction, CollateralUSD what was taken,
	// at the oracle's price; nil when not known.
	DebtUSD       decimal.Decimal
	CollateralUSD *decimal.Decimal
	// Known: the account was known before.
	Known bool
	// Trigger is the liquidation price of the account just before, on the axis of its
	// own market's base asset, and Price the oracle's; nil when not known.
	Trigger, Price *decimal.Decimal
	// Error is how far our trigger is from the one that the executed amounts imply,
	// as a part of it. Nil when they imply none.
	Error *decimal.Decimal
	// Above: the account was healthy by our predicate at the oracle's price.
	Above bool
}
