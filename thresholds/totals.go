package thresholds

import (
	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/chains"
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

// tally collects one set of positions.
type tally struct {
	accounts int
	owners   map[owner]struct{}
	markets  map[int32]*marketTally
}

type marketTally struct {
	accounts int
	owners   map[owner]struct{}
	byUSD    []rated // one entry per distinct worth of the quote currency
}

// rated are sums valued at one QuoteUSD. At a stated price it is one per market;
// valued each at its own trigger, a quote currency that moves gives several.
type rated struct {
	quoteUSD decimal.Decimal
	sums     money
}

// owner is the person behind a position, or the position where nobody is known.
type owner struct {
	who  chains.Address
	self Ref
}

func ownerOf(a chains.Address, r Ref) owner {
	if a.IsZero() {
		return owner{self: Ref{r.Market + 1, r.Position}}
	}
	return owner{who: a}
}

func newTally() *tally {
	return &tally{owners: map[owner]struct{}{}, markets: map[int32]*marketTally{}}
}

func (t *tally) add(m *market, r Ref, f *protocols.Figures, quoteUSD decimal.Decimal) {
	o := ownerOf(m.book.Owner(int(r.Position)), r)
	t.accounts++
	t.owners[o] = struct{}{}
	mt := t.markets[r.Market]
	if mt == nil {
		mt = &marketTally{owners: map[owner]struct{}{}}
		t.markets[r.Market] = mt
	}
	mt.accounts++
	mt.owners[o] = struct{}{}
	mt.money(quoteUSD).add(f)
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
	t := Totals{Accounts: mt.accounts, Owners: len(mt.owners)}
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
func (t *tally) totals(markets []*market) (Totals, []MarketTotals) {
	out := Totals{Accounts: t.accounts, Owners: len(t.owners)}
	byMarket := []MarketTotals{}
	for i, m := range markets { // markets are sorted by name
		mt := t.markets[int32(i)]
		if mt == nil {
			continue
		}
		one := mt.totals(m.quoteDecimals)
		byMarket = append(byMarket, MarketTotals{m.name, one})
		out.AtRiskUSD = out.AtRiskUSD.Add(one.AtRiskUSD)
		out.SeizableUSD = out.SeizableUSD.Add(one.SeizableUSD)
		out.DebtUSD = out.DebtUSD.Add(one.DebtUSD)
		out.BadDebtUSD = out.BadDebtUSD.Add(one.BadDebtUSD)
	}
	return out, byMarket
}
