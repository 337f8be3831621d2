package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v3"

	"liqwatch/chains"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
	"liqwatch/thresholds"
)

// snapshot is every asked market at one block of its chain.
type snapshot struct {
	cfg     *config.Config
	chains  map[string]chains.Chain
	markets []protocols.Market
	blocks  map[string]chains.Block
	close   []func() error
}

// snapshotFlags are those of every command that looks at markets once.
func snapshotFlags() []cli.Flag {
	return []cli.Flag{
		configFlag(),
		&cli.StringSliceFlag{Name: "market", Usage: "only this market (repeat for more)"},
		&cli.StringSliceFlag{Name: "block", Usage: "look at this block: N, or CHAIN=N where several chains are meant"},
	}
}

func configFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "config", Aliases: []string{"c"}, Value: "liqwatch.yaml", Usage: "the configuration file",
		Sources: cli.EnvVars("LIQWATCH_CONFIG"),
	}
}

// takeSnapshot reads the configuration and brings the asked markets to a block.
func takeSnapshot(ctx context.Context, cmd *cli.Command) (*snapshot, error) {
	cfg, log, err := loadConfig(cmd)
	if err != nil {
		return nil, err
	}
	log = quiet(log)
	s := &snapshot{cfg: cfg, chains: map[string]chains.Chain{}, blocks: map[string]chains.Block{}}
	if err := s.take(ctx, cmd, log); err != nil {
		s.done()
		return nil, err
	}
	return s, nil
}

func (s *snapshot) take(ctx context.Context, cmd *cli.Command, log zerolog.Logger) error {
	markets, err := catalog.Markets(s.cfg)
	if err != nil {
		return err
	}
	if s.markets, err = chosen(markets, cmd.StringSlice("market")); err != nil {
		return err
	}
	byChain := groupByChain(s.markets)
	wanted, err := blockNumbers(cmd.StringSlice("block"), byChain)
	if err != nil {
		return err
	}
	accounts, err := openLook(ctx, s.cfg)
	if err != nil {
		return err
	}
	s.close = append(s.close, accounts.close)
	for _, name := range sortedKeys(byChain) {
		if err := s.open(name, log); err != nil {
			return err
		}
		if err := s.bring(ctx, cmd, name, byChain[name], wanted, accounts.kept, log); err != nil {
			return err
		}
	}
	for _, b := range s.books() {
		tellFaults(cmd.Root().ErrWriter, b)
	}
	return nil
}

// tellFaults says beside the result, whatever the log's level, what is wrong with
// the book it is made of: half the borrowers must not look like all of them.
func tellFaults(errs io.Writer, b protocols.Book) {
	for _, f := range b.Faults() {
		fmt.Fprintf(errs, "liqwatch: do not trust the numbers of %s: %s (%s); liqwatch verify shows more\n", b.Market(), visible(f.Detail), f.Kind)
	}
}

func (s *snapshot) open(name string, log zerolog.Logger) error {
	chain, stop, err := catalog.OpenChain(s.cfg.Chains[name], log)
	if err != nil {
		return err
	}
	s.chains[name] = chain
	s.close = append(s.close, stop)
	return nil
}

// bring takes the markets of one chain to its block.
func (s *snapshot) bring(ctx context.Context, cmd *cli.Command, name string, markets []protocols.Market,
	wanted map[string]uint64, accounts watch.Accounts, log zerolog.Logger,
) error {
	chain := s.chains[name]
	at, err := blockToRead(ctx, chain, wanted)
	if err != nil {
		return err
	}
	f := watch.NewFollower(chain, markets, accounts, log)
	bar := newProgress(cmd)
	f.Progress = bar.Report
	out, err := f.Pass(ctx, at)
	bar.Finish()
	if err != nil {
		return err
	}
	for _, m := range markets {
		if err := out.Failed[m.Name()]; err != nil {
			return placed(s.cfg, &watch.MarketError{Market: m.Name(), Err: err})
		}
	}
	s.blocks[name] = at
	return nil
}

