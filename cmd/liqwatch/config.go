package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v3"

	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
)

func configCommand() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "work on the configuration file",
		Commands: []*cli.Command{{
			Name:   "check",
			Usage:  "read the configuration and say what is wrong with it; asks no node",
			Flags:  []cli.Flag{configFlag()},
			Action: runConfigCheck,
		}},
	}
}

func runConfigCheck(_ context.Context, cmd *cli.Command) error {
	cfg, log, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	return checkConfig(cmd, cfg, log)
}

// checkConfig makes everything the file names, short of asking a node.
func checkConfig(cmd *cli.Command, cfg *config.Config, log zerolog.Logger) error {
	markets, err := catalog.Markets(cfg)
	if err != nil {
		return err
	}
	notifiers, err := catalog.Notifiers(cfg, cmd.Root().Writer)
	if err != nil {
		return err
	}
	rules, err := rulesOf(cfg)
	if err != nil {
		return err
	}
	if _, err := spotFeeds(cfg, markets); err != nil {
		return err
	}
	if _, ok := cfg.Store.SQLite(); !ok {
		return cfg.At("store").Wrap(errors.New("this version keeps its state in SQLite: write store: sqlite:liqwatch.db"))
	}
	for _, name := range sortedKeys(cfg.Chains) {
		_, stop, err := catalog.OpenChain(cfg.Chains[name], log)
		if err != nil {
			return cfg.At("chains", name).Wrap(err)
		}
		if err := stop(); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(cmd.Root().Writer, "%s is fine: %d chains, %d markets, %d rules, %d notifiers\n",
		cmd.String("config"), len(cfg.Chains), len(markets), len(rules), len(notifiers))
	return err
}
