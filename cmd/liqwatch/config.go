package main

import (
	"context"

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
			Name:  "check",
			Usage: "read the configuration and say what is wrong with it, and which rules can never speak",
			Flags: []cli.Flag{
				configFlag(),
				&cli.BoolFlag{Name: "online", Usage: "read the markets once, and hold the rules against them"},
				formatFlag("table", "json"),
			},
			Action: runConfigCheck,
		}},
	}
}

func runConfigCheck(ctx context.Context, cmd *cli.Command) error {
	format, err := chosenFormat(cmd, "table", "json")
	if err != nil {
		return err
	}
	cfg, err := config.Load(cmd.String("config"))
	if err != nil {
		return err
	}
	c, err := checkConfig(cmd, cfg, newLog(cmd.Root().ErrWriter, cfg))
	if err != nil {
		return err
	}
	if cmd.Bool("online") {
		found, err := onlineFindings(ctx, cmd)
		if err != nil {
			return err
		}
		c.Online = true
		c.add(found)
	}
	if format == "json" {
		err = writeJSON(cmd.Root().Writer, c)
	} else {
		err = c.print(cmd.Root().Writer)
	}
	if err != nil {
		return err
	}
	return c.err()
}

// checkConfig makes everything the file names, short of asking a node.
func checkConfig(cmd *cli.Command, cfg *config.Config, log zerolog.Logger) (*checked, error) {
	markets, err := catalog.Markets(cfg)
	if err != nil {
		return nil, err
	}
	notifiers, err := catalog.Notifiers(cfg, cmd.Root().Writer)
	if err != nil {
		return nil, err
	}
	if _, err := policies(cfg, notifiers); err != nil {
		return nil, err
	}
	if _, err := rulesOf(cfg); err != nil {
		return nil, err
	}
	if err := checkAccounts(cfg); err != nil {
		return nil, err
	}
	if _, err := spotFeeds(cfg, markets); err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(cfg.Chains) {
		_, stop, err := catalog.OpenChain(cfg.Chains[name], log)
		if err != nil {
			return nil, cfg.At("chains", name).Wrap(err)
		}
		if err := stop(); err != nil {
			return nil, err
		}
	}
	c := &checked{
		File: cmd.String("config"), Fine: true, Chains: len(cfg.Chains), Markets: len(markets), Rules: len(cfg.Rules),
		Channels: len(notifiers), Findings: []findingJSON{},
	}
	found := append(cfg.Findings(), accountFindings(cfg, markets)...)
	config.SortFindings(found)
	c.add(found)
	return c, nil
}
