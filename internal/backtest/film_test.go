package backtest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/vaults"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func hundreds(from, to, step int64) []decimal.Decimal {
	var out []decimal.Decimal
	for p := from; p <= to; p += step {
		out = append(out, decimal.NewFromInt(p))
	}
	return out
}

func TestFilmTry(t *testing.T) {
	h := openMaker(t, vaults.DefaultOptions())
	from, to := at(t, "2021-04-17T00:00:00Z"), at(t, "2021-06-24T12:00:00Z")
	a := time.Now()
	f, err := backtest.Shoot(context.Background(), h, backtest.FilmOptions{Axis: "ETH", From: from, To: to, Levels: hundreds(2000, 4000, 200)})
	require.NoError(t, err)
	fmt.Println(len(f.Looks), len(f.Incidents), time.Since(a))
	a = time.Now()
	r, err := f.ScoreRules([]alerts.Rule{{Name: "eth", Axis: "ETH", Levels: hundreds(2000, 4000, 200), Approach: []decimal.Decimal{dec("0.05"), dec("0.02"), dec("0.005")}, Rearm: dec("0.01"), Notify: []string{"x"}}}, backtest.DefaultRuleOptions())
	require.NoError(t, err)
	fmt.Printf("%+v\n", r.Rules[0].Figures)
	fmt.Println(time.Since(a))
	a = time.Now()
	o := backtest.DefaultSweep()
	o.Split = at(t, "2021-05-22T00:00:00Z")
	s, err := f.Sweep(o)
	require.NoError(t, err)
	fmt.Println(time.Since(a))
	v := func(d *decimal.Decimal) string {
		if d == nil {
			return "-"
		}
		return d.String()
	}
	l := func(d *int64) string {
		if d == nil {
			return "-"
		}
		return (time.Duration(*d) * time.Second).String()
	}
	for _, p := range s.Points {
		fmt.Println(p.Policy, p.Approach, p.Rearm, "train: ep", p.Train.Episodes, "al", p.Train.Alerts, "apj", v(p.Train.AlertsPerJourney), "rec", v(p.Train.Recall), "prec", v(p.Train.Precision), "lead", l(p.Train.Lead.Median), l(p.Train.Lead.P10), "| test al", p.Test.Alerts, v(p.Test.AlertsPerJourney), "rec", v(p.Test.Recall), "prec", v(p.Test.Precision), l(p.Test.Lead.Median), l(p.Test.Lead.P10))
	}
	fmt.Printf("%+v\n", s.Recommended)
}
