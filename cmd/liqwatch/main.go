// Command liqwatch tells at which prices on-chain loans are liquidated, how much
// and whose, and says so while the price is still on its way.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"
)

// version is set by the release build.
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program without the process: results go to out, all else to errs.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	err := newApp(out, errs).Run(ctx, args)
	return report(err, errs)
}

func newApp(out, errs io.Writer) *cli.Command {
	return &cli.Command{
		Name:                  "liqwatch",
		Usage:                 "watch the prices at which on-chain loans are liquidated",
		Version:               version,
		Writer:                out,
		ErrWriter:             errs,
		EnableShellCompletion: true,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {},
		OnUsageError:          wrongUse,
		CommandNotFound: func(_ context.Context, cmd *cli.Command, name string) {
			cmd.Metadata["unknown"] = name
		},
		Metadata: map[string]any{},
		Commands: refuseWrongUse(commands()),
		Action: func(_ context.Context, cmd *cli.Command) error {
			if name := cmd.Args().First(); name != "" {
				return usagef("there is no command %q; liqwatch --help lists them", name)
			}
			return cli.ShowAppHelp(cmd)
		},
	}
}

// wrongUse turns what the command line's parser refuses into our exit code. Every
// command has to be told, or it prints its help on stdout.
func wrongUse(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	return usage(fmt.Errorf("%w; %s --help shows what there is", err, cmd.FullName()))
}

func refuseWrongUse(list []*cli.Command) []*cli.Command {
	for _, c := range list {
		c.OnUsageError = wrongUse
		switch {
		case len(c.Commands) > 0:
			c.Before = refuseUnknown
			c.Action = func(_ context.Context, cmd *cli.Command) error { return cli.ShowSubcommandHelp(cmd) }
		case c.ArgsUsage == "":
			c.Before = refuseArguments
		}
		refuseWrongUse(c.Commands)
	}
	return list
}

// refuseArguments refuses what a command would not read: a word too many is a
// mistake that should not pass for an answer.
func refuseArguments(ctx context.Context, cmd *cli.Command) (context.Context, error) {
	if word := cmd.Args().First(); word != "" && word != "help" {
		return ctx, usagef("%q: %s takes no arguments; %s --help shows what there is", word, cmd.FullName(), cmd.FullName())
	}
	return ctx, nil
}

// refuseUnknown refuses a subcommand that is not there.
func refuseUnknown(ctx context.Context, cmd *cli.Command) (context.Context, error) {
	if word := cmd.Args().First(); word != "" && cmd.Command(word) == nil {
		return ctx, usagef("there is no command %q; %s --help lists them", word, cmd.FullName())
	}
	return ctx, nil
}

// commands are all subcommands in the order of a first acquaintance.
func commands() []*cli.Command {
	list := []*cli.Command{
		demoCommand(), watchCommand(), mapCommand(), positionsCommand(), tvlCommand(),
		verifyCommand(), stressCommand(), recordCommand(), replayCommand(), backtestCommand(), benchCommand(),
		notifyCommand(), configCommand(), doctorCommand(),
	}
	return append(list, answerCommands()...)
}
