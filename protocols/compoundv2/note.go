package compoundv2

import (
	"slices"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// Note remembers what logs touched.
func (m *Market) Note(logs []chains.Log) {
	for _, l := range logs {
		if len(l.Topics) == 0 || m.table == nil {
			continue
		}
		switch l.Address {
		case m.settings.Comptroller:
			m.noteComptroller(l)
		case m.table.poster:
			m.notePosting(l)
		case m.table.vai:
			m.noteVAI(l)
		default:
			if i := m.table.find(l.Address); i >= 0 {
				m.noteToken(i, l)
			}
		}
	}
}

func (m *Market) noteComptroller(l chains.Log) {
	switch l.Topics[0] {
	case topicEntered, topicExited:
		token, ok := addressAt(l, 0)
		a, ok2 := addressAt(l, 1)
		if !ok || !ok2 {
			return
		}
		switch {
		case m.known[a]:
		case m.table.find(token) < 0:
			// A market listed only just now, whose own logs are not followed yet.
			m.borrower(a)
		default:
			m.entered[a] = true
		}
		m.hint(a, m.table.find(token), l.Topics[0] == topicEntered)
		m.touchDebtor(a)
	case topicPool:
		if a, ok := poolAccount(l); ok {
			m.touchDebtor(a)
		}
	case topicForcedUser:
		if a, ok := addressAt(l, 0); ok {
			m.touchDebtor(a)
		}
	default:
		m.reshaped = m.reshaped || slices.Contains(parameterTopics, l.Topics[0])
	}
}

// hint keeps the entered markets of an account that is not read yet, so that its
// first reading need not ask for them first.
func (m *Market) hint(a chains.Address, market int, in bool) {
	if market < 0 || m.accounts[a] != nil {
		return
	}
	at := slices.Index(m.hints[a], market)
	switch {
	case in && at < 0:
		m.hints[a] = append(m.hints[a], market)
	case !in && at >= 0:
		m.hints[a] = slices.Delete(slices.Clone(m.hints[a]), at, at+1)
	}
}

// touch marks a borrower to be read again, whose debt may have changed.
func (m *Market) touch(a chains.Address) {
	if m.known[a] {
		m.noted[a] = true
		delete(m.suspects, a)
	}
}

// touchDebtor marks an account whose collateral changed. Who owes nothing has
// nothing that could be liquidated, and is read again when it borrows.
func (m *Market) touchDebtor(a chains.Address) {
	if old := m.accounts[a]; old == nil || old.hasDebt() {
		m.touch(a)
	}
}

func (m *Market) noteVAI(l chains.Log) {
	who := map[chains.Hash]int{topicMintVAI: 0, topicRepayVAI: 1, topicLiquidateVAI: 1}
	i, ok := who[l.Topics[0]]
	if !ok {
		return
	}
	if a, ok := addressAt(l, i); ok {
		m.borrower(a)
		m.touch(a)
	}
}

func (m *Market) notePosting(l chains.Log) {
	if l.Topics[0] != topicPosted {
		return
	}
	asset, ok := addressAt(l, 0)
	requested, ok2 := numberAt(l, 2)
	taken, ok3 := numberAt(l, 3)
	if !ok || !ok2 || !ok3 {
		return
	}
	for i := range m.table.list {
		if x := &m.table.list[i]; x.Address == asset || x.token == asset {
			postings := map[int]posting{}
			for k, v := range m.table.postings {
				postings[k] = v
			}
			postings[i] = posting{requested: requested, taken: taken, block: l.Block}
			m.table = m.table.clone()
			m.table.postings = postings
		}
	}
}

// noteToken takes a log of a cToken. Any of them may have moved the market itself.
func (m *Market) noteToken(i int, l chains.Log) {
	m.touched[i] = true
	switch l.Topics[0] {
	case topicBorrow, topicBorrowIndexed:
		if a, ok := addressAt(l, 0); ok {
			m.borrower(a)
			m.noteDebt(i, a, l, 2, 4)
		}
	case topicRepay, topicRepayIndexed:
		if a, ok := addressAt(l, 1); ok {
			m.borrower(a)
			m.noteDebt(i, a, l, 3, 5)
		}
	case topicLiquidate:
		m.touchArguments(l, 0, 1)
	case topicTransfer:
		m.touchArguments(l, 0, 1)
	case topicTokenBalance:
		m.touchArguments(l, 0)
	case topicReserveFactor, topicRateModel, topicImplementation:
		m.reshaped = true
	}
}

func (m *Market) touchArguments(l chains.Log, arguments ...int) {
	for _, i := range arguments {
		if a, ok := addressAt(l, i); ok {
			m.touchDebtor(a)
		}
	}
}

// noteDebt keeps accountBorrows and borrowIndex of a log, which are the account's
// principal and interest index from then on. JustLend's logs carry both.
func (m *Market) noteDebt(market int, a chains.Address, l chains.Log, principal, index int) {
	m.touch(a)
	m.hint(a, market, true)
	if !m.profile.IndexInLogs {
		return
	}
	p, ok := numberAt(l, principal)
	i, ok2 := numberAt(l, index)
	if ok && ok2 {
		m.keepDebt(a, debtNote{market: market, principal: p, interestIndex: i, block: l.BlockHash, index: l.Index})
	}
}

// keepDebt adds a debt to an account's past. A log that comes a second time is most
// likely one that a fork took back, and a third time one that is on the chain after
// all: its debt is believed last, but not forgotten.
func (m *Market) keepDebt(a chains.Address, d debtNote) {
	kept := slices.Clone(m.debts[a])
	if d.block != (chains.Hash{}) {
		if at := slices.IndexFunc(kept, func(x debtNote) bool { return x.block == d.block && x.index == d.index }); at >= 0 {
			kept[at].undone = !kept[at].undone
			m.debts[a] = kept
			return
		}
	}
	kept = append(kept, d)
	count := 0
	for i := len(kept) - 1; i >= 0; i-- {
		if kept[i].market != d.market {
			continue
		}
		if count++; count > notesKept {
			kept = slices.Delete(kept, i, i+1)
		}
	}
	m.debts[a] = kept
}

// Liquidations decodes LiquidateBorrow. What is seized is valued at the exchange
// rate and the prices of the book.
func (m *Market) Liquidations(logs []chains.Log) []protocols.Liquidation {
	var out []protocols.Liquidation
	if m.table == nil {
		return nil
	}
	for _, l := range logs {
		if len(l.Topics) == 0 {
			continue
		}
		debt := m.table.find(l.Address)
		switch {
		case debt >= 0 && l.Topics[0] == topicLiquidate:
		case l.Address == m.table.vai && l.Topics[0] == topicLiquidateVAI && m.table.vaiPlace() >= 0:
			debt = m.table.vaiPlace()
		default:
			continue
		}
		if one, ok := m.liquidation(l, debt); ok {
			out = append(out, one)
		}
	}
	return out
}

func (m *Market) liquidation(l chains.Log, debt int) (protocols.Liquidation, bool) {
	borrower, ok := addressAt(l, 1)
	repaid, ok2 := numberAt(l, 2)
	token, ok3 := addressAt(l, 3)
	seized, ok4 := numberAt(l, 4)
	if !ok || !ok2 || !ok3 || !ok4 {
		return protocols.Liquidation{}, false
	}
	t := m.table
	one := protocols.Liquidation{
		Market: m.Name(), Position: m.id(borrower), Block: l.Block, Tx: l.Tx, LogIndex: l.Index,
		Debt: t.list[debt].Symbol, Repaid: protocols.Amount{Raw: repaid, Decimals: t.list[debt].Decimals},
	}
	one.RepaidQuote = t.quote(debt, &repaid)
	collateral := t.find(token)
	if collateral < 0 {
		one.Collateral, one.Seized = m.id(token), protocols.Amount{Raw: seized, Decimals: 8}
		return one, true
	}
	amount := truncated(&t.states[collateral].rate, &seized)
	one.Collateral, one.Seized = t.list[collateral].Symbol, protocols.Amount{Raw: amount, Decimals: t.list[collateral].Decimals}
	one.SeizedQuote = t.quote(collateral, &amount)
	one.Short = !t.classes[debt].stable() && t.classes[collateral].stable()
	return one, true
}

// quote values an amount of a market's underlying; nil without a price.
func (t *table) quote(market int, amount *uint256.Int) *protocols.Amount {
	if t.prices[market].IsZero() {
		return nil
	}
	return &protocols.Amount{Raw: truncated(&t.prices[market], amount), Decimals: t.unitDigits}
}

// id is an account as people of the chain write it.
func (m *Market) id(a chains.Address) string {
	if m.can.Base58 {
		return a.Base58()
	}
	return a.String()
}
