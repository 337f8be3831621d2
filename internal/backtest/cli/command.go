// Package cli is `liqwatch backtest`: flags, output, and nothing else.
package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/urfave/cli/v3"

	"liqwatch/internal/backtest/events"
	"liqwatch/internal/backtest/history"
	"liqwatch/internal/backtest/notes"
	"liqwatch/internal/backtest/prices"
	"liqwatch/internal/backtest/recording"
	"liqwatch/internal/backtest/snapshot"
	"liqwatch/internal/backtest/vaults"
	"liqwatch/thresholds"
)

// Env is what the program hands in.
type Env struct {
	// Recording opens a recording for replay with the watcher's own pass.
	Recording func(ctx context.Context, path string) (recording.Opener, error)
	// Usage marks an error as wrong use of the command line.
	Usage func(error) error
}

// Command is `liqwatch backtest`.
func Command(env Env) *cli.Command {
	if env.Usage == nil {
		env.Usage = func(err error) error { return err }
	}
	return &cli.Command{
		Name:  "backtest",
		Usage: "score bands and alert rules against what was really liquidated",
		Commands: []*cli.Command{
			bandsCommand(env), rulesCommand(env), pathCommand(env),
		},
	}
}

// kinds of --history.
var kinds = []string{"recording", "vaults", "snapshot", "events"}

func commonFlags(formats ...string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "history", Usage: "what happened, as KIND:PATH: " + strings.Join(kinds, ", "), Required: true},
		&cli.StringFlag{Name: "prices", Usage: "CSV of candles or oracle rounds; a recording brings its own"},
		&cli.StringFlag{Name: "from", Usage: "first moment, such as 2021-05-17T00:00:00Z; the history's start when left out"},
		&cli.StringFlag{Name: "to", Usage: "last moment; the history's end when left out"},
		&cli.StringFlag{Name: "axis", Value: "ETH", Usage: "the axis that prices move along"},
		&cli.StringFlag{Name: "reference", Usage: "market whose oracle names the price; the first when left out"},
		&cli.StringFlag{Name: "format", Value: "table", Usage: strings.Join(formats, ", ")},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to this file instead of stdout"},
		&cli.StringFlag{Name: "parquet", Usage: "also write every account-hour and alert as Parquet files into this directory"},
		&cli.StringFlag{Name: "close-below", Value: "200", Usage: "vaults: debt in DAI under which a vault counts as closed"},
		&cli.StringFlag{Name: "tolerance", Value: "0.75%", Usage: "vaults: how far an owner's own step may leave a vault unsafe by our prices before its book is left out"},
		&cli.BoolFlag{Name: "folded-rate", Usage: "vaults: take the rate as the last borrow left it instead of accruing every second"},
	}
}

// question is what all subcommands ask.
type question struct {
	env       Env
	cmd       *cli.Command
	kind      string
	path      string
	series    *prices.Series
	notes     notes.Notes
	history   history.History // nil for events
	events    *events.Events
	from, to  uint64
	axis, ref string
}

// ask reads the flags and opens the history.
func ask(ctx context.Context, cmd *cli.Command, env Env) (*question, error) {
	q := &question{env: env, cmd: cmd, axis: cmd.String("axis"), ref: cmd.String("reference")}
	kind, path, ok := strings.Cut(cmd.String("history"), ":")
	if !ok || path == "" || !slices.Contains(kinds, kind) {
		return nil, env.Usage(fmt.Errorf("--history %q: want KIND:PATH with KIND one of %s", cmd.String("history"), strings.Join(kinds, ", ")))
	}
	q.kind, q.path = kind, path
	if cmd.String("prices") != "" {
		s, n, err := prices.Open(cmd.String("prices"))
		if err != nil {
			return nil, env.Usage(err)
		}
		q.series = s
		q.notes.Merge(n)
	} else if kind != "recording" {
		return nil, env.Usage(fmt.Errorf("--prices is missing: a history of %s needs the prices of its time", kind))
	}
	var err error
	if q.kind == "events" {
		if q.events, err = events.Open(q.path, q.series); err != nil {
			return nil, env.Usage(err)
		}
		q.from, q.to = q.series.Span()
	} else {
		if q.history, err = q.open(ctx, q.series); err != nil {
			return nil, err
		}
		q.from, q.to = q.history.Span()
	}
	if q.from, err = q.moment("from", q.from); err != nil {
		return nil, err
	}
	if q.to, err = q.moment("to", q.to); err != nil {
		return nil, err
	}
	if q.to < q.from {
		return nil, env.Usage(errors.New("--to is before --from"))
	}
	return q, nil
}

// positions refuses histories that have none.
func (q *question) positions() error {
	if q.history == nil {
		return q.env.Usage(errors.New("liquidation events alone have no positions to make bands of: use `backtest rules` with them"))
	}
	return nil
}

