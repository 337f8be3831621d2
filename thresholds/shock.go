package thresholds

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

var errShock = errors.New(`want AXIS=-20%, AXIS=+5% or AXIS=PRICE, such as ETH=-20%, ETH=2000 or wstETH/ETH=-3%`)

// ParseShock reads one move of an axis: a change in percent ("ETH=-20%") or the
// price it moves to ("ETH=2000", "wstETH/ETH=1.10").
func ParseShock(s string) (protocols.Move, error) {
	axis, value, ok := strings.Cut(s, "=")
	axis, value = strings.TrimSpace(axis), strings.TrimSpace(value)
	if !ok || axis == "" {
		return protocols.Move{}, fmt.Errorf("shock %q: %w", s, errShock)
	}
	if body, percent := strings.CutSuffix(value, "%"); percent {
		return percentMove(s, axis, body)
	}
	to, err := parseNumber(value)
	if err != nil {
		return protocols.Move{}, fmt.Errorf("shock %q: %w", s, errShock)
	}
	if to.Sign() <= 0 {
		return protocols.Move{}, fmt.Errorf("shock %q: a price must be positive; a change needs a percent sign", s)
	}
	return protocols.Move{Axis: axis, To: &to}, nil
}

func percentMove(s, axis, body string) (protocols.Move, error) {
	change, err := parseNumber(strings.TrimSpace(body))
	if err != nil {
		return protocols.Move{}, fmt.Errorf("shock %q: %w", s, errShock)
	}
	factor := decimal.NewFromInt(1).Add(change.Shift(-2))
	if factor.Sign() <= 0 {
		return protocols.Move{}, fmt.Errorf("shock %q: nothing falls by 100 %% or more", s)
	}
	return protocols.Move{Axis: axis, Factor: factor}, nil
}

// describeMove writes a move as ParseShock reads it.
func describeMove(m protocols.Move) string {
	if m.To != nil {
		return m.Axis + "=" + m.To.String()
	}
	change := m.Factor.Sub(decimal.NewFromInt(1)).Shift(2)
	if change.Sign() > 0 {
		return m.Axis + "=+" + change.String() + "%"
	}
	return m.Axis + "=" + change.String() + "%"
}

// Change is one parameter of one asset of one market changed for a what-if.
type Change struct {
	Market string
	Asset  string // symbol
	Param  string // "lt", "bonus" or "price"
	Value  decimal.Decimal
}

// String writes the change as ParseChange reads it.
func (c Change) String() string {
	return c.Market + "." + c.Asset + "." + c.Param + "=" + c.Value.String()
}

// ParseChange reads MARKET.ASSET.PARAM=VALUE, such as
// "aave-v3-ethereum.wstETH.lt=0.80". The market's name ends at the first dot and
// the parameter begins after the last: symbols may hold dots ("USDC.e").
func ParseChange(s string) (Change, error) {
	const want = "want MARKET.ASSET.PARAM=VALUE, such as aave-v3-ethereum.wstETH.lt=0.80"
	left, value, ok := cutLast(s, "=")
	if !ok {
		return Change{}, fmt.Errorf("change %q: %s", s, want)
	}
	market, rest, ok := strings.Cut(strings.TrimSpace(left), ".")
	asset, param, ok2 := cutLast(rest, ".")
	if !ok || !ok2 || market == "" || asset == "" {
		return Change{}, fmt.Errorf("change %q: %s", s, want)
	}
	v, err := parseNumber(strings.TrimSpace(value))
	if err != nil {
		return Change{}, fmt.Errorf("change %q: value %w", s, err)
	}
	switch {
	case param != "lt" && param != "bonus" && param != "price":
		return Change{}, fmt.Errorf(`change %q: parameter %q: want "lt", "bonus" or "price"`, s, param)
	case v.Sign() < 0:
		return Change{}, fmt.Errorf("change %q: %s is negative", s, v)
	case param == "lt" && v.GreaterThan(decimal.NewFromInt(1)):
		return Change{}, fmt.Errorf("change %q: lt is a ratio such as 0.80, at most 1", s)
	}
	return Change{market, asset, param, v}, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
