package config

import (
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"
)

// maxDigits bounds a decimal; 2^256 has 78 digits.
const maxDigits = 100

var (
	plainInt     = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	plainDecimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

	decimalType  = reflect.TypeFor[decimal.Decimal]()
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[Secret]()
	urlType      = reflect.TypeFor[URL]()
)

// Ratio is written as a percentage and held as a ratio: 5% is 0.05.
type Ratio struct{ decimal.Decimal }

// Percent is the ratio as it was written, such as 5%.
func (r Ratio) Percent() string { return r.Shift(2).String() + "%" }

func (r *Ratio) decode(d *decoder, n *yaml.Node) {
	if !d.scalar(n, "a percentage") {
		return
	}
	digits, ok := strings.CutSuffix(n.Value, "%")
	if !ok {
		hint := "write it as a percentage, such as 5%"
		if x, err := parseDecimal(n.Value); err == nil {
			hint = fmt.Sprintf("write %s%% or %s%%, whichever is meant", x, x.Shift(2))
		}
		d.refuse(n, hint, "%s has no percent sign", d.quote(n))
		return
	}
	x, err := parseDecimal(digits)
	if err != nil {
		d.refuse(n, numberHint(digits), "%s is not a percentage", d.quote(n))
		return
	}
	r.Decimal = x.Shift(-2)
}

func parseDecimal(s string) (decimal.Decimal, error) {
	if !plainDecimal.MatchString(s) || len(s) > maxDigits {
		return decimal.Decimal{}, fmt.Errorf("%q is not a plain number", s)
	}
	return decimal.NewFromString(s)
}

// numberHint says what about a number could be read in two ways.
func numberHint(s string) string {
	body := strings.TrimPrefix(s, "-")
	lower := strings.ToLower(body)
	switch {
	case len(s) > maxDigits:
		return fmt.Sprintf("at most %d digits", maxDigits)
	case strings.Contains(body, "_"), strings.Contains(body, ","), strings.Contains(body, " "):
		return "write the digits without separators"
	case strings.HasPrefix(lower, "0x"), strings.HasPrefix(lower, "0b"), strings.HasPrefix(lower, "0o"):
		return "write it in decimal digits"
	case len(body) > 1 && body[0] == '0' && body[1] >= '0' && body[1] <= '9':
		return "remove the leading zero: some programs read it as octal"
	case strings.Contains(lower, "inf"), strings.Contains(lower, "nan"):
		return "write a finite number"
	case strings.HasPrefix(body, "."):
		return "write 0" + body
	case strings.HasPrefix(body, "+"):
		return "leave out the plus sign"
	case strings.ContainsAny(lower, "e") && strings.ContainsAny(body, "0123456789"):
		return "write all digits, without exponent"
	}
	return "write digits, such as 2200 or 0.5"
}

// known decodes the types of this package and of the libraries every room shares.
func (d *decoder) known(n *yaml.Node, v reflect.Value) bool {
	switch v.Type() {
	case decimalType:
		if x, ok := d.decimal(n); ok {
			v.Set(reflect.ValueOf(x))
		}
	case durationType:
		if x, ok := d.duration(n); ok {
			v.Set(reflect.ValueOf(x))
		}
	case secretType:
		if s, ok := d.secret(n); ok {
			v.Set(reflect.ValueOf(NewSecret(s)))
		}
	case urlType:
		if u, ok := d.url(n); ok {
			v.Set(reflect.ValueOf(u))
		}
	default:
		return false
	}
	return true
}

func (d *decoder) decimal(n *yaml.Node) (decimal.Decimal, bool) {
	if !d.scalar(n, "a number") {
		return decimal.Decimal{}, false
	}
	x, err := parseDecimal(n.Value)
	if err != nil {
		d.refuse(n, numberHint(n.Value), "%s is not a number that can be read in one way only", d.quote(n))
		return decimal.Decimal{}, false
	}
	return x, true
}

func (d *decoder) duration(n *yaml.Node) (time.Duration, bool) {
	const hint = "write a time such as 30s, 5m or 6h"
	if !d.scalar(n, "a time") {
		return 0, false
	}
	x, err := time.ParseDuration(n.Value)
	switch {
	case err != nil || n.Value[0] == '+' || plainInt.MatchString(n.Value) && n.Value != "0":
		d.refuse(n, hint, "%s is not a time", d.quote(n))
	case x <= 0:
		d.refuse(n, hint, "%s is not more than nothing", d.quote(n))
	default:
		return x, true
	}
	return 0, false
}

