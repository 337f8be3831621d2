package backtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/holiman/uint256"
	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/inexact"
	"liqwatch/internal/backtest/notes"
	"liqwatch/internal/backtest/prices"
	"liqwatch/protocols"
	"liqwatch/protocols/sky"
)

// PathOptions are the question: today's positions on an old crash's prices.
type PathOptions struct {
	Axis, Reference string
	Name            string // of the path, for the report
	// Ticks are the old prices. Their first close is laid on today's price; from there
	// the axis moves by the same parts.
	Ticks []prices.Tick
	// Close overrides the close factors of protocols, by name.
	Close map[string]CloseRule
	// ImpactDepthUSD, when set, is how much collateral sold moves the price by 1 % for
	// good: a cascade. Nil leaves it out.
	ImpactDepthUSD *decimal.Decimal
	MinDebtUSD     decimal.Decimal
}

// CloseRule is how much of a debt one liquidation may repay.
type CloseRule struct {
	Part float64 // of the debt, at health just below 1
	// FullBelow is the health under which all may be repaid, FullBelowUSD the debt.
	FullBelow, FullBelowUSD float64
}

// CloseRules are the protocols' own, from their contracts: Pool's liquidation logic
// of Aave v3 (half of the debt above a health of 0.95 and 2,000 USD), Comptroller's
// closeFactorMantissa of Compound v2 as deployed, and Sky, which takes a vault whole.
func CloseRules() map[string]CloseRule {
	return map[string]CloseRule{
		"aave-v3":     {Part: 0.5, FullBelow: 0.95, FullBelowUSD: 2000},
		"compound-v2": {Part: 0.5},
		"sky":         {Part: 1},
	}
}

// defaultClose is assumed of a protocol that is not in the list.
var defaultClose = CloseRule{Part: 0.5}

// maxRounds bounds repeated partial liquidations of one account at one price.
const maxRounds = 64

// ErrShortPath: a path of less than two prices.
var ErrShortPath = errors.New("a path needs at least two prices")

// RunPath moves the axis along old prices and liquidates as the protocols would,
// again and again while an account stays unhealthy. It is a simulation: amounts are
// floats, interest stands still, and nobody adds collateral or repays.
func RunPath(books []protocols.Book, opt PathOptions) (*PathReport, error) {
	if len(opt.Ticks) < 2 || opt.Ticks[0].Close <= 0 {
		return nil, fmt.Errorf("run path %s: %w", opt.Name, ErrShortPath)
	}
	s := &pathRun{opt: opt, impact: 1, report: &PathReport{Axis: opt.Axis, Path: opt.Name, From: Time(opt.Ticks[0].Time),
		To: Time(opt.Ticks[len(opt.Ticks)-1].Time), ImpactDepthUSD: opt.ImpactDepthUSD}}
	if err := s.load(books); err != nil {
		return nil, fmt.Errorf("run path %s: %w", opt.Name, err)
	}
	base := opt.Ticks[0].Close.Float()
	for _, t := range opt.Ticks[1:] {
		s.tick(t.Time, t.Close.Float()/base)
	}
	return s.finish(), nil
}

// pathRun is one simulation.
type pathRun struct {
	opt     PathOptions
	markets []*pathMarket
	impact  float64 // what sales have made of the price so far
	report  *PathReport
	spot    float64
}

// pathMarket is one book on the axis.
type pathMarket struct {
	book     protocols.Book
	path     protocols.Path
	close    CloseRule
	units    []float64 // of each asset
	quote    float64   // USD of one quote unit
	accounts []*simulated
	prices   protocols.Prices
	value    []float64 // USD of one whole token, by asset
	perRaw   []float64 // USD of one whole token per unit of the raw price
}

// simulated is one account that liquidations change.
type simulated struct {
	id         string
	collateral []holding
	debt       []holding
	bonus      float64
	touched    bool
	index      int
	hit        int
	first      Time
}

type holding struct {
	asset             int
	amount, threshold float64
}

