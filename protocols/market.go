// Package protocols says what a lending protocol looks like to the rest of the
// house: a [Market] that declares what it wants to know of the chain, and a
// [Book] of its positions at one block that answers what-if questions exactly.
package protocols

import (
	"math/big"

	"liqwatch/chains"
)

// Market follows one lending market. It never calls a node: every method that
// needs the chain returns a [Step] that declares the reads, and whoever runs the
// steps merges those of all markets of a chain into few requests.
//
// The order of life is Open, then Know and Note with the past, then
// Refresh(Everything), then Note and Refresh(Noted) block by block, with
// Refresh(Everything) now and then to prove that nothing was missed.
//
// A step that fails leaves the market as it was: it is committed whole by its
// last Then, and what was noted stays noted until a refresh that read it succeeds.
// A Market is used by one goroutine at a time; the Book it returns by any number.
type Market interface {
	// Name is the market's name in the configuration.
	Name() string
	// Chain is the configured name of the chain it lives on.
	Chain() string
	// Protocol is the adapter's name in the catalog, such as "aave-v3".
	Protocol() string

	// Open learns the market's shape at a block: contracts, version, assets,
	// parameters, and how its oracle's prices depend on the axes.
	Open(at chains.Block, can chains.Capabilities) Step
	// Discovery selects the logs that name the account of every position there
	// ever was, and the block from which on. Valid after Open. The first address is
	// the contract that makes this market another than any other, for as long as it lives.
	Discovery() (filter chains.Filter, from uint64)
	// Follow selects the logs that say who or what changed. Valid after Open; it
	// can grow by a refresh (a new reserve).
	Follow() chains.Filter
	// Note takes logs of either filter and remembers what they touched. Logs that
	// a reorg took back are noted as well: logs say who changed, the next read
	// says to what.
	Note(logs []chains.Log)
	// Know adds accounts to read: from the store, a seed file, or a user's list.
	Know(accounts []chains.Address)
	// Accounts are all accounts known, in no particular order; the store keeps them.
	Accounts() []chains.Address
	// Refresh brings the book to a block: prices and time always, positions and
	// parameters by scope.
	Refresh(at chains.Block, scope Scope) Step
	// Verify compares every position of the book with the contract's own view at
	// the book's block, and the sums of debts with the market's own totals.
	// The report is complete when the step is done.
	Verify(report *Report) Step
	// Liquidations decodes those that really happened from logs of Follow.
	Liquidations(logs []chains.Log) []Liquidation
	// Book is the state as of the last refresh that succeeded; nil before the first.
	Book() Book
}

// Scope says how much a refresh reads again.
type Scope int

const (
	// Noted reads what logs touched since the last refresh.
	Noted Scope = iota
	// Everything reads all accounts and parameters: the cold start, and the sweep
	// that proves the book. A difference found for an account that nothing had
	// touched becomes a Fault of the new book.
	Everything
)

// Step is one round of reads and what to do with the answers. A step without
// Then is the end.
type Step struct {
	Wants []chains.Read
	// Moved replaces code for this round's reads alone; such rounds are not merged.
	Moved []chains.Override
	// Then takes the answers in the order of Wants.
	Then func(answers []chains.Answer) (Step, error)
}

// Done reports whether nothing is left to read.
func (s Step) Done() bool { return s.Then == nil }

// Liquidation is one that really happened.
type Liquidation struct {
	Market     string
	Position   string // position id
	Block      uint64
	Tx         chains.Hash
	LogIndex   uint
	Collateral string // symbol
	Debt       string // symbol
	Seized     Amount // collateral taken
	Repaid     Amount // debt repaid
	// SeizedQuote and RepaidQuote value both at the book's prices, in quote units;
	// nil when an asset is unknown or has no price.
	SeizedQuote, RepaidQuote *Amount
	// Short tells that the debt moves more than the collateral with the market
	// (a volatile debt against a stable collateral).
	Short bool
}

// Report is what Verify found.
type Report struct {
	Market      string
	Block       chains.Block
	Positions   int
	Differences []Difference
	Sums        []Sum
}

// Clean reports that every number equalled the chain's and every sum was exact.
func (r Report) Clean() bool {
	for _, s := range r.Sums {
		if !s.Holds() {
			return false
		}
	}
	return len(r.Differences) == 0
}

// Difference is one number that was not the contract's own.
type Difference struct {
	Position string `json:"position"`
	Field    string `json:"field"`
	Ours     string `json:"ours"`
	Chain    string `json:"chain"`
}

// Sum compares the debts of all known positions with the market's own total, as
// the protocol keeps it (scaled where it does).
type Sum struct {
	Asset string `json:"asset"`
	Ours  string `json:"ours"`
	Chain string `json:"chain"`
	// Slack is by how much the two may differ, in the same unit, because the
	// protocol rounds its total and its accounts apart; empty means not at all.
	Slack string `json:"slack,omitempty"`
}

// Holds reports that the sum equals the market's own total, within the slack.
func (s Sum) Holds() bool {
	if s.Ours == s.Chain {
		return true
	}
	ours, ok1 := new(big.Int).SetString(s.Ours, 10)
	chain, ok2 := new(big.Int).SetString(s.Chain, 10)
	slack, ok3 := new(big.Int).SetString(s.Slack, 10)
	if !ok1 || !ok2 || !ok3 {
		return false
	}
	return ours.Sub(ours, chain).CmpAbs(slack) <= 0
}

// Fault is something wrong with a market that its users must know of.
type Fault struct {
	Kind   string // short, stable: "missed-change", "unpriced", "sum", "upgrade", ...
	Detail string // one sentence for people
}
