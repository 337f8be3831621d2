// Package vaults replays the events of Maker vaults: deposits, withdrawals, borrows,
// repayments and liquidations as exported to CSV files, against an oracle that is
// derived from candles.
package vaults

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
)

// Kind of an event. Their order is the order within a block: whatever makes a vault
// safer comes first, as it had to for the Vat to accept what follows.
type Kind uint8

// The kinds.
const (
	Deposit Kind = iota
	Repay
	Borrow
	Withdraw
	Liquidate
)

// String is the kind for people.
func (k Kind) String() string {
	return [...]string{"deposit", "repay", "borrow", "withdraw", "liquidate"}[k]
}

// Event is one row.
type Event struct {
	Block uint64
	Time  uint64 // unix seconds
	Vault string
	Kind  Kind
	// Amount is collateral (deposit, withdraw, liquidate) or DAI (borrow, repay) in
	// wad, never negative.
	Amount *big.Int
	// Due is the DAI due in a liquidation, without penalty, in wad.
	Due  *big.Int
	File string
	Line int
}

// where is the row for notes.
func (e *Event) where() string { return fmt.Sprintf("%s:%d", e.File, e.Line) }

// sortEvents brings events in the order of blocks and, within one, of kinds; rows
// that are equal in both keep the order of their file.
func sortEvents(events []Event) {
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Kind, b.Kind))
	})
}
