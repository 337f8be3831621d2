package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/shopspring/decimal"
	"github.com/urfave/cli/v3"

	"liqwatch/internal/chart"
	"liqwatch/internal/config"
	"liqwatch/thresholds"
)

func mapCommand() *cli.Command {
	return &cli.Command{
		Name:  "map",
		Usage: "show how much is liquidated at which price",
		Flags: append(snapshotFlags(),
			&cli.StringFlag{Name: "axis", Value: "ETH", Usage: "ETH, BTC, market, or a peg such as wstETH/ETH"},
			&cli.StringFlag{Name: "levels", Usage: "prices to cut the bands at: 2200,2400"},
			&cli.StringFlag{Name: "step", Usage: "cut the bands every so many dollars"},
			&cli.BoolFlag{Name: "walls", Usage: "cut the bands where most collateral comes due"},
			&cli.BoolFlag{Name: "explain", Usage: "show what moves on the axis, by how much, and how that is known"},
			formatFlag("table", "json", "csv", "png"),
			outputFlag(),
		),
		Action: runMap,
	}
}

func runMap(ctx context.Context, cmd *cli.Command) error {
	format, err := chosenFormat(cmd, "table", "json", "csv", "png")
	if err != nil {
		return err
	}
	if cmd.Bool("explain") && format != "table" && format != "json" {
		return usagef("--explain is a table or json, not %s", format)
	}
	snap, err := takeSnapshot(ctx, cmd)
	if err != nil {
		return err
	}
	defer snap.done()
	if cmd.Bool("explain") {
		return output(cmd, func(w io.Writer) error { return explain(w, snap, cmd.String("axis"), format) })
	}
	ladder, err := snap.ladder(cmd.String("axis"))
	if err != nil {
		return err
	}
	edges, err := edgesOf(cmd, ladder)
	if err != nil {
		return err
	}
	m, err := ladder.Map(edges, thresholds.MapOptions{})
	if err != nil {
		return fmt.Errorf("draw the map: %w", err)
	}
	levels := marked(snap.cfg, ladder.Axis().Name, cmd)
	return output(cmd, func(w io.Writer) error { return writeMap(w, m, levels, format) })
}

// marked are the prices worth a mark in the picture: those asked for, else those
// of the rules.
func marked(cfg *config.Config, axis string, cmd *cli.Command) []decimal.Decimal {
	if cmd.IsSet("levels") {
		levels, _ := thresholds.ParseLevels(cmd.String("levels"))
		return levels
	}
	var out []decimal.Decimal
	for _, r := range cfg.Rules {
		if r.Axis == axis {
			out = append(out, r.Levels.Prices...)
		}
	}
	return out
}

// edgesOf reads --levels, --step or --walls; without any, a step is chosen that
// suits the axis.
func edgesOf(cmd *cli.Command, ladder *thresholds.Ladder) ([]decimal.Decimal, error) {
	given := 0
	for _, name := range []string{"levels", "step", "walls"} {
		if cmd.IsSet(name) {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, usagef("--levels, --step and --walls exclude each other")
	case cmd.IsSet("levels"):
		levels, err := thresholds.ParseLevels(cmd.String("levels"))
		if err != nil {
			return nil, usage(fmt.Errorf("--levels: %w", err))
		}
		return levels, nil
	case cmd.Bool("walls"):
		walls, err := ladder.Walls(thresholds.WallOptions{})
		if err != nil {
			return nil, fmt.Errorf("find the walls: %w", err)
		}
		return thresholds.WallEdges(walls), nil
	}
	step := niceStep(ladder.Spot())
	if cmd.IsSet("step") {
		s, err := decimal.NewFromString(cmd.String("step"))
		if err != nil || !s.IsPositive() {
			return nil, usagef("--step %q: want a number above 0", cmd.String("step"))
		}
		step = s
	}
	edges, err := ladder.StepEdges(step)
	if err != nil {
		return nil, usage(fmt.Errorf("--step %s: %w", step, err))
	}
	return edges, nil
}

// niceStep is at most a twentieth of the price, and 1, 2 or 5 with zeros.
func niceStep(spot decimal.Decimal) decimal.Decimal {
	most := spot.Div(decimal.NewFromInt(20))
	power := decimal.New(1, int32(most.NumDigits())+most.Exponent()-1)
	for _, k := range []int64{5, 2} {
		if step := power.Mul(decimal.NewFromInt(k)); step.LessThanOrEqual(most) {
			return step
		}
	}
	return power
}

func writeMap(w io.Writer, m *thresholds.Map, levels []decimal.Decimal, format string) error {
	switch format {
	case "json":
		return writeJSON(w, m)
	case "csv":
		return mapCSV(w, m)
	case "png":
		return chart.PNG(w, m, chart.Options{Levels: levels, Now: time.Now()})
	}
	return mapTable(w, m)
}
