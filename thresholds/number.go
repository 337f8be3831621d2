package thresholds

import (
	"errors"
	"regexp"

	"github.com/shopspring/decimal"
)

var (
	numberForm = regexp.MustCompile(`^[+-]?[0-9]{1,60}(\.[0-9]{1,60})?$`)
	errNumber  = errors.New("not a number such as 2400 or 0.85")
)

// parseNumber reads a plain decimal: no exponent, no separators, so that what a
// person typed is what is meant.
func parseNumber(s string) (decimal.Decimal, error) {
	if !numberForm.MatchString(s) {
		return decimal.Zero, errNumber
	}
	return decimal.NewFromString(s)
}
