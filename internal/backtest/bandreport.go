package backtest

import (
	"slices"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/notes"
	"liqwatch/thresholds"
)

// BandReport is what became of the bands of one snapshot. Its JSON is a promise to
// scripts; money and prices are strings.
type BandReport struct {
	From        Time            `json:"from"`
	To          Time            `json:"to"`
	Snapshot    Time            `json:"snapshot"`
	Axis        string          `json:"axis"`
	Reference   string          `json:"reference"`
	History     string          `json:"history"`
	Spot        decimal.Decimal `json:"spot"`         // the market's price at the snapshot where known, else the oracle's
	OraclePrice decimal.Decimal `json:"oracle_price"` // in force at the snapshot; bands begin here
	Lowest      decimal.Decimal `json:"lowest_oracle_price"`
	LowestAt    Time            `json:"lowest_at"`
	Highest     decimal.Decimal `json:"highest_oracle_price"`
	HighestAt   Time            `json:"highest_at"`
	// Accounts are those scored: priced, healthy, and above the minimum of debt.
	Accounts int `json:"accounts"`
	LeftOut  struct {
		Inconsistent int `json:"inconsistent"`
		Dust         int `json:"dust"`
	} `json:"left_out"`
	Unpriced               int         `json:"unpriced"`
	LiquidatableAtSnapshot int         `json:"liquidatable_at_snapshot"`
	Bands                  []BandScore `json:"bands"`
	// Crossed counts the bands crossed fully; their sums are TotalsCrossed.
	Crossed       int        `json:"crossed_bands"`
	TotalsCrossed Score      `json:"totals_crossed"`
	Executed      Executed   `json:"executed"` // all liquidations of the window
	Outside       Outside    `json:"outside"`  // those of accounts in no band
	TriggerError  ErrorStats `json:"trigger_error"`
	// Overstated is by how much the bands as shown exceed what was executed.
	Overstated      Overstatement  `json:"overstated"`
	WithoutGlitches *BandReport    `json:"without_glitches,omitempty"`
	PerAccount      []AccountScore `json:"per_account"`
	NoteList        []notes.Note   `json:"notes"`

	prices []PricePoint
}

// PricePoint is the oracle's price at a moment.
type PricePoint struct {
	Time  uint64
	Price decimal.Decimal
}

// Count is a number of accounts and their debt at the snapshot.
type Count struct {
	Accounts int             `json:"accounts"`
	DebtUSD  decimal.Decimal `json:"debt_usd"`
}

// Outcome is how many accounts ended in which class.
type Outcome struct {
	Liquidated Count `json:"liquidated"`
	Saved      Count `json:"saved"`
	Late       Count `json:"late"`
	NotReached Count `json:"not_reached"`
	Untouched  Count `json:"untouched"`
}

// Score is a set of accounts: what was predicted of them, and what became of them.
type Score struct {
	Accounts    int             `json:"accounts"`
	DebtUSD     decimal.Decimal `json:"debt_usd"`     // at the snapshot
	AtRiskUSD   decimal.Decimal `json:"at_risk_usd"`  // at the triggers
	SeizableUSD decimal.Decimal `json:"seizable_usd"` // at the triggers
	Outcome     Outcome         `json:"outcome"`
	Executed    Executed        `json:"executed"`
}

// BandScore is one band.
type BandScore struct {
	From      *decimal.Decimal `json:"from"`
	To        *decimal.Decimal `json:"to"`
	Direction string           `json:"direction"`
	Crossed   string           `json:"crossed"` // "fully", "partly" or "no"
	Score
}

// Executed are liquidations that happened.
type Executed struct {
	Liquidations  int             `json:"liquidations"`
	DebtUSD       decimal.Decimal `json:"debt_usd"`
	CollateralUSD decimal.Decimal `json:"collateral_usd"`
}

func (e *Executed) add(l *history.Liquidation) {
	e.Liquidations++
	e.DebtUSD = e.DebtUSD.Add(l.DebtUSD)
	if l.CollateralUSD != nil {
		e.CollateralUSD = e.CollateralUSD.Add(*l.CollateralUSD)
	}
}

// Outside are executed liquidations of accounts in no band, by why.
type Outside struct {
	OpenedLater  Executed `json:"opened_later"` // opened or first indebted after the snapshot
	OtherBand    Executed `json:"no_trigger"`   // seen, but with no trigger on the axis then
	Dust         Executed `json:"dust"`
	Inconsistent Executed `json:"inconsistent"`
	Unseen       Executed `json:"unseen"`
}

