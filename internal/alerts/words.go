package alerts

import (
	"github.com/shopspring/decimal"
)

// Dollars writes an amount in USD for people: three digits, rounded half away from zero, such
// as 312 M USD. For the fields of a reading.
func Dollars(v decimal.Decimal) string { return usd(v) }

// Price writes a price for people: cents from 100 on, else five digits that count.
func Price(p decimal.Decimal) string { return price(p) }
