package tron

import (
	"bufio"
	"context"
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
	"liqwatch/devnet/anvil"
)

// RunOptions of a double for a person to play with.
type RunOptions struct {
	Version   string        // of java-tron; 4.8.0 when empty
	Port      int           // of the double on 127.0.0.1; 8545 when 0
	Borrowers int           // 200 when 0
	Seed      uint64        // same seed, same market
	BlockTime time.Duration // wall-clock time between blocks; 0 mines only when something happens
	Config    string        // also write the configuration to this file
}

// Run starts the double with a JustLend-like market behind it, prints the liqwatch
// configuration that follows it to out, and takes commands until the input says quit or the
// context ends. It is what `go run ./devnet --tron` does.
func Run(ctx context.Context, opts RunOptions, in io.Reader, out, progress io.Writer) error {
	if opts.Port == 0 {
		opts.Port = 8545
	}
	if opts.Borrowers == 0 {
		opts.Borrowers = 200
	}
	s := &session{progress: progress, usd: map[string]decimal.Decimal{}, trx: decimal.New(TRXPrice, -4)}
	s.note("Starting (the first run downloads packages and compiles contracts: a minute) ...")
	evm, err := anvil.Start(ctx, anvil.Options{BlockTime: 3, ChainID: ChainID})
	if err != nil {
		return err
	}
	defer func() { _ = evm.Kill() }()
	if err := s.populate(ctx, evm, opts); err != nil {
		return err
	}
	s.node, err = ServeOn(ctx, evm.Client, Dialect{Version: opts.Version, CPUGas: CPULimit}, "127.0.0.1:"+strconv.Itoa(opts.Port))
	if err != nil {
		return err
	}
	defer s.node.Close()
	if err := s.tell(out, opts.Config); err != nil {
		return err
	}
	return s.obey(ctx, in, opts.BlockTime)
}

// session obeys what a person types.
type session struct {
	w        *World
	node     *Node
	progress io.Writer
	trx      decimal.Decimal
	usd      map[string]decimal.Decimal
}

func (s *session) note(format string, args ...any) {
	_, _ = fmt.Fprintf(s.progress, format+"\n", args...)
}

func (s *session) populate(ctx context.Context, evm *anvil.Node, opts RunOptions) error {
	var err error
	if s.w, err = Deploy(ctx, evm, Options{}); err != nil {
		return err
	}
	if err := s.w.Fund(ctx, chains.Address{0xA1}); err != nil {
		return err
	}
	if _, err := s.w.Crowd(ctx, opts.Borrowers, opts.Seed); err != nil {
		return err
	}
	for symbol, p := range s.w.MarketsUSD {
		s.usd[symbol] = decimal.New(p, -4)
	}
	s.note("%d borrowers in %d markets; TRX is at %s USD.", opts.Borrowers, len(s.w.Markets), s.trx)
	return evm.MineBlocks(ctx, 25)
}

const configuration = `# liqwatch configuration of this double of TRON
chains:
  tron: {rpc: [%q], max_rps: 100}
markets:
  - {name: justlend-devnet, protocol: compound-v2, chain: tron, comptroller: %q, profile: justlend, from_block: %d}
axes:
  TRX: {reference: justlend-devnet}
  ETH: {reference: justlend-devnet}
rules:
  - name: trx
    axis: TRX
    levels: [0.25, 0.30]
    approach: [5%%, 2%%, 0.5%%]
    rearm: 1%%
store: sqlite:devnet-tron.db
`

func (s *session) tell(out io.Writer, file string) error {
	text := fmt.Sprintf(configuration, s.node.URL, s.w.Risk.Address.Base58(), s.w.FromBlock)
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	if file != "" {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write the configuration: %w", err)
		}
	}
	s.note(`
Node            %s (java-tron %s, calls limited as if to 80 ms)
Comptroller     %s

Type and press Enter:
  trx 0.30      TRX goes to 0.30 USD: every other price in TRX rises, sTRX stays with TRX
  eth 2400      so for any other symbol of the market
  post USDT 2   the poster asks for twice the price of USDT: capped at 10%% in 600 blocks
  mine 10       mine 10 blocks
  fork 3        replace the last 3 blocks
  faults on     rate limits, time-outs, holes, older answers, forks; off ends them
  quit          end it (so does Ctrl-C)`, s.node.URL, s.node.dialect.Version, s.w.Risk.Address.Base58())
	return nil
}