// Overstatement compares the bands that were crossed with what was executed in them.
type Overstatement struct {
	// PredictedDebtUSD is the debt in fully crossed bands, ExecutedDebtUSD what was liquidated of it.
	PredictedDebtUSD decimal.Decimal `json:"predicted_debt_usd"`
	ExecutedDebtUSD  decimal.Decimal `json:"executed_debt_usd"`
	// Factor is their quotient, to two digits; null when nothing was executed.
	Factor *decimal.Decimal `json:"factor"`
}

// ErrorStats are relative errors; N of them.
type ErrorStats struct {
	N      int              `json:"n"`
	Median *decimal.Decimal `json:"median"`
	P95    *decimal.Decimal `json:"p95"`
	Max    *decimal.Decimal `json:"max"`
}

func newErrorStats(errs []decimal.Decimal) ErrorStats {
	e := ErrorStats{N: len(errs)}
	if len(errs) == 0 {
		return e
	}
	slices.SortFunc(errs, decimal.Decimal.Cmp)
	at := func(percent int) *decimal.Decimal {
		d := errs[min(len(errs)*percent/100, len(errs)-1)].Round(12)
		return &d
	}
	e.Median, e.P95, e.Max = at(50), at(95), at(100)
	return e
}

// newBandReport cuts the axis at the edges; the oracle's price is always one.
func newBandReport(opt BandOptions, l *thresholds.Ladder, edges []decimal.Decimal) *BandReport {
	r := &BandReport{From: Time(opt.Snapshot), To: Time(opt.To), Snapshot: Time(opt.Snapshot), Axis: opt.Axis, Reference: l.Axis().Reference, OraclePrice: l.Spot(), Spot: l.Spot()}
	edges = slices.Clone(edges)
	slices.SortFunc(edges, decimal.Decimal.Cmp)
	edges = slices.CompactFunc(edges, decimal.Decimal.Equal)
	var below, above []decimal.Decimal
	for _, e := range edges {
		switch e.Cmp(r.OraclePrice) {
		case -1:
			below = append(below, e)
		case 1:
			above = append(above, e)
		}
	}
	to := r.OraclePrice
	for _, e := range slices.Backward(below) {
		r.Bands = append(r.Bands, BandScore{From: ptr(e), To: ptr(to), Direction: Down})
		to = e
	}
	r.Bands = append(r.Bands, BandScore{To: ptr(to), Direction: Down})
	from := r.OraclePrice
	for _, e := range above {
		r.Bands = append(r.Bands, BandScore{From: ptr(from), To: ptr(e), Direction: Up})
		from = e
	}
	r.Bands = append(r.Bands, BandScore{From: ptr(from), Direction: Up})
	return r
}

func ptr[T any](x T) *T { return &x }

// band is the place of the band that holds a trigger, -1 when it is on the wrong side.
func (r *BandReport) band(direction string, trigger decimal.Decimal) int {
	return slices.IndexFunc(r.Bands, func(b BandScore) bool {
		if b.Direction != direction {
			return false
		}
		if direction == Down { // [from, to)
			return (b.From == nil || trigger.GreaterThanOrEqual(*b.From)) && trigger.LessThan(*b.To)
		}
		return trigger.GreaterThan(*b.From) && (b.To == nil || trigger.LessThanOrEqual(*b.To))
	})
}

// see remembers the oracle's price at a moment.
func (r *BandReport) see(t uint64, p decimal.Decimal) {
	if n := len(r.prices); n > 0 && r.prices[n-1].Price.Equal(p) {
		return
	}
	r.prices = append(r.prices, PricePoint{t, p})
	if r.LowestAt == 0 || p.LessThan(r.Lowest) {
		r.Lowest, r.LowestAt = p, Time(t)
	}
	if r.HighestAt == 0 || p.GreaterThan(r.Highest) {
		r.Highest, r.HighestAt = p, Time(t)
	}
}

// Prices are the oracle's prices of the window, where they changed.
func (r *BandReport) Prices() []PricePoint { return r.prices }

// reached: the oracle's price came to a trigger on the band's side.
func (b *BandScore) reached(r *BandReport, trigger decimal.Decimal) bool {
	if b.Direction == Down {
		return r.Lowest.LessThanOrEqual(trigger)
	}
	return r.Highest.GreaterThanOrEqual(trigger)
}

