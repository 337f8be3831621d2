package sky

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// The places of the two assets in a book: the collateral, and DAI.
const (
	gemAsset = 0
	daiAsset = 1
)

// wadDecimals is the number of decimals of amounts, prices and quote units here.
const wadDecimals = 18

// Vault is one vault with debt.
type Vault struct {
	Urn
	ID    string // vault number, or the urn's address
	Owner chains.Address
}

// State is all that a book is made of.
type State struct {
	Market string // name of the market in the configuration or of the history
	Chain  string
	Block  chains.Block
	Gem    protocols.Asset // the collateral; its symbol is also its axis ("ETH")
	Ilk    Ilk
	Price  uint256.Int // wad: the oracle's price in force
	// Next is the price that takes its place at NextAt; zero when not known.
	Next   uint256.Int
	NextAt uint64
	Vaults []Vault
	// Totals of the collateral type: ink held and debt owed (wad).
	Held, Owed uint256.Int
	Faults     []protocols.Fault
}

// Book is one collateral type at one moment. It is a [protocols.Book]; quote units
// are 1e-18 USD, a DAI counting as one USD at par. Its vaults are those of the
// state: they must not be changed afterwards.
type Book struct {
	s      State
	assets []protocols.Asset
	find   func() map[string]int
}

var _ protocols.Book = (*Book)(nil)

// NewBook checks a state and makes it a book.
func NewBook(s State) (*Book, error) {
	if s.Ilk.Mat.IsZero() || s.Ilk.Par.IsZero() || s.Ilk.Rate.IsZero() {
		return nil, fmt.Errorf("ilk %s: liquidation ratio, par and rate must not be zero", s.Ilk.Name)
	}
	b := &Book{s: s, assets: []protocols.Asset{s.Gem, {Symbol: "DAI", Decimals: wadDecimals}}}
	b.find = sync.OnceValue(func() map[string]int {
		index := make(map[string]int, len(s.Vaults))
		for i := range s.Vaults {
			index[strings.ToLower(s.Vaults[i].ID)] = i
		}
		return index
	})
	return b, nil
}

// Market is the name given to the ilk's market.
func (b *Book) Market() string { return b.s.Market }

// Chain is the chain's configured name.
func (b *Book) Chain() string { return b.s.Chain }

// Protocol is "sky".
func (b *Book) Protocol() string { return "sky" }

// Block is the block the book was built at.
func (b *Book) Block() chains.Block { return b.s.Block }

// Assets are the collateral and DAI.
func (b *Book) Assets() []protocols.Asset { return b.assets }

// QuoteDecimals is 18: values are wad.
func (b *Book) QuoteDecimals() int32 { return wadDecimals }

// Len is the number of vaults with debt.
func (b *Book) Len() int { return len(b.s.Vaults) }

// ID is the vault's number or urn address.
func (b *Book) ID(i int) string { return b.s.Vaults[i].ID }

// Find is the vault of that id, in any letter case.
func (b *Book) Find(id string) (int, bool) {
	i, ok := b.find()[strings.ToLower(id)]
	return i, ok
}

// Owner is the vault's owner as far as known.
func (b *Book) Owner(i int) chains.Address { return b.s.Vaults[i].Owner }

// Vault is the vault itself, for histories that change it.
func (b *Book) Vault(i int) Vault { return b.s.Vaults[i] }

// Ilk is the collateral type's parameters.
func (b *Book) Ilk() Ilk { return b.s.Ilk }

// Terms is ink/mat*price against art*rate.
func (b *Book) Terms(i int, dst []protocols.Term) []protocols.Term {
	v := &b.s.Vaults[i]
	mat := b.s.Ilk.Mat.Float64() / 1e27
	return append(dst,
		protocols.Term{Asset: gemAsset, Coef: v.Ink.Float64() / 1e18 / mat},
		protocols.Term{Asset: daiAsset, Coef: -v.Art.Float64() / 1e18 * (b.s.Ilk.Rate.Float64() / 1e27)})
}

// Prices are the oracle's price in force, and DAI at par.
func (b *Book) Prices() protocols.Prices { return b.pricesAt(&b.s.Price) }

func (b *Book) pricesAt(price *uint256.Int) protocols.Prices {
	return protocols.Prices{Raw: []uint256.Int{*price, *wad}, QuoteUSD: decimal.NewFromInt(1)}
}

// Unpriced reports that the oracle has no price at all.
func (b *Book) Unpriced(int) bool { return b.s.Price.IsZero() }

// Liquidatable is ink*spot < art*rate with the spot of the price, exactly. The
// price of DAI does not enter: the Vat knows none.
func (b *Book) Liquidatable(i int, p protocols.Prices) bool {
	spot, err := Spot(&p.Raw[gemAsset], &b.s.Ilk.Par, &b.s.Ilk.Mat)
	return err == nil && b.s.Vaults[i].Unsafe(&b.s.Ilk.Rate, spot)
}

