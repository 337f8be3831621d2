package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/urfave/cli/v3"

	"liqwatch/chains/recorded"
	"liqwatch/internal/config"
	"liqwatch/internal/watch"
)

func replayCommand() *cli.Command {
	return &cli.Command{
		Name:      "replay",
		Usage:     "play a recording through the rules it was made with; messages go to the terminal",
		ArgsUsage: "FILE",
		Flags: append(showFlags(),
			&cli.DurationFlag{Name: "pace", Usage: "time between two blocks"},
		),
		Action: runReplay,
	}
}

func runReplay(ctx context.Context, cmd *cli.Command) error {
	path := cmd.Args().First()
	if path == "" {
		return usagef("replay: name the recording")
	}
	if cmd.Duration("pace") < 0 {
		return usagef("--pace %s: want 0 or more", cmd.Duration("pace"))
	}
	rec, err := recorded.OpenFile(path)
	if err != nil {
		return usage(err)
	}
	return playStory(ctx, cmd, rec, cmd.Duration("pace"))
}

// playStory plays a recording, and says at its end what was foreseen at its start
// and what then happened.
func playStory(ctx context.Context, cmd *cli.Command, rec *recorded.Recording, pace time.Duration) error {
	w := cmd.Root().Writer
	log := zerolog.New(cmd.Root().ErrWriter).Level(zerolog.ErrorLevel).With().Timestamp().Logger()
	p, err := newPlayer(ctx, rec, chosenPage(cmd, pace), w, log)
	if err != nil {
		return err
	}
	defer p.Close()
	start := time.Now()
	err = p.play(ctx, func(ctx context.Context) error {
		if p.forecast == nil {
			if err := p.foresee(w); err != nil {
				return err
			}
		}
		return pause(ctx, pace)
	}, func(ctx context.Context) error {
		if err := p.epilogue(w, time.Since(start)); err != nil {
			return err
		}
		return p.linger(ctx)
	})
	return err
}

// linger keeps the page open after the story, where somebody may be looking at it.
func (p *player) linger(ctx context.Context) error {
	if p.page == nil || !p.show.stay {
		return nil
	}
	fmt.Fprintln(p.out, "\nThe story is over; the page stays open until Ctrl-C.")
	<-ctx.Done()
	return nil
}

// foresee draws the ladder at the start of the recording.
func (p *player) foresee(w io.Writer) error {
	first := slices.IndexFunc(p.cfg.Rules, func(r config.Rule) bool { return r.Watch == "" })
	if first < 0 {
		return nil
	}
	rule := p.cfg.Rules[first]
	_, ladder, err := watch.Observe(watch.Look{
		Axis: rule.Axis, Reference: p.cfg.Axes[rule.Axis].Reference, Books: p.engine.Books(), Seen: p.clock(),
	})
	if err != nil {
		return err
	}
	edges := rule.Levels.Prices
	if len(edges) > 0 {
		outer := edges[0]
		for _, e := range edges {
			outer = decimal.Min(outer, e)
		}
		edges = append(edges[:len(edges):len(edges)], outer.Mul(decimal.RequireFromString("0.9")))
	}
	if p.forecast, err = watch.NewForecast(ladder, p.engine.Books(), edges); err != nil {
		return err
	}
	f := p.forecast
	fmt.Fprintf(w, "%s stands at %s. What the chain says would be liquidated:\n\n", f.Axis, f.Spot)
	t := newTable(w, "from", "to", "accounts", "at risk USD", "seizable USD", "debt USD")
	for _, b := range f.Bands {
		t.row(edge(b.From, "0"), edge(b.To, "and above"), fmt.Sprint(b.AtTrigger.Accounts), grouped(b.AtTrigger.AtRiskUSD),
			grouped(b.AtTrigger.SeizableUSD), grouped(b.AtTrigger.DebtUSD))
	}
	return t.flush()
}

// epilogue holds the forecast against what happened.
func (p *player) epilogue(w io.Writer, took time.Duration) error {
	fmt.Fprintf(w, "\n%d blocks and %d alerts in %s.\n", p.rec.Steps()+1, p.alerts, took.Round(time.Second))
	f := p.forecast
	if f == nil {
		return nil
	}
	fmt.Fprintf(w, "What was foreseen with %s at %s, and what was then really liquidated:\n\n", f.Axis, f.Spot)
	t := newTable(w, "from", "to", "foreseen accounts", "foreseen debt USD", "liquidated accounts", "calls", "repaid USD", "seized USD")
	for _, b := range f.Bands {
		t.row(append([]string{edge(b.From, "0"), edge(b.To, "and above"), fmt.Sprint(b.AtTrigger.Accounts), grouped(b.AtTrigger.DebtUSD)},
			executedCells(b.Executed)...)...)
	}
	t.row(append([]string{"not", "foreseen", "", ""}, executedCells(f.Unforeseen)...)...)
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\nForeseen is what would happen if nobody moved; owners repay and add collateral, so less is liquidated.")
	return err
}

func executedCells(e watch.Executed) []string {
	return []string{fmt.Sprint(e.Accounts), fmt.Sprint(e.Calls), grouped(e.RepaidUSD), grouped(e.SeizedUSD)}
}
