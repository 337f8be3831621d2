package prices

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

	"liqwatch/internal/backtest/notes"
)

// ErrNoPrices: a file without a single usable row.
var ErrNoPrices = errors.New("no usable prices")

// Open reads a CSV file of candles (time, open, high, low, close; other columns are
// ignored) or of oracle rounds (updated_at, answer, and decimals, 8 when missing).
// Columns are found by the names in the first row. Rows that cannot be used are left
// out and noted with their line; rows out of order are sorted.
func Open(path string) (*Series, notes.Notes, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, notes.Notes{}, fmt.Errorf("read prices: %w (give a CSV file with --prices)", err)
	}
	defer func() { _ = f.Close() }()
	return Read(f, filepath.Base(path))
}

// Read is [Open] for a stream; name is used in notes and errors.
func Read(r io.Reader, name string) (*Series, notes.Notes, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord, rows.ReuseRecord, rows.TrimLeadingSpace = -1, true, true
	p := &parser{name: name}
	head, err := rows.Read()
	if err != nil {
		return nil, p.notes, fmt.Errorf("read prices %s: %w: the file is empty or not CSV", name, ErrNoPrices)
	}
	if err := p.columns(head); err != nil {
		return nil, p.notes, err
	}
	s := &Series{File: name, Rounds: p.rounds}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var parse *csv.ParseError
			if !errors.As(err, &parse) {
				return nil, p.notes, fmt.Errorf("read prices %s: %w", name, err)
			}
			p.bad(parse.Line, parse.Err)
			continue
		}
		line, _ := rows.FieldPos(0)
		tick, err := p.tick(row, line)
		if err != nil {
			p.bad(line, err)
			continue
		}
		s.Ticks = append(s.Ticks, tick)
		p.lines = append(p.lines, line)
	}
	if len(s.Ticks) == 0 {
		return nil, p.notes, fmt.Errorf("read prices %s: %w in any row", name, ErrNoPrices)
	}
	p.order(s)
	return s, p.notes, nil
}

// parser turns rows into ticks.
type parser struct {
	name   string
	notes  notes.Notes
	rounds bool
	lines  []int // of the ticks
	// places of the columns
	time, open, high, low, close, decimals int
}

func (p *parser) bad(line int, err error) {
	p.notes.Add(notes.BadRow, "prices that cannot be read are left out", notes.At(p.name, line, err.Error()))
}

func (p *parser) columns(head []string) error {
	at := map[string]int{}
	for i, h := range head {
		h = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))
		at[strings.NewReplacer("_", "", " ", "").Replace(h)] = i
	}
	find := func(names ...string) int {
		for _, n := range names {
			if i, ok := at[n]; ok {
				return i
			}
		}
		return -1
	}
	p.decimals = find("decimals")
	p.time = find("time", "updatedat", "timestamp", "date", "opentime", "unix")
	p.open, p.high, p.low, p.close = find("open"), find("high"), find("low"), find("close")
	if answer := find("answer", "price", "value"); p.close < 0 && answer >= 0 {
		p.rounds, p.open, p.high, p.low, p.close = true, answer, answer, answer, answer
	}
	if p.time < 0 || min(p.open, p.high, p.low, p.close) < 0 {
		return fmt.Errorf("read prices %s: %w: the first row must name time, open, high, low, close (candles) or updated_at, answer (oracle rounds); it has %s",
			p.name, ErrNoPrices, strings.Join(head, ", "))
	}
	return nil
}

func (p *parser) tick(row []string, line int) (Tick, error) {
	if last := max(p.time, p.open, p.high, p.low, p.close); len(row) <= last {
		return Tick{}, fmt.Errorf("%d fields, want %d", len(row), last+1)
	}
	at, utc, err := notes.ParseTime(row[p.time])
	if err != nil {
		return Tick{}, err
	}
	if utc {
		p.notes.Add(notes.NoZone, "times without a zone are read as UTC", notes.At(p.name, line, row[p.time]))
	}
	t := Tick{Time: at}
	if p.rounds {
		t.Close, err = p.price(row, p.close, line)
		t.Open, t.High, t.Low = t.Close, t.Close, t.Close
		return t, err
	}
	for _, f := range []struct {
		into  *Price
		place int
	}{{&t.Open, p.open}, {&t.High, p.high}, {&t.Low, p.low}, {&t.Close, p.close}} {
		if *f.into, err = p.price(row, f.place, line); err != nil {
			return Tick{}, err
		}
	}
	if t.High < max(t.Open, t.Close) || t.Low > min(t.Open, t.Close) {
		return Tick{}, fmt.Errorf("high %s and low %s do not enclose open and close", t.High.Decimal(), t.Low.Decimal())
	}
	return t, nil
}

