package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/shopspring/decimal"
	"github.com/urfave/cli/v3"

	"liqwatch/internal/alerts"
	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/notes"
	"liqwatch/internal/backtest/report"
	"liqwatch/thresholds"
)

func rulesCommand(env Env) *cli.Command {
	return &cli.Command{
		Name:  "rules",
		Usage: "how early and how often alert rules would have spoken",
		Flags: append(append(commonFlags("table", "json", "html"), edgeFlags()...),
			&cli.StringFlag{Name: "approach", Value: "8%,3%,1%", Usage: "approach distances of the rule"},
			&cli.StringFlag{Name: "rearm", Value: "5%", Usage: "re-arm margin of the rule"},
			&cli.StringFlag{Name: "min-at-risk-usd", Value: "0", Usage: "the rule's min_at_risk_usd"},
			&cli.IntFlag{Name: "confirm", Value: 1, Usage: "wick policy: how many looks in a row must agree; 1 is first touch"},
			&cli.BoolFlag{Name: "next-price", Usage: "show the rule the price that the oracle already holds as its next"},
			&cli.StringFlag{Name: "min-liquidated-usd", Value: "1000", Usage: "debt that must be liquidated in the band for an alert to have been right"},
			&cli.DurationFlag{Name: "horizon", Value: 72 * time.Hour, Usage: "how long after an alert a liquidation still proves it right"},
			&cli.BoolFlag{Name: "sweep", Usage: "run a grid of distances, margins and wick policies, and recommend defaults"},
			&cli.StringFlag{Name: "split", Usage: "with --sweep: the moment between the train and the test part; the middle when left out"},
		),
		Action: func(ctx context.Context, cmd *cli.Command) error { return runRules(ctx, cmd, env) },
	}
}

func runRules(ctx context.Context, cmd *cli.Command, env Env) (err error) {
	write, err := report.Rules(cmd.String("format"))
	if err != nil {
		return env.Usage(err)
	}
	q, err := ask(ctx, cmd, env)
	if err != nil {
		return err
	}
	rule, opt, err := q.rule()
	if err != nil {
		return err
	}
	film, err := q.film(ctx, rule.Levels)
	if err != nil {
		if errors.Is(err, backtest.ErrWindow) {
			return env.Usage(err)
		}
		return err
	}
	r, err := film.ScoreRules([]alerts.Rule{rule}, opt)
	if err != nil {
		return err
	}
	if cmd.Bool("sweep") {
		s := backtest.DefaultSweep()
		s.Rules.MinLiquidatedUSD, s.Rules.Horizon = opt.MinLiquidatedUSD, opt.Horizon
		if s.Split, err = q.moment("split", q.from+(q.to-q.from)/2); err != nil {
			return err
		}
		if r.Sweep, err = film.Sweep(s); err != nil {
			return env.Usage(err)
		}
	}
	files, err := q.parquet()
	if err != nil {
		return err
	}
	if files != nil {
		if err := errors.Join(files.alerts(r), files.close()); err != nil {
			return err
		}
	}
	r.History = q.kind
	r.NoteList = append(q.notes.All(), q.sourceNotes()...)
	return output(cmd, env, func(w io.Writer) error { return write(w, r) })
}

// film replays the history once.
func (q *question) film(ctx context.Context, levels []decimal.Decimal) (*backtest.Film, error) {
	opt := backtest.FilmOptions{Axis: q.axis, Reference: q.ref, From: q.from, To: q.to, Levels: levels}
	if q.events != nil {
		return backtest.EventFilm(q.events.List, q.series, opt)
	}
	return backtest.Shoot(ctx, q.history, opt)
}

func (q *question) sourceNotes() []notes.Note {
	if q.events != nil {
		return q.events.Notes()
	}
	return q.history.Notes()
}

// rule is the one that the flags describe, checked as the program checks its own.
func (q *question) rule() (alerts.Rule, backtest.RuleOptions, error) {
	opt := backtest.DefaultRuleOptions()
	rule := alerts.Rule{Name: "backtest", Axis: q.axis, Notify: []string{"recorder"}}
	var err error
	if rule.Levels, err = q.levels(); err != nil {
		return rule, opt, err
	}
	if rule.Approach, err = parseRatios(q.cmd.String("approach")); err != nil {
		return rule, opt, q.env.Usage(fmt.Errorf("--approach: %w", err))
	}
	if rule.Rearm, err = q.ratio("rearm"); err != nil {
		return rule, opt, err
	}
	if rule.MinAtRiskUSD, err = q.amount("min-at-risk-usd"); err != nil {
		return rule, opt, err
	}
	if opt.MinLiquidatedUSD, err = q.amount("min-liquidated-usd"); err != nil {
		return rule, opt, err
	}
	opt.Policy = backtest.Policy{Next: q.cmd.Bool("next-price"), Confirm: q.cmd.Int("confirm")}
	if opt.Policy.Confirm < 1 {
		return rule, opt, q.env.Usage(errors.New("--confirm: want 1 or more looks"))
	}
	opt.Horizon = uint64(q.cmd.Duration("horizon").Seconds())
	if err := rule.Validate(); err != nil {
		return rule, opt, q.env.Usage(err)
	}
	return rule, opt, nil
}

// levels of the rule: as given, or every step over all prices of the window.
func (q *question) levels() ([]decimal.Decimal, error) {
	if q.cmd.IsSet("levels") {
		levels, err := thresholds.ParseLevels(q.cmd.String("levels"))
		if err != nil {
			return nil, q.env.Usage(fmt.Errorf("--levels: %w", err))
		}
		return levels, nil
	}
	if q.cmd.Bool("walls") || q.series == nil {
		return nil, q.env.Usage(errors.New("--levels are missing: a rule needs prices to watch (or --prices with --step)"))
	}
	var low, high decimal.Decimal
	for _, t := range q.series.Between(q.from, q.to) {
		if low.IsZero() || t.Low.Decimal().LessThan(low) {
			low = t.Low.Decimal()
		}
		high = decimal.Max(high, t.High.Decimal())
	}
	step := niceStep(low.Add(high))
	if q.cmd.IsSet("step") {
		var err error
		if step, err = q.amount("step"); err != nil || step.IsZero() {
			return nil, q.env.Usage(fmt.Errorf("--step %q: want the distance of two levels, such as 200", q.cmd.String("step")))
		}
	}
	levels, err := thresholds.StepEdges(step, low, high)
	if err != nil {
		return nil, q.env.Usage(err)
	}
	return levels, nil
}
