package cli

import (
	"context"
	"errors"
	"io"

	"github.com/urfave/cli/v3"

	"liqwatch/internal/backtest"
	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/prices"
	"liqwatch/internal/backtest/report"
	"liqwatch/protocols"
)

func pathCommand(env Env) *cli.Command {
	return &cli.Command{
		Name:  "path",
		Usage: "what an old crash would do to the positions of one moment",
		Flags: append(commonFlags("table", "json", "html"),
			&cli.StringFlag{Name: "replay-path", Value: "may-2021", Usage: "may-2021 or january-2022 (cut from --prices), or a CSV file of its own"},
			&cli.StringFlag{Name: "snapshot", Usage: "the moment of the positions; --from when left out"},
			&cli.StringFlag{Name: "impact-depth-usd", Usage: "a cascade: how much collateral sold moves the price by 1%; off when left out"},
			&cli.StringFlag{Name: "min-debt-usd", Value: "0", Usage: "leave out accounts that owe less"},
		),
		Action: func(ctx context.Context, cmd *cli.Command) error { return runPath(ctx, cmd, env) },
	}
}

func runPath(ctx context.Context, cmd *cli.Command, env Env) error {
	write, err := report.Path(cmd.String("format"))
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
	opt := backtest.PathOptions{Axis: q.axis, Reference: q.ref, Name: cmd.String("replay-path")}
	if opt.Ticks, err = q.ticks(opt.Name); err != nil {
		return err
	}
	if opt.MinDebtUSD, err = q.amount("min-debt-usd"); err != nil {
		return err
	}
	if cmd.IsSet("impact-depth-usd") {
		depth, err := q.amount("impact-depth-usd")
		if err != nil || depth.IsZero() {
			return env.Usage(errors.New("--impact-depth-usd: want the USD of collateral that moves the price by 1%"))
		}
		opt.ImpactDepthUSD = &depth
	}
	snapshot, err := q.moment("snapshot", q.from)
	if err != nil {
		return err
	}
	var books []protocols.Book
	err = q.history.Replay(ctx, snapshot, snapshot, func(s *history.Step) error {
		books = s.Books()
		return nil
	})
	if err != nil {
		return err
	}
	r, err := backtest.RunPath(books, opt)
	if err != nil {
		return env.Usage(err)
	}
	r.NoteList = append(append(q.notes.All(), q.history.Notes()...), r.NoteList...)
	return output(cmd, env, func(w io.Writer) error { return write(w, r) })
}

// ticks are the prices of a path: a crash known by name, or a file.
func (q *question) ticks(name string) ([]prices.Tick, error) {
	for _, c := range prices.Crashes() {
		if c.Name != name {
			continue
		}
		if q.series == nil {
			return nil, q.env.Usage(errors.New("--prices is missing: the prices of " + name + " are cut from it"))
		}
		ticks, err := q.series.Path(name)
		if err != nil {
			return nil, q.env.Usage(err)
		}
		return ticks, nil
	}
	s, n, err := prices.Open(name)
	if err != nil {
		return nil, q.env.Usage(err)
	}
	q.notes.Merge(n)
	return s.Ticks, nil
}
