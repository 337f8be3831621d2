// Command liqwatch tells at which prices on-chain loans are liquidated, how much
// and whose, and says so while the price is still on its way.
package main

import (
	"context"
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
		OnUsageError:          func(_ context.Context, _ *cli.Command, err error, _ bool) error { return usage(err) },
		CommandNotFound: func(_ context.Context, cmd *cli.Command, name string) {
			cmd.Metadata["unknown"] = name
		},
		Metadata: map[string]any{},
		Commands: commands(),
		Action: func(_ context.Context, cmd *cli.Command) error {
			if name := cmd.Args().First(); name != "" {
				return usagef("there is no command %q; liqwatch --help lists them", name)
			}
			return cli.ShowAppHelp(cmd)
		},
	}
}

// commands are all subcommands in the order of a first acquaintance.
func commands() []*cli.Command {
	return []*cli.Command{
		demoCommand(), watchCommand(), mapCommand(), positionsCommand(), tvlCommand(),
		verifyCommand(), stressCommand(), recordCommand(), replayCommand(), benchCommand(),
		notifyCommand(), configCommand(), doctorCommand(),
	}
}