// placed puts the market's place in the file before an error that the settings caused.
func placed(cfg *config.Config, err error) error {
	var of *watch.MarketError
	if err == nil || exitCode(err) == exitUnreachable || !errors.As(err, &of) {
		return err
	}
	for _, m := range cfg.Markets {
		if m.Name == of.Market {
			return m.Position.Wrap(err)
		}
	}
	return err
}

func blockToRead(ctx context.Context, chain chains.Chain, wanted map[string]uint64) (chains.Block, error) {
	if n, ok := wanted[chain.Name()]; ok {
		b, err := chain.Block(ctx, n)
		if errors.Is(err, chains.ErrNotFound) {
			return chains.Block{}, fmt.Errorf("look at block %d of %s: is it beyond the head? %w", n, chain.Name(), err)
		}
		if err != nil {
			return chains.Block{}, fmt.Errorf("look at block %d of %s: %w", n, chain.Name(), err)
		}
		return b, nil
	}
	b, err := chain.Head(ctx)
	if err != nil {
		return chains.Block{}, fmt.Errorf("ask %s for its head: %w", chain.Name(), err)
	}
	return b, nil
}

// chosen keeps the markets named; all where none is.
func chosen(markets []protocols.Market, names []string) ([]protocols.Market, error) {
	if len(names) == 0 {
		return markets, nil
	}
	var out []protocols.Market
	for _, name := range names {
		i := slices.IndexFunc(markets, func(m protocols.Market) bool { return m.Name() == name })
		if i < 0 {
			return nil, usagef("--market %s: the configuration has no such market", name)
		}
		out = append(out, markets[i])
	}
	return out, nil
}

func groupByChain(markets []protocols.Market) map[string][]protocols.Market {
	out := map[string][]protocols.Market{}
	for _, m := range markets {
		out[m.Chain()] = append(out[m.Chain()], m)
	}
	return out
}

// blockNumbers reads --block.
func blockNumbers(args []string, byChain map[string][]protocols.Market) (map[string]uint64, error) {
	out := map[string]uint64{}
	for _, arg := range args {
		chain, number, named := strings.Cut(arg, "=")
		if !named {
			number, chain = arg, ""
			if len(byChain) != 1 {
				return nil, usagef("--block %s: several chains are meant; write --block CHAIN=N", arg)
			}
			for only := range byChain {
				chain = only
			}
		}
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return nil, usagef("--block %s: want a block number", arg)
		}
		if _, ok := byChain[chain]; !ok {
			return nil, usagef("--block %s: no asked market is on chain %q", arg, chain)
		}
		out[chain] = n
	}
	return out, nil
}

// done lets go of nodes and store. What was read is read by then, so that nothing
// is lost when one of them ends badly.
func (s *snapshot) done() {
	for _, c := range slices.Backward(s.close) {
		_ = c()
	}
}

func (s *snapshot) books() []protocols.Book {
	out := make([]protocols.Book, len(s.markets))
	for i, m := range s.markets {
		out[i] = m.Book()
	}
	return out
}

// ladder sorts the snapshot's positions along an axis. Where --market leaves the
// configured reference out, the first of the markets asked for names the price.
func (s *snapshot) ladder(axis string) (*thresholds.Ladder, error) {
	axis = s.canonical(axis)
	reference := s.cfg.Axes[axis].Reference
	if !slices.ContainsFunc(s.markets, func(m protocols.Market) bool { return m.Name() == reference }) {
		reference = ""
	}
	l, err := thresholds.Build(axis, reference, s.books())
	if err != nil {
		return nil, usage(fmt.Errorf("--axis %s: %w", axis, err))
	}
	return l, nil
}

// canonical is an axis as the markets write it, so that eth finds what the
// configuration says of ETH.
func (s *snapshot) canonical(axis string) string {
	for _, b := range s.books() {
		for _, known := range b.Axes() {
			if strings.EqualFold(axis, known) {
				return known
			}
		}
	}
	return axis
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