// Figures are the vault's amounts at prices. HealthRaw is ink*spot/(art*rate) in
// wad, rounded down: for people, Liquidatable is the predicate. Seizable is the
// collateral that one bark moves into auction: all of it unless the auction limit
// is in the way. What the auction does not need goes back to the owner.
func (b *Book) Figures(i int, p protocols.Prices) protocols.Figures {
	v, ilk, price := &b.s.Vaults[i], &b.s.Ilk, &p.Raw[gemAsset]
	f := protocols.Figures{AtRisk: mulDiv(&v.Ink, price, wad), Debt: v.Debt(&ilk.Rate)}
	spot, err := Spot(price, &ilk.Par, &ilk.Mat)
	if err != nil {
		return f
	}
	if health, ok := v.health(&ilk.Rate, spot); ok {
		f.HealthRaw, f.HasHealth = health, true
	}
	f.Liquidatable = v.Unsafe(&ilk.Rate, spot)
	if f.Liquidatable {
		_, dink := v.Bark(ilk)
		f.Seizable = mulDiv(&dink, price, wad)
	}
	f.BadDebt = b.badDebt(&f)
	return f
}

// health is ink*spot/(art*rate) in wad.
func (u *Urn) health(rate, spot *uint256.Int) (uint256.Int, bool) {
	var backed, owed uint256.Int
	if _, over := backed.MulOverflow(&u.Ink, spot); over {
		return uint256.Int{}, false
	}
	if _, over := owed.MulOverflow(&u.Art, rate); over || owed.IsZero() {
		return uint256.Int{}, false
	}
	h, over := new(uint256.Int).MulDivOverflow(&backed, wad, &owed)
	return *h, !over
}

// badDebt is the debt that the collateral less the penalty no longer covers.
func (b *Book) badDebt(f *protocols.Figures) uint256.Int {
	covered := f.AtRisk
	if !b.s.Ilk.Chop.IsZero() {
		covered = mulDiv(&f.AtRisk, wad, &b.s.Ilk.Chop)
	}
	if !f.Debt.Gt(&covered) {
		return uint256.Int{}
	}
	return *new(uint256.Int).Sub(&f.Debt, &covered)
}

// LegValues appends the collateral and the debt.
func (b *Book) LegValues(i int, p protocols.Prices, dst []protocols.LegValue) []protocols.LegValue {
	v := &b.s.Vaults[i]
	debt := v.Debt(&b.s.Ilk.Rate)
	return append(dst,
		protocols.LegValue{Asset: gemAsset, Side: protocols.Collateral, Amount: v.Ink, Value: mulDiv(&v.Ink, &p.Raw[gemAsset], wad)},
		protocols.LegValue{Asset: daiAsset, Side: protocols.Debt, Amount: debt, Value: mulDiv(&debt, &p.Raw[daiAsset], wad)})
}

// Position is the vault for people.
func (b *Book) Position(i int) protocols.Position {
	v, ilk := &b.s.Vaults[i], &b.s.Ilk
	f := b.Figures(i, b.Prices())
	threshold := decimal.NewFromInt(1).DivRound(rayDecimal(&ilk.Mat), wadDecimals)
	out := protocols.Position{ID: v.ID, Owner: v.Owner, Figures: f,
		Legs: []protocols.Leg{
			{Asset: gemAsset, Side: protocols.Collateral, Raw: v.Ink, Amount: v.Ink, Threshold: threshold, Counts: true},
			{Asset: daiAsset, Side: protocols.Debt, Raw: v.Art, Amount: f.Debt, Threshold: decimal.NewFromInt(1), Counts: true},
		},
		View: []protocols.ViewField{{Name: "ink", Value: v.Ink}, {Name: "art", Value: v.Art}, {Name: "rate", Value: ilk.Rate}},
	}
	if spot, err := Spot(&b.s.Price, &ilk.Par, &ilk.Mat); err == nil {
		out.View = append(out.View, protocols.ViewField{Name: "spot", Value: *spot})
	}
	if f.HasHealth {
		h := decimal.NewFromBigInt(f.HealthRaw.ToBig(), -wadDecimals)
		out.HealthFactor = &h
	}
	if ilk.Room != nil && f.Liquidatable && f.Seizable.IsZero() {
		out.Blocked = "the auction limit is used up"
	}
	return out
}

// Totals are the ink held and the DAI owed.
func (b *Book) Totals() []protocols.AssetTotals {
	return []protocols.AssetTotals{
		{Asset: gemAsset, Supplied: b.s.Held, Available: b.s.Held},
		{Asset: daiAsset, Borrowed: b.s.Owed},
	}
}

// Coming is the price that the oracle security module already holds.
func (b *Book) Coming() []protocols.ComingPrice {
	if b.s.Next.IsZero() {
		return nil
	}
	return []protocols.ComingPrice{{Asset: gemAsset, Price: b.s.Next, At: b.s.NextAt,
		Why: "the oracle security module already holds it"}}
}

