package backtest

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/history"
)

// The classes in which an account of a crossed band ends: exactly one each.
const (
	Liquidated = "liquidated"  // executed, whatever else happened: wins over all
	Saved      = "saved"       // the owner moved the trigger away, or closed, before the price got there
	Late       = "late"        // the price got there, and the owner acted before anyone liquidated
	NotReached = "not_reached" // the price came within the band, but not to this account's trigger
	Untouched  = "untouched"   // the price got there and nobody did anything
)

// AccountScore is one account in one band and what became of it.
type AccountScore struct {
	Market    string `json:"market"`
	Position  string `json:"position"`
	Direction string `json:"direction"`
	// Band is its place in the report's bands.
	Band        int             `json:"band"`
	Trigger     decimal.Decimal `json:"trigger"`      // at the snapshot
	DebtUSD     decimal.Decimal `json:"debt_usd"`     // at the snapshot
	AtRiskUSD   decimal.Decimal `json:"at_risk_usd"`  // at its trigger
	SeizableUSD decimal.Decimal `json:"seizable_usd"` // at its trigger
	Outcome     string          `json:"outcome"`
	Explanation string          `json:"explanation"`
	// ReachedAt is when it first was liquidatable at the oracle's own prices; 0 never.
	ReachedAt Time `json:"reached_at"`
	// LiquidatedAt is the first liquidation; AfterSeconds is how long it had then been
	// liquidatable without a break.
	LiquidatedAt Time  `json:"liquidated_at"`
	AfterSeconds int64 `json:"after_seconds"`
	// Liquidations executed, the debt in them and the collateral taken.
	Liquidations       int             `json:"liquidations"`
	LiquidatedDebtUSD  decimal.Decimal `json:"liquidated_debt_usd"`
	TakenCollateralUSD decimal.Decimal `json:"taken_collateral_usd"`
	// TriggerAtLiquidation and PriceAtLiquidation are of the first liquidation.
	TriggerAtLiquidation *decimal.Decimal `json:"trigger_at_liquidation"`
	PriceAtLiquidation   *decimal.Decimal `json:"price_at_liquidation"`
}

// account is one being followed.
type account struct {
	AccountScore
	debtAtTrigger decimal.Decimal
	// firstAct and actAfter are the owner's first step at all, and the first one since
	// the price got there; 0 for none.
	firstAct, actAfter uint64
	closedAt           uint64
	exposed            uint64 // seconds for which it was liquidatable
	since              uint64 // when it last became liquidatable; 0 while healthy
	blocked            string
}

func (a *account) acted(t uint64) {
	if a.firstAct == 0 {
		a.firstAct = t
	}
	if a.ReachedAt != 0 && a.actAfter == 0 {
		a.actAfter = t
	}
}

func (a *account) liquidated(l *history.Liquidation) {
	if a.Liquidations == 0 {
		a.LiquidatedAt, a.TriggerAtLiquidation, a.PriceAtLiquidation = Time(l.Time), l.Trigger, l.Price
		if a.since != 0 {
			a.AfterSeconds = int64(l.Time - a.since)
		}
	}
	a.Liquidations++
	a.LiquidatedDebtUSD = a.LiquidatedDebtUSD.Add(l.DebtUSD)
	if l.CollateralUSD != nil {
		a.TakenCollateralUSD = a.TakenCollateralUSD.Add(*l.CollateralUSD)
	}
}

// look asks the protocol's own predicate at the oracle's own prices.
func (a *account) look(t uint64, m *moment) error {
	b, ok := m.books[a.Market]
	if !ok {
		return fmt.Errorf("market %s has no book at %s", a.Market, stamp(t))
	}
	i, open := b.Find(a.Position)
	if !open {
		if a.closedAt == 0 {
			a.closedAt = t
		}
		a.leave(t)
		return nil
	}
	a.closedAt = 0
	if !b.Liquidatable(i, m.now[a.Market]) {
		a.leave(t)
		return nil
	}
	if a.ReachedAt == 0 {
		a.ReachedAt = Time(t)
		a.blocked = b.Position(i).Blocked
	}
	if a.since == 0 {
		a.since = t
	}
	return nil
}

func (a *account) leave(t uint64) {
	if a.since != 0 {
		a.exposed += t - a.since
		a.since = 0
	}
}

// settle gives the account its class. passed: the price came to the trigger that the
// snapshot showed.
func (a *account) settle(passed bool) {
	switch {
	case a.Liquidations > 0:
		a.Outcome = Liquidated
		a.Explanation = fmt.Sprintf("%d liquidations of %s USD of debt", a.Liquidations, a.LiquidatedDebtUSD.StringFixed(0))
		if a.AfterSeconds > 0 {
			a.Explanation += fmt.Sprintf(", the first %s after the price arrived for good", span(uint64(a.AfterSeconds)))
		}
	case a.ReachedAt != 0 && a.actAfter != 0:
		a.Outcome = Late
		a.Explanation = fmt.Sprintf("the owner acted %s after the price arrived, before anybody liquidated", span(a.actAfter-uint64(a.ReachedAt)))
	case a.ReachedAt != 0:
		a.Outcome = Untouched
		a.Explanation = a.neglected()
	case passed && (a.firstAct != 0 || a.closedAt != 0):
		a.Outcome = Saved
		a.Explanation = "the owner moved the trigger away before the price got there"
		if a.closedAt != 0 {
			a.Explanation = "the owner closed the position before the price got there"
		}
	case passed:
		a.Outcome = NotReached
		a.Explanation = "interest moved the trigger just beyond the lowest price"
	default:
		a.Outcome = NotReached
		a.Explanation = "the price did not come to its trigger"
	}
}

// neglected is what can be said of an account that was liquidatable and left alone.
func (a *account) neglected() string {
	switch {
	case a.blocked != "":
		return "liquidation was blocked: " + a.blocked
	case a.since == 0:
		return fmt.Sprintf("liquidatable for %s, then the price came back", span(a.exposed))
	}
	return "liquidatable until the end of the window, and nobody acted"
}

func span(seconds uint64) string { return (time.Duration(seconds) * time.Second).String() }