// cross says how far the price went through the band.
func (b *BandScore) cross(r *BandReport) string {
	near, far, extreme := b.To, b.From, r.Lowest
	beyond := func(p *decimal.Decimal) bool { return extreme.LessThanOrEqual(*p) }
	inside := func(p *decimal.Decimal) bool { return extreme.LessThan(*p) }
	if b.Direction == Up {
		near, far, extreme = b.From, b.To, r.Highest
		beyond = func(p *decimal.Decimal) bool { return extreme.GreaterThanOrEqual(*p) }
		inside = func(p *decimal.Decimal) bool { return extreme.GreaterThan(*p) }
	}
	switch {
	case far != nil && beyond(far):
		return "fully"
	case inside(near):
		return "partly"
	}
	return "no"
}

// add books an account with its class. The realised part is in Executed.
func (b *BandScore) add(a *account) { b.Score.add(&a.AccountScore) }

func (s *Score) add(a *AccountScore) {
	s.Accounts++
	s.DebtUSD = s.DebtUSD.Add(a.DebtUSD)
	s.AtRiskUSD = s.AtRiskUSD.Add(a.AtRiskUSD)
	s.SeizableUSD = s.SeizableUSD.Add(a.SeizableUSD)
	c := map[string]*Count{Liquidated: &s.Outcome.Liquidated, Saved: &s.Outcome.Saved, Late: &s.Outcome.Late,
		NotReached: &s.Outcome.NotReached, Untouched: &s.Outcome.Untouched}[a.Outcome]
	c.Accounts++
	c.DebtUSD = c.DebtUSD.Add(a.DebtUSD)
	s.Executed.Liquidations += a.Liquidations
	s.Executed.DebtUSD = s.Executed.DebtUSD.Add(a.LiquidatedDebtUSD)
	s.Executed.CollateralUSD = s.Executed.CollateralUSD.Add(a.TakenCollateralUSD)
}

// total adds up the bands that were crossed fully, and drops outer bands that hold nothing.
func (r *BandReport) total() {
	for i := range r.Bands {
		r.Bands[i].Crossed = r.Bands[i].cross(r)
	}
	for _, a := range r.PerAccount {
		if r.Bands[a.Band].Crossed == "fully" {
			r.TotalsCrossed.add(&a)
		}
	}
	for _, b := range r.Bands {
		if b.Crossed == "fully" {
			r.Crossed++
		}
	}
	o := &r.Overstated
	o.PredictedDebtUSD, o.ExecutedDebtUSD = r.TotalsCrossed.DebtUSD, r.TotalsCrossed.Executed.DebtUSD
	if o.ExecutedDebtUSD.IsPositive() {
		o.Factor = ptr(o.PredictedDebtUSD.DivRound(o.ExecutedDebtUSD, 2))
	}
	r.round()
}

// round brings money to cents and prices to eight digits.
func (r *BandReport) round() {
	for i := range r.Bands {
		r.Bands[i].Score.round()
	}
	r.TotalsCrossed.round()
	for i := range r.PerAccount {
		r.PerAccount[i].round()
	}
	for _, e := range []*Executed{&r.Executed, &r.Outside.OpenedLater, &r.Outside.OtherBand, &r.Outside.Dust, &r.Outside.Inconsistent, &r.Outside.Unseen} {
		e.round()
	}
	for _, d := range []*decimal.Decimal{&r.Spot, &r.OraclePrice, &r.Lowest, &r.Highest} {
		*d = d.Round(8)
	}
	r.Overstated.PredictedDebtUSD = r.Overstated.PredictedDebtUSD.Round(2)
	r.Overstated.ExecutedDebtUSD = r.Overstated.ExecutedDebtUSD.Round(2)
}

func (s *Score) round() {
	o := &s.Outcome
	for _, d := range []*decimal.Decimal{&s.DebtUSD, &s.AtRiskUSD, &s.SeizableUSD, &o.Liquidated.DebtUSD, &o.Saved.DebtUSD,
		&o.Late.DebtUSD, &o.NotReached.DebtUSD, &o.Untouched.DebtUSD} {
		*d = d.Round(2)
	}
	s.Executed.round()
}

func (e *Executed) round() { e.DebtUSD, e.CollateralUSD = e.DebtUSD.Round(2), e.CollateralUSD.Round(2) }

func (a *AccountScore) round() {
	for _, d := range []*decimal.Decimal{&a.DebtUSD, &a.AtRiskUSD, &a.SeizableUSD, &a.LiquidatedDebtUSD, &a.TakenCollateralUSD} {
		*d = d.Round(2)
	}
	a.Trigger = a.Trigger.Round(8)
	for _, p := range []**decimal.Decimal{&a.TriggerAtLiquidation, &a.PriceAtLiquidation} {
		if *p != nil {
			*p = ptr((*p).Round(8))
		}
	}
}
