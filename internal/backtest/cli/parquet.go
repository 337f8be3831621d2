package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/inexact"
	"liqwatch/internal/backtest/parquetfile"
)

// AccountHourRow is a row of account_hours.parquet. Times are unix seconds; money and
// prices are doubles for analysis, not for accounting.
type AccountHourRow struct {
	Time          int64    `parquet:"time,delta"`
	Market        string   `parquet:"market,dict"`
	Position      string   `parquet:"position,dict"`
	Price         float64  `parquet:"price"`
	TriggerDown   *float64 `parquet:"trigger_down,optional"`
	TriggerUp     *float64 `parquet:"trigger_up,optional"`
	CollateralUSD float64  `parquet:"collateral_usd"`
	DebtUSD       float64  `parquet:"debt_usd"`
	Liquidatable  bool     `parquet:"liquidatable"`
}

// AlertRow is a row of alerts.parquet.
type AlertRow struct {
	Time      int64   `parquet:"time,delta"`
	Rule      string  `parquet:"rule,dict"`
	Level     float64 `parquet:"level"`
	Side      string  `parquet:"side,dict"`
	Kind      string  `parquet:"kind,dict"`
	Episode   int64   `parquet:"episode"`
	Mark      float64 `parquet:"mark"`
	Price     float64 `parquet:"price"`
	AtRiskUSD float64 `parquet:"at_risk_usd"`
}

// files are the Parquet files of a run.
type files struct {
	dir   string
	hours *parquetfile.Writer[AccountHourRow]
}

// parquet opens the directory of --parquet; nil without it.
func (q *question) parquet() (*files, error) {
	dir := q.cmd.String("parquet")
	if dir == "" {
		return nil, nil //nolint:nilnil // no directory, no files
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, q.env.Usage(fmt.Errorf("--parquet: %w", err))
	}
	return &files{dir: dir}, nil
}

func (f *files) hour(h backtest.AccountHour) error {
	if f.hours == nil {
		w, err := parquetfile.Create[AccountHourRow](filepath.Join(f.dir, "account_hours.parquet"))
		if err != nil {
			return err
		}
		f.hours = w
	}
	return f.hours.Add(AccountHourRow{
		Time: int64(h.Time), Market: h.Market, Position: h.Position, Price: inexact.Float(h.Price),
		TriggerDown: float(h.TriggerDown), TriggerUp: float(h.TriggerUp),
		CollateralUSD: inexact.Float(h.CollateralUSD), DebtUSD: inexact.Float(h.DebtUSD), Liquidatable: h.Liquidatable,
	})
}

func float(d *decimal.Decimal) *float64 {
	if d == nil {
		return nil
	}
	f := inexact.Float(d)
	return &f
}

// alerts writes every alert of a report.
func (f *files) alerts(r *backtest.RuleReport) error {
	w, err := parquetfile.Create[AlertRow](filepath.Join(f.dir, "alerts.parquet"))
	if err != nil {
		return err
	}
	for i := range r.Rules {
		for _, a := range r.Rules[i].Sent {
			err = errors.Join(err, w.Add(AlertRow{
				Time: int64(a.Time), Rule: a.Rule, Level: inexact.Float(a.Level), Side: a.Side, Kind: a.Kind,
				Episode: int64(a.Episode), Mark: inexact.Float(a.Mark), Price: inexact.Float(a.Price), AtRiskUSD: inexact.Float(a.AtRiskUSD),
			}))
		}
	}
	_, e := w.Close()
	return errors.Join(err, e)
}

// close finishes the files; a nil set has none.
func (f *files) close() error {
	if f == nil || f.hours == nil {
		return nil
	}
	_, err := f.hours.Close()
	return err
}
