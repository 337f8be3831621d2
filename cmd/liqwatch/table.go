package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/shopspring/decimal"
)

// table writes aligned columns.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, columns ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(columns...)
	return t
}

func (t *table) row(cells ...string) {
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

func (t *table) flush() error { return t.w.Flush() }

// grouped writes money with thousands separators and no cents.
func grouped(d decimal.Decimal) string {
	s := d.Round(0).String()
	sign := ""
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = "-", rest
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// optional writes a number that may not exist.
func optional(d *decimal.Decimal, places int32) string {
	if d == nil {
		return "-"
	}
	return d.Round(places).String()
}

// visible leaves out what would not show but act.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// printable keeps a name taken from a chain from moving the cursor or the columns.
func printable(s string) string {
	s = visible(s)
	if len([]rune(s)) > 32 {
		s = string([]rune(s)[:32]) + "..."
	}
	return s
}
