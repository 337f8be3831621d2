package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v3"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:   "doctor",
		Usage:  "look at configuration, nodes and store, and say what to do about what is wrong",
		Flags:  []cli.Flag{configFlag()},
		Action: runDoctor,
	}
}

// patience is how long one chain may take to answer the doctor.
const patience = 30 * time.Second

func runDoctor(ctx context.Context, cmd *cli.Command) error {
	w := cmd.Root().Writer
	sqlite, err := store.Version(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "liqwatch %s, %s, SQLite %s\n", version, runtime.Version(), sqlite)
	cfg, log, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	log = quiet(log)
	checked, err := checkConfig(cmd, cfg, log)
	if err != nil {
		return err
	}
	if err := checked.print(w); err != nil {
		return err
	}
	ill := []error{checked.err()}
	for _, name := range sortedKeys(cfg.Chains) {
		if err := examineChain(ctx, w, cfg.Chains[name], log); err != nil {
			ill = append(ill, err)
			fmt.Fprintf(w, "chain %s: %v\n", name, err)
		}
	}
	if err := examineStore(ctx, w, cfg); err != nil {
		ill = append(ill, err)
		fmt.Fprintln(w, err)
	}
	return errors.Join(ill...)
}

// oldHead is how old a head is that needs a word: no chain that is watched is so slow.
const oldHead = 5 * time.Minute

// examineChain says what a chain's nodes are and allow.
func examineChain(ctx context.Context, w io.Writer, c config.Chain, log zerolog.Logger) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	chain, shut, err := catalog.OpenChain(c, log)
	if err != nil {
		return err
	}
	defer func() { _ = shut() }()
	head, err := chain.Head(ctx)
	if err != nil {
		return err
	}
	can, err := chain.Capabilities(ctx)
	if err != nil {
		return err
	}
	final, err := chain.Finalized(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "chain %s: id %d, head %d (%s), final %d, a block every %s\n",
		c.Name, can.ChainID, head.Number, timeOf(head.Time), final.Number, can.BlockTime.Round(100*time.Millisecond))
	if age := time.Since(time.Unix(int64(head.Time), 0)); age > oldHead {
		fmt.Fprintf(w, "chain %s: its newest block is %s old by its own clock: the nodes are behind\n", c.Name, alerts.Span(age))
	}
	fmt.Fprintf(w, "chain %s: %s\n", c.Name, readingWords(can))
	return nil
}

func readingWords(can chains.Capabilities) string {
	switch {
	case can.Slots:
		return "bulk reading of storage by state override: the cheapest way"
	case can.Pinned:
		return "no state overrides: accounts are read by packed view calls, at more requests; what moves with ETH is taken from the oracle's structure"
	}
	return "reads cannot be pinned to a block: every answer is stamped with its own"
}

// examineStore opens the store as a command would.
func examineStore(ctx context.Context, w io.Writer, cfg *config.Config) error {
	s, err := openLook(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "store %s: sound\n", cfg.Store)
	return s.close()
}
