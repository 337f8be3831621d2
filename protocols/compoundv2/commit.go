package compoundv2

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// askEdge reads again the accounts whose debt is known to within two units only and
// whose health is within what those could decide.
func (p *pass) askEdge() {
	for a, acc := range p.m.accounts {
		if _, read := p.readings[a]; read || !acc.hasDebt() {
			continue
		}
		var doubt uint256.Int
		for i := range acc.legs {
			if l := &acc.legs[i]; l.inexact && p.table.states[l.market].index != p.m.table.states[l.market].index {
				two := uint256.NewInt(2)
				value := truncated(&p.table.prices[l.market], two)
				doubt.Add(&doubt, value.AddUint64(&value, 2))
			}
		}
		if doubt.IsZero() {
			continue
		}
		s := p.table.sum(acc, p.table.prices, p.table.states)
		liquidity, shortfall := s.liquidity()
		if s.priced && !liquidity.Gt(&doubt) && !shortfall.Gt(&doubt) {
			p.askAccount(a, nil, 0)
		}
	}
}

// widen reads the accounts that entered markets without ever being seen to borrow,
// when the debts of those that were do not add up: a node may have kept a Borrow
// log back, and MarketEntered is its second witness.
func (p *pass) widen() {
	if len(p.m.entered) == 0 {
		return
	}
	short := false
	for _, s := range p.sums() {
		short = short || s.short()
	}
	if !short {
		return
	}
	for a := range p.m.entered {
		p.askAccount(a, nil, 0)
	}
}

// debtSum is a market's debts added up against its own total.
type debtSum struct {
	market            int
	ours, chain, room uint256.Int
}

// short: the known debts are less than the total by more than roundings can make.
func (s debtSum) short() bool {
	var most uint256.Int
	most.Add(&s.ours, &s.room)
	return s.chain.Gt(&most)
}

// sums adds up debts per market. totalBorrows and the accounts round apart: each
// accrual and each change of a debt may part them by less than a unit, so the room is
// one unit per block since the deployment and per account, and a trillionth of the
// total for the digits that the index lacks.
func (p *pass) sums() []debtSum {
	t := p.table
	out := make([]debtSum, len(t.list))
	n := uint64(0)
	add := func(a *account) {
		if a == nil {
			return
		}
		n++
		for i := range a.legs {
			owed := t.debt(&a.legs[i])
			out[a.legs[i].market].ours.Add(&out[a.legs[i].market].ours, &owed)
		}
	}
	for a := range p.m.accounts {
		add(p.now(a))
	}
	for a, r := range p.readings {
		if p.m.accounts[a] == nil && r != nil {
			add(r.done)
		}
	}
	blocks := uint64(0)
	if p.at.Number > p.m.settings.FromBlock {
		blocks = p.at.Number - p.m.settings.FromBlock
	}
	for i := range out {
		out[i].market, out[i].chain = i, t.states[i].borrows
		out[i].room = *uint256.NewInt(blocks + 4*n + 2)
		var part uint256.Int
		part.Div(&out[i].chain, uint256.NewInt(1_000_000_000_000))
		out[i].room.Add(&out[i].room, &part)
	}
	return out
}

// commit makes the pass the market's new state.
func (p *pass) commit() error {
	m := p.m
	if err := p.table.setUnits(); err != nil {
		return err
	}
	p.table.explainStaked()
	if p.opening {
		m.table, m.profile = p.table, p.table.profile
		return nil
	}
	faults := p.findFaults()
	positions := p.positions()
	next := newBook(m.Name(), m.Chain(), p.at, p.table, positions, faults)
	next.base58 = m.can.Base58
	p.settle()
	m.table, m.profile, m.book = p.table, p.table.profile, next
	m.reshaped = false
	clear(m.touched)
	return nil
}

// settle takes over what was read.
func (p *pass) settle() {
	m := p.m
	clear(m.loose)
	for s, b := range p.held {
		m.loose[s] = b
	}
	for a, r := range p.readings {
		if r == nil || r.done == nil {
			continue
		}
		if m.entered[a] {
			if !r.done.hasDebt() {
				continue
			}
			delete(m.entered, a)
			m.known[a] = true
		}
		m.keepPast(a, r.done)
		m.accounts[a] = r.done
		delete(m.noted, a)
		delete(m.hints, a)
		delete(m.loose, subject{account: a})
		if r.at != nil {
			m.loose[subject{account: a}] = r.at
		}
	}
	for i := range p.table.states {
		if b := p.table.states[i].read; b != nil && (i >= len(m.table.states) || m.table.states[i].read != b) {
			m.loose[subject{market: i}] = b
		}
	}
}