func (p *parser) price(row []string, place, line int) (Price, error) {
	d, err := decimal.NewFromString(strings.TrimSpace(row[place]))
	if err != nil || d.NumDigits() > 60 || d.Exponent() > 30 || d.Exponent() < -60 {
		return 0, fmt.Errorf("price %q is not a number", row[place])
	}
	if p.rounds {
		if d, err = p.answer(d, row, line); err != nil {
			return 0, err
		}
	}
	if !d.IsPositive() {
		return 0, fmt.Errorf("price %s is not positive", d)
	}
	cut := d.Truncate(Decimals)
	if !cut.Equal(d) {
		p.notes.Add(notes.Rounded, "digits beyond the eighth decimal are cut", notes.At(p.name, line, d.String()))
	}
	units := cut.Shift(Decimals)
	if cut.IsZero() || units.GreaterThan(decimal.NewFromInt(1<<62)) {
		return 0, fmt.Errorf("price %s is out of range", d)
	}
	return Price(units.IntPart()), nil
}

// answer is a round's price: with a decimals column its raw integer, without one a
// price as written, or a raw integer of 8 decimals where it is too large to be a price.
func (p *parser) answer(d decimal.Decimal, row []string, line int) (decimal.Decimal, error) {
	if p.decimals < 0 || p.decimals >= len(row) {
		if d.IsInteger() && d.GreaterThan(decimal.NewFromInt(1_000_000)) {
			p.notes.Add(notes.Assumption, "answers above 1,000,000 without a decimals column are taken to have 8 decimals", notes.At(p.name, line, ""))
			return d.Shift(-Decimals), nil
		}
		return d, nil
	}
	digits, err := decimal.NewFromString(strings.TrimSpace(row[p.decimals]))
	if err != nil || !digits.IsInteger() || digits.IsNegative() || digits.GreaterThan(decimal.NewFromInt(36)) {
		return d, fmt.Errorf("decimals %q: want 0 to 36", row[p.decimals])
	}
	return d.Shift(-int32(digits.IntPart())), nil
}

// order sorts, drops exact repeats of a time, and finds gaps and glitches.
func (p *parser) order(s *Series) {
	type row struct {
		Tick
		line int
	}
	all := make([]row, len(s.Ticks))
	for i, t := range s.Ticks {
		all[i] = row{t, p.lines[i]}
		if i > 0 && t.Time < s.Ticks[i-1].Time {
			p.notes.Add(notes.OutOfOrder, "prices out of order are sorted by time", notes.At(p.name, p.lines[i], ""))
		}
	}
	slices.SortStableFunc(all, func(a, b row) int {
		switch {
		case a.Time < b.Time:
			return -1
		case a.Time > b.Time:
			return 1
		}
		return 0
	})
	s.Ticks = s.Ticks[:0]
	lines := p.lines[:0]
	for i, r := range all {
		if i > 0 && r.Time == all[i-1].Time {
			p.notes.Add(notes.Repeated, "of several prices for one time the last row counts", notes.At(p.name, r.line, ""))
			s.Ticks[len(s.Ticks)-1], lines[len(lines)-1] = r.Tick, r.line
			continue
		}
		s.Ticks, lines = append(s.Ticks, r.Tick), append(lines, r.line)
	}
	s.Step = usualStep(s.Ticks)
	p.gaps(s, lines)
	s.Glitches = glitches(s.Ticks)
	for _, i := range s.Glitches {
		t := s.Ticks[i]
		p.notes.Add(notes.Glitch, "a tick 20 % or more off both its neighbours", notes.At(p.name, lines[i],
			fmt.Sprintf("open %s high %s low %s close %s", t.Open.Decimal(), t.High.Decimal(), t.Low.Decimal(), t.Close.Decimal())))
	}
}

func (p *parser) gaps(s *Series, lines []int) {
	if s.Rounds || s.Step == 0 {
		return // rounds come when they come
	}
	for i := 1; i < len(s.Ticks); i++ {
		if d := s.Ticks[i].Time - s.Ticks[i-1].Time; d > s.Step {
			p.notes.Add(notes.Gap, "during a gap the last price before it stands", notes.At(p.name, lines[i], fmt.Sprintf("%d s without a price", d-s.Step)))
		}
	}
}

// usualStep is the most frequent distance of two ticks.
func usualStep(ticks []Tick) uint64 {
	counts := map[uint64]int{}
	for i := 1; i < len(ticks); i++ {
		counts[ticks[i].Time-ticks[i-1].Time]++
	}
	var best uint64
	for d, n := range counts {
		if n > counts[best] || n == counts[best] && d < best {
			best = d
		}
	}
	return best
}
