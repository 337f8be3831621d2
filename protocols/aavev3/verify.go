package aavev3

import (
	"errors"
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// Verify implements [protocols.Market]: all six integers of getUserAccountData for
// every position, and the sum of scaled debts against each debt token's
// scaledTotalSupply, all by views, never by the slots the book was made from.
func (m *Market) Verify(report *protocols.Report) protocols.Step {
	if m.book == nil {
		return protocols.Step{Then: func([]chains.Answer) (protocols.Step, error) {
			return protocols.Step{}, errors.New("verify " + m.where.Name + ": there is no book yet")
		}}
	}
	b := m.book
	*report = protocols.Report{Market: m.where.Name, Block: b.at, Positions: b.Len()}
	var r round
	reads := make([]chains.Read, b.Len())
	for i := range reads {
		reads[i] = chains.View(b.shape.pool, abi.Call("getUserAccountData(address)", b.Owner(i).Word()))
	}
	r.bulk(reads, func(answers []chains.Answer) error {
		for i := range answers {
			b.verifyOne(i, answers[i], report)
		}
		return nil
	})
	for i := range b.table.res {
		res := &b.table.res[i]
		r.view(res.debtToken, abi.Call("scaledTotalSupply()"), "scaledTotalSupply", func(data []byte) error {
			chain, err := abi.Number(data, 0)
			ours := b.debts[uint8(res.id)]
			report.Sums = append(report.Sums, protocols.Sum{Asset: res.symbol, Ours: ours.Dec(), Chain: chain.Dec()})
			return err
		})
	}
	s := r.step(func() (protocols.Step, error) { return protocols.Step{}, nil })
	then := s.Then
	s.Then = func(answers []chains.Answer) (protocols.Step, error) {
		next, err := then(answers)
		if err != nil {
			err = fmt.Errorf("verify %s at block %d: %w", m.where.Name, b.at.Number, err)
		}
		return next, err
	}
	return s
}

func (b *Book) verifyOne(i int, answer chains.Answer, report *protocols.Report) {
	differ := func(field, ours, chain string) {
		report.Differences = append(report.Differences, protocols.Difference{Position: b.ID(i), Field: field, Ours: ours, Chain: chain})
	}
	if answer.Failed {
		if !b.Unpriced(i) {
			differ("getUserAccountData", "an answer", "a revert")
		}
		return
	}
	a := b.shelf.account(i)
	data := b.table.accountData(&a, b.prices.Raw)
	for f, ours := range data.fields() {
		chain, err := abi.Number(answer.Data, f)
		if err != nil {
			differ(fieldNames[f], ours.Dec(), err.Error())
			continue
		}
		if *ours != chain {
			differ(fieldNames[f], ours.Dec(), chain.Dec())
		}
	}
	c, k := b.shelf.at(i)
	if health := data.health.Lt(wad); health != b.table.isLiquidatable(c, k, b.prices.Raw) {
		differ("liquidatable", fmt.Sprint(!health), fmt.Sprint(health))
	}
}

// Liquidations implements [protocols.Market].
func (m *Market) Liquidations(logs []chains.Log) []protocols.Liquidation {
	var out []protocols.Liquidation
	if m.shape == nil {
		return nil
	}
	for i := range logs {
		l := &logs[i]
		if l.Address != m.shape.pool || len(l.Topics) < 4 || l.Topics[0] != topicLiquidation || len(l.Data) < 128 {
			continue
		}
		out = append(out, m.liquidation(l))
	}
	return out
}

func (m *Market) liquidation(l *chains.Log) protocols.Liquidation {
	repaid, _ := abi.Number(l.Data, 0)
	seized, _ := abi.Number(l.Data, 1)
	out := protocols.Liquidation{
		Market: m.where.Name, Position: topic(l, 3).String(), Block: l.Block, Tx: l.Tx, LogIndex: l.Index,
	}
	var c, d *reserve
	c, out.Collateral, out.Seized, out.SeizedQuote = m.quote(topic(l, 1), &seized)
	d, out.Debt, out.Repaid, out.RepaidQuote = m.quote(topic(l, 2), &repaid)
	if c != nil && d != nil && m.book != nil {
		out.Short = !m.book.volatile(c) && m.book.volatile(d)
	}
	return out
}

// quote values an amount of an asset at the book's prices.
func (m *Market) quote(asset chains.Address, amount *uint256.Int) (*reserve, string, protocols.Amount, *protocols.Amount) {
	res := m.shape.reserves
	if m.book != nil {
		res = m.book.table.res
	}
	for i := range res {
		r := &res[i]
		if r.asset != asset {
			continue
		}
		out := protocols.Amount{Raw: *amount, Decimals: int32(r.decimals)}
		if m.book == nil || m.book.prices.Raw[i].IsZero() {
			return r, r.symbol, out, nil
		}
		q := protocols.Amount{Decimals: m.shape.quoteDecimals}
		set(&q.Raw, mulDiv(amount.ToBig(), m.book.prices.Raw[i].ToBig(), r.unit.ToBig(), down))
		return r, r.symbol, out, &q
	}
	return nil, asset.String(), protocols.Amount{Raw: *amount}, nil
}

// volatile reports that a reserve's price moves with the market.
func (b *Book) volatile(r *reserve) bool {
	for _, s := range b.sheet.Explain("market") {
		if s.Symbol == r.symbol {
			return s.Moves
		}
	}
	return false
}
