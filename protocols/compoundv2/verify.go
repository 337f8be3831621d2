package compoundv2

import (
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// Verify compares every position with getAccountLiquidity, and the debts with each
// market's totalBorrows. Where reads cannot be pinned, the account is read again
// together with the comptroller's answer, at one block, and the answer held
// against what our arithmetic makes of that reading.
func (m *Market) Verify(report *protocols.Report) protocols.Step {
	report.Market = m.Name()
	if m.book == nil {
		return protocols.Step{Then: func([]chains.Answer) (protocols.Step, error) {
			return protocols.Step{}, fmt.Errorf("verify %s: nothing has been read yet", m.Name())
		}}
	}
	b := m.book
	report.Block, report.Positions = b.block, b.Len()
	var wants []chains.Read
	var firsts []int
	for _, a := range b.positions {
		firsts = append(firsts, len(wants))
		wants = append(wants, m.verifyReads(a)...)
	}
	return protocols.Step{Wants: wants, Then: func(answers []chains.Answer) (protocols.Step, error) {
		firsts = append(firsts, len(answers))
		for i, a := range b.positions {
			if err := m.verifyOne(b, i, a, answers[firsts[i]:firsts[i+1]], report); err != nil {
				return protocols.Step{}, fmt.Errorf("verify %s: %w", b.ID(i), err)
			}
		}
		m.verifySums(b, report)
		return protocols.Step{}, nil
	}}
}

func (m *Market) verifyReads(a *account) []chains.Read {
	t := m.table
	reads := []chains.Read{call(m.settings.Comptroller, "getAccountLiquidity(address)", a.address.Word())}
	if m.can.Pinned {
		return reads
	}
	for i := range a.legs {
		token := t.list[a.legs[i].market].token
		reads = append(reads, call(token, "getAccountSnapshot(address)", a.address.Word()),
			call(token, "borrowIndex()"), call(t.oracle, "getUnderlyingPrice(address)", token.Word()))
	}
	return chains.Join(reads...)
}

func (m *Market) verifyOne(b *book, i int, a *account, answers []chains.Answer, report *protocols.Report) error {
	t, prices, states, held := b.table, b.now.Raw, b.table.states, a
	if !m.can.Pinned {
		fresh, err := m.reread(b, a, answers[1:])
		if err != nil {
			return err
		}
		t, prices, states, held = fresh.table, fresh.table.prices, fresh.table.states, fresh.account
		if !fresh.same {
			if at := answers[0].At; at != nil && at.Number <= b.block.Number {
				report.Differences = append(report.Differences, protocols.Difference{
					Position: b.ID(i), Field: "state", Ours: a.describe(b.table), Chain: held.describe(t),
				})
			}
			// It changed after the book: the logs of those blocks will say so, or the
			// next refresh reports it.
			m.noted[a.address] = true
			if at := answers[0].At; at != nil {
				m.suspects[a.address] = at.Number
			}
		}
	}
	s := t.sum(held, prices, states)
	if refused(answers[0]) {
		if s.priced {
			report.Differences = append(report.Differences, protocols.Difference{Position: b.ID(i), Field: "priced", Ours: "yes", Chain: "no"})
		}
		return nil
	}
	liquidity, err := abi.Number(answers[0].Data, 1)
	if err != nil {
		return fmt.Errorf("getAccountLiquidity: %w", err)
	}
	shortfall, err := abi.Number(answers[0].Data, 2)
	if err != nil {
		return fmt.Errorf("getAccountLiquidity: %w", err)
	}
	ours, oursShort := s.liquidity()
	compare(report, b.ID(i), "liquidity", &ours, &liquidity)
	compare(report, b.ID(i), "shortfall", &oursShort, &shortfall)
	if !s.priced {
		report.Differences = append(report.Differences, protocols.Difference{Position: b.ID(i), Field: "priced", Ours: "no", Chain: "yes"})
	}
	return nil
}

// refused: the comptroller reverted or answered an error code such as PRICE_ERROR.
func refused(a chains.Answer) bool {
	return a.Failed || isTrue(a)
}

func compare(report *protocols.Report, id, field string, ours, chain *uint256.Int) {
	if *ours != *chain {
		report.Differences = append(report.Differences, protocols.Difference{Position: id, Field: field, Ours: ours.Dec(), Chain: chain.Dec()})
	}
}

// fresh is an account read again, with the markets and prices of that block.
type fresh struct {
	table   *table
	account *account
	same    bool
}

func (m *Market) reread(b *book, a *account, answers []chains.Answer) (fresh, error) {
	out := fresh{table: b.table.clone(), account: &account{address: a.address, pool: a.pool, vai: a.vai}, same: true}
	for k := range a.legs {
		old := a.legs[k]
		snapshot := answers[3*k]
		var words [4]uint256.Int
		for w := range words {
			x, err := abi.Number(snapshot.Data, w)
			if err != nil || snapshot.Failed {
				return fresh{}, fmt.Errorf("getAccountSnapshot: no usable answer")
			}
			words[w] = x
		}
		index, err := number(answers[3*k+1], "borrowIndex()")
		if err != nil {
			return fresh{}, err
		}
		out.table.states[old.market].rate = words[3]
		out.table.states[old.market].index = index
		out.table.prices[old.market] = orZero(answers[3*k+2])
		owed := borrowed(&old.principal, &index, &old.interestIndex)
		near := owed == words[2] || old.inexact && distance(&owed, &words[2]).LtUint64(3)
		out.same = out.same && words[1] == old.tokens && near
		l := leg{market: old.market, tokens: words[1], forced: old.forced, principal: words[2], interestIndex: index}
		out.account.legs = append(out.account.legs, l)
	}
	return out, nil
}

func distance(x, y *uint256.Int) *uint256.Int {
	if x.Lt(y) {
		x, y = y, x
	}
	return new(uint256.Int).Sub(x, y)
}

// describe lists an account's legs for a report.
func (a *account) describe(t *table) string {
	out := ""
	for i := range a.legs {
		l := &a.legs[i]
		owed := t.debt(l)
		out += fmt.Sprintf("%s tokens=%s debt=%s ", t.list[l.market].Symbol, l.tokens.Dec(), owed.Dec())
	}
	return out
}

func (m *Market) verifySums(b *book, report *protocols.Report) {
	p := &pass{m: m, at: b.block, table: b.table}
	for _, s := range p.sums() {
		if b.table.list[s.market].vai {
			continue
		}
		report.Sums = append(report.Sums, protocols.Sum{
			Asset: b.table.list[s.market].Symbol, Ours: s.ours.Dec(), Chain: s.chain.Dec(), Slack: s.room.Dec(),
		})
	}
}
