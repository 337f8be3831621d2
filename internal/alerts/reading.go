package alerts

import (
	"time"

	"github.com/shopspring/decimal"
)

// Unit is what the value of a gauge counts.
type Unit string

// The units of gauges.
const (
	Ratio Unit = "ratio" // a plain number, such as a health factor
	Part  Unit = "part"  // a part of something: 0.05 is 5%
	USD   Unit = "usd"
	Hours Unit = "hours"
	// Quotient is a number over what it was before: 0.9 is told as -10%, 1.1 as +10%.
	Quotient Unit = "quotient"
)

// Readings are one look at everything that a gauge rule watches on one chain.
type Readings struct {
	Rule string
	// Chain is the one whose reorgs take the readings back.
	Chain  string
	Blocks []BlockRef
	// Seen is the wall time of the look.
	Seen time.Time
	// Final is, by chain, the newest block that cannot be undone.
	Final map[string]uint64
	// Readings have a subject each, and each subject once. A subject that was there
	// before and is not any more counts as Gone, unless it is one of Unknown.
	Readings []Reading
	// Unknown are subjects, or beginnings of subjects, that nothing is known of at
	// this look: a market that could not be read, history that is not there yet. What
	// was remembered of them stays as it is.
	Unknown []string
}

// Reading is one number other than an axis' price: the health factor of a position,
// the utilization of a reserve.
type Reading struct {
	// Subject is stable: what the number is of, such as "aave-v3-ethereum|0xabc...".
	Subject string
	// Name is the subject for people.
	Name  string
	Value decimal.Decimal
	Unit  Unit
	// Gone: there is no such number any more, as a health factor without debt.
	Gone bool
	// Fields are what else a message says of it.
	Fields []Field
}

// Sketch is the ladder around the price as it was when an alert was made, small
// enough to be kept with it: for channels that show pictures.
type Sketch struct {
	Axis  string          `json:"axis"`
	Spot  decimal.Decimal `json:"spot"`
	Level decimal.Decimal `json:"level"` // the one that the alert speaks of
	// Crossed: the level has been reached. AtRiskUSD is what the alert says comes due
	// on the way to the level, or came due on it; whole dollars.
	Crossed   bool            `json:"crossed,omitempty"`
	AtRiskUSD decimal.Decimal `json:"at_risk_usd"`
	Bars      []SketchBar     `json:"bars"` // ascending, without gaps
}

// SketchBar is the collateral that comes due between two prices.
type SketchBar struct {
	From      decimal.Decimal `json:"from"`
	To        decimal.Decimal `json:"to"`
	AtRiskUSD decimal.Decimal `json:"at_risk_usd"`
}
