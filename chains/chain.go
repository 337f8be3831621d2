// Package chains holds the few words every network shares: Chain, Block, Log, Read, Address.
//
// A chain client answers questions about one block at a time and never about
// "latest" alone: everything a pass reads is read at a block it names.
package chains

import (
	"context"
	"time"
)

// Chain is one network, however many nodes stand behind it.
//
// Every answer has been checked: it belongs to the block asked for, logs lie in
// the range, are of the addresses and topics asked for, come in order and none
// twice. An answer that cannot be trusted is an error, never an empty result.
type Chain interface {
	// Name is the chain's name in the configuration, such as "ethereum".
	Name() string
	// Capabilities says what the nodes allow. It is found out once, by trying.
	Capabilities(ctx context.Context) (Capabilities, error)
	// Head is the newest block to work on. It never goes backward, except by a reorg.
	Head(ctx context.Context) (Block, error)
	// Finalized is the newest block that can no longer be undone.
	Finalized(ctx context.Context) (Block, error)
	// Block is the canonical block of that number. [ErrNotFound] when there is none yet.
	Block(ctx context.Context, number uint64) (Block, error)
	// Logs are those of blocks from..to.Number inclusive that match the filter, in chain order.
	// to pins the branch: when it is no longer canonical the error is [ErrReorged].
	Logs(ctx context.Context, filter Filter, from uint64, to Block) ([]Log, error)
	// Read answers reads at a block, in their order. A read that reverts is an
	// answer (Failed); a node that cannot answer is an error.
	Read(ctx context.Context, at Block, reads []Read) ([]Answer, error)
	// ReadMoved is Read with some contracts' code replaced for the time of the
	// question. [ErrNoOverrides] where no node allows it.
	ReadMoved(ctx context.Context, at Block, moved []Override, reads []Read) ([]Answer, error)
}

// Capabilities is what the nodes behind a chain allow.
type Capabilities struct {
	ChainID   uint64        // EIP-155 id
	Slots     bool          // storage slots are cheap to read in bulk (by state override)
	Overrides bool          // ReadMoved works
	Pinned    bool          // reads can be pinned to a block; on TRON they cannot
	BlockTime time.Duration // usual time between blocks, measured; 0 when unknown
	// Hashes is a contract whose getBlockHash(uint256) view tells the hash of one of
	// the last 256 blocks. Set where reads are not pinned: it lets a market find out
	// later whether the block an answer was taken at is still part of the chain.
	Hashes Address
	// Base58 tells that people of this chain write addresses in base58check (TRON).
	Base58 bool
}

// Hopeful is a chain that says without asking what its nodes most likely allow. What is
// built on it is done again when [Chain.Capabilities], asked after the first read,
// says otherwise: that saves the question in front of the first read.
type Hopeful interface {
	Expected() Capabilities
}

// Block names one block of one branch.
type Block struct {
	Number uint64
	Hash   Hash
	Parent Hash
	Time   uint64 // unix seconds
}

// Log is one event as the chain recorded it.
type Log struct {
	Block     uint64
	BlockHash Hash
	Tx        Hash
	Index     uint // position in the block
	Address   Address
	Topics    []Hash
	Data      []byte
}

// Filter selects logs by contract and first topic. An empty list matches none,
// so that a forgotten filter is not the whole chain.
type Filter struct {
	Addresses []Address
	Topics    []Hash // any of these as topic 0
}

// Empty reports whether the filter can match nothing.
func (f Filter) Empty() bool { return len(f.Addresses) == 0 || len(f.Topics) == 0 }

// Match reports whether a log passes the filter.
func (f Filter) Match(l Log) bool {
	if len(l.Topics) == 0 {
		return false
	}
	return contains(f.Addresses, l.Address) && contains(f.Topics, l.Topics[0])
}

func contains[T comparable](list []T, x T) bool {
	for i := range list {
		if list[i] == x {
			return true
		}
	}
	return false
}

// Merge is the smallest filter that lets through what any of the given ones does.
// It may let through more: the caller matches again.
func Merge(filters ...Filter) Filter {
	var out Filter
	seenA, seenT := map[Address]bool{}, map[Hash]bool{}
	for _, f := range filters {
		if f.Empty() {
			continue
		}
		for _, a := range f.Addresses {
			if !seenA[a] {
				seenA[a] = true
				out.Addresses = append(out.Addresses, a)
			}
		}
		for _, t := range f.Topics {
			if !seenT[t] {
				seenT[t] = true
				out.Topics = append(out.Topics, t)
			}
		}
	}
	return out
}

// Read is one question to one contract: a view call, or a storage slot.
type Read struct {
	To   Address
	Data []byte // calldata of a view; nil asks for the storage word at Slot
	Slot Hash
	// Joined asks that this read be answered at the same block as the read before
	// it. Pinned reads always are; elsewhere it keeps both in one request.
	Joined bool
	// Links take parts of this read from answers to reads before it in the same call.
	Links []Link
	// Program is what runs at To for the time of the question; nil for contracts.
	Program *Program
}

// Join makes reads that belong together one group: answered at one block, even
// where reads cannot be pinned to the block asked for.
func Join(reads ...Read) []Read {
	for i := range reads {
		reads[i].Joined = i > 0
	}
	return reads
}

// View asks a contract's view function.
func View(to Address, calldata []byte) Read { return Read{To: to, Data: calldata} }

// Slot asks for one storage word. Allowed only where [Capabilities.Slots] is true.
func Slot(of Address, slot Hash) Read { return Read{To: of, Slot: slot} }

// IsSlot tells a storage read from a view call.
func (r Read) IsSlot() bool { return r.Data == nil }

// Answer is what a contract returned: the return data, the 32-byte storage word,
// or, when Failed, the data of the revert.
type Answer struct {
	Data   []byte
	Failed bool
	// At is the block the answer was taken at where reads cannot be pinned: never
	// older than the block asked for, and of its branch when it was read. Nil means
	// the block asked for.
	At *Block
}

// Override replaces a contract's code for the time of one question.
type Override struct {
	Address Address
	Code    []byte // runtime bytecode
}
