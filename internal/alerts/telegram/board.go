package telegram

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
)

// Board is what there is to look at.
type Board interface {
	Status(ctx context.Context) (Status, error)
	// Ladder is what comes due along an axis: at the levels, or, without, at some of
	// its own choice. An error is one that the reader can do something about.
	Ladder(ctx context.Context, axis string, levels []decimal.Decimal) (Ladder, error)
}

// Status is how the watching stands.
type Status struct {
	Version string
	Chains  []ChainStatus
	Rules   []RuleStatus
	Queue   QueueStatus
}

// ChainStatus is where one chain stands.
type ChainStatus struct {
	Name  string
	Block uint64        // 0 before the first
	Age   time.Duration // of that block
	Late  bool          // older than the rules allow
	Why   string        // the last pass failed because; empty when it did not
}

// RuleStatus is what a rule watches.
type RuleStatus struct {
	Name, Axis string
	Levels     []decimal.Decimal
	Price      decimal.Decimal // zero when there is none
	Watch      string          // of a rule about a number, what it watches: "utilization above 95%"
}

// QueueStatus is what waits to be sent.
type QueueStatus struct {
	Waiting, Dead int
	Oldest        time.Duration // how long the oldest has waited
}

// Ladder is what comes due at some prices.
type Ladder struct {
	Axis  string
	Spot  decimal.Decimal
	Age   time.Duration // of the data
	Steps []LadderStep
	// Sketch is the picture of it; nil for none.
	Sketch *alerts.Sketch
}

// LadderStep is what comes due between the price and another.
type LadderStep struct {
	Price     decimal.Decimal
	Accounts  int
	AtRiskUSD decimal.Decimal
}
