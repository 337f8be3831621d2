package compoundv2

import (
	"fmt"
	"slices"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// reading is one account as the chain told it in this pass.
type reading struct {
	pool uint64
	vai  vaiDebt
	legs []rawLeg
	at   *chains.Block
	done *account
}

// rawLeg is one entered market of a reading, before its debt is put in terms that
// outlive the next accrual.
type rawLeg struct {
	market         int
	tokens, borrow uint256.Int
	index          uint256.Int // borrowIndex at the same block; 0: the table's
	forced         bool
	principal      uint256.Int // from storage, where slots are read
	interestIndex  uint256.Int
	slots          bool
}

// maxTries bounds how often an account is asked again because it entered or left
// a market between two rounds.
const maxTries = 4

// askAccount reads an account: the markets it entered and its snapshot in each, all
// at one block. The list of markets is guessed from what is known, and when the
// guess was wrong the account is asked once more with the right one.
func (p *pass) askAccount(a chains.Address, guess []int, try int) {
	if r, asked := p.readings[a]; asked && try == 0 && r == nil {
		return
	}
	p.readings[a] = nil
	if guess == nil {
		guess = p.guess(a)
	}
	reads, lay := p.accountReads(a, guess)
	p.ask(func(answers []chains.Answer) error {
		return p.takeAccount(a, guess, lay, try, answers)
	}, chains.Join(reads...)...)
}

func (p *pass) guess(a chains.Address) []int {
	if old := p.m.accounts[a]; old != nil {
		var out []int
		for i := range old.legs {
			out = append(out, old.legs[i].market)
		}
		return out
	}
	return p.m.hints[a]
}

// accountLay says which answers an account's reads bring, in order.
type accountLay struct {
	pool, vai  bool
	index      bool
	forced     bool
	slotLegs   []bool
	firstOfLeg []int
}

func (p *pass) accountReads(a chains.Address, guess []int) ([]chains.Read, accountLay) {
	c, t := p.m.settings.Comptroller, p.table
	lay := accountLay{pool: t.profile.Pools, vai: !t.vai.IsZero(), index: !p.m.can.Pinned, forced: t.profile.Pools}
	reads := []chains.Read{call(c, "getAssetsIn(address)", a.Word())}
	if lay.pool {
		reads = append(reads, call(c, "userPoolId(address)", a.Word()))
	}
	if lay.vai {
		reads = append(reads, call(c, "mintedVAIs(address)", a.Word()),
			call(t.vai, "pastVAIInterest(address)", a.Word()), call(t.vai, "getVAIMinterInterestIndex(address)", a.Word()))
	}
	for _, i := range guess {
		token := t.list[i].token
		lay.firstOfLeg = append(lay.firstOfLeg, len(reads))
		reads = append(reads, call(token, "getAccountSnapshot(address)", a.Word()))
		if lay.index {
			reads = append(reads, call(token, "borrowIndex()"))
		}
		if lay.forced {
			reads = append(reads, call(c, "isForcedLiquidationEnabledForUser(address,address)", a.Word(), token.Word()))
		}
		slots := p.m.can.Slots && t.layouts[i].known
		lay.slotLegs = append(lay.slotLegs, slots)
		if slots {
			at := abi.Slot(a.Word(), t.layouts[i].slot)
			reads = append(reads, chains.Slot(token, at), chains.Slot(token, abi.Offset(at, 1)))
		}
	}
	return reads, lay
}

func (p *pass) takeAccount(a chains.Address, guess []int, lay accountLay, try int, answers []chains.Answer) error {
	if answers[0].Failed {
		return fmt.Errorf("getAssetsIn(%s): the comptroller refused the call", p.m.id(a))
	}
	tokens, err := abi.List(answers[0].Data, 0)
	if err != nil {
		return fmt.Errorf("getAssetsIn(%s): %w", p.m.id(a), err)
	}
	entered, missing := p.places(tokens)
	if len(missing) > 0 {
		return p.askUnlisted(a, missing, try)
	}
	if !slices.Equal(entered, guess) {
		if try++; try > maxTries {
			p.failed[a] = true
			delete(p.readings, a)
			return nil
		}
		p.askAccount(a, nonNil(entered), try)
		return nil
	}
	r := &reading{at: answers[0].At}
	next := 1
	if lay.pool {
		id := orZero(answers[next])
		r.pool = id.Uint64()
		next++
	}
	if lay.vai {
		r.vai = vaiDebt{minted: orZero(answers[next]), past: orZero(answers[next+1]), index: orZero(answers[next+2])}
	}
	for k, market := range guess {
		l, err := p.takeLeg(market, lay, k, answers)
		if err != nil {
			return fmt.Errorf("read %s in %s: %w", p.m.id(a), p.table.list[market].tokenSymbol, err)
		}
		r.legs = append(r.legs, l)
	}
	p.readings[a] = r
	return nil
}

func nonNil(x []int) []int {
	if x == nil {
		return []int{}
	}
	return x
}

// places are the rows of cTokens; missing are those that have none yet.
func (p *pass) places(tokens []chains.Hash) (rows []int, missing []chains.Address) {
	for _, w := range tokens {
		if i := p.table.find(w.Address()); i >= 0 {
			rows = append(rows, i)
		} else {
			missing = append(missing, w.Address())
		}
	}
	return rows, missing
}

// askUnlisted learns markets that an account is in although the comptroller no
// longer lists them: their collateral and debts still count.
func (p *pass) askUnlisted(a chains.Address, missing []chains.Address, try int) error {
	waiting := len(missing)
	for _, token := range missing {
		p.askListing(token, uint256.Int{}, func(int) {
			if waiting--; waiting == 0 {
				p.askAccount(a, nil, try+1)
			}
		})
	}
	return nil
}

func (p *pass) takeLeg(market int, lay accountLay, k int, answers []chains.Answer) (rawLeg, error) {
	l := rawLeg{market: market}
	next := lay.firstOfLeg[k]
	snapshot := answers[next]
	if snapshot.Failed {
		return l, fmt.Errorf("getAccountSnapshot: the contract refused the call")
	}
	code, err := abi.Number(snapshot.Data, 0)
	if err != nil {
		return l, fmt.Errorf("getAccountSnapshot: %w", err)
	}
	if !code.IsZero() {
		return l, fmt.Errorf("getAccountSnapshot: error code %s", code.Dec())
	}
	if l.tokens, err = abi.Number(snapshot.Data, 1); err != nil {
		return l, fmt.Errorf("getAccountSnapshot: %w", err)
	}
	if l.borrow, err = abi.Number(snapshot.Data, 2); err != nil {
		return l, fmt.Errorf("getAccountSnapshot: %w", err)
	}
	next++
	if lay.index {
		if l.index, err = number(answers[next], "borrowIndex()"); err != nil {
			return l, err
		}
		next++
	}
	if lay.forced {
		l.forced = isTrue(answers[next])
		next++
	}
	if lay.slotLegs[k] {
		l.principal, l.interestIndex, l.slots = orZero(answers[next]), orZero(answers[next+1]), true
	}
	return l, nil
}

// resolve puts every debt read into principal and interest index, by whichever
// source agrees with the debt as read: storage, the account's last log, or what
// was known before. Where none does, the debt and the index at reading stand in.
func (p *pass) resolve() {
	for a, r := range p.readings {
		if r == nil || r.done != nil {
			continue
		}
		done := &account{address: a, pool: r.pool, vai: r.vai, read: r.at}
		for i := range r.legs {
			done.legs = append(done.legs, p.resolveLeg(a, &r.legs[i]))
		}
		r.done = done
	}
}

func (p *pass) resolveLeg(a chains.Address, raw *rawLeg) leg {
	l := leg{market: raw.market, tokens: raw.tokens, forced: raw.forced}
	if raw.borrow.IsZero() {
		return l
	}
	index := raw.index
	if index.IsZero() {
		index = p.table.states[raw.market].index
	}
	fits := func(principal, interestIndex *uint256.Int) bool {
		if interestIndex.IsZero() {
			return false
		}
		b := borrowed(principal, &index, interestIndex)
		return b == raw.borrow
	}
	take := func(principal, interestIndex *uint256.Int) leg {
		l.principal, l.interestIndex = *principal, *interestIndex
		return l
	}
	if raw.slots && fits(&raw.principal, &raw.interestIndex) {
		return take(&raw.principal, &raw.interestIndex)
	}
	past := func(undone bool) bool {
		for _, d := range slices.Backward(p.m.debts[a]) {
			if d.market == raw.market && d.undone == undone && fits(&d.principal, &d.interestIndex) {
				take(&d.principal, &d.interestIndex)
				return true
			}
		}
		return false
	}
	if past(false) || p.sameAsBefore(a, raw.market, fits, take) || past(true) {
		return l
	}
	l.inexact = true
	return take(&raw.borrow, &index)
}

// sameAsBefore takes an account's debt as it was known, where it still fits.
func (p *pass) sameAsBefore(a chains.Address, market int, fits func(*uint256.Int, *uint256.Int) bool, take func(*uint256.Int, *uint256.Int) leg) bool {
	old := p.m.accounts[a]
	if old == nil {
		return false
	}
	for i := range old.legs {
		if o := &old.legs[i]; o.market == market && !o.inexact && fits(&o.principal, &o.interestIndex) {
			take(&o.principal, &o.interestIndex)
			return true
		}
	}
	return false
}

// now is an account as this pass has it.
func (p *pass) now(a chains.Address) *account {
	if r := p.readings[a]; r != nil && r.done != nil {
		return r.done
	}
	return p.m.accounts[a]
}
