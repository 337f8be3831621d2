package vaults

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/notes"
)

// ErrNoEvents: a directory that does not hold vault events.
var ErrNoEvents = errors.New("no vault events")

// file is one CSV file of events and the names of its columns.
type file struct {
	name        string
	kind        Kind
	amount, due string
}

var files = []file{
	{name: "deposits.csv", kind: Deposit, amount: "DEPOSIT_AMOUNT_ADJ"},
	{name: "repayments.csv", kind: Repay, amount: "DAI_REPAYED"},
	{name: "borrows.csv", kind: Borrow, amount: "DAI_MINTED"},
	{name: "withdrawals.csv", kind: Withdraw, amount: "WITHDRAWN_AMOUNT_ADJ"},
	{name: "liquidations.csv", kind: Liquidate, amount: "COLLATERAL_LIQUIDATED_AMOUNT", due: "DAI_REPAYED_AMOUNT"},
}

// source is all that a directory holds.
type source struct {
	ilk    string // "ETH-B", as the rows name it; empty when none does
	events []Event
	params []parameter
	notes  notes.Notes
}

// readDir reads every file of a directory. A file that is missing is an error: a
// replay without the withdrawals would be quietly wrong.
func readDir(dir string) (*source, error) {
	s := &source{}
	for _, f := range files {
		if err := s.readEvents(dir, f); err != nil {
			return nil, err
		}
	}
	if err := s.readParameters(dir); err != nil {
		return nil, err
	}
	if len(s.events) == 0 {
		return nil, fmt.Errorf("read vaults in %s: %w", dir, ErrNoEvents)
	}
	sortEvents(s.events)
	return s, nil
}

// row is one line of a CSV file with named columns.
type row struct {
	fields []string
	at     map[string]int
}

func (r row) field(name string) (string, error) {
	i, ok := r.at[name]
	if !ok || i >= len(r.fields) {
		return "", fmt.Errorf("no %s", name)
	}
	return strings.TrimSpace(r.fields[i]), nil
}

// each streams the rows of a file that can be parsed; bad ones are noted.
func (s *source) each(dir, name string, columns []string, visit func(r row, line int) error) error {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("read vaults: %w: %w (want deposits, withdrawals, borrows, repayments, liquidations and parameters as .csv)", ErrNoEvents, err)
	}
	defer func() { _ = f.Close() }()
	rows := csv.NewReader(f)
	rows.FieldsPerRecord = -1
	head, err := rows.Read()
	if err != nil {
		return fmt.Errorf("read vaults: %s: first row: %w", name, err)
	}
	at := map[string]int{}
	for i, h := range head {
		at[strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))] = i
	}
	for _, c := range columns {
		if _, ok := at[c]; !ok {
			return fmt.Errorf("read vaults: %s: no column %s; it has %s", name, c, strings.Join(head, ", "))
		}
	}
	for {
		fields, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var line int
		var parse *csv.ParseError
		switch {
		case err == nil:
			line, _ = rows.FieldPos(0)
		case errors.As(err, &parse):
			line = parse.Line
		default:
			return fmt.Errorf("read vaults: %s: %w", name, err)
		}
		if err == nil {
			err = visit(row{fields, at}, line)
		}
		if err != nil {
			s.notes.Add(notes.BadRow, "vault rows that cannot be read are left out", notes.At(name, line, err.Error()))
		}
	}
}

func (s *source) readEvents(dir string, f file) error {
	columns := []string{"BLOCK_NUMBER", "BLOCK_TIMESTAMP", "VAULT_NUMBER", f.amount}
	if f.due != "" {
		columns = append(columns, f.due)
	}
	last, seen := uint64(0), map[string]bool{}
	return s.each(dir, f.name, columns, func(r row, line int) error {
		e, err := s.event(r, f, line)
		if err != nil {
			return err
		}
		if e.Block < last {
			s.notes.Add(notes.OutOfOrder, "vault rows out of order are sorted by block and kind", notes.At(f.name, line, ""))
		}
		last = e.Block
		if ilk, err := r.field("ILK"); err == nil && ilk != "" {
			if s.ilk != "" && s.ilk != ilk {
				return fmt.Errorf("a vault of %s among those of %s: one directory holds one collateral type", ilk, s.ilk)
			}
			s.ilk = ilk
		}
		if f.kind == Liquidate {
			whole := strings.Join(r.fields, ",")
			if seen[whole] {
				s.notes.Add(notes.Repeated, "liquidation rows equal to an earlier one are kept: each is an event", notes.At(f.name, line, ""))
			}
			seen[whole] = true
		}
		s.events = append(s.events, e)
		return nil
	})
}

func (s *source) event(r row, f file, line int) (Event, error) {
	e := Event{Kind: f.kind, File: f.name, Line: line}
	number, err := r.field("BLOCK_NUMBER")
	if err != nil {
		return e, err
	}
	if _, err := fmt.Sscan(number, &e.Block); err != nil {
		return e, fmt.Errorf("block %q: %w", number, err)
	}
	if e.Time, err = s.time(r, "BLOCK_TIMESTAMP", f.name, line); err != nil {
		return e, err
	}
	if e.Vault, err = r.field("VAULT_NUMBER"); err != nil {
		return e, err
	}
	if e.Vault == "" {
		return e, errors.New("no vault")
	}
	if e.Amount, err = amount(r, f.amount); err != nil {
		return e, err
	}
	if f.due != "" {
		e.Due, err = amount(r, f.due)
	}
	return e, err
}

func (s *source) time(r row, column, name string, line int) (uint64, error) {
	text, err := r.field(column)
	if err != nil {
		return 0, err
	}
	at, noZone, err := notes.ParseTime(text)
	if noZone {
		s.notes.Add(notes.NoZone, "times without a zone are read as UTC", notes.At(name, line, text))
	}
	return at, err
}

// amount is a decimal number in wad, without its sign: withdrawals are exported as
// negative numbers.
func amount(r row, column string) (*big.Int, error) {
	text, err := r.field(column)
	if err != nil {
		return nil, err
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.Exponent() > 30 || d.Exponent() < -60 || d.NumDigits() > 60 {
		return nil, fmt.Errorf("%s %q is not an amount", column, text)
	}
	return d.Abs().Shift(18).BigInt(), nil
}
