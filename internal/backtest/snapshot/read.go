// Package snapshot replays the positions of one moment, as `liqwatch positions
// --format jsonl` wrote them, along a path of prices.
package snapshot

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/internal/backtest/notes"
	"liqwatch/protocols"
)

// ErrNoPositions: a file without a single usable position.
var ErrNoPositions = errors.New("no usable positions")

// line is what is used of a position.
type line struct {
	Market   string `json:"market"`
	Position string `json:"position"`
	Owner    string `json:"owner"`
	Block    uint64 `json:"block"`
	Legs     []struct {
		Symbol    string           `json:"symbol"`
		Side      string           `json:"side"`
		Amount    decimal.Decimal  `json:"amount"`
		Price     *decimal.Decimal `json:"price"`
		Threshold decimal.Decimal  `json:"threshold"`
	} `json:"legs"`
}

// longest is the longest line that is read.
const longest = 1 << 20

// read reads all positions into one book a market, by name.
func read(path string) ([]*book, notes.Notes, error) {
	var n notes.Notes
	f, err := os.Open(path)
	if err != nil {
		return nil, n, fmt.Errorf("read positions: %w", err)
	}
	defer func() { _ = f.Close() }()
	return parse(f, filepath.Base(path))
}

func parse(r io.Reader, name string) ([]*book, notes.Notes, error) {
	var n notes.Notes
	books := map[string]*book{}
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 1<<16), longest)
	for at := 1; in.Scan(); at++ {
		if len(in.Bytes()) == 0 {
			continue
		}
		var l line
		err := json.Unmarshal(in.Bytes(), &l)
		if err == nil {
			err = take(books, &l)
		}
		if err != nil {
			n.Add(notes.BadRow, "positions that cannot be read are left out", notes.At(name, at, err.Error()))
		}
	}
	if err := in.Err(); err != nil {
		return nil, n, fmt.Errorf("read positions %s: %w", name, err)
	}
	var out []*book
	for _, b := range books {
		b.index()
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b *book) int { return cmpString(a.market, b.market) })
	if len(out) == 0 {
		return nil, n, fmt.Errorf("read positions %s: %w", name, ErrNoPositions)
	}
	n.Add(notes.Assumption, "a snapshot knows no close factor: half of the debt with a bonus of 5 % is taken as seizable", "")
	n.Add(notes.Assumption, "which assets move with the axis is taken from their symbols", "")
	n.Add(notes.Assumption, "a snapshot has no history of its own: what the path reaches shows as untouched", "")
	return out, n, nil
}

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// take adds a line to its market's book.
func take(books map[string]*book, l *line) error {
	if l.Market == "" || l.Position == "" || len(l.Legs) == 0 {
		return errors.New("market, position or legs are missing")
	}
	b := books[l.Market]
	if b == nil {
		b = &book{market: l.Market, block: chains.Block{Number: l.Block}}
		books[l.Market] = b
	}
	if slices.ContainsFunc(b.positions, func(p position) bool { return p.id == l.Position }) {
		return fmt.Errorf("position %s is given twice", l.Position)
	}
	p := position{id: l.Position}
	if owner, err := chains.ParseAddress(l.Owner); err == nil {
		p.owner = owner
	}
	for _, g := range l.Legs {
		amount, err := toWad(g.Amount)
		if err != nil {
			return fmt.Errorf("amount of %s: %w", g.Symbol, err)
		}
		threshold, err := toWad(g.Threshold)
		if err != nil {
			return fmt.Errorf("threshold of %s: %w", g.Symbol, err)
		}
		side := protocols.Collateral
		switch g.Side {
		case "debt":
			side = protocols.Debt
		case "collateral":
		default:
			return fmt.Errorf("side %q of %s: want collateral or debt", g.Side, g.Symbol)
		}
		asset, err := b.asset(g.Symbol, g.Price)
		if err != nil {
			return err
		}
		p.legs = append(p.legs, leg{asset: asset, side: side, amount: amount, threshold: threshold})
	}
	if slices.ContainsFunc(p.legs, func(g leg) bool { return g.side == protocols.Debt && !g.amount.IsZero() }) {
		b.positions = append(b.positions, p)
	}
	return nil
}

// toWad refuses negative and absurd numbers; more than 18 digits are rounded down.
func toWad(d decimal.Decimal) (uint256.Int, error) {
	if d.IsNegative() || d.Exponent() > 40 || d.NumDigits() > 60 {
		return uint256.Int{}, fmt.Errorf("%s is out of range", d)
	}
	z, over := uint256.FromBig(d.Shift(18).BigInt())
	if over {
		return uint256.Int{}, fmt.Errorf("%s is out of range", d)
	}
	return *z, nil
}

// asset is the place of a symbol, its price that of the first position that has one.
func (b *book) asset(symbol string, price *decimal.Decimal) (int, error) {
	i := slices.IndexFunc(b.assets, func(a protocols.Asset) bool { return a.Symbol == symbol })
	if i < 0 {
		i = len(b.assets)
		b.assets = append(b.assets, protocols.Asset{Symbol: symbol, Decimals: 18})
		b.prices = append(b.prices, uint256.Int{})
	}
	if price != nil && b.prices[i].IsZero() {
		p, err := toWad(*price)
		if err != nil {
			return 0, fmt.Errorf("price of %s: %w", symbol, err)
		}
		b.prices[i] = p
	}
	return i, nil
}
