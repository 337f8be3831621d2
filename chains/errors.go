package chains

import "errors"

// What can be wrong with a source. Clients wrap these with what they were doing
// and, where there is one, what the operator can do about it.
var (
	// ErrNotFound: the block does not exist (yet).
	ErrNotFound = errors.New("not found")
	// ErrReorged: the block asked about is no longer part of the chain.
	ErrReorged = errors.New("block is no longer part of the chain")
	// ErrFinality: a block that was final is no longer part of the chain. Either the
	// node is on a chain of its own, or the chain broke its promise: nothing that was
	// known is deleted, and nothing new is believed until a person has looked.
	ErrFinality = errors.New("a finalized block is no longer part of the chain")
	// ErrPruned: the node no longer has the state of that block; an archive node does.
	ErrPruned = errors.New("the node no longer has the state of that block")
	// ErrNoOverrides: no node of this chain allows state overrides.
	ErrNoOverrides = errors.New("no node allows state overrides")
	// ErrUnreachable: no node gave an answer that can be trusted.
	ErrUnreachable = errors.New("no node gave a usable answer")
	// ErrWrongChain: the node is of another chain than configured.
	ErrWrongChain = errors.New("node is of another chain")
	// ErrNotRecorded: a recording was asked what nobody asked when it was made.
	ErrNotRecorded = errors.New("not in the recording")
)
