package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v3"

	"liqwatch/chains"
	"liqwatch/chains/recorded"
	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
)

func recordCommand() *cli.Command {
	return &cli.Command{
		Name:  "record",
		Usage: "write a stretch of a chain to a file, as liqwatch reads it; continues a recording that was interrupted",
		Flags: []cli.Flag{
			configFlag(),
			&cli.Uint64Flag{Name: "from", Required: true, Usage: "first block"},
			&cli.Uint64Flag{Name: "to", Required: true, Usage: "last block"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Required: true, Usage: "the file"},
			&cli.StringFlag{Name: "beats", Usage: "a file of sentences to tell on the way, a line each: {\"block\": N, \"text\": \"...\"}"},
		},
		Action: runRecord,
	}
}

// recordChunk is how many blocks of the past are asked for at once. A replay asks
// what was asked, so it must not depend on how fast the node was.
const recordChunk = 1_000_000

func runRecord(ctx context.Context, cmd *cli.Command) error {
	from, to := cmd.Uint64("from"), cmd.Uint64("to")
	if from > to {
		return usagef("--from %d is after --to %d", from, to)
	}
	cfg, log, err := loadConfig(cmd)
	if err != nil {
		return err
	}
	markets, err := catalog.Markets(cfg)
	if err != nil {
		return err
	}
	byChain := groupByChain(markets)
	if len(byChain) != 1 {
		return usagef("a recording is of one chain; the markets of this configuration are on %v", sortedKeys(byChain))
	}
	name := sortedKeys(byChain)[0]
	chain, stop, err := catalog.OpenChain(cfg.Chains[name], log)
	if err != nil {
		return cfg.At("chains", name).Wrap(err)
	}
	defer func() { _ = stop() }()
	r := recording{chain: chain, markets: markets, from: from, to: to, log: log, bar: newProgress(cmd)}
	if err := r.open(cmd, cfg); err != nil {
		return err
	}
	err = r.run(ctx)
	r.bar.Finish()
	if err != nil {
		if r.fresh && r.passed == 0 {
			// Nothing to continue: a second try may ask for other blocks.
			return errors.Join(err, r.file.Close(), os.Remove(cmd.String("output")))
		}
		return errors.Join(err, r.file.Flush())
	}
	return r.file.Close()
}

// recording is one run of `liqwatch record`.
type recording struct {
	chain    chains.Chain
	markets  []protocols.Market
	from, to uint64
	file     *recorded.Writer
	fresh    bool // the file was begun by this run
	passed   int  // blocks written
	log      zerolog.Logger
	bar      *progress
}

// open begins the file, or goes on after the last block of an unfinished one.
func (r *recording) open(cmd *cli.Command, cfg *config.Config) error {
	path := cmd.String("output")
	if _, err := os.Stat(path); err == nil {
		return r.resume(path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return usage(fmt.Errorf("record to %s: %w", path, err))
	}
	text, err := cfg.Public()
	if err != nil {
		return fmt.Errorf("keep the configuration: %w", err)
	}
	beats, err := readBeats(cmd.String("beats"))
	if err != nil {
		return usage(err)
	}
	meta := recorded.Meta{
		Tool: "liqwatch " + version, Config: text,
		Spans: map[string]recorded.Span{r.chain.Name(): {From: r.from, To: r.to}},
	}
	if r.file, err = recorded.Create(path, meta); err != nil {
		return usage(fmt.Errorf("record to %s: %w", path, err))
	}
	r.fresh = true
	for _, b := range beats {
		if err := r.file.Beat(r.chain.Name(), b.Block, b.Text); err != nil {
			return fmt.Errorf("record to %s: %w", path, err)
		}
	}
	return nil
}

func (r *recording) resume(path string) error {
	w, err := recorded.Resume(path)
	if err != nil {
		return usage(fmt.Errorf("continue %s: %w", path, err))
	}
	r.file = w
	if span := w.Meta().Spans[r.chain.Name()]; span != (recorded.Span{From: r.from, To: r.to}) {
		return usagef("%s is a recording of blocks %d to %d of %s: give the same ones to continue it", path, span.From, span.To, r.chain.Name())
	}
	if last, ok := w.Last(r.chain.Name()); ok {
		r.from = last.Number
	}
	return nil
}

// run follows the chain block by block, as a watcher would have.
func (r *recording) run(ctx context.Context) error {
	past := &pastHead{Chain: r.chain}
	tape := r.file.Record(past)
	f := watch.NewFollower(tape, r.markets, &watch.MemoryAccounts{}, r.log)
	f.Chunk, f.Progress = recordChunk, r.bar.Report
	for n := r.from; n <= r.to; n++ {
		b, err := r.chain.Block(ctx, n)
		if err != nil {
			return fmt.Errorf("record block %d: %w", n, err)
		}
		past.head = b
		head, err := tape.Head(ctx)
		if err != nil {
			return fmt.Errorf("record block %d: %w", n, err)
		}
		out, err := f.Pass(ctx, head)
		if err != nil {
			return fmt.Errorf("record block %d: %w", n, err)
		}
		for _, m := range r.markets {
			if err := out.Failed[m.Name()]; err != nil {
				return fmt.Errorf("record block %d: %w", n, err)
			}
		}
		r.passed++
		r.bar.Report(watch.Progress{Chain: r.chain.Name(), What: "record", Done: n + 1 - r.from, Total: r.to + 1 - r.from})
	}
	return nil
}

// pastHead is a chain as it was at an earlier head.
type pastHead struct {
	chains.Chain
	head chains.Block
}

func (p *pastHead) Head(context.Context) (chains.Block, error) { return p.head, nil }

func (p *pastHead) Finalized(ctx context.Context) (chains.Block, error) {
	b, err := p.Chain.Finalized(ctx)
	if err == nil && b.Number > p.head.Number {
		return p.head, nil
	}
	return b, err
}
