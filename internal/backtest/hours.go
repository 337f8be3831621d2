package backtest

import (
	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/history"
	"liqwatch/thresholds"
)

// AccountHour is one account at one change of the oracle's price.
type AccountHour struct {
	Time          uint64
	Market        string
	Position      string
	Price         decimal.Decimal
	TriggerDown   *decimal.Decimal
	TriggerUp     *decimal.Decimal
	CollateralUSD decimal.Decimal
	DebtUSD       decimal.Decimal
	Liquidatable  bool
}

// hours hands on every account of a step.
func (s *bandScorer) hours(step *history.Step) error {
	books := step.Books()
	l, err := thresholds.Build(s.opt.Axis, s.report.Reference, books)
	if err != nil {
		return err
	}
	m, err := newMoment(step, s.opt.Axis, s.report.Reference)
	if err != nil {
		return err
	}
	for _, b := range books {
		for i := range b.Len() {
			t, err := l.Triggers(b.Market(), i)
			if err != nil {
				return err
			}
			now := m.figures(b.Market(), i, m.now[b.Market()])
			err = s.opt.Hours(AccountHour{
				Time: step.Block.Time, Market: b.Market(), Position: b.ID(i), Price: m.price,
				TriggerDown: t.Down, TriggerUp: t.Up, CollateralUSD: now.atRisk, DebtUSD: now.debt, Liquidatable: now.liquidatable,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
