package compoundv2

import (
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// askState reads one market, all at one block.
func (p *pass) askState(i int) {
	token := p.table.list[i].token
	accrual, rate := "accrualBlockNumber()", "borrowRatePerBlock()"
	if p.table.profile.Seconds {
		accrual, rate = "accrualBlockTimestamp()", "borrowRatePerTimestamp()"
	}
	p.ask(func(a []chains.Answer) error { return p.takeState(i, a) }, chains.Join(
		call(token, "exchangeRateStored()"), call(token, "borrowIndex()"), call(token, "totalSupply()"),
		call(token, "getCash()"), call(token, "totalBorrows()"), call(token, "totalReserves()"),
		call(token, accrual), call(token, rate))...)
}

func (p *pass) takeState(i int, a []chains.Answer) error {
	s := p.table.states[i]
	names := []string{"exchangeRateStored()", "borrowIndex()", "totalSupply()", "getCash()", "totalBorrows()", "totalReserves()"}
	for k, into := range []*uint256.Int{&s.rate, &s.index, &s.supply, &s.cash, &s.borrows, &s.reserves} {
		x, err := number(a[k], names[k]+" of "+p.m.id(p.table.list[i].token))
		if err != nil {
			return err
		}
		*into = x
	}
	then := orZero(a[6])
	s.accruedAt = then.Uint64()
	s.borrowRate = orZero(a[7]) // reverts where the rate is beyond its bound; then nothing accrues either
	s.read = a[0].At
	p.table.states[i] = s
	return nil
}

// askPrices reads the oracle for every market: prices can change without a log.
func (p *pass) askPrices() {
	p.oracle = p.table.oracle
	for i := range p.table.list {
		if !p.table.list[i].vai {
			p.askPrice(i)
		}
	}
}

// askPrice reads one price. An oracle that refuses has no price: the comptroller
// would refuse to liquidate in the same way.
func (p *pass) askPrice(i int) {
	p.ask(func(a []chains.Answer) error {
		p.table.prices[i] = orZero(a[0])
		p.table.pricesAt = a[0].At
		return nil
	}, call(p.table.oracle, "getUnderlyingPrice(address)", p.table.list[i].token.Word()))
}

// onBranch reports that a block is known to be the pass' own or its parent.
func (p *pass) onBranch(b *chains.Block) bool {
	return b.Hash == p.at.Hash || b.Hash == p.at.Parent
}

// askSettled finds out, where reads are not pinned, whether the blocks at which
// accounts and markets were read last time are still part of the chain. What was
// read at a block that was undone has to be read again, and no log says so.
func (p *pass) askSettled() {
	if p.m.can.Pinned || p.m.can.Hashes.IsZero() {
		return
	}
	asked := map[chains.Hash]bool{}
	for s, b := range p.m.loose {
		switch {
		case p.onBranch(b):
		case b.Number > p.at.Number:
			p.held[s] = b
		case b.Number == p.at.Number, b.Number+250 < p.at.Number:
			// Another branch, or too long ago to ask: hashes are kept for 256 blocks.
			p.reread(s)
		case !asked[b.Hash]:
			asked[b.Hash] = true
			p.askHash(b)
		}
	}
}

func (p *pass) askHash(b *chains.Block) {
	p.ask(func(a []chains.Answer) error {
		w, err := abi.Word(a[0].Data, 0)
		if err != nil || a[0].Failed {
			return fmt.Errorf("ask whether block %d is still part of the chain: no answer", b.Number)
		}
		if w == b.Hash {
			return nil
		}
		for s, read := range p.m.loose {
			if read.Hash == b.Hash {
				p.reread(s)
			}
		}
		return nil
	}, call(p.m.can.Hashes, "getBlockHash(uint256)", abi.Uint(b.Number)))
}

// subject is what was read at a block that may yet be undone: an account, or where
// that is nobody a market.
type subject struct {
	account chains.Address
	market  int
}

func (p *pass) reread(s subject) {
	if s.account.IsZero() {
		p.askState(s.market)
		return
	}
	p.askAccount(s.account, nil, 0)
}
