package aavev3

import (
	"maps"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// layout is where a pool and its tokens may keep what they know, on its way to be
// believed: every reserve's words are compared with the views, and a token's balances
// lie where they are looked for when its total lies beside them.
type layout struct {
	shape *shape
	pool  bool             // every reserve is where the constants say
	wrong []chains.Address // tokens whose total is not beside the guess
}

// guess asks what proves the usual layout, in the round that relies on it. Tokens with
// nothing in them cannot be told apart: they stay unknown, and are read by views.
func (p *pass) guess(r *round) *layout {
	s := *p.shape
	s.tried, s.slots, s.balances = true, true, map[chains.Address]uint64{}
	l := &layout{shape: &s, pool: true}
	for i := range p.res {
		l.pools(r, &p.res[i])
		l.token(r, p.res[i].aToken, slotCollateral, &p.res[i].scaledSupply)
		l.token(r, p.res[i].debtToken, slotDebt, &p.res[i].scaledDebt)
	}
	return l
}

// pools compares one reserve's words in the pool.
func (l *layout) pools(r *round, want *reserve) {
	got := *want
	l.shape.readState(r, &got, true)
	r.ask(chains.Slot(l.shape.pool, abi.Offset(abi.Slot(want.asset.Word(), slotReserves), 4)), func(a chains.Answer) error {
		x, err := abi.Number(a.Data, 0)
		token := chains.Hash(x.Bytes32()).Address()
		l.pool = l.pool && err == nil && token == want.aToken && got.word == want.word && got.state == want.state
		return nil
	})
}

func (l *layout) token(r *round, token chains.Address, slot uint64, supply *word) {
	l.shape.balances[token] = slot
	r.ask(chains.Slot(token, abi.Uint(slot+supplyAfter)), func(a chains.Answer) error {
		x, err := abi.Number(a.Data, 0)
		if err == nil && !supply.IsZero() && x == *supply {
			return nil
		}
		delete(l.shape.balances, token)
		if !supply.IsZero() {
			l.wrong = append(l.wrong, token)
		}
		return nil
	})
}

// believe goes on with a layout that was asked about. What was read by a wrong one is
// read again.
func (p *pass) believe(l *layout) protocols.Step {
	if !l.pool {
		s := *p.shape
		s.tried = true
		p.shape = &s
		var r round
		p.readConfigs(&r)
		return r.step(func() (protocols.Step, error) { return p.second(), nil })
	}
	if len(l.wrong) == 0 {
		p.leave(l)
		p.shape = l.shape
		return p.second()
	}
	return p.search(l)
}

// leave has accounts read by views that use a token in which nothing was, as far as
// its total says: the guess at its balances could not be proven.
func (p *pass) leave(l *layout) {
	p.open = nil
	for i := range p.read {
		for j := range p.res {
			res := &p.res[j]
			_, supply := l.shape.balances[res.aToken]
			_, debt := l.shape.balances[res.debtToken]
			bits := field(&p.raw[i], 2*uint(res.id), 2)
			if !supply && bits&2 != 0 || !debt && bits&1 != 0 {
				p.read[i].legs = nil
				p.open = append(p.open, i)
				break
			}
		}
	}
}

// A token's balances lie behind its 52 slots of VersionedInitializable, and behind
// what a debt token keeps of its own: somewhere in here.
const firstBalances, lastBalances = 52, 62

// search looks where else the tokens may keep balances, and reads the accounts again.
func (p *pass) search(l *layout) protocols.Step {
	var r round
	for i := range p.res {
		p.find(&r, l, p.res[i].aToken, &p.res[i].scaledSupply)
		p.find(&r, l, p.res[i].debtToken, &p.res[i].scaledDebt)
	}
	return r.step(func() (protocols.Step, error) {
		p.shape = l.shape
		var r round
		p.readLens(&r, p.shape, nil)
		return r.step(func() (protocols.Step, error) { return p.second(), nil }), nil
	})
}

// find finds a token's slots by the total that lies beside the balances.
func (p *pass) find(r *round, l *layout, token chains.Address, supply *word) {
	if _, known := l.shape.balances[token]; known || supply.IsZero() {
		return
	}
	var reads []chains.Read
	for slot := uint64(firstBalances); slot <= lastBalances; slot++ {
		reads = append(reads, chains.Slot(token, abi.Uint(slot+supplyAfter)))
	}
	r.bulk(reads, func(answers []chains.Answer) error {
		words, err := slotWords(answers)
		if err != nil {
			return nil //nolint:nilerr // a token that cannot be read from storage is read by views
		}
		for i := range words {
			if words[i] == *supply {
				l.shape.balances = maps.Clone(l.shape.balances)
				l.shape.balances[token] = uint64(firstBalances + i)
				return nil
			}
		}
		return nil
	})
}
