package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"

	"liqwatch/protocols"
	"liqwatch/thresholds"
)

func stressCommand() *cli.Command {
	return &cli.Command{
		Name:  "stress",
		Usage: "show what is liquidated when prices or parameters change",
		Flags: append(snapshotFlags(),
			&cli.StringSliceFlag{Name: "shock", Usage: "ETH=-20%, ETH=2000 or wstETH/ETH=-3%; repeat for joint shocks"},
			&cli.StringSliceFlag{Name: "set", Usage: "MARKET.ASSET.lt=0.80, .bonus=0.05 or .price=1800; repeat for more"},
			formatFlag("table", "json"),
			outputFlag(),
		),
		Action: runStress,
	}
}

func runStress(ctx context.Context, cmd *cli.Command) error {
	format, err := chosenFormat(cmd, "table", "json")
	if err != nil {
		return err
	}
	moves, changes, err := whatIf(cmd)
	if err != nil {
		return err
	}
	snap, err := takeSnapshot(ctx, cmd)
	if err != nil {
		return err
	}
	defer snap.done()
	result, err := thresholds.Stress(snap.books(), moves, changes)
	if err != nil {
		return usage(err)
	}
	return output(cmd, func(w io.Writer) error {
		if format == "json" {
			return writeJSON(w, result)
		}
		return stressTable(w, result)
	})
}

func whatIf(cmd *cli.Command) (moves []protocols.Move, changes []thresholds.Change, err error) {
	for _, arg := range cmd.StringSlice("shock") {
		m, err := thresholds.ParseShock(arg)
		if err != nil {
			return nil, nil, usage(fmt.Errorf("--shock: %w", err))
		}
		moves = append(moves, m)
	}
	for _, arg := range cmd.StringSlice("set") {
		c, err := thresholds.ParseChange(arg)
		if err != nil {
			return nil, nil, usage(fmt.Errorf("--set: %w", err))
		}
		changes = append(changes, c)
	}
	if len(moves)+len(changes) == 0 {
		return nil, nil, usagef("nothing to change: give --shock or --set")
	}
	return moves, changes, nil
}

func stressTable(w io.Writer, r *thresholds.StressResult) error {
	t := newTable(w, "", "accounts", "owners", "at risk USD", "seizable USD", "debt USD", "bad debt USD")
	for _, line := range []struct {
		name string
		t    thresholds.Totals
	}{{"now", r.Now}, {"then", r.Then}, {"newly liquidatable", r.Added}, {"no longer", r.Healed}} {
		t.row(totalCells(line.name, line.t)...)
	}
	t.row("")
	t.row("by market", "accounts", "owners", "at risk USD", "seizable USD", "debt USD", "bad debt USD")
	for _, m := range r.ByMarket {
		t.row(totalCells(m.Market, m.Totals)...)
	}
	t.row("")
	t.row("largest", "market", "at risk USD")
	for _, l := range r.Largest {
		t.row(l.Position, l.Market, grouped(l.AtRiskUSD))
	}
	return t.flush()
}

func totalCells(name string, t thresholds.Totals) []string {
	return []string{
		name, fmt.Sprint(t.Accounts), fmt.Sprint(t.Owners), grouped(t.AtRiskUSD),
		grouped(t.SeizableUSD), grouped(t.DebtUSD), grouped(t.BadDebtUSD),
	}
}
