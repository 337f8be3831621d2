// Command devnet runs a local node with a real Aave v3 market on it, full of
// borrowers, for a person to play with: it prints the liqwatch configuration that
// follows it and takes commands that move the price.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
	"liqwatch/devnet/tron"
)

// options of the command line.
type options struct {
	version   string
	borrowers int
	plain     int
	seed      uint64
	port      int
	blockTime time.Duration
	story     bool
	beats     string
	tron      bool
	config    string
}

func main() { os.Exit(start()) }

// start returns the exit code: 0 done, 1 failed, 2 wrong use.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	opts, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // parse has said what is wrong
	}
	if err := run(ctx, opts, os.Stdin, os.Stdout, os.Stderr); err != nil && ctx.Err() == nil {
		_, _ = fmt.Fprintln(os.Stderr, "devnet:", err)
		return 1
	}
	return 0
}

// forTron are the options as the double takes them.
func (o options) forTron() tron.RunOptions {
	version := o.version
	if version == string(aave.V36) { // the default, which is Aave's
		version = ""
	}
	return tron.RunOptions{
		Version: version, Port: o.port, Borrowers: o.borrowers, Seed: o.seed, BlockTime: o.blockTime, Config: o.config,
	}
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("devnet", flag.ContinueOnError)
	f.StringVar(&o.version, "version", string(aave.V36), "version of Aave v3: 3.0 or 3.6")
	f.BoolVar(&o.tron, "tron", false, "a double of a TRON node with a JustLend-like market instead; --version is then java-tron's: 4.8.0, 4.8.1 or 4.8.2")
	f.IntVar(&o.borrowers, "borrowers", 0, "how many borrowers of all kinds (at least 530)")
	f.IntVar(&o.plain, "plain", 0, "how many plain borrowers besides")
	f.Uint64Var(&o.seed, "seed", 1, "same seed, same market")
	f.IntVar(&o.port, "port", 8545, "port of the node, on 127.0.0.1")
	f.DurationVar(&o.blockTime, "block-time", 2*time.Second, "wall-clock time between blocks; 0 mines only when something happens")
	f.BoolVar(&o.story, "story", false, "play the story at once")
	f.StringVar(&o.config, "config", "", "also write the configuration to this file")
	f.StringVar(&o.beats, "beats", "", "write the story's beats to this file, as liqwatch record takes them")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		err := fmt.Errorf("unexpected argument %q", f.Arg(0))
		_, _ = fmt.Fprintln(f.Output(), err)
		return o, err
	}
	return o, nil
}

// run sets the world up, tells what there is and obeys until the input or the
// context ends.
func run(ctx context.Context, opts options, in io.Reader, out, progress io.Writer) error {
	if opts.tron {
		return tron.Run(ctx, opts.forTron(), in, out, progress)
	}
	note := func(format string, args ...any) { _, _ = fmt.Fprintf(progress, format+"\n", args...) }
	note("Starting anvil on port %d (the first run downloads packages and compiles contracts: a minute) ...", opts.port)
	node, err := anvil.Start(ctx, anvil.Options{Port: opts.port})
	if err != nil {
		return err
	}
	defer func() { _ = node.Kill() }()
	w, err := aave.Deploy(ctx, node, aave.Version(opts.version), aave.Options{})
	if err != nil {
		return err
	}
	note("Aave %s is deployed; borrowers come in ...", opts.version)
	pop, err := population.Build(ctx, w, population.Options{Seed: opts.seed, Borrowers: opts.borrowers})
	if err != nil {
		return err
	}
	if opts.plain > 0 {
		if _, err := population.AddPlain(ctx, w, opts.plain, opts.seed); err != nil {
			return err
		}
	}
	note("%d borrowers are there, ETH is at 2,700.", len(pop.Borrowers)+opts.plain)
	if err := tell(w, opts, out, progress); err != nil {
		return err
	}
	return newSession(w, pop, opts, progress).obey(ctx, in)
}

// tell prints the configuration, and writes it to a file where asked to.
func tell(w *aave.World, opts options, out, progress io.Writer) error {
	if err := writeConfiguration(out, w); err != nil {
		return err
	}
	if opts.config != "" {
		f, err := os.Create(opts.config)
		if err != nil {
			return fmt.Errorf("write the configuration: %w", err)
		}
		if err := errors.Join(writeConfiguration(f, w), f.Close()); err != nil {
			return fmt.Errorf("write the configuration: %w", err)
		}
	}
	return writeHelp(progress, w)
}
