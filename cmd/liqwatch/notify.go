package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"liqwatch/internal/alerts"
	"liqwatch/internal/catalog"
)

func notifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "notify",
		Usage: "work with notifiers",
		Commands: []*cli.Command{{
			Name:      "test",
			Usage:     "send a test message to a notifier, once",
			ArgsUsage: "NAME",
			Flags:     []cli.Flag{configFlag()},
			Action:    runNotifyTest,
		}},
	}
}

func runNotifyTest(ctx context.Context, cmd *cli.Command) error {
	cfg, _, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	notifiers, err := catalog.Notifiers(cfg, cmd.Root().Writer)
	if err != nil {
		return err
	}
	name := cmd.Args().First()
	n, ok := notifiers[name]
	if !ok {
		known := strings.Join(sortedKeys(notifiers), ", ")
		return usagef("notify test: there is no notifier %q; the configuration has these notifiers: %s", name, cmp.Or(known, "none"))
	}
	message, err := alerts.Test(name, time.Now())
	if err != nil {
		return fmt.Errorf("write the test message: %w", err)
	}
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	if err := n.Send(ctx, message); err != nil {
		return failedError{fmt.Errorf("send to %s: %s", name, cfg.Redact(err.Error()))}
	}
	_, err = fmt.Fprintf(cmd.Root().Writer, "%s took the test message\n", name)
	return err
}
