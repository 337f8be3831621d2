package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/alerts"
)

// words are how numbers are written on the page.
var words = template.FuncMap{
	"money": money, "exact": exact, "price": priceText, "percent": percentText, "signed": signedPercent, "amount": amountText,
	"clock": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }, "iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"ago": agoText, "brief": briefAddress, "count": func(n int) string { return group(fmt.Sprint(n)) },
	"fate":   fateText,
	"plural": plural, "printable": printable, "cents": cents, "away": away, "points": points, "times": times,
	"change": func(market, over string, c *change) changeRow { return changeRow{market, over, c} }, "count64": func(n uint64) string { return group(fmt.Sprint(n)) },
	"deref": func(d *decimal.Decimal) decimal.Decimal { return *d },
}

// changeRow is a row of the table of markets.
type changeRow struct {
	Market, Over string
	Change       *change
}

// money is three digits and a unit: what a person reads at a glance. The exact
// number is the title of the element.
func money(d decimal.Decimal) string {
	if d.IsNegative() {
		return "-" + money(d.Neg())
	}
	if whole := int32(d.NumDigits()) + d.Exponent(); whole > 3 {
		d = d.Round(3 - whole) // before the unit is chosen: 999,999 is a million
	} else {
		d = d.Round(0)
	}
	for _, u := range []struct {
		exp  int32
		name string
	}{{12, "T"}, {9, "B"}, {6, "M"}, {3, "k"}} {
		if d.GreaterThanOrEqual(decimal.New(1, u.exp)) {
			n := d.Shift(-u.exp)
			places := int32(3 - len(n.Truncate(0).String()))
			return "$" + n.StringFixed(max(0, places)) + u.name
		}
	}
	return "$" + d.StringFixed(0)
}

// cents is an amount in full, without its unit.
func cents(d decimal.Decimal) string { return group(d.StringFixed(2)) }

// away is how far a price lies from spot, as a signed ratio.
func away(spot decimal.Decimal, price *decimal.Decimal) decimal.Decimal {
	if spot.IsZero() {
		return decimal.Zero
	}
	return price.Sub(spot).DivRound(spot, 6)
}

// points is a difference of two percentages.
func points(d decimal.Decimal) string { return sign(d) + d.Shift(2).StringFixed(1) + " pp" }

// times is a difference of two multiples.
func times(d decimal.Decimal) string { return sign(d) + d.StringFixed(2) + "×" }

func sign(d decimal.Decimal) string {
	if d.IsPositive() {
		return "+"
	}
	return ""
}

func exact(d decimal.Decimal) string { return group(d.StringFixed(2)) + " USD" }

// priceText has as many digits as a price of that size needs.
func priceText(d decimal.Decimal) string {
	switch {
	case d.Abs().GreaterThanOrEqual(decimal.New(1, 3)):
		return group(d.StringFixed(min(2, max(0, -d.Exponent()))))
	case d.Abs().GreaterThanOrEqual(decimal.New(1, 0)):
		return d.Round(4).String()
	}
	return d.Round(8).String()
}

func amountText(d decimal.Decimal) string {
	if d.Abs().GreaterThanOrEqual(decimal.New(1, 3)) {
		return group(d.StringFixed(0))
	}
	return d.Round(4).String()
}

func percentText(d decimal.Decimal) string { return d.Shift(2).StringFixed(1) + " %" }

func signedPercent(d decimal.Decimal) string { return sign(d) + percentText(d) }

// group puts commas between thousands.
func group(s string) string {
	whole, rest, dot := strings.Cut(s, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		whole += "." + rest
	}
	return sign + whole
}

func agoText(seconds int64) string {
	switch {
	case seconds < 0:
		return "just now"
	case seconds < 120:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 7200:
		return fmt.Sprintf("%d min", seconds/60)
	case seconds < 48*3600:
		return fmt.Sprintf("%d h", seconds/3600)
	}
	return fmt.Sprintf("%d days", seconds/86400)
}

// briefAddress is enough of an address to tell it from others at a glance.
func briefAddress(s string) string {
	s = printableLong(s)
	if len(s) <= 14 {
		return s
	}
	return s[:8] + "…" + s[len(s)-4:]
}

// fateText is what became of a delivery, in words.
func fateText(fate string) string {
	switch alerts.Fate(fate) {
	case alerts.Pending:
		return "waits"
	case alerts.Dead:
		return "given up"
	case alerts.Digested:
		return "told in a digest"
	case alerts.Skipped:
		return "not wanted there"
	}
	return fate
}

// plural is a number of things.
func plural(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return group(fmt.Sprint(n)) + " " + of + "s"
}
