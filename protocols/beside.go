package protocols

import "github.com/shopspring/decimal"

// Beside is value that people count to a deployment although it is not in the
// market: a staking pool of the same makers. It is never added to a market's TVL.
type Beside struct {
	Name   string // "sTRX staking"
	Symbol string // what Amount counts
	Amount Amount
	USD    decimal.Decimal
}

// WithBeside is a [Book] that knows of such value.
type WithBeside interface {
	Beside() []Beside
}
