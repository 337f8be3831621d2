// Package chainstest is an Ethereum node in the process, for tests. It is strict
// about block references and arguments, runs calls in a real EVM, and can be made
// to lie, to fail and to refuse in every way that nodes are known to.
package chainstest

import (
	"encoding/binary"
	"math/big"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"liqwatch/chains"
)

// View answers calls to one contract: calldata in, return data out. Not ok is a revert.
type View func(at chains.Block, calldata []byte) (data []byte, ok bool)

// Chain is a scripted chain that any number of nodes serve.
type Chain struct {
	ID uint64
	// Below makes it a chain on top of another, as Arbitrum is: NUMBER inside calls
	// is that of the chain below. Set before mining.
	Below bool
	// OddHash makes block hashes something else than the hash of the header. Set before mining.
	OddHash bool

	mu        sync.Mutex
	blocks    []*block // canonical, by number
	orphans   map[chains.Hash]*block
	state     changes // of the next block
	views     map[chains.Address]View
	finalized uint64
	// interval is the number of seconds between blocks.
	interval uint64
	salt     uint64
}

type block struct {
	header *types.Header
	chains.Block
	logs  []chains.Log
	below uint64 // what NUMBER reads, when it is not the block's own number
	odd   bool
	state changes
	up    *block
}

// changes is what a block does to the state.
type changes struct {
	code    map[chains.Address][]byte
	storage map[chains.Address]map[chains.Hash]chains.Hash
}

func noChanges() changes {
	return changes{code: map[chains.Address][]byte{}, storage: map[chains.Address]map[chains.Hash]chains.Hash{}}
}

// NewChain begins a chain with its genesis block; blocks are 12 seconds apart.
func NewChain(id uint64) *Chain {
	c := &Chain{ID: id, orphans: map[chains.Hash]*block{}, views: map[chains.Address]View{}, interval: 12, state: noChanges()}
	c.Mine()
	return c
}

// Event is a log to be put into a block; the chain adds where it stands.
type Event struct {
	Address chains.Address
	Topics  []chains.Hash
	Data    []byte
}

// Mine appends a block with the given logs and the state set since the last one.
func (c *Chain) Mine(events ...Event) chains.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mine(events)
}

// MineEmpty appends n blocks without logs.
func (c *Chain) MineEmpty(n int) chains.Block {
	for range n - 1 {
		c.Mine()
	}
	return c.Mine()
}

func (c *Chain) mine(events []Event) chains.Block {
	var parent *block
	h := &types.Header{
		Number: new(big.Int), Time: 1_700_000_000, Difficulty: new(big.Int), GasLimit: 30_000_000,
		BaseFee: big.NewInt(7), UncleHash: types.EmptyUncleHash, TxHash: types.EmptyTxsHash, ReceiptHash: types.EmptyReceiptsHash,
	}
	if n := len(c.blocks); n > 0 {
		parent = c.blocks[n-1]
		h.Number.SetUint64(parent.Number + 1)
		h.ParentHash = common.Hash(parent.Hash)
		h.Time = parent.Time + c.interval
	}
	// The salt makes siblings differ.
	c.salt++
	h.Extra = binary.BigEndian.AppendUint64(nil, c.salt)
	for _, e := range events {
		addBloom(&h.Bloom, e)
	}
	b := &block{header: h, state: c.state, up: parent}
	b.Block = chains.Block{Number: h.Number.Uint64(), Hash: chains.Hash(h.Hash()), Parent: chains.Hash(h.ParentHash), Time: h.Time}
	if c.Below {
		b.below = 1_000_000 + b.Number/4
	}
	if c.OddHash {
		b.odd, b.Hash = true, chains.Keccak([]byte("odd"), b.Hash[:])
	}
	for i, e := range events {
		b.logs = append(b.logs, chains.Log{
			Block: b.Number, BlockHash: b.Hash, Tx: chains.Keccak(b.Hash[:], []byte{byte(i)}), Index: uint(i),
			Address: e.Address, Topics: slices.Clone(e.Topics), Data: slices.Clone(e.Data),
		})
	}
	c.state = noChanges()
	c.blocks = append(c.blocks, b)
	return b.Block
}

func addBloom(bloom *types.Bloom, e Event) {
	bloom.Add(e.Address[:])
	for _, t := range e.Topics {
		bloom.Add(t[:])
	}
}

// Drop takes the newest blocks off the chain, as the first half of a reorg.
func (c *Chain) Drop(depth int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range min(depth, len(c.blocks)-1) {
		last := c.blocks[len(c.blocks)-1]
		c.orphans[last.Hash] = last
		c.blocks = c.blocks[:len(c.blocks)-1]
	}
}

// Reorg replaces the newest blocks by as many others, each with the events given for it.
func (c *Chain) Reorg(depth int, events ...[]Event) chains.Block {
	c.Drop(depth)
	var last chains.Block
	for i := range depth {
		var here []Event
		if i < len(events) {
			here = events[i]
		}
		last = c.Mine(here...)
	}
	return last
}

// Finalize makes a block and those before it final.
func (c *Chain) Finalize(number uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finalized = number
}

// SetCode places a contract from the next block on.
func (c *Chain) SetCode(a chains.Address, code []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.code[a] = code
}

// SetSlot stores a word from the next block on.
func (c *Chain) SetSlot(a chains.Address, slot, word chains.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.storage[a] == nil {
		c.state.storage[a] = map[chains.Hash]chains.Hash{}
	}
	c.state.storage[a][slot] = word
}

// SetView has a Go function answer calls to an address, at every block.
func (c *Chain) SetView(a chains.Address, v View) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.views[a] = v
}

// Head is the newest block.
func (c *Chain) Head() chains.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blocks[len(c.blocks)-1].Block
}

// Block is the canonical block of a number.
func (c *Chain) Block(number uint64) (chains.Block, bool) {
	b := c.canonical(number)
	if b == nil {
		return chains.Block{}, false
	}
	return b.Block, true
}

// Logs are the canonical logs of a range, the truth that answers are held against.
func (c *Chain) Logs(from, to uint64, match func(chains.Log) bool) []chains.Log {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []chains.Log
	for n := from; n <= to && n < uint64(len(c.blocks)); n++ {
		for _, l := range c.blocks[n].logs {
			if match(l) {
				out = append(out, l)
			}
		}
	}
	return out
}

func (c *Chain) canonical(number uint64) *block {
	c.mu.Lock()
	defer c.mu.Unlock()
	if number >= uint64(len(c.blocks)) {
		return nil
	}
	return c.blocks[number]
}

// byHash finds a block of any branch.
func (c *Chain) byHash(h chains.Hash) (b *block, canonical bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.orphans[h]; ok {
		return b, false
	}
	for _, b := range c.blocks {
		if b.Hash == h {
			return b, true
		}
	}
	return nil, false
}
