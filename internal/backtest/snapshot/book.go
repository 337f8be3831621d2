package snapshot

import (
	"fmt"
	"math"
	"strings"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
)

var wad = uint256.NewInt(1_000_000_000_000_000_000)

// What is assumed of a liquidation.
var (
	closePart = uint256.NewInt(500_000_000_000_000_000)
	bonus     = uint256.NewInt(1_050_000_000_000_000_000)
)

type leg struct {
	asset             int
	side              protocols.Side
	amount, threshold uint256.Int // wad
}

type position struct {
	id    string
	owner chains.Address
	legs  []leg
}

// book is one market of a snapshot: a plain sum of collateral times threshold against
// debt. It is a [protocols.Book]; quote units are 1e-18 USD.
type book struct {
	market    string
	block     chains.Block
	assets    []protocols.Asset
	prices    []uint256.Int // wad USD of one token
	positions []position
	byID      map[string]int
}

var _ protocols.Book = (*book)(nil)

func (b *book) index() {
	b.byID = make(map[string]int, len(b.positions))
	for i := range b.positions {
		b.byID[strings.ToLower(b.positions[i].id)] = i
	}
}

func (b *book) Market() string                  { return b.market }
func (b *book) Chain() string                   { return "snapshot" }
func (b *book) Protocol() string                { return "snapshot" }
func (b *book) Block() chains.Block             { return b.block }
func (b *book) Assets() []protocols.Asset       { return b.assets }
func (b *book) QuoteDecimals() int32            { return 18 }
func (b *book) Len() int                        { return len(b.positions) }
func (b *book) ID(i int) string                 { return b.positions[i].id }
func (b *book) Owner(i int) chains.Address      { return b.positions[i].owner }
func (b *book) Totals() []protocols.AssetTotals { return nil }
func (b *book) Coming() []protocols.ComingPrice { return nil }
func (b *book) Faults() []protocols.Fault       { return nil }
func (b *book) Axes() []string                  { return []string{"ETH", "BTC", "TRX", "market"} }
func (b *book) Prices() protocols.Prices        { return b.at(b.prices) }
func (b *book) at(raw []uint256.Int) protocols.Prices {
	return protocols.Prices{Raw: raw, QuoteUSD: decimal.NewFromInt(1)}
}
func (b *book) Find(id string) (int, bool) { i, ok := b.byID[strings.ToLower(id)]; return i, ok }

// Terms is the linear inequality; here it is the predicate itself.
func (b *book) Terms(i int, dst []protocols.Term) []protocols.Term {
	for _, g := range b.positions[i].legs {
		coef := g.amount.Float64() / 1e18
		if g.side == protocols.Debt {
			coef = -coef
		} else {
			coef *= g.threshold.Float64() / 1e18
		}
		dst = append(dst, protocols.Term{Asset: g.asset, Coef: coef})
	}
	return dst
}

func (b *book) Unpriced(i int) bool {
	for _, g := range b.positions[i].legs {
		if b.prices[g.asset].IsZero() && !g.amount.IsZero() {
			return true
		}
	}
	return false
}

func (b *book) Liquidatable(i int, p protocols.Prices) bool { return b.Figures(i, p).Liquidatable }

// Figures: health is weighted collateral over debt in wad, rounded down.
func (b *book) Figures(i int, p protocols.Prices) protocols.Figures {
	var f protocols.Figures
	var weighted uint256.Int
	for _, g := range b.positions[i].legs {
		v := mulDiv(&g.amount, &p.Raw[g.asset], wad)
		if g.side == protocols.Debt {
			f.Debt.Add(&f.Debt, &v)
			continue
		}
		f.AtRisk.Add(&f.AtRisk, &v)
		w := mulDiv(&v, &g.threshold, wad)
		weighted.Add(&weighted, &w)
	}
	if f.Debt.IsZero() {
		return f
	}
	h := mulDiv(&weighted, wad, &f.Debt)
	f.HealthRaw, f.HasHealth, f.Liquidatable = h, true, weighted.Lt(&f.Debt)
	if f.Liquidatable {
		half := mulDiv(&f.Debt, closePart, wad)
		f.Seizable = mulDiv(&half, bonus, wad)
		if f.Seizable.Gt(&f.AtRisk) {
			f.Seizable = f.AtRisk
		}
	}
	if covered := mulDiv(&f.AtRisk, wad, bonus); f.Debt.Gt(&covered) {
		f.BadDebt.Sub(&f.Debt, &covered)
	}
	return f
}

func mulDiv(a, b, d *uint256.Int) uint256.Int {
	z, over := new(uint256.Int).MulDivOverflow(a, b, d)
	if over {
		return *new(uint256.Int).SetAllOne()
	}
	return *z
}

