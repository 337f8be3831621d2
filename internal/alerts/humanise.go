package alerts

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"
)

var units = []struct {
	name string
	size decimal.Decimal
}{
	{"T", decimal.New(1, 12)}, {"B", decimal.New(1, 9)}, {"M", decimal.New(1, 6)}, {"k", decimal.New(1, 3)},
}

// usd writes money for people: three digits, rounded half away from zero, such as 312 M USD.
func usd(v decimal.Decimal) string {
	for i, u := range units {
		if v.Abs().LessThan(u.size) {
			continue
		}
		q := three(v.DivRound(u.size, 6))
		if q.Abs().GreaterThanOrEqual(decimal.New(1, 3)) && i > 0 { // 999,999 is 1 M, not 1,000 k
			q, u = three(v.DivRound(units[i-1].size, 6)), units[i-1]
		}
		return separate(q.String()) + " " + u.name + " USD"
	}
	return v.Round(0).String() + " USD"
}

// three rounds to three digits before and after the point together, at least to the unit.
func three(q decimal.Decimal) decimal.Decimal {
	switch a := q.Abs(); {
	case a.GreaterThanOrEqual(decimal.NewFromInt(100)):
		return q.Round(0)
	case a.GreaterThanOrEqual(decimal.NewFromInt(10)):
		return q.Round(1)
	}
	return q.Round(2)
}

// price writes a price for people: cents from 100 on, else five digits that count.
func price(p decimal.Decimal) string {
	if p.Abs().GreaterThanOrEqual(decimal.NewFromInt(100)) || p.IsZero() {
		return separate(p.Round(2).String())
	}
	// NumDigits+Exponent is the place of the first digit, counted from the point.
	first := int32(p.NumDigits()) + p.Exponent()
	return separate(p.Round(5 - first).String())
}

// exact writes a number with all its digits.
func exact(d decimal.Decimal) string { return separate(d.String()) }

// distanceText writes a fraction as a percentage; what is not nothing is not shown as nothing.
func distanceText(f decimal.Decimal) string {
	p := f.Shift(2).Round(2)
	if p.IsZero() && !f.IsZero() {
		return "under 0.01%"
	}
	return p.String() + "%"
}

func levelList(levels []decimal.Decimal) string {
	var parts []string
	for i, l := range levels {
		if i == 10 && len(levels) > 11 {
			parts = append(parts, fmt.Sprintf("%d more", len(levels)-10))
			break
		}
		parts = append(parts, exact(l))
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return thousands(n) + " " + what
}

func thousands(n int) string { return separate(strconv.Itoa(n)) }

// separate puts commas between the thousands of a plain number.
func separate(number string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(number, "-"); ok {
		sign, number = "-", rest
	}
	whole, rest, _ := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	return sign + whole
}

// span writes a duration for people, rounded down.
func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(max(d, 0)/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d/time.Hour))
	}
	return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
}

// maxName is how much of a name given by somebody else is shown.
const maxName = 200

// clean makes text from outside harmless in a line: no control characters, nothing
// that turns the direction of writing, no more than maxName characters.
func clean(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		switch {
		case n >= maxName, unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			r = ' '
		}
		n++
		return r
	}, s)
}
