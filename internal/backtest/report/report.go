// Package report writes what a backtest found: as a table for people, as JSON for
// scripts, or as one HTML page with its charts inside.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/notes"
)

// Bands is the writer of a format.
func Bands(format string) (func(io.Writer, *backtest.BandReport) error, error) {
	switch format {
	case "table":
		return bandTable, nil
	case "json":
		return writeJSON[*backtest.BandReport], nil
	case "html":
		return bandPage, nil
	}
	return nil, unknown(format)
}

// Rules is the writer of a format.
func Rules(format string) (func(io.Writer, *backtest.RuleReport) error, error) {
	switch format {
	case "table":
		return ruleTable, nil
	case "json":
		return writeJSON[*backtest.RuleReport], nil
	case "html":
		return rulePage, nil
	}
	return nil, unknown(format)
}

// Path is the writer of a format.
func Path(format string) (func(io.Writer, *backtest.PathReport) error, error) {
	switch format {
	case "table":
		return pathTable, nil
	case "json":
		return writeJSON[*backtest.PathReport], nil
	case "html":
		return pathPage, nil
	}
	return nil, unknown(format)
}

func unknown(format string) error { return fmt.Errorf("--format %s: want table, json, html", format) }

func writeJSON[T any](w io.Writer, v T) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// caution stands in every report of bands.
const caution = "Bands show what would be liquidated if nobody moved. Owners do: static bands overstate liquidations."

// columns writes aligned rows.
type columns struct{ w *tabwriter.Writer }

func newColumns(w io.Writer) columns {
	return columns{tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)}
}

func (c columns) row(cells ...string) { fmt.Fprintln(c.w, strings.Join(cells, "\t")+"\t") }

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

func writeNotes(w io.Writer, list []notes.Note) {
	if len(list) > 0 {
		fmt.Fprintln(w, "\nabout the data:")
	}
	for _, n := range list {
		fmt.Fprintln(w, " ", n)
	}
}

func percent(d *decimal.Decimal) string {
	if d == nil {
		return "-"
	}
	return d.Shift(2).StringFixed(0) + "%"
}

func number(d *decimal.Decimal) string {
	if d == nil {
		return "-"
	}
	return d.StringFixed(2)
}
