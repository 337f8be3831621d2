package cli

import (
	"context"
	"errors"
	"io"

	"github.com/urfave/cli/v3"

	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/report"
)

func bandsCommand(env Env) *cli.Command {
	return &cli.Command{
		Name:  "bands",
		Usage: "what the bands of one moment said, and what became of every account in them",
		Flags: append(append(commonFlags("table", "json", "html"), edgeFlags()...),
			&cli.StringFlag{Name: "snapshot", Usage: "the moment of the bands; --from when left out"},
			&cli.StringFlag{Name: "min-debt-usd", Value: "1000", Usage: "leave out accounts that owe less: nobody liquidates dust"},
		),
		Action: func(ctx context.Context, cmd *cli.Command) error { return runBands(ctx, cmd, env) },
	}
}

func runBands(ctx context.Context, cmd *cli.Command, env Env) (err error) {
	write, err := report.Bands(cmd.String("format"))
	if err != nil {
		return env.Usage(err)
	}
	q, err := ask(ctx, cmd, env)
	if err != nil {
		return err
	}
	if err := q.positions(); err != nil {
		return err
	}
	opt := backtest.BandOptions{Axis: q.axis, Reference: q.ref, To: q.to}
	if opt.Snapshot, err = q.moment("snapshot", q.from); err != nil {
		return err
	}
	if opt.Edges, err = q.edges(); err != nil {
		return err
	}
	if opt.MinDebtUSD, err = q.amount("min-debt-usd"); err != nil {
		return err
	}
	files, err := q.parquet()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.close()) }()
	if files != nil {
		opt.Hours = files.hour
	}
	r, err := q.scoreBands(ctx, q.history, opt)
	if err != nil {
		return err
	}
	r.From = backtest.Time(q.from)
	if q.series != nil && q.series.GlitchesBetween(opt.Snapshot, opt.To) > 0 {
		calm, err := q.open(ctx, q.series.WithoutGlitches())
		if err != nil {
			return err
		}
		opt.Hours = nil
		if r.WithoutGlitches, err = q.scoreBands(ctx, calm, opt); err != nil {
			return err
		}
	}
	r.NoteList = append(q.notes.All(), r.NoteList...)
	return output(cmd, env, func(w io.Writer) error { return write(w, r) })
}

// scoreBands scores and tells the market's own price beside the oracle's.
func (q *question) scoreBands(ctx context.Context, h history.History, opt backtest.BandOptions) (*backtest.BandReport, error) {
	r, err := backtest.ScoreBands(ctx, h, opt)
	if err != nil {
		if errors.Is(err, backtest.ErrWindow) {
			return nil, q.env.Usage(err)
		}
		return nil, err
	}
	if q.series != nil && q.kind != "snapshot" {
		if spot, ok := q.series.Spot(opt.Snapshot); ok {
			r.Spot = spot.Decimal()
		}
	}
	return r, nil
}
