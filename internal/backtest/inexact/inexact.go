// Package inexact turns prices and amounts into floats and back where nothing is
// decided by them: drawings, files for analysis, and the path simulation.
package inexact

import "github.com/shopspring/decimal"

// Float is the nearest float of a decimal, or of a pointer to one.
func Float(d interface{ InexactFloat64() float64 }) float64 {
	return d.InexactFloat64()
}

// Decimal is a float as a decimal.
func Decimal(f float64) decimal.Decimal {
	return decimal.NewFromFloat(f) //nolint:forbidigo // this is the one place
}
