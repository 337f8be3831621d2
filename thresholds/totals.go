package thresholds

import (
	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/protocols"
)

// Totals adds up positions. Money is in USD and exact: sums of the protocol's own
// integers times what its quote currency is worth.
type Totals struct {
	// Accounts counts position keys (market, position id), each once.
	Accounts int `json:"accounts"`
	// Owners counts distinct owners; a position without a known owner is its own.
	Owners int `json:"owners"`
	// AtRiskUSD is all collateral that counts, unweighted.
	AtRiskUSD decimal.Decimal `json:"at_risk_usd"`
	// SeizableUSD is the largest single liquidation call per position, summed.
	SeizableUSD decimal.Decimal `json:"seizable_usd"`
	// DebtUSD is what is owed.
	DebtUSD decimal.Decimal `json:"debt_usd"`
	// BadDebtUSD is the debt that the collateral, less the bonus, no longer covers.
	BadDebtUSD decimal.Decimal `json:"bad_debt_usd"`
}

// MarketTotals are the totals of one market's positions.
type MarketTotals struct {
	Market string `json:"market"`
	Totals
}

// AssetRisk is the collateral of one symbol. Markets are added up by symbol.
type AssetRisk struct {
	Symbol    string          `json:"symbol"`
	Amount    decimal.Decimal `json:"amount"`
	AtRiskUSD decimal.Decimal `json:"at_risk_usd"`
}

// Largest is one of the largest positions of a set.
type Largest struct {
	Market    string          `json:"market"`
	Position  string          `json:"position"`
	AtRiskUSD decimal.Decimal `json:"at_risk_usd"`
	// Trigger is where it becomes liquidatable, on the side the set is about; nil
	// when it has none there.
	Trigger *decimal.Decimal `json:"trigger"`
}

// Key names a position for people and for the store.
type Key struct {
	Market   string `json:"market"`
	Position string `json:"position"`
}

// Ref names a position within one ladder.
type Ref struct{ Market, Position int32 }

// money adds raw quote units first and turns them into USD once: integer
// addition is exact, cheap, and independent of the order.
type money struct {
	atRisk, seizable, debt, badDebt uint256.Int
}

func (m *money) add(f *protocols.Figures) {
	m.atRisk.Add(&m.atRisk, &f.AtRisk)
	m.seizable.Add(&m.seizable, &f.Seizable)
	m.debt.Add(&m.debt, &f.Debt)
	m.badDebt.Add(&m.badDebt, &f.BadDebt)
}

func (m *money) join(o *money) {
	m.atRisk.Add(&m.atRisk, &o.atRisk)
	m.seizable.Add(&m.seizable, &o.seizable)
	m.debt.Add(&m.debt, &o.debt)
	m.badDebt.Add(&m.badDebt, &o.badDebt)
}

// tally collects one set of positions.
type tally struct{ markets []marketTally } // by number in the ladder

type marketTally struct {
	positions []int32
	byUSD     []rated // one entry per distinct worth of the quote currency
}

// rated are sums valued at one QuoteUSD. At a stated price it is one per market;
// valued each at its own trigger, a quote currency that moves gives several.
type rated struct {
	quoteUSD decimal.Decimal
	sums     money
}

func (t *tally) market(k int32) *marketTally {
	for len(t.markets) <= int(k) {
		t.markets = append(t.markets, marketTally{})
	}
	return &t.markets[k]
}

func (t *tally) add(r Ref, f *protocols.Figures, quoteUSD decimal.Decimal) {
	mt := t.market(r.Market)
	mt.positions = append(mt.positions, r.Position)
	mt.money(quoteUSD).add(f)
}

// join takes over what another has collected.
func (t *tally) join(o *tally) {
	for k := range o.markets {
		from, to := &o.markets[k], t.market(int32(k))
		to.positions = append(to.positions, from.positions...)
		for i := range from.byUSD {
			to.money(from.byUSD[i].quoteUSD).join(&from.byUSD[i].sums)
		}
	}
}

func (mt *marketTally) money(quoteUSD decimal.Decimal) *money {
	// Only the last is compared: neighbours are valued alike, or all differ.
	if n := len(mt.byUSD); n > 0 && mt.byUSD[n-1].quoteUSD.Equal(quoteUSD) {
		return &mt.byUSD[n-1].sums
	}
	mt.byUSD = append(mt.byUSD, rated{quoteUSD: quoteUSD})
	return &mt.byUSD[len(mt.byUSD)-1].sums
}

func (mt *marketTally) totals(quoteDecimals int32) Totals {
	t := Totals{Accounts: len(mt.positions)}
	for i := range mt.byUSD {
		s, p := &mt.byUSD[i].sums, protocols.Prices{QuoteUSD: mt.byUSD[i].quoteUSD}
		t.AtRiskUSD = t.AtRiskUSD.Add(p.USD(&s.atRisk, quoteDecimals))
		t.SeizableUSD = t.SeizableUSD.Add(p.USD(&s.seizable, quoteDecimals))
		t.DebtUSD = t.DebtUSD.Add(p.USD(&s.debt, quoteDecimals))
		t.BadDebtUSD = t.BadDebtUSD.Add(p.USD(&s.badDebt, quoteDecimals))
	}
	return t
}

// totals adds up all markets; byMarket are those with any position, by name.
func (t *tally) totals(p *people) (Totals, []MarketTotals) {
	var out Totals
	byMarket := []MarketTotals{}
	positions := make([][]int32, len(p.markets))
	for i := range t.markets { // markets are sorted by name
		mt, m := &t.markets[i], p.markets[i]
		if len(mt.positions) == 0 {
			continue
		}
		one := mt.totals(m.quoteDecimals)
		alone := make([][]int32, len(p.markets))
		alone[i], positions[i] = mt.positions, mt.positions
		one.Owners = p.distinct(alone)
		byMarket = append(byMarket, MarketTotals{m.name, one})
		out.Accounts += one.Accounts
		out.AtRiskUSD = out.AtRiskUSD.Add(one.AtRiskUSD)
		out.SeizableUSD = out.SeizableUSD.Add(one.SeizableUSD)
		out.DebtUSD = out.DebtUSD.Add(one.DebtUSD)
		out.BadDebtUSD = out.BadDebtUSD.Add(one.BadDebtUSD)
	}
	switch len(byMarket) {
	case 0:
	case 1:
		out.Owners = byMarket[0].Owners
	default:
		out.Owners = p.distinct(positions)
	}
	return out, byMarket
}

func (t *tally) accounts() int {
	n := 0
	for i := range t.markets {
		n += len(t.markets[i].positions)
	}
	return n
}
