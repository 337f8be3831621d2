package thresholds

import (
	"github.com/shopspring/decimal"
)

// Wall is a local concentration of at-risk collateral in the ladder.
type Wall struct {
	Direction string `json:"direction"`
	// From and To bound it as a band does: [From, To) below spot, (From, To] above.
	From decimal.Decimal `json:"from"`
	To   decimal.Decimal `json:"to"`
	// Totals are its positions, each valued at its own trigger.
	Totals
}

// WallOptions say what counts as a wall.
type WallOptions struct {
	// MinAtRiskUSD is the least a wall holds; zero takes 1 % of all that has a trigger.
	MinAtRiskUSD decimal.Decimal
	// Max is how many are returned, the largest; 0 means 5.
	Max int
}
