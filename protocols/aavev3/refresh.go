package aavev3

import (
	"errors"
	"fmt"
	"slices"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// pass is one refresh: working copies that become the market's by commit.
type pass struct {
	m      *Market
	at     chains.Block
	scope  protocols.Scope
	shape  *shape
	slots  bool // accounts and reserves are read from storage where that is known
	noted  *noted
	res    []reserve
	modes  []eMode
	prices []uint256.Int
	alone  []int // assets whose prices are asked one by one
	read   []account
	raw    []word // userConfig of read
	open   []int  // of read, whose balances are asked in the second round
	known  bool   // the shape was learned at this very block: nothing of it is asked again
	faults []protocols.Fault
	checks []check
	guard  sentinel
	rates  rateReads
}

// manyAccounts is from how many accounts on storage slots are worth a request of their
// own: a node answers slots and views in separate requests, and a block should cost two.
const manyAccounts = 500

// Refresh implements [protocols.Market].
func (m *Market) Refresh(at chains.Block, scope protocols.Scope) protocols.Step {
	if m.shape == nil {
		return protocols.Step{Then: func([]chains.Answer) (protocols.Step, error) {
			return protocols.Step{}, errors.New("refresh " + m.where.Name + ": the market was not opened")
		}}
	}
	p := &pass{m: m, at: at, scope: scope, shape: m.shape, noted: m.noted.copy()}
	if m.book == nil {
		p.scope = protocols.Everything
	}
	if p.noted.reopen != 0 {
		return p.named(p.reopen())
	}
	return p.named(p.first())
}

func (p *pass) named(s protocols.Step) protocols.Step {
	if s.Done() {
		return s
	}
	then := s.Then
	s.Then = func(answers []chains.Answer) (protocols.Step, error) {
		next, err := then(answers)
		if err != nil {
			return protocols.Step{}, fmt.Errorf("refresh %s at block %d: %w", p.m.where.Name, p.at.Number, err)
		}
		return p.named(next), nil
	}
	return s
}

// reopen learns the shape again before the refresh, because logs said that it changed.
func (p *pass) reopen() protocols.Step {
	return p.m.open(p.at, p.m.can, func(s *shape) (protocols.Step, error) {
		if p.noted.upgraded != 0 {
			p.scope = protocols.Everything
			p.fault("upgrade", fmt.Sprintf("%s; the pool is now Aave %s, before it was %s", p.noted.why, s.names(), p.shape.names()))
		}
		p.shape = s
		return p.first(), nil
	})
}

func (p *pass) fault(kind, detail string) {
	p.faults = append(p.faults, protocols.Fault{Kind: kind, Detail: detail})
}

// first is the first round: prices, reserves, parameters, and the accounts, whose
// balances wait for the second round where they are read by views.
func (p *pass) first() protocols.Step {
	var r round
	p.start()
	p.readReserves(&r)
	p.readPrices(&r)
	layout := p.readAccounts(&r)
	p.wantChecks(&r)
	p.readSentinel(&r, &p.guard)
	p.readRates(&r)
	asked := p.priced()
	return r.step(func() (protocols.Step, error) {
		if !slices.Equal(asked, p.priced()) {
			return p.reopen(), nil // a category got a price source of its own without a log
		}
		if layout != nil {
			return p.believe(layout), nil
		}
		return p.second(), nil
	})
}

// readAccounts asks what accounts have: by the lens where storage is known, or guessed
// and to be proven by what is asked beside; else what they use, by views.
func (p *pass) readAccounts(r *round) *layout {
	switch {
	case p.slots && p.shape.slots:
		p.readLens(r, p.shape, nil)
	case p.slots && !p.shape.tried:
		l := p.guess(r)
		p.readLens(r, l.shape, l)
		return l
	default:
		p.readConfigs(r)
	}
	return nil
}

// start makes the working copies.
func (p *pass) start() {
	p.read, p.alone = nil, nil
	p.slots = p.m.can.Slots && (p.scope == protocols.Everything || len(p.noted.accounts) >= manyAccounts)
	old := p.m.book
	fresh := old == nil || p.shape != p.m.shape
	p.known = fresh && p.shape.at == p.at && p.m.can.Pinned
	if !fresh {
		p.res, p.modes = slices.Clone(old.table.res), slices.Clone(old.table.modes[1:])
	} else {
		p.res, p.modes = slices.Clone(p.shape.reserves), slices.Clone(p.shape.modes)
	}
	if p.scope == protocols.Everything {
		for a := range p.m.known {
			p.read = append(p.read, account{key: a})
		}
	} else {
		for a := range p.noted.accounts {
			p.read = append(p.read, account{key: a})
		}
	}
	sortAccounts(p.read)
}

func (p *pass) readReserves(r *round) {
	if p.known {
		return
	}
	for i := range p.res {
		_, touched := p.noted.reserves[p.res[i].asset]
		if touched || p.scope == protocols.Everything || p.shape != p.m.shape {
			p.shape.readState(r, &p.res[i], p.slots)
			p.shape.readTotals(r, &p.res[i], p.slots)
		}
	}
	for id := range p.noted.modes {
		i := slices.IndexFunc(p.modes, func(m eMode) bool { return m.id == id })
		if i < 0 {
			p.modes = append(p.modes, eMode{id: id})
		}
	}
	for i := range p.modes {
		if _, touched := p.noted.modes[p.modes[i].id]; touched || p.scope == protocols.Everything {
			readMode(r, p.shape, &p.modes[i])
			readBitmaps(r, p.shape, &p.modes[i])
		}
	}
}

// readConfigs asks userConfig and e-mode of the accounts to read.
func (p *pass) readConfigs(r *round) {
	p.raw, p.open = make([]word, len(p.read)), make([]int, len(p.read))
	reads := make([]chains.Read, 0, 2*len(p.read))
	for i := range p.read {
		key := p.read[i].key.Word()
		reads = append(reads, chains.View(p.shape.pool, abi.Call("getUserConfiguration(address)", key)),
			chains.View(p.shape.pool, abi.Call("getUserEMode(address)", key)))
		p.read[i].legs, p.open[i] = nil, i
	}
	r.bulk(reads, func(answers []chains.Answer) error {
		for i := range p.read {
			words, err := slotWords(answers[2*i : 2*i+2])
			if err != nil {
				return fmt.Errorf("read the configuration of account %s: %w", p.read[i].key, err)
			}
			p.raw[i] = words[0]
			p.read[i].mode = uint8(words[1].Uint64())
		}
		return nil
	})
}

// second is the second round: the balances of the reserves the accounts use, as far as
// they are not known.
func (p *pass) second() protocols.Step {
	var r round
	p.priceAlone(&r)
	reads := make([]chains.Read, 0, 3*len(p.open))
	for _, i := range p.open {
		reads = p.wantLegs(reads, &p.read[i], &p.raw[i])
	}
	r.bulk(reads, p.takeLegs)
	return r.step(func() (protocols.Step, error) { return p.again(p.finish) })
}

// borrowing has the bit of every reserve's debt in userConfig.
var borrowing = func() (x word) {
	for i := range x {
		x[i] = 0x5555555555555555
	}
	return x
}()

// wantLegs lists an account's legs and the reads of their balances. An account
// without debt has none: nobody can liquidate it.
func (p *pass) wantLegs(reads []chains.Read, a *account, config *word) []chains.Read {
	var debts word
	if debts.And(config, &borrowing).IsZero() {
		return reads
	}
	for j := range p.res {
		res := &p.res[j]
		bits := field(config, uint(2*res.id), 2)
		if bits&2 != 0 {
			a.legs = append(a.legs, leg{tag: tagOf(res.id, protocols.Collateral)})
			reads = append(reads, p.balance(res.aToken, a.key))
		}
		if bits&1 != 0 {
			a.legs = append(a.legs, leg{tag: tagOf(res.id, protocols.Debt)})
			reads = append(reads, p.balance(res.debtToken, a.key))
		}
	}
	return reads
}

func (p *pass) balance(token, of chains.Address) chains.Read {
	return chains.View(token, abi.Call("scaledBalanceOf(address)", of.Word()))
}

// takeLegs fills the balances in the order they were asked.
func (p *pass) takeLegs(answers []chains.Answer) error {
	for _, i := range p.open {
		a := &p.read[i]
		for l := range a.legs {
			answer := answers[0]
			answers = answers[1:]
			x, err := abi.Number(answer.Data, 0)
			if err != nil || answer.Failed {
				return fmt.Errorf("read balances of account %s: %w", a.key, errors.Join(err, errReverted))
			}
			a.legs[l].scaled = u128{x[1] & (1<<56 - 1), x[0]}
		}
		a.settle()
	}
	return nil
}

// settle drops zero balances, and everything where all debts are zero.
func (a *account) settle() {
	kept, debt := a.legs[:0], false
	for _, l := range a.legs {
		if !l.scaled.isZero() {
			kept = append(kept, l)
			debt = debt || l.side() == protocols.Debt
		}
	}
	if a.legs = kept; !debt {
		a.legs = nil
	}
}

// finish puts the new book together and makes it the market's.
func (p *pass) finish() (protocols.Step, error) {
	t := newTable(p.shape.profile, p.res, p.modes, p.at.Time)
	old := &shelf{}
	if p.m.book != nil {
		old = p.m.book.shelf
	}
	p.compare(old)
	b := &Book{
		market: p.m.where, at: p.at, shape: p.shape, table: t,
		shelf: old.with(p.read),
		debts: p.debts(old), sentinel: p.guard,
	}
	b.price(p.prices)
	b.sheet = p.sheet(b)
	b.coming = p.coming(b.sheet)
	p.doubts()
	p.sums(b)
	p.judge(b)
	p.unpriced(b)
	b.faults = p.faults
	p.commit(b)
	return protocols.Step{}, nil
}

func (p *pass) commit(b *Book) {
	p.m.shape, p.m.book = p.shape, b
	p.m.noted.forget(p.noted.seq)
}