func (b *book) LegValues(i int, p protocols.Prices, dst []protocols.LegValue) []protocols.LegValue {
	for _, g := range b.positions[i].legs {
		dst = append(dst, protocols.LegValue{Asset: g.asset, Side: g.side, Amount: g.amount, Value: mulDiv(&g.amount, &p.Raw[g.asset], wad)})
	}
	return dst
}

func (b *book) Position(i int) protocols.Position {
	p := b.positions[i]
	out := protocols.Position{ID: p.id, Owner: p.owner, Figures: b.Figures(i, b.Prices())}
	for _, g := range p.legs {
		out.Legs = append(out.Legs, protocols.Leg{Asset: g.asset, Side: g.side, Raw: g.amount, Amount: g.amount,
			Threshold: decimal.NewFromBigInt(g.threshold.ToBig(), -18), Counts: g.side == protocols.Debt || !g.threshold.IsZero()})
	}
	if out.HasHealth {
		h := decimal.NewFromBigInt(out.HealthRaw.ToBig(), -18)
		out.HealthFactor = &h
	}
	return out
}

func (b *book) Move([]protocols.Move) (protocols.Prices, error) {
	return protocols.Prices{}, fmt.Errorf("move prices of snapshot %s: a snapshot moves along one axis at a time", b.market)
}

func (b *book) Set(symbol, param string, _ decimal.Decimal) (protocols.Book, error) {
	return nil, fmt.Errorf("set %s of %s: the parameters of a snapshot cannot be changed", param, symbol)
}

// families are symbols that move with an axis.
var families = map[string][]string{
	"ETH": {"ETH", "WETH", "stETH", "wstETH", "weETH", "eETH", "rETH", "cbETH", "ezETH", "rsETH", "osETH", "ETHx", "WETH.e"},
	"BTC": {"BTC", "WBTC", "cbBTC", "tBTC", "BTCB", "LBTC", "BTC.b", "WBTC.e"},
	"TRX": {"TRX", "WTRX", "sTRX"},
}

// stables do not move on the market axis.
var stables = []string{"USDC", "USDT", "DAI", "USDS", "sUSDS", "GHO", "crvUSD", "FRAX", "LUSD", "PYUSD", "USDe", "sUSDe", "USDC.e", "USDbC", "TUSD", "USDD", "sDAI", "RLUSD", "FDUSD", "BUSD"}

func among(list []string, symbol string) bool {
	for _, s := range list {
		if strings.EqualFold(s, symbol) {
			return true
		}
	}
	return false
}

func moves(axis, symbol string) bool {
	if axis == "market" {
		return !among(stables, symbol)
	}
	return among(families[axis], symbol)
}

// Path is the snapshot's prices along an axis: every asset of the family by the same
// part.
func (b *book) Path(axis string) (protocols.Path, bool) {
	p := path{book: b, axis: axis, spot: *wad}
	found := axis == "market"
	for i, a := range b.assets {
		if moves(axis, a.Symbol) && !b.prices[i].IsZero() && axis != "market" {
			// The base asset names the price; it comes first in its family.
			if !found || rank(axis, a.Symbol) < rank(axis, p.base) {
				p.spot, p.base = b.prices[i], a.Symbol
			}
			found = true
		}
	}
	return p, found
}

func rank(axis, symbol string) int {
	for k, s := range families[axis] {
		if strings.EqualFold(s, symbol) {
			return k
		}
	}
	return len(families[axis])
}

func (b *book) Explain(axis string) []protocols.Sensitivity {
	var out []protocols.Sensitivity
	for _, a := range b.assets {
		out = append(out, protocols.Sensitivity{Symbol: a.Symbol, Moves: moves(axis, a.Symbol), How: "list"})
	}
	return out
}

type path struct {
	book *book
	axis string
	base string
	spot uint256.Int
}

func (p path) Decimals() int32   { return 18 }
func (p path) Spot() uint256.Int { return p.spot }

func (p path) At(place *uint256.Int, dst *protocols.Prices) {
	raw := dst.Raw[:0]
	raw = append(raw, p.book.prices...)
	for i, a := range p.book.assets {
		if moves(p.axis, a.Symbol) {
			raw[i] = mulDiv(&p.book.prices[i], place, &p.spot)
		}
	}
	*dst = p.book.at(raw)
}

func (p path) Segments() []protocols.Segment {
	lines := make([]protocols.Line, len(p.book.assets))
	for i, a := range p.book.assets {
		if moves(p.axis, a.Symbol) {
			lines[i].Slope = p.book.prices[i].Float64() / p.spot.Float64()
		} else {
			lines[i].Const = p.book.prices[i].Float64()
		}
	}
	return []protocols.Segment{{From: 0, To: math.Inf(1), Lines: lines}}
}
