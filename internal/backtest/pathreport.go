package backtest

import (
	"fmt"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/notes"
)

// PathReport is what an old crash would do to today's positions.
type PathReport struct {
	Axis      string          `json:"axis"`
	Reference string          `json:"reference"`
	Path      string          `json:"path"`
	From      Time            `json:"from"`
	To        Time            `json:"to"`
	Spot      decimal.Decimal `json:"spot"`
	Lowest    decimal.Decimal `json:"lowest_price"`
	Accounts  int             `json:"accounts"`
	DebtUSD   decimal.Decimal `json:"debt_usd"`
	Dust      int             `json:"dust"`
	Unpriced  int             `json:"unpriced"`
	// ImpactDepthUSD is the assumption of a cascade; null when it was off.
	ImpactDepthUSD *decimal.Decimal `json:"impact_depth_usd"`
	Totals         PathHour         `json:"totals"`
	// Repeated are accounts liquidated more than once.
	Repeated    int           `json:"repeated"`
	Hours       []PathHour    `json:"hours"`
	Liquidated  []PathAccount `json:"liquidated"`
	Assumptions []string      `json:"assumptions"`
	NoteList    []notes.Note  `json:"notes"`

	notes notes.Notes
}

// PathHour is one tick of the path.
type PathHour struct {
	Time         Time            `json:"time"`
	Price        decimal.Decimal `json:"price"`
	Accounts     int             `json:"accounts"` // liquidated for the first time
	Liquidations int             `json:"liquidations"`
	RepaidUSD    decimal.Decimal `json:"repaid_usd"`
	SeizedUSD    decimal.Decimal `json:"seized_usd"`
	// BadDebtUSD is what is owed beyond all collateral at this price.
	BadDebtUSD decimal.Decimal `json:"bad_debt_usd"`

	repaid, seized, badDebt float64
}

// PathAccount is one account that was liquidated on the way.
type PathAccount struct {
	Market       string          `json:"market"`
	Position     string          `json:"position"`
	First        Time            `json:"first"`
	Liquidations int             `json:"liquidations"`
	BadDebtUSD   decimal.Decimal `json:"bad_debt_usd"`
}

func (r *PathReport) add(h PathHour) {
	h.RepaidUSD, h.SeizedUSD, h.BadDebtUSD = usd(h.repaid), usd(h.seized), usd(h.badDebt)
	if r.Lowest.IsZero() || h.Price.LessThan(r.Lowest) {
		r.Lowest = h.Price
	}
	r.Hours = append(r.Hours, h)
	t := &r.Totals
	t.Accounts += h.Accounts
	t.Liquidations += h.Liquidations
	t.repaid += h.repaid
	t.seized += h.seized
	t.Time, t.Price, t.badDebt = h.Time, h.Price, h.badDebt
}

func (r *PathReport) total() {
	t := &r.Totals
	t.RepaidUSD, t.SeizedUSD, t.BadDebtUSD = usd(t.repaid), usd(t.seized), usd(t.badDebt)
	r.DebtUSD = r.DebtUSD.Round(2)
	r.Assumptions = []string{
		"nobody adds collateral or repays, and interest stands still",
		"liquidators act at every price at once, and again while an account stays unhealthy",
		"collateral and debts of an account are taken in proportion",
		"prices are the closes of the path, laid on today's price",
	}
	if r.ImpactDepthUSD != nil {
		r.Assumptions = append(r.Assumptions, fmt.Sprintf("a cascade: every %s USD of collateral sold moves the price by 1 %% for good", r.ImpactDepthUSD))
	} else {
		r.Assumptions = append(r.Assumptions, "sales do not move the price (no cascade)")
	}
	r.NoteList = r.notes.All()
}
