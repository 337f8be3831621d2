package aavev3

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

func equalSymbol(a, b string) bool { return strings.EqualFold(a, b) }

func unknownAsset(b *Book, symbol string) error {
	var have []string
	for i := range b.table.res {
		have = append(have, b.table.res[i].symbol)
	}
	return fmt.Errorf("%s has no asset %q; it has %s", b.market.Name, abbreviate(symbol), strings.Join(have, ", "))
}

func badValue(param string, value decimal.Decimal, want string) error {
	return fmt.Errorf("%s=%s: want %s", param, value, want)
}

func unknownParam(param string) error {
	return fmt.Errorf("parameter %q is not known; lt, bonus and price are", abbreviate(param))
}
