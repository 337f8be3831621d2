package protocols

import (
	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
)

// Book is one market at one block, all of it in memory: its positions, prices
// and parameters. A book is a snapshot: nothing changes it later, and any number
// of goroutines may ask it.
//
// Positions are numbered 0..Len-1 within one book only. Values are integers in
// quote units: the smallest unit of the currency the market's oracle quotes in
// (1e-8 USD on Aave). Prices are the oracle's own integers.
type Book interface {
	Market() string
	Chain() string
	Protocol() string
	Block() chains.Block
	// Assets are the market's assets; legs and prices name them by position here.
	Assets() []Asset
	// QuoteDecimals is the number of decimals of a quote unit (8 on Aave).
	QuoteDecimals() int32

	// Len is the number of positions with debt.
	Len() int
	// ID is the position's id within the market: an address, a vault number, ...
	ID(i int) string
	// Find is the position of that id (addresses in any letter case), or false.
	Find(id string) (int, bool)
	// Owner is the person behind the position as far as the chain tells.
	Owner(i int) chains.Address

	// Terms appends the position as a linear inequality in prices: it is healthy
	// while the sum of Coef*price is not negative. Floats: they find candidates,
	// Liquidatable decides. A debt is a term of its own, never set off against collateral
	// of the same asset. Positions and the order of terms are stable for a book.
	Terms(i int, dst []Term) []Term
	// Prices are the oracle's at the book's block.
	Prices() Prices
	// Path is this market along an axis ("ETH", "BTC", "market", "wstETH/ETH", ...).
	// False when the axis names an asset that this market does not have; a market
	// that has it but in which nothing else moves still has a path.
	Path(axis string) (Path, bool)
	// Axes are the names Path knows besides pegs.
	Axes() []string
	// Move is the price vector after joint moves from the current prices: bases
	// first, then pegs. An unknown axis is left out; the caller checks with Path.
	Move(moves []Move) (Prices, error)

	// Unpriced reports that the position holds an asset without a price, so that
	// nothing can be said of its health.
	Unpriced(i int) bool
	// Liquidatable is the protocol's own predicate at prices, bit for bit.
	Liquidatable(i int, p Prices) bool
	// Figures are the position's amounts at prices, with the protocol's roundings.
	Figures(i int, p Prices) Figures
	// LegValues appends each leg's amount and value at prices; collateral that does
	// not count (switched off) is left out.
	LegValues(i int, p Prices, dst []LegValue) []LegValue
	// Position is all there is to say about one position, for people.
	Position(i int) Position

	// Totals are the market's own totals per asset: the source of TVL.
	Totals() []AssetTotals
	// Coming are prices that the oracle will take on its own.
	Coming() []ComingPrice
	// Explain says for every asset what it does on an axis and how that is known.
	Explain(axis string) []Sensitivity
	// Set is the book with one parameter of one asset changed, for what-ifs:
	// params are "lt" and "bonus" (ratios such as 0.80) and "price".
	Set(symbol, param string, value decimal.Decimal) (Book, error)
	// Faults are what is wrong with this book.
	Faults() []Fault
}

// Valuer is a book that gives figures and legs together for less than apart. Values
// are [Book].Figures and [Book].LegValues of a position at prices, to the last digit;
// of the legs, debts may be left out.
type Valuer interface {
	Values(i int, p Prices, legs []LegValue) (Figures, []LegValue)
}

// Asset is one token of a market.
type Asset struct {
	Symbol   string // as the chain says, made printable; a name of the adapter's when empty
	Address  chains.Address
	Decimals int32 // of an amount
	// PriceDecimals are those of the raw price: quote currency for one whole token.
	PriceDecimals int32
}

// Side tells collateral from debt.
type Side uint8

// The two sides of a book.
const (
	Collateral Side = iota
	Debt
)

// String is "collateral" or "debt".
func (s Side) String() string {
	if s == Debt {
		return "debt"
	}
	return "collateral"
}

// Amount is an integer together with how many of its digits are decimals.
type Amount struct {
	Raw      uint256.Int
	Decimals int32
}

// Decimal is the amount as people read it.
func (a Amount) Decimal() decimal.Decimal {
	return decimal.NewFromBigInt(a.Raw.ToBig(), -a.Decimals)
}