// string takes text as it is. A number or a bool in its place is more likely a
// slip than a name; 0x... is an address or bytes, whose digits are kept.
func (d *decoder) string(n *yaml.Node) (string, bool) {
	if !d.scalar(n, "text") {
		return "", false
	}
	if n.Tag != "!!str" && !strings.HasPrefix(n.Value, "0x") {
		d.refuse(n, fmt.Sprintf("put it in quotes: %q", n.Value), "text is wanted here, not %s", kindOf(n))
		return "", false
	}
	return n.Value, true
}

func (d *decoder) bool(n *yaml.Node, v reflect.Value) {
	if !d.scalar(n, "true or false") {
		return
	}
	switch n.Value {
	case "true":
		v.SetBool(true)
	case "false":
		v.SetBool(false)
	default:
		d.refuse(n, "write true or false", "%s is neither true nor false", d.quote(n))
	}
}

func (d *decoder) integer(n *yaml.Node) (*big.Int, bool) {
	if !d.scalar(n, "a whole number") {
		return nil, false
	}
	if !plainInt.MatchString(n.Value) || len(n.Value) > maxDigits {
		hint := numberHint(n.Value)
		if plainDecimal.MatchString(n.Value) {
			hint = "leave out the fraction"
		}
		d.refuse(n, hint, "%s is not a whole number", d.quote(n))
		return nil, false
	}
	x, ok := new(big.Int).SetString(n.Value, 10)
	return x, ok
}

func (d *decoder) int(n *yaml.Node, v reflect.Value) {
	x, ok := d.integer(n)
	if !ok {
		return
	}
	if !x.IsInt64() || v.OverflowInt(x.Int64()) {
		d.refuse(n, "", "%s is too large a number here", d.quote(n))
		return
	}
	v.SetInt(x.Int64())
}

func (d *decoder) uint(n *yaml.Node, v reflect.Value) {
	x, ok := d.integer(n)
	if !ok {
		return
	}
	switch {
	case x.Sign() < 0:
		d.refuse(n, "", "%s is below zero", d.quote(n))
	case !x.IsUint64() || v.OverflowUint(x.Uint64()):
		d.refuse(n, "", "%s is too large a number here", d.quote(n))
	default:
		v.SetUint(x.Uint64())
	}
}

// secret takes any single value as text, and hides it from then on.
func (d *decoder) secret(n *yaml.Node) (string, bool) {
	if !d.scalar(n, "text") {
		return "", false
	}
	if n.Value == "" {
		if _, ok := d.doc.written[n]; !ok { // else its own error was told already
			d.refuse(n, "write ${env:NAME} or ${file:/path}", "the value is empty")
		}
		return "", false
	}
	if _, ok := d.doc.written[n]; !ok {
		d.doc.redactor.add(n.Value, hidden)
	}
	return n.Value, true
}

// url takes an address and hides all but its scheme and host. Its errors never
// show it: the key in it may be what is wrong.
func (d *decoder) url(n *yaml.Node) (URL, bool) {
	if !d.scalar(n, "an address") {
		return URL{}, false
	}
	if n.Value == "" {
		if _, ok := d.doc.written[n]; !ok { // else its own error was told already
			d.refuse(n, "write an address such as https://...", "the value is empty")
		}
		return URL{}, false
	}
	u := NewURL(n.Value)
	parsed, err := url.Parse(n.Value)
	switch {
	case strings.TrimSpace(n.Value) != n.Value, strings.ContainsAny(n.Value, " \r\n\t"):
		d.refuse(n, "remove it", "white space in an address")
	case err != nil || parsed.Scheme == "":
		d.refuse(n, "write it with its scheme, such as https://...", "this is not an address")
	case parsed.Scheme == "sqlite": // a file's name is no secret
		return u, true
	default:
		d.hideURL(u, parsed)
		return u, true
	}
	return URL{}, false
}

// hideURL keeps an address' keys out of texts: whole, and in the parts in which
// HTTP clients and database drivers name it.
func (d *decoder) hideURL(u URL, parsed *url.URL) {
	if u.String() == u.value {
		return
	}
	d.doc.redactor.add(u.value, u.String())
	if password, ok := parsed.User.Password(); ok {
		d.doc.redactor.add(password, hidden)
	}
	for _, part := range []string{parsed.RequestURI(), parsed.RawQuery} {
		if len(part) >= 12 {
			d.doc.redactor.add(part, "/"+hidden)
		}
	}
}

// port reports whether s is a TCP port.
func port(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && plainInt.MatchString(s) && n <= 65535
}
