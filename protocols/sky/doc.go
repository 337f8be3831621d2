// Package sky is the arithmetic of Sky's (Maker's) vaults, and a market of one
// collateral type seen as a [protocols.Book].
//
// A vault ("urn") holds ink collateral and owes art*rate; it may be liquidated
// while ink*spot < art*rate, where spot is the oracle's price divided by the
// liquidation ratio and rate grows by the stability fee. All of it is integer
// arithmetic in the contracts' own units: wad (1e18), ray (1e27), rad (1e45).
//
// The package does not read a chain: its books are built from a history of events
// (internal/backtest/vaults). Sky's live contracts are not followed.
package sky
