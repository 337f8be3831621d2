package compoundv2

import (
	"bytes"
	"slices"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// slotsTried is how many places a cToken's mapping of debts is looked for at; the
// forks have it between 10 and 30.
const slotsTried = 48

// probeLayouts finds where a market keeps principal and interest index, on accounts
// whose debt is known: the slot pair whose quotient is that debt.
func (p *pass) probeLayouts() {
	for i := range p.table.list {
		if p.table.list[i].vai || p.table.layouts[i].tried {
			continue
		}
		witness, borrow := p.witness(i)
		if borrow.IsZero() {
			continue
		}
		p.table.layouts[i].tried = true
		p.askLayout(i, witness, borrow)
	}
}

// witness is an account with a debt in a market: the largest, which rules out a
// quotient that fits by accident, and of equal ones the first.
func (p *pass) witness(market int) (chains.Address, uint256.Int) {
	var who chains.Address
	var most uint256.Int
	for a, r := range p.readings {
		if r == nil {
			continue
		}
		for i := range r.legs {
			l := &r.legs[i]
			if l.market != market {
				continue
			}
			if l.borrow.Gt(&most) || l.borrow == most && bytes.Compare(a[:], who[:]) < 0 {
				who, most = a, l.borrow
			}
		}
	}
	return who, most
}

func (p *pass) askLayout(market int, witness chains.Address, borrow uint256.Int) {
	token := p.table.list[market].token
	var reads []chains.Read
	for slot := range uint64(slotsTried) {
		at := abi.Slot(witness.Word(), slot)
		reads = append(reads, chains.Slot(token, at), chains.Slot(token, abi.Offset(at, 1)))
	}
	p.ask(func(a []chains.Answer) error {
		index := &p.table.states[market].index
		for slot := range uint64(slotsTried) {
			principal, interestIndex := orZero(a[2*slot]), orZero(a[2*slot+1])
			if interestIndex.IsZero() || interestIndex.Gt(index) {
				continue
			}
			if b := borrowed(&principal, index, &interestIndex); b == borrow {
				p.table.layouts[market] = layout{known: true, tried: true, slot: slot}
				return nil
			}
		}
		return nil
	}, reads...)
}

// askSlots reads principal and interest index of debts read in this pass before
// the market's layout was known.
func (p *pass) askSlots() {
	if !p.m.can.Slots {
		return
	}
	for _, a := range sorted(p.readings) {
		r := p.readings[a]
		if r == nil || r.done != nil {
			continue
		}
		for i := range r.legs {
			l := &r.legs[i]
			if l.slots || l.borrow.IsZero() || !p.table.layouts[l.market].known {
				continue
			}
			l.slots = true
			at := abi.Slot(a.Word(), p.table.layouts[l.market].slot)
			token := p.table.list[l.market].token
			p.ask(func(answers []chains.Answer) error {
				l.principal, l.interestIndex = orZero(answers[0]), orZero(answers[1])
				return nil
			}, chains.Slot(token, at), chains.Slot(token, abi.Offset(at, 1)))
		}
	}
}

func sorted[T any](m map[chains.Address]T) []chains.Address {
	out := make([]chains.Address, 0, len(m))
	for a := range m {
		out = append(out, a)
	}
	slices.SortFunc(out, func(x, y chains.Address) int { return bytes.Compare(x[:], y[:]) })
	return out
}
