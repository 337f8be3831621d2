package vaults

import (
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/notes"
	"liqwatch/internal/backtest/prices"
	"liqwatch/protocols"
	"liqwatch/protocols/sky"
	"liqwatch/thresholds"
)

// hop is the time between two prices of the oracle, in seconds.
const hop = sky.Hop

// Options are what a replay has to assume.
type Options struct {
	// Market names the history; the directory's name when empty.
	Market string
	// CloseBelow is the debt in DAI under which a vault counts as closed (200): what
	// rounding in the export leaves behind.
	CloseBelow decimal.Decimal
	// Tolerance is how far an owner's own step may leave a vault below the liquidation
	// ratio by our prices (0.0075): candles are not quite the oracle's medians.
	Tolerance decimal.Decimal
	// FoldedRate takes the rate as folded by the last borrow instead of accruing it
	// every second: the Vat only knows a new rate after a drip, and a borrow drips.
	FoldedRate bool
}

// DefaultOptions are those that docs/backtest.md reports with.
func DefaultOptions() Options {
	return Options{CloseBelow: decimal.NewFromInt(200), Tolerance: decimal.RequireFromString("0.0075")}
}

// History is a directory of vault events with an oracle made from candles. It is a
// [history.History].
type History struct {
	opt        Options
	ilk, gem   string // "ETH-B" and "ETH"
	closeBelow *big.Int
	events     []Event
	params     []parameter
	rates      *rates
	prices     *prices.Series
	notes      notes.Notes
	leftOut    map[string]string
	// liquidations counts all there ever are of a vault.
	liquidations map[string]int
	folds        []uint64 // times of borrows, for FoldedRate
	last         lastRate
}

// lastRate remembers the rate of the latest moment asked: events of a block share it.
type lastRate struct {
	at   uint64
	rate *big.Int
}

var _ history.History = (*History)(nil)

// Open reads a directory and audits every vault in it.
func Open(dir string, series *prices.Series, opt Options) (*History, error) {
	s, err := readDir(dir)
	if err != nil {
		return nil, err
	}
	if opt.Market == "" {
		opt.Market = filepath.Base(filepath.Clean(dir))
	}
	h := &History{
		opt: opt, closeBelow: opt.CloseBelow.Shift(18).BigInt(), events: s.events, params: s.params,
		prices: series, notes: s.notes, leftOut: map[string]string{}, liquidations: map[string]int{},
	}
	h.ilk = s.ilk
	if h.ilk == "" {
		h.ilk = "ETH"
		h.notes.Add(notes.Assumption, "no row names the collateral type: taken to be ETH", "")
	}
	h.gem, _, _ = strings.Cut(h.ilk, "-")
	if h.rates, err = newRates(s.params); err != nil {
		return nil, fmt.Errorf("read vaults: stability fee: %w", err)
	}
	for _, e := range h.events {
		if e.Kind == Borrow {
			h.folds = append(h.folds, e.Time)
		}
	}
	h.notes.Add(notes.Assumption, "the oracle is taken to be the hourly module: the price one hour before, in force from the full hour", "")
	if err := h.audit(); err != nil {
		return nil, err
	}
	return h, nil
}

// Kind is "vaults".
func (h *History) Kind() string { return "vaults" }

// Vaults is how many vaults there ever were.
func (h *History) Vaults() int { return len(h.liquidations) }

// Events is how many rows were read.
func (h *History) Events() int { return len(h.events) }

// Span is from the first hour that has an oracle price to the last event or price,
// whichever is earlier.
func (h *History) Span() (from, to uint64) {
	first, end := h.prices.Span()
	from = first - first%hop + 2*hop
	return max(from, h.events[0].Time), min(end, h.events[len(h.events)-1].Time)
}

// LeftOut are the vaults that contradict themselves.
func (h *History) LeftOut() map[thresholds.Key]string {
	out := make(map[thresholds.Key]string, len(h.leftOut))
	for v, why := range h.leftOut {
		out[h.key(v)] = why
	}
	return out
}

// Notes are what was odd.
func (h *History) Notes() []notes.Note { return h.notes.All() }

func (h *History) key(vault string) thresholds.Key {
	return thresholds.Key{Market: h.opt.Market, Position: vault}
}

// rateAt is the rate in force at a moment, in ray.
func (h *History) rateAt(t uint64) (*big.Int, error) {
	if h.opt.FoldedRate {
		i, found := slices.BinarySearch(h.folds, t)
		if found {
			i++
		}
		if i == 0 {
			return bigRay, nil
		}
		t = h.folds[i-1]
	}
	if h.last.rate != nil && h.last.at == t {
		return h.last.rate, nil
	}
	rate, err := h.rates.rate(t)
	if err != nil {
		return nil, err
	}
	h.last = lastRate{at: t, rate: rate.ToBig()}
	return h.last.rate, nil
}

// source is the market's price that the oracle module would read at a moment (wad):
// the open of the candle that begins then.
func (h *History) source(t uint64) (uint256.Int, bool) {
	tick, ok := h.prices.At(t)
	if !ok {
		return uint256.Int{}, false
	}
	if !h.prices.Rounds && t >= tick.Time+h.prices.Step {
		return tick.Close.Raw(18), true // a gap: the last price known
	}
	return tick.Open.Raw(18), true
}

// oracle is the price in force from a full hour on: the source's one hop before.
func (h *History) oracle(hour uint64) (uint256.Int, bool) {
	if hour < hop {
		return uint256.Int{}, false
	}
	return h.source(hour - hop)
}

// mat is the liquidation ratio at a moment.
func (h *History) mat(t uint64) decimal.Decimal { return h.param(t, paramMat) }

func (h *History) param(t uint64, names ...string) decimal.Decimal {
	value := decimal.Zero
	for _, p := range h.params {
		if p.time <= t && slices.Contains(names, p.name) {
			value = p.to
		}
	}
	return value
}

// book is the market as of a moment.
func (h *History) book(l *ledger, order []string, block chains.Block, osm *sky.OSM) (protocols.Book, error) {
	t := block.Time
	rate, err := h.rateAt(t)
	if err != nil {
		return nil, err
	}
	s := sky.State{
		Market: h.opt.Market, Chain: "ethereum", Block: block,
		Gem:   protocols.Asset{Symbol: h.gem, Decimals: 18},
		Price: osm.Cur, Next: osm.Nxt, NextAt: osm.Due(),
		Ilk: sky.Ilk{
			Name: h.ilk, Rate: *toUint(rate), Par: *ray,
			Mat:  *toUint(h.mat(t).Shift(27).BigInt()),
			Chop: *toUint(h.param(t, paramChop, paramCat).Add(decimal.NewFromInt(1)).Shift(18).BigInt()),
			Dust: *toUint(h.param(t, paramDust).Shift(18).BigInt()),
		},
	}
	least := toUint(h.closeBelow)
	for _, v := range order {
		u, debt, ok := l.accounts[v].urn(&s.Ilk.Rate, least)
		if !ok {
			continue
		}
		s.Vaults = append(s.Vaults, sky.Vault{Urn: u, ID: v})
		s.Held.Add(&s.Held, &u.Ink)
		s.Owed.Add(&s.Owed, &debt)
	}
	return sky.NewBook(s)
}

// inOrder compares vault numbers as numbers where they are.
func inOrder(a, b string) int {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	switch {
	case errX == nil && errY == nil && x < y:
		return -1
	case errX == nil && errY == nil && x > y:
		return 1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
