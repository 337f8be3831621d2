// Package compoundv2 reads Compound v2 and its descendants: JustLend on TRON,
// Venus' core pool, Moonwell, Benqi and any other fork that kept the comptroller's
// views. One adapter, with a [Profile] for what the forks changed.
//
// Health is the comptroller's own: getAccountLiquidity over the markets that an
// account entered, with stored (not accrued) indexes and exchange rates. A real
// liquidation accrues the borrowed and the collateral market first, so a position
// shows both numbers.
package compoundv2