// Faults are what the maker of the state found wrong with it.
func (b *Book) Faults() []protocols.Fault { return b.s.Faults }

// Explain says which asset moves: the collateral, one to one.
func (b *Book) Explain(axis string) []protocols.Sensitivity {
	moves := axis == b.s.Gem.Symbol || axis == marketAxis
	gem := protocols.Sensitivity{Symbol: b.s.Gem.Symbol, Moves: moves, How: "structure",
		Note: "the ilk's own oracle, one hop late"}
	if moves {
		gem.Ratio = decimal.NewFromInt(1)
	}
	return []protocols.Sensitivity{gem, {Symbol: "DAI", How: "structure", Note: "the Vat counts DAI at par"}}
}

// Set is the book with one parameter changed: "lt" (1/liquidation ratio), "bonus"
// (penalty), or "price" of the collateral.
func (b *Book) Set(symbol, param string, value decimal.Decimal) (protocols.Book, error) {
	if !strings.EqualFold(symbol, b.s.Gem.Symbol) {
		return nil, fmt.Errorf("set %s of %s: the only collateral here is %s", param, symbol, b.s.Gem.Symbol)
	}
	s := b.s
	var err error
	switch {
	case !value.IsPositive():
		err = fmt.Errorf("set %s of %s: %s is not positive", param, symbol, value)
	case param == "lt":
		s.Ilk.Mat, err = scaled(decimal.NewFromInt(1).DivRound(value, 40), 27)
	case param == "bonus":
		s.Ilk.Chop, err = scaled(value.Add(decimal.NewFromInt(1)), wadDecimals)
	case param == "price":
		s.Price, err = scaled(value, wadDecimals)
	default:
		err = fmt.Errorf("set %s of %s: parameters are lt, bonus and price", param, symbol)
	}
	if err != nil {
		return nil, err
	}
	return NewBook(s)
}

func scaled(d decimal.Decimal, digits int32) (uint256.Int, error) {
	out, over := uint256.FromBig(d.Shift(digits).BigInt())
	if over {
		return uint256.Int{}, fmt.Errorf("%s: %w", d, ErrOverflow)
	}
	return *out, nil
}

func rayDecimal(r *uint256.Int) decimal.Decimal { return decimal.NewFromBigInt(r.ToBig(), -27) }

// mulDiv is a*b/d rounded down, the largest integer where that does not fit.
func mulDiv(a, b, d *uint256.Int) uint256.Int {
	z, over := new(uint256.Int).MulDivOverflow(a, b, d)
	if over {
		return *new(uint256.Int).SetAllOne()
	}
	return *z
}

// marketAxis moves all volatile assets by the same factor.
const marketAxis = "market"

// Axes are the collateral's own and the market's.
func (b *Book) Axes() []string { return []string{b.s.Gem.Symbol, marketAxis} }

// Path is the collateral's price (18 decimals), or with "market" a factor on it.
func (b *Book) Path(axis string) (protocols.Path, bool) {
	switch axis {
	case b.s.Gem.Symbol:
		return gemPath{book: b, scale: *wad}, true
	case marketAxis:
		return gemPath{book: b, scale: b.s.Price, factor: true}, true
	}
	return nil, false
}

// Move applies joint moves; only the collateral can move.
func (b *Book) Move(moves []protocols.Move) (protocols.Prices, error) {
	price := b.s.Price
	for _, m := range moves {
		path, ok := b.Path(m.Axis)
		if !ok {
			continue
		}
		to := decimal.NewFromBigInt(price.ToBig(), -wadDecimals).Mul(m.Factor)
		if m.To != nil {
			to = *m.To
			if path.(gemPath).factor {
				to = decimal.NewFromBigInt(b.s.Price.ToBig(), -wadDecimals).Mul(*m.To)
			}
		}
		if to.IsNegative() {
			return protocols.Prices{}, fmt.Errorf("move %s to %s: a price cannot be negative", m.Axis, to)
		}
		var err error
		if price, err = scaled(to, wadDecimals); err != nil {
			return protocols.Prices{}, fmt.Errorf("move %s: %w", m.Axis, err)
		}
	}
	return b.pricesAt(&price), nil
}

// gemPath is the collateral's price at place*scale/1e18.
type gemPath struct {
	book   *Book
	scale  uint256.Int
	factor bool
}

func (gemPath) Decimals() int32 { return wadDecimals }

func (g gemPath) Spot() uint256.Int {
	if g.factor {
		return *wad
	}
	return g.book.s.Price
}

func (g gemPath) At(place *uint256.Int, dst *protocols.Prices) {
	*dst = protocols.Prices{Raw: append(dst.Raw[:0], mulDiv(place, &g.scale, wad), *wad), QuoteUSD: decimal.NewFromInt(1)}
}

func (g gemPath) Segments() []protocols.Segment {
	return []protocols.Segment{{From: 0, To: math.Inf(1), Lines: []protocols.Line{
		{Slope: g.scale.Float64() / 1e18}, {Const: 1e18}}}}
}