func (s *pathRun) load(books []protocols.Book) error {
	for _, b := range books {
		path, ok := b.Path(s.opt.Axis)
		if !ok {
			continue
		}
		m := &pathMarket{book: b, path: path, units: make([]float64, len(b.Assets())), value: make([]float64, len(b.Assets()))}
		rule, known := s.opt.Close[b.Protocol()]
		if !known {
			rule, known = CloseRules()[b.Protocol()]
		}
		if !known {
			rule = defaultClose
			s.report.notes.Add(notes.Assumption, "protocols without a close factor of their own here: half of the debt at once", b.Protocol())
		}
		m.close = rule
		for i, a := range b.Assets() {
			m.units[i] = pow10(a.Decimals)
		}
		m.quote = inexact.Float(b.Prices().QuoteUSD) / pow10(b.QuoteDecimals())
		m.learn()
		for i := range b.Len() {
			s.take(m, i)
		}
		s.markets = append(s.markets, m)
		if spot := path.Spot(); s.report.Reference == "" || b.Market() == s.opt.Reference {
			s.report.Reference = b.Market()
			s.spot = spot.Float64() / pow10(path.Decimals())
		}
	}
	if len(s.markets) == 0 {
		return fmt.Errorf("no market has the axis %s", s.opt.Axis)
	}
	s.report.Spot = inexact.Decimal(s.spot).Round(8)
	return nil
}

// take copies one position into the simulation.
func (s *pathRun) take(m *pathMarket, i int) {
	if m.book.Unpriced(i) {
		s.report.Unpriced++
		return
	}
	p := m.book.Position(i)
	debt := m.book.Prices().USD(&p.Debt, m.book.QuoteDecimals())
	if debt.LessThan(s.opt.MinDebtUSD) {
		s.report.Dust++
		return
	}
	a := &simulated{id: p.ID, index: i, bonus: -1}
	for _, leg := range p.Legs {
		if leg.Side == protocols.Collateral && !leg.Counts {
			continue
		}
		h := holding{leg.Asset, leg.Amount.Float64() / m.units[leg.Asset], inexact.Float(leg.Threshold)}
		if leg.Side == protocols.Debt {
			a.debt = append(a.debt, h)
		} else {
			a.collateral = append(a.collateral, h)
		}
	}
	s.report.Accounts++
	s.report.DebtUSD = s.report.DebtUSD.Add(debt)
	m.accounts = append(m.accounts, a)
}

func pow10(n int32) float64 { return inexact.Float(decimal.New(1, n)) }

// tick sets the price and liquidates until nothing more is to be done.
func (s *pathRun) tick(t uint64, factor float64) {
	h := PathHour{Time: Time(t)}
	for {
		sold := 0.0
		for _, m := range s.markets {
			m.move(factor * s.impact)
			for _, a := range m.accounts {
				sold += s.liquidate(m, a, &h)
			}
		}
		if s.opt.ImpactDepthUSD == nil || sold == 0 {
			break
		}
		// 1 % for every depth sold, and never to zero.
		s.impact *= 1 / (1 + 0.01*sold/inexact.Float(s.opt.ImpactDepthUSD))
	}
	h.Price = inexact.Decimal(s.spot * factor * s.impact).Round(2)
	for _, m := range s.markets {
		for _, a := range m.accounts {
			h.badDebt += a.badDebt(m)
		}
	}
	s.report.add(h)
}

// move reads every price through the market's own path.
func (m *pathMarket) move(factor float64) {
	spot := m.path.Spot()
	at := decimal.NewFromBigInt(spot.ToBig(), 0).Mul(inexact.Decimal(factor)).Truncate(0)
	place, over := uint256.FromBig(at.BigInt())
	if over {
		return
	}
	m.path.At(place, &m.prices)
	for i := range m.value {
		m.value[i] = m.prices.Raw[i].Float64() * m.perRaw[i]
	}
}

// learn finds what a unit of each raw price is worth in USD for one whole token: the
// scale is the protocol's own, so it is read off the book's figures.
func (m *pathMarket) learn() {
	now := m.book.Prices()
	m.perRaw = make([]float64, len(m.book.Assets()))
	var legs []protocols.LegValue
	for i := range m.book.Len() {
		legs = m.book.LegValues(i, now, legs[:0])
		for _, l := range legs {
			if m.perRaw[l.Asset] != 0 || l.Amount.IsZero() || l.Value.LtUint64(1_000_000) || now.Raw[l.Asset].IsZero() {
				continue
			}
			each := l.Value.Float64() * m.quote / (l.Amount.Float64() / m.units[l.Asset])
			m.perRaw[l.Asset] = each / now.Raw[l.Asset].Float64()
		}
	}
}