// keepPast remembers the debts that a reading replaced and no log has told. Where
// storage is read they can be read again, and nothing need be kept.
func (m *Market) keepPast(a chains.Address, now *account) {
	old := m.accounts[a]
	if old == nil || m.can.Slots {
		return
	}
	for i := range old.legs {
		o := &old.legs[i]
		if o.inexact || o.principal.IsZero() || slices.ContainsFunc(now.legs, func(l leg) bool {
			return l.market == o.market && l.principal == o.principal && l.interestIndex == o.interestIndex
		}) {
			continue
		}
		if !slices.ContainsFunc(m.debts[a], func(d debtNote) bool {
			return d.market == o.market && d.principal == o.principal && d.interestIndex == o.interestIndex
		}) {
			m.debts[a] = append([]debtNote{{market: o.market, principal: o.principal, interestIndex: o.interestIndex}}, m.debts[a]...)
		}
	}
}

// positions are the accounts with debt after this pass, by address.
func (p *pass) positions() []*account {
	var old []*account
	if p.m.book != nil {
		old = p.m.book.positions
	}
	if len(p.readings) == 0 {
		return old
	}
	out := make([]*account, 0, len(old)+len(p.readings))
	for _, a := range old {
		if r := p.readings[a.address]; r == nil || r.done == nil {
			out = append(out, a)
		}
	}
	for _, r := range p.readings {
		if r != nil && r.done.hasDebt() {
			out = append(out, r.done)
		}
	}
	slices.SortFunc(out, func(x, y *account) int { return bytes.Compare(x.address[:], y.address[:]) })
	return out
}

// findFaults says what is wrong with the book being made.
func (p *pass) findFaults() []protocols.Fault {
	var faults []protocols.Fault
	add := func(kind, format string, args ...any) {
		faults = append(faults, protocols.Fault{Kind: kind, Detail: fmt.Sprintf(format, args...)})
	}
	t := p.table
	for i := range t.list {
		if t.list[i].vai {
			continue
		}
		if t.prices[i].IsZero() {
			add("unpriced", "the oracle has no price for %s: accounts in that market cannot be judged, and the protocol refuses to liquidate them", t.list[i].Symbol)
		}
		if !t.risks[i].listed {
			add("delisted", "the comptroller no longer lists %s", t.list[i].Symbol)
		}
	}
	for a := range p.failed {
		add("unstable", "account %s kept entering and leaving markets while it was read; its state is that of an earlier block", p.m.id(a))
	}
	for _, a := range p.missed() {
		add("missed-change", "account %s changed and no log said so", p.m.id(a))
	}
	if p.scope == protocols.Everything {
		for _, s := range p.sums() {
			if s.short() && !p.stillMoving(s.market) {
				add("sum", "the known debts in %s are %s, the market says %s: borrowers are missing", t.list[s.market].Symbol, s.ours.Dec(), s.chain.Dec())
			}
		}
	}
	return faults
}

// stillMoving: on a chain without pinned reads a market is read at another block
// than its accounts, so that a sum proves nothing while somebody borrows or repays.
// The next sweep looks again.
func (p *pass) stillMoving(market int) bool {
	if p.m.can.Pinned {
		return false
	}
	return p.table.states[market].accruedAt > p.at.Number
}

// lateLogs is for how many blocks a log may yet come late, where nodes have holes in
// their index that fill.
const lateLogs = 32

// missed are accounts that differ from what was known although no log touched
// them. Where reads are not pinned the log may be in a block not followed yet: the
// account is a suspect until the logs up to the block it was read at are in.
func (p *pass) missed() []chains.Address {
	var out []chains.Address
	m := p.m
	for a, block := range m.suspects {
		if block+lateLogs <= p.at.Number {
			out = append(out, a)
			delete(m.suspects, a)
		}
	}
	for a, r := range p.readings {
		old := m.accounts[a]
		if r == nil || r.done == nil || old == nil || m.noted[a] || p.loosely(a) || old.same(r.done, p.table) {
			continue
		}
		if !old.hasDebt() && !r.done.hasDebt() {
			continue
		}
		if r.at == nil {
			out = append(out, a)
		} else {
			m.suspects[a] = r.at.Number
		}
	}
	slices.SortFunc(out, func(x, y chains.Address) int { return bytes.Compare(x[:], y[:]) })
	return out
}

// loosely: the account had been read at a block that was undone since.
func (p *pass) loosely(a chains.Address) bool {
	_, was := p.m.loose[subject{account: a}]
	_, held := p.held[subject{account: a}]
	return was && !held
}
