package alerts

import (
	"time"

	"github.com/shopspring/decimal"
)

// Dollars writes an amount in USD for people: three digits, rounded half away from zero, such
// as 312 M USD. For the fields of a reading.
func Dollars(v decimal.Decimal) string { return usd(v) }

// Price writes a price for people: cents from 100 on, else five digits that count.
func Price(p decimal.Decimal) string { return price(p) }

// Span writes a duration for people, rounded down: 14 s, 3 min, 5 h.
func Span(d time.Duration) string { return span(d) }

// Count writes a number of things for people: 1 account, 1,234 accounts.
func Count(n int, what string) string { return count(n, what) }