// liquidate repeats partial liquidations while the account is unhealthy and returns
// the USD of collateral sold.
func (s *pathRun) liquidate(m *pathMarket, a *simulated, h *PathHour) float64 {
	sold := 0.0
	for range maxRounds {
		debt, weighted, held := a.sums(m)
		if debt < 1e-9 || held < 1e-9 || !a.unhealthy(m, debt, weighted) {
			return sold
		}
		if a.bonus < 0 {
			a.bonus = s.bonusOf(m, a.index)
		}
		part := m.close.Part
		if weighted/debt < m.close.FullBelow || debt < m.close.FullBelowUSD {
			part = 1
		}
		repaid := min(debt*part, held/(1+a.bonus))
		seized := min(repaid*(1+a.bonus), held)
		shrink(a.debt, 1-repaid/debt)
		shrink(a.collateral, 1-seized/held)
		a.touched = true
		if a.hit == 0 {
			a.first = h.Time
			h.Accounts++
		}
		a.hit++
		h.Liquidations++
		h.repaid += repaid
		h.seized += seized
		sold += seized
	}
	return sold
}

// unhealthy asks the protocol's own predicate while the position is as it was read.
func (a *simulated) unhealthy(m *pathMarket, debt, weighted float64) bool {
	if !a.touched {
		return m.book.Liquidatable(a.index, m.prices)
	}
	return weighted < debt*(1-1e-12)
}

func (a *simulated) sums(m *pathMarket) (debt, weighted, held float64) {
	for _, d := range a.debt {
		debt += d.amount * m.value[d.asset]
	}
	for _, c := range a.collateral {
		v := c.amount * m.value[c.asset]
		held += v
		weighted += v * c.threshold
	}
	return debt, weighted, held
}

// badDebt is what is owed beyond all collateral.
func (a *simulated) badDebt(m *pathMarket) float64 {
	debt, _, held := a.sums(m)
	return max(0, debt-held)
}

func shrink(list []holding, by float64) {
	for i := range list {
		list[i].amount *= max(0, by)
	}
}

// usualBonus is taken where a market's figures imply none.
const usualBonus = 0.05

// bonusOf reads the liquidation bonus off the book: a vault's penalty, or what one
// call may seize over what it may repay, the smallest that a close factor explains.
func (s *pathRun) bonusOf(m *pathMarket, i int) float64 {
	if vaults, ok := m.book.(*sky.Book); ok {
		ilk := vaults.Ilk()
		return max(0, ilk.Chop.Float64()/1e18-1)
	}
	f := m.book.Figures(i, m.prices)
	debt, seizable := f.Debt.Float64(), f.Seizable.Float64()
	best := -1.0
	for _, part := range []float64{m.close.Part, 1} {
		if b := seizable/(debt*part) - 1; b >= 0 && b <= 0.5 && (best < 0 || b < best) {
			best = b
		}
	}
	if best < 0 {
		s.report.notes.Add(notes.Assumption, "accounts whose market's figures imply no bonus: 5 %", m.book.ID(i))
		return usualBonus
	}
	return best
}

// finish adds up.
func (s *pathRun) finish() *PathReport {
	r := s.report
	for _, m := range s.markets {
		for _, a := range m.accounts {
			if a.hit > 1 {
				r.Repeated++
			}
			if a.hit > 0 {
				r.Liquidated = append(r.Liquidated, PathAccount{Market: m.book.Market(), Position: a.id, First: a.first, Liquidations: a.hit,
					BadDebtUSD: usd(a.badDebt(m))})
			}
		}
	}
	slices.SortStableFunc(r.Liquidated, func(a, b PathAccount) int { return cmp.Compare(a.First, b.First) })
	r.total()
	return r
}

func usd(f float64) decimal.Decimal { return inexact.Decimal(f).Round(2) }
