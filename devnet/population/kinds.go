// Package population fills a devnet market with borrowers of every kind that
// matters, the same ones for the same seed.
package population

import (
	"liqwatch/chains"
	"liqwatch/devnet/aave"
)

// Kind says what is special about a borrower.
type Kind string

// The kinds.
const (
	One            Kind = "one collateral"
	Many           Kind = "many collaterals"
	Staked         Kind = "staked ether against stablecoins"
	LoopWstETH     Kind = "wstETH loop in e-mode"
	LoopWeETH      Kind = "weETH loop in e-mode"
	Bitcoin        Kind = "WBTC"
	Stable         Kind = "stablecoin against stablecoin"
	Short          Kind = "short ETH"
	BothSides      Kind = "ETH on both sides"
	SwitchedOff    Kind = "collateral switched off"
	ZeroThreshold  Kind = "asset with threshold 0"
	EModeOnly      Kind = "collateral in its e-mode only" // 3.6
	Frozen         Kind = "frozen reserve"
	Isolated       Kind = "isolation mode"
	Paused         Kind = "paused reserve"
	Dust           Kind = "dust"
	Transferred    Kind = "aTokens transferred"
	PartLiquidated Kind = "partly liquidated"
	ATokenReceived Kind = "liquidated, aTokens received"
	BadDebt        Kind = "bad debt"
	ZeroDecimals   Kind = "token without decimals" // 3.0
	Plain          Kind = "plain"
)

// weight is how many borrowers of a kind there are among 530.
type weight struct {
	kind Kind
	n    int
	only aave.Version
}

var weights = []weight{
	{One, 170, ""}, {Many, 70, ""}, {Staked, 50, ""}, {LoopWstETH, 28, ""}, {LoopWeETH, 22, ""},
	{Bitcoin, 30, ""}, {Stable, 18, ""}, {Short, 40, ""}, {BothSides, 24, ""}, {SwitchedOff, 10, ""},
	{ZeroThreshold, 10, ""}, {EModeOnly, 6, aave.V36}, {ZeroDecimals, 6, aave.V30}, {Frozen, 10, ""},
	{Isolated, 10, ""}, {Paused, 9, ""}, {Dust, 12, ""}, {Transferred, 10, ""},
	{PartLiquidated, 6, ""}, {ATokenReceived, 3, ""}, {BadDebt, 2, ""},
}

const weightsSum = 530

// Borrower is one account that borrowed.
type Borrower struct {
	Address chains.Address
	Kind    Kind
	// Trigger is the ETH price, in USD, at which it was meant to become
	// liquidatable, below or above spot; 0 where ETH does not decide or other
	// accounts' acts changed it. The truth is the contract's.
	Trigger float64
	// Collateral and Debt are the symbols of its main assets.
	Collateral, Debt string
	// Size is the value of what it supplied, in USD at the final prices.
	Size float64
}

// Population is who lives in a market.
type Population struct {
	Borrowers  []Borrower
	Lenders    []chains.Address
	Liquidator chains.Address
}

// Accounts are the borrowers' addresses.
func (p *Population) Accounts() []chains.Address {
	out := make([]chains.Address, len(p.Borrowers))
	for i, b := range p.Borrowers {
		out[i] = b.Address
	}
	return out
}

// Of are the borrowers of a kind.
func (p *Population) Of(kind Kind) []Borrower {
	var out []Borrower
	for _, b := range p.Borrowers {
		if b.Kind == kind {
			out = append(out, b)
		}
	}
	return out
}

// Kinds are the kinds a market of that version has.
func Kinds(v aave.Version) []Kind {
	var out []Kind
	for _, w := range weights {
		if w.only == "" || w.only == v {
			out = append(out, w.kind)
		}
	}
	return out
}
