package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// Accounts keeps which accounts every market has, so that a restart need not scan
// the whole past again. A set is a market's accounts; its name tells the contract too.
type Accounts interface {
	// Accounts are those saved in the set.
	Accounts(ctx context.Context, set string) ([]chains.Address, error)
	// Cursor is the block up to which all logs had been read; false for a set never saved.
	Cursor(ctx context.Context, set string) (chains.Block, bool, error)
	// SaveAccounts adds accounts to the set and moves its cursor, at once.
	SaveAccounts(ctx context.Context, set string, fresh []chains.Address, upTo chains.Block) error
}

// Follower brings the markets of one chain from block to block. It is used by one
// goroutine at a time.
type Follower struct {
	chain    chains.Chain
	can      chains.Capabilities
	tracked  []*tracked
	spots    []*spot
	accounts Accounts
	log      zerolog.Logger
	trail    trail
	final    chains.Block
	// SweepEvery is how often all accounts are read again; zero: never.
	SweepEvery time.Duration
	// Chunk is how many blocks of the past are asked for at once; zero adapts it to
	// the time the node takes. A recording needs the same asks whenever it is played.
	Chunk uint64
	// Now is the clock sweeps go by.
	Now func() time.Time
	// Progress, when set, is told how far a scan of the past has come.
	Progress func(Progress)
}

// Progress is how far long work has come.
type Progress struct {
	Chain, What string
	Done, Total uint64
}

// tracked is a market with what the follower knows of it.
type tracked struct {
	market protocols.Market
	opened bool
	loaded bool   // all accounts have been read once
	set    string // its accounts in the store
	saved  map[chains.Address]bool
	cursor chains.Block // up to which the store says all logs have been read
	swept  time.Time
}

// remembered is how many blocks back a reorg is undone one by one; a deeper one
// makes the markets read everything again.
const remembered = 1024

// NewFollower follows the markets, all of the given chain.
func NewFollower(chain chains.Chain, markets []protocols.Market, accounts Accounts, log zerolog.Logger) *Follower {
	f := &Follower{
		chain: chain, accounts: accounts, Now: time.Now,
		log:   log.With().Str("component", "follow").Str("chain", chain.Name()).Logger(),
		trail: trail{limit: remembered},
	}
	for _, m := range markets {
		f.tracked = append(f.tracked, &tracked{market: m, saved: map[chains.Address]bool{}})
	}
	return f
}

// Outcome is what one pass did.
type Outcome struct {
	Block chains.Block
	// Ancestor is the newest block of the pass before that is still part of the
	// chain; it differs from Before when a reorg undid something.
	Before, Ancestor chains.Block
	Undone           bool
	// Deep tells that the reorg reached further back than what is remembered.
	Deep         bool
	Liquidations []protocols.Liquidation
	// Failed holds the error of every market that could not be brought to the block.
	Failed map[string]error
}

// Books are those of all markets that have one.
func (f *Follower) Books() []protocols.Book {
	var out []protocols.Book
	for _, t := range f.tracked {
		if b := t.market.Book(); b != nil {
			out = append(out, b)
		}
	}
	return out
}

// Pass brings every market to a block. An error means that nothing could be
// read; markets that failed alone are in Outcome.Failed and are tried again by
// the next pass, their noted accounts kept.
func (f *Follower) Pass(ctx context.Context, head chains.Block) (Outcome, error) {
	out := Outcome{Block: head, Failed: map[string]error{}}
	if err := f.prepare(ctx, head, out.Failed); err != nil {
		return out, err
	}
	if err := f.notice(ctx, head, &out); err != nil {
		return out, err
	}
	f.refresh(ctx, head, out.Failed)
	if err := f.remember(ctx, head); err != nil {
		return out, err
	}
	return out, nil
}

// prepare opens markets that are not open yet and reads their past.
func (f *Follower) prepare(ctx context.Context, head chains.Block, failed map[string]error) error {
	if err := f.open(ctx, head, failed); err != nil {
		return err
	}
	for _, t := range f.tracked {
		if !t.opened || t.loaded {
			continue
		}
		if err := f.discover(ctx, t, head); err != nil {
			if ctx.Err() != nil || chainGone(err) {
				return err
			}
			failed[t.market.Name()] = err
		}
	}
	return nil
}

// chainGone is for errors after which no other market of the chain can succeed.
func chainGone(err error) bool { return errors.Is(err, chains.ErrUnreachable) }

func (f *Follower) open(ctx context.Context, head chains.Block, failed map[string]error) error {
	var closed []*tracked
	for _, t := range f.tracked {
		if !t.opened {
			closed = append(closed, t)
		}
	}
	if len(closed) == 0 {
		return nil
	}
	errs, err := f.openAll(ctx, head, closed)
	if err != nil {
		return fmt.Errorf("ask %s what it allows: %w", f.chain.Name(), err)
	}
	for i, err := range errs {
		if err != nil {
			failed[closed[i].market.Name()] = fmt.Errorf("open market %s: %w", closed[i].market.Name(), err)
			continue
		}
		closed[i].opened = true
		closed[i].set = accountSet(f.can.ChainID, closed[i].market)
	}
	return nil
}

// accountSet names a market's accounts together with what was scanned for them:
// accounts saved for another contract under the same market name must not be
// taken for this one's.
func accountSet(chainID uint64, m protocols.Market) string {
	filter, from := m.Discovery()
	var home chains.Address
	if len(filter.Addresses) > 0 {
		home = filter.Addresses[0]
	}
	digest := chains.Keccak([]byte(fmt.Sprint(m.Protocol(), chainID, from, home)))
	return fmt.Sprintf("%s@%x", m.Name(), digest[:6])
}

// hopeless reports an error that will come again however often it is tried.
func hopeless(err error) bool {
	var market *MarketError
	return errors.Is(err, chains.ErrWrongChain) || errors.As(err, &market)
}

// fromSource reports an error of the nodes, which may be another one in a while.
func fromSource(err error) bool {
	for _, source := range []error{
		chains.ErrUnreachable, chains.ErrReorged, chains.ErrPruned, chains.ErrNotFound, chains.ErrFinality,
		context.DeadlineExceeded, context.Canceled,
	} {
		if errors.Is(err, source) {
			return true
		}
	}
	return false
}

// wasOpened reports that a market could be opened once.
func (f *Follower) wasOpened(market string) bool {
	for _, t := range f.tracked {
		if t.market.Name() == market {
			return t.opened
		}
	}
	return false
}