// Term is one summand of a position's linear inequality.
type Term struct {
	Asset int
	// Coef is quote units of weighted value per unit of the raw price: positive for
	// collateral (amount*threshold/unit), negative for debt.
	Coef float64
}

// Prices is one market's price vector.
type Prices struct {
	// Raw are the oracle's integers by asset; zero means no price.
	Raw []uint256.Int
	// QuoteUSD is what one whole unit of the quote currency is worth in USD.
	QuoteUSD decimal.Decimal
}

// USD values quote units in USD.
func (p Prices) USD(value *uint256.Int, quoteDecimals int32) decimal.Decimal {
	return decimal.NewFromBigInt(value.ToBig(), -quoteDecimals).Mul(p.QuoteUSD)
}

// Path is one market's prices along one axis. A place on it is an integer: the
// axis' price in units of 10^-Decimals, as fine as the market's own oracle goes.
type Path interface {
	Decimals() int32
	// Spot is the place the market's own oracle reads now.
	Spot() uint256.Int
	// At writes the whole price vector at a place into dst, through the same integer
	// roundings as the oracle's own adapters.
	At(place *uint256.Int, dst *Prices)
	// Segments cover all places from 0 upward in order; within one, every price is
	// (nearly) a line. Only capped prices need more than one.
	Segments() []Segment
}

// Segment is a stretch of a path, in places as floats, with a line per asset.
type Segment struct {
	From, To float64 // To is +Inf in the last
	Lines    []Line
}

// Line approximates one asset's raw price: Const + Slope*place.
type Line struct{ Const, Slope float64 }

// Move is one axis moved to a place, or by a factor.
type Move struct {
	Axis string
	// Factor multiplies the axis' current price (0.8 is -20%).
	Factor decimal.Decimal
	// To, when set, is the price the axis moves to instead.
	To *decimal.Decimal
}

// Figures are one position's amounts at one price vector, in quote units.
type Figures struct {
	Liquidatable bool
	// HasHealth: HealthRaw is the protocol's own integer for health. False without
	// debt, or where the protocol has no such number.
	HasHealth bool
	HealthRaw uint256.Int
	// AtRisk is all collateral that counts, unweighted.
	AtRisk uint256.Int
	// Debt is what is owed, rounded as the protocol does.
	Debt uint256.Int
	// Seizable is the largest single liquidation call the protocol permits at these
	// prices, in collateral value with the bonus; zero when healthy.
	Seizable uint256.Int
	// BadDebt is the debt that the collateral, less the bonus, no longer covers.
	BadDebt uint256.Int
}

// LegValue is one leg at prices.
type LegValue struct {
	Asset  int
	Side   Side
	Amount uint256.Int // token units at the book's time
	Value  uint256.Int // quote units
}

// Leg is one asset on one side of a position.
type Leg struct {
	Asset     int
	Side      Side
	Raw       uint256.Int // what the chain stores: a scaled balance, a principal, ...
	Amount    uint256.Int // token units at the book's time
	Threshold decimal.Decimal
	Counts    bool // false: collateral that is switched off
}

// Position is one position for people.
type Position struct {
	ID    string
	Owner chains.Address
	Legs  []Leg
	Figures
	// HealthFactor is HealthRaw as a ratio; nil without debt.
	HealthFactor *decimal.Decimal
	// Blocked says why a liquidation could not happen now ("paused: USDC"); empty if nothing is in the way.
	Blocked string
	// View are the integers of the protocol's own view, in its order.
	View []ViewField
}

// ViewField is one integer of the protocol's own view.
type ViewField struct {
	Name  string
	Value uint256.Int
}

// AssetTotals are what a market holds of one asset, in token units.
type AssetTotals struct {
	Asset     int
	Supplied  uint256.Int
	Borrowed  uint256.Int
	Available uint256.Int
}

// ComingPrice is a price the oracle will take without anybody's decision.
type ComingPrice struct {
	Asset int
	Price uint256.Int // raw
	At    uint64      // unix seconds; 0 when only the reason is known
	Why   string
}

// Sensitivity is what one asset does on an axis.
type Sensitivity struct {
	Symbol string
	Moves  bool
	// Ratio is the asset's price per unit of the axis' price: 1.17 for wstETH on ETH.
	Ratio decimal.Decimal
	// How it is known: "measured", "structure", "list" or "none".
	How string
	// Note adds what a person should know (capped, frozen, feed address).
	Note string
}
