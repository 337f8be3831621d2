package backtest

import (
	"github.com/shopspring/decimal"

	"liqwatch/internal/backtest/history"
	"liqwatch/thresholds"
)

// IncidentGap is how long after a liquidation another one of the same account still
// belongs to it, in seconds: many bites of one vault are one event to a watcher.
const IncidentGap = 24 * 3600

// Incident is one account's liquidation, in one or many executions.
type Incident struct {
	Key     thresholds.Key
	Time    uint64 // of the first execution
	Last    uint64 // of the last
	Count   int
	DebtUSD decimal.Decimal
	// Trigger is the account's just before; nil when it is not known.
	Trigger *decimal.Decimal
	// Up: the trigger lay above the price, which rose to it.
	Up bool
}

// incidents gathers executions.
type incidents struct {
	list []Incident
	open map[thresholds.Key]int
}

func (in *incidents) add(l *history.Liquidation, trigger *decimal.Decimal, up bool) {
	if in.open == nil {
		in.open = map[thresholds.Key]int{}
	}
	if i, ok := in.open[l.Key]; ok && l.Time-in.list[i].Last <= IncidentGap {
		in.list[i].Last = l.Time
		in.list[i].Count++
		in.list[i].DebtUSD = in.list[i].DebtUSD.Add(l.DebtUSD)
		return
	}
	in.open[l.Key] = len(in.list)
	in.list = append(in.list, Incident{Key: l.Key, Time: l.Time, Last: l.Time, Count: 1, DebtUSD: l.DebtUSD, Trigger: trigger, Up: up})
}