var errQuit = errors.New("quit")

// obey takes commands and mines in between.
func (s *session) obey(ctx context.Context, in io.Reader, every time.Duration) error {
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
	if every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		tick = t.C
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
			if err := s.w.Node.Mine(ctx); err != nil {
				return err
			}
		case line := <-lines:
			err = s.command(ctx, strings.Fields(line))
		}
		switch {
		case errors.Is(err, errQuit):
			return nil
		case err != nil:
			s.note("%v", err)
		}
	}
}

func (s *session) command(ctx context.Context, words []string) error {
	if len(words) == 0 {
		return nil
	}
	switch name := strings.ToLower(words[0]); {
	case name == "quit":
		return errQuit
	case name == "mine" && len(words) == 2:
		n, err := strconv.ParseUint(words[1], 10, 16)
		if err != nil {
			return fmt.Errorf("mine: %q is not a number of blocks", words[1])
		}
		return s.w.Node.MineBlocks(ctx, n)
	case name == "fork" && len(words) == 2:
		n, err := strconv.ParseUint(words[1], 10, 8)
		if err != nil || n == 0 || n > 15 {
			return fmt.Errorf("fork: want 1 to 15 blocks, not %q", words[1])
		}
		return s.node.Fork(ctx, n)
	case name == "faults" && len(words) == 2:
		return s.switchFaults(words[1])
	case name == "post" && len(words) == 3:
		return s.post(ctx, strings.ToUpper(words[1]), words[2])
	case len(words) == 2:
		return s.move(ctx, name, words[1])
	}
	return fmt.Errorf("not understood: %s", strings.Join(words, " "))
}

func (s *session) switchFaults(to string) error {
	switch to {
	case "on":
		s.node.SetFaults(Faults{Resources: 40, Busy: 61, Hiccups: 13, Moves: 9, Forks: 11, Holes: 5, Older: 17})
	case "off":
		s.node.SetFaults(Faults{})
	default:
		return fmt.Errorf("faults: want on or off, not %q", to)
	}
	return nil
}

// move sets a price in USD and posts what follows from it, past the cap.
func (s *session) move(ctx context.Context, symbol, to string) error {
	usd, err := decimal.NewFromString(to)
	if err != nil || !usd.IsPositive() {
		return fmt.Errorf("%s: %q is not a price", symbol, to)
	}
	name, err := s.symbol(symbol)
	if err != nil {
		return err
	}
	if name == "TRX" {
		s.trx = usd
	} else {
		s.usd[name] = usd
	}
	prices := map[string]*big.Int{}
	for _, m := range s.w.Markets {
		if m.Symbol != "TRX" && m.Symbol != "sTRX" && (name == "TRX" || name == m.Symbol) {
			prices[m.Symbol] = s.raw(m.Symbol, s.usd[m.Symbol])
		}
	}
	return s.w.Jump(ctx, prices)
}

func (s *session) symbol(name string) (string, error) {
	for _, m := range s.w.Markets {
		if strings.EqualFold(m.Symbol, name) {
			return m.Symbol, nil
		}
	}
	return "", fmt.Errorf("the market has no %s", name)
}

// raw is a USD price as it is posted: in TRX times 10^(33-decimals).
func (s *session) raw(symbol string, usd decimal.Decimal) *big.Int {
	return usd.Shift(33-s.w.Market(symbol).Decimals).DivRound(s.trx, 6).Truncate(0).BigInt()
}

// post asks the poster for a multiple of the present price.
func (s *session) post(ctx context.Context, symbol, factor string) error {
	f, err := decimal.NewFromString(factor)
	if err != nil || !f.IsPositive() {
		return fmt.Errorf("post: %q is not a factor", factor)
	}
	name, err := s.symbol(symbol)
	if err != nil {
		return err
	}
	if name == "TRX" || name == "sTRX" {
		return fmt.Errorf("post: %s is not posted in USD; move trx instead", name)
	}
	return s.w.Post(ctx, name, s.raw(name, s.usd[name].Mul(f)))
}
