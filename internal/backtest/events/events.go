// Package events reads liquidations alone: what was executed when, without the
// positions behind it. Together with prices it tells whether rules would have spoken
// before.
package events

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/notes"
	"liqwatch/internal/backtest/prices"
	"liqwatch/thresholds"
)

// Columns of the CSV; only time has to be there.
var Columns = []string{"time", "account", "market", "collateral_asset", "debt_asset", "debt_usd"}

// ErrNoEvents: a file without a single usable row.
var ErrNoEvents = errors.New("no usable liquidations")

// Events are the liquidations of a file, in the order of time.
type Events struct {
	List  []history.Liquidation
	notes notes.Notes
}

// Notes are what was odd.
func (e *Events) Notes() []notes.Note { return e.notes.All() }

// Open reads a file. Two equal rows are two liquidations. The price at each is taken
// from the series: an account liquidated then had its trigger at or above it.
func Open(path string, series *prices.Series) (*Events, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read liquidations: %w", err)
	}
	defer func() { _ = f.Close() }()
	return Read(f, filepath.Base(path), series)
}

// Read is [Open] for a stream.
func Read(r io.Reader, name string, series *prices.Series) (*Events, error) {
	e := &Events{}
	rows := csv.NewReader(r)
	rows.FieldsPerRecord, rows.TrimLeadingSpace = -1, true
	head, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("read liquidations %s: %w: the file is empty or not CSV", name, ErrNoEvents)
	}
	at := map[string]int{}
	for i, h := range head {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))] = i
	}
	for _, c := range Columns {
		if _, ok := at[c]; !ok {
			if c == "time" {
				return nil, fmt.Errorf("read liquidations %s: no column time; the columns are %s", name, strings.Join(Columns, ", "))
			}
			e.notes.Add(notes.MissingColumn, "columns that are missing", c)
		}
	}
	seen := map[string]bool{}
	for {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var line int
		var parse *csv.ParseError
		switch {
		case err == nil:
			line, _ = rows.FieldPos(0)
		case errors.As(err, &parse):
			line = parse.Line
		default:
			return nil, fmt.Errorf("read liquidations %s: %w", name, err)
		}
		var l history.Liquidation
		if err == nil {
			l, err = e.row(fields, at, name, line, series)
		}
		if err != nil {
			e.notes.Add(notes.BadRow, "liquidations that cannot be read are left out", notes.At(name, line, err.Error()))
			continue
		}
		if whole := strings.Join(fields, ","); seen[whole] {
			e.notes.Add(notes.Repeated, "rows equal to an earlier one are kept: each is a liquidation", notes.At(name, line, ""))
		} else {
			seen[whole] = true
		}
		if n := len(e.List); n > 0 && l.Time < e.List[n-1].Time {
			e.notes.Add(notes.OutOfOrder, "liquidations out of order are sorted by time", notes.At(name, line, ""))
		}
		e.List = append(e.List, l)
	}
	if len(e.List) == 0 {
		return nil, fmt.Errorf("read liquidations %s: %w", name, ErrNoEvents)
	}
	e.notes.Add(notes.Assumption, "the trigger of an account is taken to be the price at its liquidation", "")
	e.notes.Add(notes.Assumption, "without positions, something is taken to be at risk at every level", "")
	slices.SortStableFunc(e.List, func(a, b history.Liquidation) int {
		switch {
		case a.Time < b.Time:
			return -1
		case a.Time > b.Time:
			return 1
		}
		return 0
	})
	return e, nil
}

func (e *Events) row(fields []string, at map[string]int, name string, line int, series *prices.Series) (history.Liquidation, error) {
	field := func(column string) string {
		if i, ok := at[column]; ok && i < len(fields) {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	l := history.Liquidation{Line: fmt.Sprintf("%s:%d", name, line),
		Key: thresholds.Key{Market: field("market"), Position: field("account")}}
	var utc bool
	var err error
	if l.Time, utc, err = notes.ParseTime(field("time")); err != nil {
		return l, err
	}
	if utc {
		e.notes.Add(notes.NoZone, "times without a zone are read as UTC", notes.At(name, line, field("time")))
	}
	if text := field("debt_usd"); text != "" {
		if l.DebtUSD, err = decimal.NewFromString(text); err != nil || l.DebtUSD.IsNegative() {
			return l, fmt.Errorf("debt_usd %q is not an amount", text)
		}
	}
	if l.Key.Position == "" {
		l.Key.Position = l.Line // rows without an account are accounts of their own
	}
	if tick, ok := series.At(l.Time); ok {
		p := tick.Low.Decimal()
		l.Trigger, l.Price = &p, &p
	}
	return l, nil
}
