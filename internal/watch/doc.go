// Package watch is the loop: one pass brings the markets of a chain to a block,
// puts the books of all chains side by side, and shows them to the rules.
package watch
