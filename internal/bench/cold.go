package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/rs/zerolog"

	"liqwatch/chains"
	"liqwatch/chains/evm"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
)

// Subject is what is measured: one Aave v3 market behind one node.
type Subject struct {
	Node string // the node's address
	// Open makes the market afresh, knowing nothing.
	Open func() (protocols.Market, error)
	// ChainName is the configured name of its chain.
	ChainName string
	ChainID   uint64
}

// Cost is what one way of reading took.
type Cost struct {
	Way   string
	Count Count
	Took  time.Duration
}

// Comparison is two ways of doing the same on the same node.
type Comparison struct {
	What        string
	Accounts    int
	Blocks      int // followed; 0 for a cold start
	Usual, Ours Cost
	// Agree is how many accounts had the same health factor, to the last unit.
	Agree int
}

// Cold reads everything from nothing, both ways, finding the borrowers included.
func Cold(ctx context.Context, s Subject, delay time.Duration, logRange uint64) (Comparison, error) {
	c := Comparison{What: fmt.Sprintf("cold start, %s added to each round trip", delay)}
	if logRange > 0 {
		c.What += fmt.Sprintf(", logs held to %d blocks", logRange)
	}
	ours, pool, from, cost, err := coldOurs(ctx, s, delay, logRange)
	if err != nil {
		return c, fmt.Errorf("read with liqwatch: %w", err)
	}
	c.Ours = cost
	usual, cost, err := coldUsual(ctx, s, pool, from, delay, logRange)
	if err != nil {
		return c, fmt.Errorf("read the usual way: %w", err)
	}
	c.Usual = cost
	c.Accounts, c.Agree = len(usual), agreement(usual, ours)
	return c, nil
}

func coldOurs(ctx context.Context, s Subject, delay time.Duration, logRange uint64) (protocols.Book, chains.Address, uint64, Cost, error) {
	fail := func(err error) (protocols.Book, chains.Address, uint64, Cost, error) {
		return nil, chains.Address{}, 0, Cost{}, err
	}
	meter, err := NewMeter(ctx, s.Node, delay, logRange)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = meter.Close() }()
	runtime.GC()
	start := time.Now()
	market, _, stop, err := follow(ctx, s, meter.URL)
	if err != nil {
		return fail(err)
	}
	defer stop()
	cost := Cost{"liqwatch", meter.Count(), time.Since(start)}
	filter, from := market.Discovery()
	return market.Book(), filter.Addresses[0], from, cost, nil
}

// follow brings a fresh market to the head through a node.
func follow(ctx context.Context, s Subject, url string) (protocols.Market, *watch.Follower, func(), error) {
	client, err := evm.New(evm.Config{Name: s.ChainName, ChainID: s.ChainID, Endpoints: []evm.Endpoint{{URL: url}}}, zerolog.Nop())
	if err != nil {
		return nil, nil, nil, err
	}
	market, err := s.Open()
	if err != nil {
		client.Close()
		return nil, nil, nil, err
	}
	f := watch.NewFollower(client, []protocols.Market{market}, &watch.MemoryAccounts{}, zerolog.Nop())
	head, err := client.Head(ctx)
	if err == nil {
		err = pass(ctx, f, head, market)
	}
	if err != nil {
		client.Close()
		return nil, nil, nil, err
	}
	return market, f, client.Close, nil
}

func pass(ctx context.Context, f *watch.Follower, at chains.Block, m protocols.Market) error {
	out, err := f.Pass(ctx, at)
	if err != nil {
		return err
	}
	return out.Failed[m.Name()]
}

func coldUsual(ctx context.Context, s Subject, pool chains.Address, from uint64, delay time.Duration, logRange uint64) (Health, Cost, error) {
	meter, err := NewMeter(ctx, s.Node, delay, logRange)
	if err != nil {
		return nil, Cost{}, err
	}
	defer func() { _ = meter.Close() }()
	runtime.GC()
	start := time.Now()
	h, err := Usual{URL: meter.URL, Pool: pool, From: from, LogRange: logRange, Pack: 100}.Run(ctx)
	return h, Cost{"logs and Multicall3 of 100", meter.Count(), time.Since(start)}, err
}

// agreement counts the accounts whose health factor is the same both ways. An
// account without debt has none with us.
func agreement(usual Health, book protocols.Book) int {
	same := 0
	for a, h := range usual {
		i, ok := book.Find(a.String())
		switch {
		case !ok:
			if h == withoutDebt {
				same++
			}
		case healthOf(book, i) == h:
			same++
		}
	}
	return same
}

// healthOf is a position's health as the contract writes it; empty where it has none.
func healthOf(book protocols.Book, i int) string {
	p := book.Position(i)
	if !p.HasHealth {
		return ""
	}
	return p.HealthRaw.Dec()
}

// withoutDebt is the pool's health factor of an account that owes nothing: 2^256-1.
const withoutDebt = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
