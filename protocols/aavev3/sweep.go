package aavev3

import (
	"fmt"
	"maps"
	"strings"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// check is one account whose own view a full refresh reads, to prove that the
// profile chosen by revision is the one deployed.
type check struct {
	key  chains.Address
	view [6]uint256.Int
}

// checkedAccounts is how many accounts a full refresh checks so, of all that ever
// borrowed: some may have no debt any more.
const checkedAccounts = 16

// wantChecks asks getUserAccountData of a few accounts spread over all.
func (p *pass) wantChecks(r *round) {
	if p.checks = nil; p.scope != protocols.Everything {
		return
	}
	n := min(checkedAccounts, len(p.read))
	p.checks = make([]check, n)
	for c := range p.checks {
		p.checks[c].key = p.read[c*len(p.read)/n].key
		readAccountData(r, p.shape.pool, p.checks[c].key, &p.checks[c].view)
	}
}

// readAccountData asks the pool's own view; the answer stays zero where it reverts.
func readAccountData(r *round, pool, of chains.Address, dst *[6]uint256.Int) {
	r.ask(chains.View(pool, abi.Call("getUserAccountData(address)", of.Word())), func(a chains.Answer) error {
		for i := range dst {
			if x, err := abi.Number(a.Data, i); err == nil && !a.Failed {
				dst[i] = x
			}
		}
		return nil
	})
}

// judge compares the checked accounts.
func (p *pass) judge(b *Book) {
	for _, c := range p.checks {
		i, ok := b.shelf.find(c.key)
		if !ok || c.view == ([6]uint256.Int{}) || b.Unpriced(i) {
			continue
		}
		a := b.shelf.account(i)
		d := b.table.accountData(&a, b.prices.Raw)
		for f, ours := range d.fields() {
			if *ours != c.view[f] {
				p.fault("profile", fmt.Sprintf("%s of %s is %s by the pool and %s by the arithmetic of version %s: its numbers cannot be trusted",
					fieldNames[f], c.key, c.view[f].Dec(), ours.Dec(), p.shape.names()))
				return
			}
		}
	}
}

// compare finds what changed without a log, when everything was read.
func (p *pass) compare(old *shelf) {
	if p.scope != protocols.Everything || p.m.book == nil || p.shape != p.m.shape {
		return
	}
	missed, example := 0, ""
	for i := range p.read {
		a := &p.read[i]
		if _, touched := p.noted.accounts[a.key]; touched {
			continue
		}
		var before account
		if j, ok := old.find(a.key); ok {
			before = old.account(j)
		}
		if !sameAccount(&before, a) {
			missed++
			example = a.key.String()
		}
	}
	if missed > 0 {
		p.fault("missed-change", fmt.Sprintf("%d accounts changed without a log naming them, %s among them", missed, example))
	}
	p.compareReserves()
}

func sameAccount(a, b *account) bool {
	if len(a.legs) != len(b.legs) || len(a.legs) > 0 && a.mode != b.mode {
		return false
	}
	for i := range a.legs {
		if a.legs[i] != b.legs[i] {
			return false
		}
	}
	return true
}

func (p *pass) compareReserves() {
	for i := range p.res {
		before, now := &p.m.book.table.res[i], &p.res[i]
		if _, touched := p.noted.reserves[now.asset]; touched {
			continue
		}
		if before.state != now.state || before.params != now.params {
			p.fault("missed-change", fmt.Sprintf("the reserve of %s changed without a log naming it", now.symbol))
		}
	}
}

// debts are all scaled debts by reserve id: the old book's with the changes.
func (p *pass) debts(old *shelf) map[uint8]uint256.Int {
	sum := map[uint8]uint256.Int{}
	if p.m.book != nil {
		sum = maps.Clone(p.m.book.debts)
	}
	for i := range p.read {
		if j, ok := old.find(p.read[i].key); ok {
			before := old.account(j)
			addDebts(sum, &before, (*uint256.Int).Sub)
		}
		addDebts(sum, &p.read[i], (*uint256.Int).Add)
	}
	return sum
}

func addDebts(sum map[uint8]uint256.Int, a *account, op func(z, x, y *uint256.Int) *uint256.Int) {
	for i := range a.legs {
		if l := &a.legs[i]; l.side() == protocols.Debt {
			total, x := sum[l.id()], l.scaled.uint256()
			op(&total, &total, &x)
			sum[l.id()] = total
		}
	}
}

// sums compares all scaled debts with what the debt tokens say.
func (p *pass) sums(b *Book) {
	var off []string
	for i := range b.table.res {
		r := &b.table.res[i]
		if !r.stableSupply.IsZero() {
			p.fault("stable-debt", fmt.Sprintf("%s of %s is owed at stable rates, which this program does not read: the accounts that owe it are worse off than shown", r.stableSupply.Dec(), r.symbol))
		}
		if ours := b.debts[uint8(r.id)]; ours != r.scaledDebt {
			off = append(off, fmt.Sprintf("%s: %s instead of %s", r.symbol, ours.Dec(), r.scaledDebt.Dec()))
		}
	}
	if len(off) > 0 {
		p.fault("sum", "the debts known, in scaled units, are not what the debt tokens say ("+strings.Join(off, "; ")+
			"): borrowers are missing unless from_block is the pool's deployment or before, or the accounts file complete")
	}
}

// unpriced tells of assets without a price and of how many accounts hold them.
func (p *pass) unpriced(b *Book) {
	if !b.anyUnpriced {
		return
	}
	n := 0
	for i := range b.Len() {
		if b.Unpriced(i) {
			n++
		}
	}
	for i, a := range b.assets {
		if b.prices.Raw[i].IsZero() {
			p.fault("unpriced", fmt.Sprintf("the oracle has no price for %s; nothing can be said of the %d accounts that use an asset without price", a.Symbol, n))
		}
	}
}
