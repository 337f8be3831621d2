package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"liqwatch/internal/bench"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/protocols"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:  "bench",
		Usage: "measure what reading an Aave v3 market costs, against the usual way, on the same node in the same run",
		Flags: []cli.Flag{
			configFlag(),
			&cli.StringFlag{Name: "market", Usage: "the market to measure; the first of the configuration when left out"},
			&cli.DurationFlag{Name: "delay", Value: 50 * time.Millisecond, Usage: "also measure with this added to each round trip"},
			&cli.UintFlag{Name: "log-range", Value: 10_000, Usage: "also measure with eth_getLogs held to so many blocks"},
			&cli.UintFlag{Name: "blocks", Value: 20, Usage: "how many blocks to follow"},
			formatFlag("table", "json"),
			outputFlag(),
		},
		Action: runBench,
	}
}

func runBench(ctx context.Context, cmd *cli.Command) error {
	format, err := chosenFormat(cmd, "table", "json")
	if err != nil {
		return err
	}
	cfg, _, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	subject, err := benchSubject(cfg, cmd.String("market"))
	if err != nil {
		return err
	}
	results, err := measure(ctx, cmd, subject)
	if err != nil {
		return err
	}
	return output(cmd, func(w io.Writer) error {
		if format == "json" {
			return writeJSON(w, map[string]any{"comparisons": results})
		}
		return benchTable(w, results)
	})
}

func measure(ctx context.Context, cmd *cli.Command, s bench.Subject) ([]bench.Comparison, error) {
	var out []bench.Comparison
	for _, run := range []struct {
		delay    time.Duration
		logRange uint
	}{{0, 0}, {cmd.Duration("delay"), 0}, {0, cmd.Uint("log-range")}, {cmd.Duration("delay"), cmd.Uint("log-range")}} {
		c, err := bench.Cold(ctx, s, run.delay, uint64(run.logRange))
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if n := cmd.Uint("blocks"); n > 0 {
		c, err := bench.Following(ctx, s, uint64(n))
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func benchSubject(cfg *config.Config, name string) (bench.Subject, error) {
	markets, err := catalog.Markets(cfg)
	if err != nil {
		return bench.Subject{}, err
	}
	i := 0
	if name != "" {
		i = slices.IndexFunc(markets, func(m protocols.Market) bool { return m.Name() == name })
	}
	if i < 0 || i >= len(markets) {
		return bench.Subject{}, usagef("--market %s: the configuration has no such market", name)
	}
	m := markets[i]
	if m.Protocol() != "aave-v3" {
		return bench.Subject{}, usagef("--market %s: the baseline reads aave-v3 markets, this one is %s", m.Name(), m.Protocol())
	}
	chain := cfg.Chains[m.Chain()]
	return bench.Subject{
		Node: chain.RPC[0].Reveal(), ChainName: chain.Name, ChainID: chain.ID,
		Open: func() (protocols.Market, error) {
			fresh, err := catalog.Markets(cfg)
			if err != nil {
				return nil, err
			}
			return fresh[i], nil
		},
	}, nil
}

func benchTable(w io.Writer, results []bench.Comparison) error {
	t := newTable(w, "what", "way", "requests", "eth_calls", "eth_getLogs", "round trips", "KB up", "KB down", "seconds", "same health")
	for _, c := range results {
		for _, cost := range []bench.Cost{c.Usual, c.Ours} {
			t.row(c.What, cost.Way, fmt.Sprint(cost.Count.Requests), perBlock(c, cost, "eth_call"), perBlock(c, cost, "eth_getLogs"), fmt.Sprint(cost.Count.Trips),
				fmt.Sprintf("%.1f", float64(cost.Count.Up)/1e3), fmt.Sprintf("%.1f", float64(cost.Count.Down)/1e3),
				fmt.Sprintf("%.2f", cost.Took.Seconds()), fmt.Sprintf("%d of %d", c.Agree, c.Accounts))
		}
		t.row("", "times less", ratio(float64(c.Usual.Count.Requests), float64(c.Ours.Count.Requests)), "", "",
			ratio(float64(c.Usual.Count.Trips), float64(c.Ours.Count.Trips)), ratio(float64(c.Usual.Count.Up), float64(c.Ours.Count.Up)),
			ratio(float64(c.Usual.Count.Down), float64(c.Ours.Count.Down)), ratio(c.Usual.Took.Seconds(), c.Ours.Took.Seconds()))
	}
	return t.flush()
}

// perBlock is how often a method was asked, by block where blocks were followed.
func perBlock(c bench.Comparison, cost bench.Cost, method string) string {
	if c.Blocks == 0 {
		return fmt.Sprint(cost.Count.Methods[method])
	}
	return fmt.Sprintf("%.2f a block", cost.Count.Per(method, c.Blocks))
}

func ratio(usual, ours float64) string {
	if ours == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", usual/ours)
}
