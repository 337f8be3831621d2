package chart

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// usd writes money as people say it: three digits and a unit, rounded half away
// from zero. Digits are those of the number, not of a float.
func usd(d decimal.Decimal) string {
	if d.Sign() < 0 {
		return "-" + usd(d.Neg())
	}
	if digits := int32(d.NumDigits()) + d.Exponent(); digits > 16 {
		// Nobody holds that much: a contract made the number up, and it is to fit a line.
		return fmt.Sprintf("$%se%d", threeDigits(d.Shift(1-digits)), digits-1)
	}
	units := []struct {
		exp  int32
		name string
	}{{12, "T"}, {9, "B"}, {6, "M"}, {3, "K"}}
	for _, u := range units {
		// 999.6K is 1.00M: choose the unit after rounding to three digits.
		if d.GreaterThanOrEqual(decimal.New(9995, u.exp-4)) {
			return "$" + threeDigits(d.Shift(-u.exp)) + u.name
		}
	}
	switch {
	case d.IsZero():
		return "$0"
	case d.LessThan(decimal.NewFromInt(1)):
		return "<$1"
	}
	return "$" + d.Round(0).String()
}

func threeDigits(d decimal.Decimal) string {
	switch {
	case d.GreaterThanOrEqual(decimal.New(9995, -1)):
		return thousands(d.Round(0).String())
	case d.GreaterThanOrEqual(decimal.New(9995, -2)):
		return d.Round(0).String()
	case d.GreaterThanOrEqual(decimal.New(9995, -3)):
		return d.StringFixed(1)
	}
	return d.StringFixed(2)
}

// price writes a price with separators and no more digits than tell it apart:
// two decimals from 100 up, five significant ones below.
func price(d decimal.Decimal) string {
	places := int32(2)
	if abs := d.Abs(); abs.LessThan(decimal.NewFromInt(100)) && abs.Sign() > 0 {
		places = 4
		for probe := decimal.NewFromInt(1); abs.LessThan(probe) && places < 18; probe = probe.Shift(-1) {
			places++
		}
	}
	return thousands(d.Round(places).String())
}

// thousands sets commas into the whole part of a plain number.
func thousands(s string) string {
	whole, frac, _ := strings.Cut(s, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if frac != "" {
		whole += "." + frac
	}
	return sign + whole
}
