package compoundv2

import (
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// pass is one refresh under way. It works on copies: nothing of the market
// changes before commit.
type pass struct {
	m       *Market
	at      chains.Block
	scope   protocols.Scope
	opening bool
	table   *table
	asks    []ask
	rounds  int

	readings map[chains.Address]*reading // accounts read in this pass
	widened  bool                        // accounts that only entered markets were read as well
	probed   bool
	oracle   chains.Address                 // asked for prices in this pass
	waiting  map[chains.Address][]func(int) // what waits for a market to be learned
	held     map[subject]*chains.Block
	failed   map[chains.Address]bool // accounts that kept changing while they were read
}

// ask is some reads and what becomes of their answers. An ask may ask more.
type ask struct {
	reads []chains.Read
	take  func([]chains.Answer) error
}

// maxRounds bounds a refresh: two rounds are usual, more are needed when the
// market's shape changed or when it is read for the first time.
const maxRounds = 12

func newPass(m *Market, at chains.Block, scope protocols.Scope) *pass {
	return &pass{
		m: m, at: at, scope: scope,
		readings: map[chains.Address]*reading{}, waiting: map[chains.Address][]func(int){}, held: map[subject]*chains.Block{}, failed: map[chains.Address]bool{},
	}
}

func (p *pass) ask(take func([]chains.Answer) error, reads ...chains.Read) {
	p.asks = append(p.asks, ask{reads: reads, take: take})
}

// step is the next round: all that is asked so far.
func (p *pass) step() protocols.Step {
	asks := p.asks
	p.asks = nil
	var wants []chains.Read
	for _, a := range asks {
		wants = append(wants, a.reads...)
	}
	return protocols.Step{Wants: wants, Then: func(answers []chains.Answer) (protocols.Step, error) {
		if len(answers) != len(wants) {
			return protocols.Step{}, fmt.Errorf("%d answers to %d reads", len(answers), len(wants))
		}
		for _, a := range asks {
			n := len(a.reads)
			if err := a.take(answers[:n:n]); err != nil {
				return protocols.Step{}, err
			}
			answers = answers[n:]
		}
		if p.rounds++; p.rounds > maxRounds {
			return protocols.Step{}, fmt.Errorf("the market kept changing shape over %d rounds of reads", maxRounds)
		}
		if len(p.asks) == 0 && !p.opening {
			p.follow()
		}
		if len(p.asks) > 0 {
			return p.step(), nil
		}
		if p.opening && p.m.can.Overrides && !p.table.profile.PricesInNative {
			return p.measure(), nil
		}
		return protocols.Step{}, p.commit()
	}}
}

// call is a view of a contract with addresses as arguments.
func call(to chains.Address, signature string, args ...chains.Hash) chains.Read {
	return chains.View(to, abi.Call(signature, args...))
}

// number is an answer's only word; an error names what was asked.
func number(a chains.Answer, what string) (uint256.Int, error) {
	if a.Failed {
		return uint256.Int{}, fmt.Errorf("%s: the contract refused the call", what)
	}
	x, err := abi.Number(a.Data, 0)
	if err != nil {
		return x, fmt.Errorf("%s: %w", what, err)
	}
	return x, nil
}

// orZero is an answer's word, or 0 where the contract has no such view.
func orZero(a chains.Answer) uint256.Int {
	if a.Failed {
		return uint256.Int{}
	}
	x, err := abi.Number(a.Data, 0)
	if err != nil {
		return uint256.Int{}
	}
	return x
}

func isTrue(a chains.Answer) bool {
	x := orZero(a)
	return !x.IsZero()
}

func addressOrZero(a chains.Answer) chains.Address {
	if a.Failed {
		return chains.Address{}
	}
	x, err := abi.Address(a.Data, 0)
	if err != nil {
		return chains.Address{}
	}
	return x
}

// begin asks for what a refresh always needs, and for what its scope adds.
func (p *pass) begin() {
	m, everything := p.m, p.scope == protocols.Everything
	if everything || m.reshaped {
		p.askParameters()
	}
	for i := range p.table.list {
		if p.table.list[i].vai {
			continue
		}
		if everything || m.can.Pinned || m.touched[i] {
			p.askState(i)
		}
	}
	if !p.table.vai.IsZero() {
		p.askVAIIndex()
	}
	p.askPrices()
	p.askStaked()
	p.askSettled()
	if everything {
		for a := range m.known {
			p.askAccount(a, nil, 0)
		}
		return
	}
	for a := range m.noted {
		p.askAccount(a, nil, 0)
	}
}

// follow asks for what only the answers of the rounds so far made necessary.
func (p *pass) follow() {
	if p.m.can.Slots && !p.probed {
		p.probeLayouts()
		if len(p.asks) > 0 {
			return
		}
		p.probed = true
	}
	p.askSlots()
	if len(p.asks) > 0 {
		return
	}
	p.resolve()
	p.askEdge()
	if len(p.asks) == 0 && p.scope == protocols.Everything && !p.widened {
		p.widened = true
		p.widen()
	}
}
