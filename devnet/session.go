package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/population"
	"liqwatch/devnet/story"
)

// session obeys what a person types.
type session struct {
	world    *aave.World
	pop      *population.Population
	opts     options
	progress io.Writer
	eth      decimal.Decimal // where ETH is, in USD
	told     bool            // the story can be told once
}

func newSession(w *aave.World, pop *population.Population, opts options, progress io.Writer) *session {
	return &session{world: w, pop: pop, opts: opts, progress: progress, eth: decimal.NewFromInt(2_700)}
}

var errQuit = errors.New("quit")

func (s *session) note(format string, args ...any) {
	_, _ = fmt.Fprintf(s.progress, format+"\n", args...)
}

// obey takes commands line by line and mines a block whenever the block time has
// passed. It ends with the context or on "quit"; the end of the input alone leaves
// the node running.
func (s *session) obey(ctx context.Context, in io.Reader) error {
	if s.opts.story {
		if err := s.command(ctx, "story"); err != nil {
			return err
		}
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	lines := make(chan string)
	go func() {
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	var tick <-chan time.Time
	if s.opts.blockTime > 0 {
		ticker := time.NewTicker(s.opts.blockTime)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-s.world.Node.Done():
			return errors.New("anvil has ended")
		case <-tick:
			err = s.world.Node.Mine(ctx)
		case line := <-lines:
			err = s.command(ctx, line)
		}
		switch {
		case errors.Is(err, errQuit):
			return nil
		case err != nil:
			s.note("%v", err)
		}
	}
}

func (s *session) command(ctx context.Context, line string) error {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil
	}
	switch words[0] {
	case "quit", "exit":
		return errQuit
	case "story":
		return s.story(ctx)
	case "mine":
		n, err := count(words[1:], 1)
		if err != nil {
			return err
		}
		return s.world.Node.MineBlocks(ctx, n)
	default:
		return s.move(ctx, words)
	}
}

// count is the number a command ends with.
func count(words []string, otherwise uint64) (uint64, error) {
	if len(words) == 0 {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(words[0], 10, 32)
	if err != nil || n == 0 || len(words) > 1 {
		return 0, fmt.Errorf("%q is not a number of blocks", strings.Join(words, " "))
	}
	return n, nil
}

// move drives ETH to a price, at once or over some blocks.
func (s *session) move(ctx context.Context, words []string) error {
	to, err := decimal.NewFromString(words[0])
	if err != nil || !to.IsPositive() || to.GreaterThan(decimal.NewFromInt(1_000_000)) {
		return fmt.Errorf("%q is neither a price in USD nor one of: mine, story, quit", words[0])
	}
	blocks, err := count(words[1:], 1)
	if err != nil {
		return err
	}
	from := s.eth
	for i := uint64(1); i <= blocks; i++ {
		part := decimal.NewFromUint64(i).Div(decimal.NewFromUint64(blocks))
		s.eth = from.Add(to.Sub(from).Mul(part)).Round(8)
		if err := s.world.SetETH(ctx, raw(s.eth)); err != nil {
			return err
		}
		if i < blocks && !s.wait(ctx) {
			return nil
		}
	}
	s.note("ETH is at %s.", s.eth)
	return nil
}

// wait lets the block time pass; false when the context ended.
func (s *session) wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(s.opts.blockTime):
		return true
	}
}

func (s *session) story(ctx context.Context) error {
	if s.told {
		return errors.New("the story has been told; start again for another one")
	}
	s.told = true
	told, err := story.Play(ctx, s.world, s.pop, story.Options{
		Seed:   s.opts.seed,
		OnBeat: func(b story.Beat) { s.note("block %d: %s", b.Block, b.Text) },
		OnBlock: func(ctx context.Context, _ chains.Block) error {
			if !s.wait(ctx) {
				return ctx.Err()
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	s.eth = decimal.New(told.Prices[len(told.Prices)-1], -8)
	s.note("%d liquidations, %d borrowers reacted in time.", len(told.Liquidations), told.Reactions)
	return s.writeBeats(told)
}

// writeBeats keeps the sentences of the story, and says which blocks it took.
func (s *session) writeBeats(told *story.Told) error {
	s.note("The story took blocks %d to %d.", told.From, told.To)
	if s.opts.beats == "" {
		return nil
	}
	var lines bytes.Buffer
	for _, b := range told.Beats {
		line, err := json.Marshal(b)
		if err != nil {
			return fmt.Errorf("write the beats: %w", err)
		}
		lines.Write(append(line, '\n'))
	}
	if err := os.WriteFile(s.opts.beats, lines.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the beats: %w", err)
	}
	return nil
}

// raw is a price in the feeds' 1e-8 USD.
func raw(usd decimal.Decimal) *big.Int { return usd.Shift(8).BigInt() }
