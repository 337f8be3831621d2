package watch

import (
	"context"
	"encoding/binary"
	"fmt"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// branches is a chain that can be reorganised. An account's value is the number of
// times it was touched on the branch.
type branches struct {
	blocks map[chains.Hash]*branchBlock
	tip    *branchBlock
	forks  uint64
	// hidden are accounts whose logs the node leaves out at the tip.
	hidden map[chains.Address]bool
	// asked counts questions by kind.
	asked map[string]int
}

type branchBlock struct {
	chains.Block
	parent  *branchBlock
	touched []chains.Address
}

var (
	poolAddress = chains.Address{0xAA}
	touchTopic  = chains.Keccak([]byte("Touched(address)"))
)

func newBranches() *branches {
	b := &branches{blocks: map[chains.Hash]*branchBlock{}, asked: map[string]int{}}
	b.mine()
	return b
}

// mine adds a block with these accounts touched.
func (b *branches) mine(touched ...chains.Address) {
	b.forks++
	n := &branchBlock{parent: b.tip, touched: touched}
	if b.tip != nil {
		n.Number, n.Parent = b.tip.Number+1, b.tip.Hash
	}
	n.Time = 1_700_000_000 + 12*n.Number
	n.Hash = chains.Keccak(n.Parent[:], binary.BigEndian.AppendUint64(nil, b.forks))
	b.blocks[n.Hash], b.tip = n, n
}

// drop undoes the newest blocks.
func (b *branches) drop(depth int) {
	for range depth {
		if b.tip.parent != nil {
			b.tip = b.tip.parent
		}
	}
}

func (b *branches) at(number uint64) *branchBlock {
	n := b.tip
	for n != nil && n.Number > number {
		n = n.parent
	}
	return n
}

func (b *branches) value(at *branchBlock, a chains.Address) uint64 {
	var v uint64
	for n := at; n != nil; n = n.parent {
		for _, t := range n.touched {
			if t == a {
				v++
			}
		}
	}
	return v
}

func (b *branches) Name() string { return "branches" }

func (b *branches) Capabilities(context.Context) (chains.Capabilities, error) {
	return chains.Capabilities{ChainID: 7, Pinned: true}, nil
}

func (b *branches) Head(context.Context) (chains.Block, error) { return b.tip.Block, nil }

func (b *branches) Finalized(context.Context) (chains.Block, error) {
	return b.at(b.tip.Number - min(b.tip.Number, 8)).Block, nil
}

func (b *branches) Block(_ context.Context, n uint64) (chains.Block, error) {
	b.asked["block"]++
	if at := b.at(n); at != nil && at.Number == n {
		return at.Block, nil
	}
	return chains.Block{}, chains.ErrNotFound
}

func (b *branches) canonical(x chains.Block) error {
	if at := b.at(x.Number); at == nil || at.Hash != x.Hash {
		return chains.ErrReorged
	}
	return nil
}

func (b *branches) Logs(_ context.Context, f chains.Filter, from uint64, to chains.Block) ([]chains.Log, error) {
	b.asked["logs"]++
	if err := b.canonical(to); err != nil {
		return nil, err
	}
	var out []chains.Log
	for n := from; n <= to.Number; n++ {
		at := b.at(n)
		for i, a := range at.touched {
			if b.hidden[a] && n+4 > b.tip.Number {
				continue
			}
			l := chains.Log{
				Block: n, BlockHash: at.Hash, Index: uint(i), Address: poolAddress,
				Topics: []chains.Hash{touchTopic, a.Word()},
			}
			if f.Match(l) {
				out = append(out, l)
			}
		}
	}
	return out, nil
}

func (b *branches) Read(_ context.Context, at chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	b.asked["read"]++
	if err := b.canonical(at); err != nil {
		return nil, err
	}
	out := make([]chains.Answer, len(reads))
	for i, r := range reads {
		v := b.value(b.blocks[at.Hash], chains.Address(r.Data))
		out[i] = chains.Answer{Data: binary.BigEndian.AppendUint64(nil, v)}
	}
	return out, nil
}

func (b *branches) ReadMoved(context.Context, chains.Block, []chains.Override, []chains.Read) ([]chains.Answer, error) {
	return nil, chains.ErrNoOverrides
}

// counter is a market whose accounts hold how often they were touched.
type counter struct {
	name   string
	known  map[chains.Address]uint64
	dirty  map[chains.Address]bool
	at     chains.Block
	opened bool
	// fail makes the next refresh fail after its reads.
	fail error
}

func newCounter(name string) *counter {
	return &counter{name: name, known: map[chains.Address]uint64{}, dirty: map[chains.Address]bool{}}
}

func (c *counter) Name() string     { return c.name }
func (c *counter) Chain() string    { return "branches" }
func (c *counter) Protocol() string { return "counter" }

func (c *counter) Open(chains.Block, chains.Capabilities) protocols.Step {
	return protocols.Step{Then: func([]chains.Answer) (protocols.Step, error) {
		c.opened = true
		return protocols.Step{}, nil
	}}
}

func (c *counter) Follow() chains.Filter {
	return chains.Filter{Addresses: []chains.Address{poolAddress}, Topics: []chains.Hash{touchTopic}}
}

func (c *counter) Discovery() (chains.Filter, uint64) { return c.Follow(), 0 }

func (c *counter) Note(logs []chains.Log) {
	for _, l := range logs {
		c.Know([]chains.Address{l.Topics[1].Address()})
	}
}

func (c *counter) Know(accounts []chains.Address) {
	for _, a := range accounts {
		if _, ok := c.known[a]; !ok {
			c.known[a] = 0
		}
		c.dirty[a] = true
	}
}

func (c *counter) Accounts() []chains.Address {
	var out []chains.Address
	for a := range c.known {
		out = append(out, a)
	}
	return out
}

func (c *counter) Refresh(at chains.Block, scope protocols.Scope) protocols.Step {
	var who []chains.Address
	for a := range c.known {
		if scope == protocols.Everything || c.dirty[a] {
			who = append(who, a)
		}
	}
	s := protocols.Step{}
	for _, a := range who {
		s.Wants = append(s.Wants, chains.View(poolAddress, a[:]))
	}
	s.Then = func(answers []chains.Answer) (protocols.Step, error) {
		if c.fail != nil {
			err := c.fail
			c.fail = nil
			return protocols.Step{}, err
		}
		if len(answers) != len(who) {
			return protocols.Step{}, fmt.Errorf("%d answers to %d reads", len(answers), len(who))
		}
		for i, a := range who {
			c.known[a] = binary.BigEndian.Uint64(answers[i].Data)
			delete(c.dirty, a)
		}
		c.at = at
		return protocols.Step{}, nil
	}
	return s
}

func (c *counter) Verify(*protocols.Report) protocols.Step           { return protocols.Step{} }
func (c *counter) Liquidations([]chains.Log) []protocols.Liquidation { return nil }
func (c *counter) Book() protocols.Book                              { return nil }