// open opens the history over a series of prices.
func (q *question) open(ctx context.Context, series *prices.Series) (history.History, error) {
	switch q.kind {
	case "recording":
		if q.env.Recording == nil {
			return nil, q.env.Usage(errors.New("this program cannot play recordings"))
		}
		opener, err := q.env.Recording(ctx, q.path)
		if err != nil {
			return nil, err
		}
		return recording.New(ctx, opener)
	case "snapshot":
		h, err := snapshot.Open(q.path, q.axis, series)
		if err != nil {
			return nil, q.env.Usage(err)
		}
		return h, nil
	}
	opt, err := q.vaultOptions()
	if err != nil {
		return nil, err
	}
	h, err := vaults.Open(q.path, series, opt)
	if err != nil {
		return nil, q.env.Usage(err)
	}
	return h, nil
}

func (q *question) vaultOptions() (vaults.Options, error) {
	opt := vaults.DefaultOptions()
	var err error
	if opt.CloseBelow, err = q.amount("close-below"); err != nil {
		return opt, err
	}
	if opt.Tolerance, err = q.ratio("tolerance"); err != nil {
		return opt, err
	}
	opt.FoldedRate = q.cmd.Bool("folded-rate")
	return opt, nil
}

// moment reads a time flag.
func (q *question) moment(flag string, otherwise uint64) (uint64, error) {
	text := q.cmd.String(flag)
	if text == "" {
		return otherwise, nil
	}
	at, noZone, err := notes.ParseTime(text)
	if err != nil {
		return 0, q.env.Usage(fmt.Errorf("--%s: %w", flag, err))
	}
	if noZone {
		q.notes.Add(notes.NoZone, "times without a zone are read as UTC", "--"+flag+" "+text)
	}
	return at, nil
}

// amount reads a flag of USD, zero or more.
func (q *question) amount(flag string) (decimal.Decimal, error) {
	d, err := decimal.NewFromString(q.cmd.String(flag))
	if err != nil || d.IsNegative() {
		return d, q.env.Usage(fmt.Errorf("--%s %q: want an amount such as 1000", flag, q.cmd.String(flag)))
	}
	return d, nil
}

// ratio reads 5% or 0.05.
func (q *question) ratio(flag string) (decimal.Decimal, error) {
	d, err := parseRatio(q.cmd.String(flag))
	if err != nil {
		return d, q.env.Usage(fmt.Errorf("--%s: %w", flag, err))
	}
	return d, nil
}

func parseRatio(text string) (decimal.Decimal, error) {
	digits, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	d, err := decimal.NewFromString(digits)
	if err != nil || d.IsNegative() {
		return d, fmt.Errorf("%q: want a part such as 5%%", text)
	}
	if percent {
		d = d.Shift(-2)
	}
	return d, nil
}

func parseRatios(text string) ([]decimal.Decimal, error) {
	var out []decimal.Decimal
	for s := range strings.SplitSeq(text, ",") {
		d, err := parseRatio(s)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// edgeFlags choose the bands.
func edgeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "levels", Usage: "prices to cut the bands at: 2200,2400"},
		&cli.StringFlag{Name: "step", Usage: "cut the bands every so many dollars"},
		&cli.BoolFlag{Name: "walls", Usage: "cut the bands where most collateral comes due"},
	}
}

// edges is how the flags cut a ladder.
func (q *question) edges() (func(*thresholds.Ladder) ([]decimal.Decimal, error), error) {
	given := 0
	for _, f := range []string{"levels", "step", "walls"} {
		if q.cmd.IsSet(f) {
			given++
		}
	}
	if given > 1 {
		return nil, q.env.Usage(errors.New("--levels, --step and --walls exclude each other"))
	}
	switch {
	case q.cmd.IsSet("levels"):
		levels, err := thresholds.ParseLevels(q.cmd.String("levels"))
		if err != nil {
			return nil, q.env.Usage(fmt.Errorf("--levels: %w", err))
		}
		return func(*thresholds.Ladder) ([]decimal.Decimal, error) { return levels, nil }, nil
	case q.cmd.Bool("walls"):
		return func(l *thresholds.Ladder) ([]decimal.Decimal, error) {
			walls, err := l.Walls(thresholds.WallOptions{})
			if err != nil {
				return nil, err
			}
			return thresholds.WallEdges(walls), nil
		}, nil
	}
	step := decimal.Zero
	if q.cmd.IsSet("step") {
		var err error
		if step, err = q.amount("step"); err != nil {
			return nil, err
		}
		if step.IsZero() {
			return nil, q.env.Usage(errors.New("--step 0: want the width of a band, such as 200"))
		}
	}
	return func(l *thresholds.Ladder) ([]decimal.Decimal, error) {
		width := step
		if width.IsZero() {
			width = niceStep(l.Spot())
		}
		return thresholds.StepEdges(width, width, l.Spot().Mul(decimal.NewFromInt(2)))
	}, nil
}

// niceStep is about a twentieth of a price, as 1, 2 or 5 times a power of ten.
func niceStep(price decimal.Decimal) decimal.Decimal {
	wanted := price.Div(decimal.NewFromInt(20))
	p := decimal.New(1, int32(wanted.NumDigits())+wanted.Exponent()-1)
	for _, k := range []int64{5, 2} {
		if s := p.Mul(decimal.NewFromInt(k)); !s.GreaterThan(wanted) {
			return s
		}
	}
	return p
}
