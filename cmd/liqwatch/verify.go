package main

import (
	"context"
	"fmt"
	"io"
	"math/big"

	"github.com/urfave/cli/v3"

	"liqwatch/internal/watch"
	"liqwatch/protocols"
)

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:   "verify",
		Usage:  "compare every position with the contract's own view; exit 1 on any difference",
		Flags:  append(snapshotFlags(), formatFlag("table", "json"), outputFlag()),
		Action: runVerify,
	}
}

func runVerify(ctx context.Context, cmd *cli.Command) error {
	format, err := chosenFormat(cmd, "table", "json")
	if err != nil {
		return err
	}
	snap, err := takeSnapshot(ctx, cmd)
	if err != nil {
		return err
	}
	defer snap.done()
	reports, err := verifyMarkets(ctx, snap)
	if err != nil {
		return err
	}
	err = output(cmd, func(w io.Writer) error {
		if format == "json" {
			return writeJSON(w, map[string]any{"markets": verifyRows(reports)})
		}
		return verifyTable(w, reports)
	})
	if err != nil {
		return err
	}
	return verdict(reports)
}

func verifyMarkets(ctx context.Context, snap *snapshot) ([]protocols.Report, error) {
	reports := make([]protocols.Report, len(snap.markets))
	for i, m := range snap.markets {
		chain := snap.chains[m.Chain()]
		errs := watch.RunSteps(ctx, chain, m.Book().Block(), m.Verify(&reports[i]))
		if errs[0] != nil {
			return nil, fmt.Errorf("verify %s: %w", m.Name(), errs[0])
		}
	}
	return reports, nil
}

// verdict is an error when anything differed, or when a market's debts do not add
// up: finding no borrowers is not a pass.
func verdict(reports []protocols.Report) error {
	for _, r := range reports {
		if !r.Clean() {
			return failedError{fmt.Errorf("%s differs from the chain at block %d", r.Market, r.Block.Number)}
		}
	}
	return nil
}

type verifyRow struct {
	Market           string                 `json:"market"`
	Block            uint64                 `json:"block"`
	Positions        int                    `json:"positions"`
	Differences      []protocols.Difference `json:"differences"`
	Sums             []protocols.Sum        `json:"sums"`
	MaxDifferenceRaw string                 `json:"max_difference_raw"`
}

func verifyRows(reports []protocols.Report) []verifyRow {
	rows := make([]verifyRow, len(reports))
	for i, r := range reports {
		rows[i] = verifyRow{
			Market: r.Market, Block: r.Block.Number, Positions: r.Positions,
			Differences: append([]protocols.Difference{}, r.Differences...),
			Sums:        append([]protocols.Sum{}, r.Sums...), MaxDifferenceRaw: maxDifference(r).String(),
		}
	}
	return rows
}

// maxDifference is the largest |ours-chain| over all fields and sums that are numbers.
func maxDifference(r protocols.Report) *big.Int {
	most := new(big.Int)
	widen := func(ours, chain string) {
		a, okA := new(big.Int).SetString(ours, 10)
		b, okB := new(big.Int).SetString(chain, 10)
		if !okA || !okB {
			return
		}
		if d := a.Sub(a, b).Abs(a); d.Cmp(most) > 0 {
			most = d
		}
	}
	for _, d := range r.Differences {
		widen(d.Ours, d.Chain)
	}
	for _, s := range r.Sums {
		widen(s.Ours, s.Chain)
	}
	return most
}

func verifyTable(w io.Writer, reports []protocols.Report) error {
	t := newTable(w, "market", "block", "positions", "differences", "sums", "largest difference")
	for _, r := range reports {
		hold := 0
		for _, s := range r.Sums {
			if s.Holds() {
				hold++
			}
		}
		t.row(r.Market, fmt.Sprint(r.Block.Number), fmt.Sprint(r.Positions), fmt.Sprint(len(r.Differences)),
			fmt.Sprintf("%d of %d hold", hold, len(r.Sums)), maxDifference(r).String())
	}
	for _, r := range reports {
		for _, d := range r.Differences {
			t.row(r.Market, d.Position, d.Field, "ours "+d.Ours, "chain "+d.Chain)
		}
		for _, s := range r.Sums {
			if !s.Holds() {
				t.row(r.Market, printable(s.Asset), "sum", "ours "+s.Ours, "chain "+s.Chain)
			}
		}
	}
	return t.flush()
}
