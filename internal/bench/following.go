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

// Following goes through the last blocks of the chain one by one, as a watcher
// does, and compares with reading every account again at each of them. Counts are
// those of all the blocks together. The node must still have their state.
func Following(ctx context.Context, s Subject, blocks uint64) (Comparison, error) {
	c := Comparison{What: fmt.Sprintf("following %d blocks", blocks)}
	meter, err := NewMeter(ctx, s.Node, 0, 0)
	if err != nil {
		return c, err
	}
	defer func() { _ = meter.Close() }()
	client, err := evm.New(evm.Config{Name: s.ChainName, ChainID: s.ChainID, Endpoints: []evm.Endpoint{{URL: meter.URL}}}, zerolog.Nop())
	if err != nil {
		return c, err
	}
	defer client.Close()
	market, err := s.Open()
	if err != nil {
		return c, err
	}
	f := watch.NewFollower(client, []protocols.Market{market}, &watch.MemoryAccounts{}, zerolog.Nop())
	path, err := lastBlocks(ctx, client, blocks)
	if err != nil {
		return c, err
	}
	if err := pass(ctx, f, path[0], market); err != nil {
		return c, err
	}
	runtime.GC()
	before, start := meter.Count(), time.Now()
	for _, b := range path[1:] {
		if err := pass(ctx, f, b, market); err != nil {
			return c, err
		}
	}
	c.Ours = Cost{"liqwatch", meter.Count().Since(before), time.Since(start)}
	c.Blocks = int(blocks)
	logs, err := client.Logs(ctx, market.Follow(), path[1].Number, path[len(path)-1])
	if err != nil {
		return c, err
	}
	c.What += fmt.Sprintf(" with %d logs of the market", len(logs))
	return refreshAll(ctx, meter, market, path, c)
}

// lastBlocks are the last n blocks and the one before them.
func lastBlocks(ctx context.Context, client *evm.Client, n uint64) ([]chains.Block, error) {
	head, err := client.Head(ctx)
	if err != nil {
		return nil, err
	}
	if head.Number < n {
		return nil, fmt.Errorf("the chain has %d blocks only", head.Number)
	}
	var out []chains.Block
	for k := head.Number - n; k <= head.Number; k++ {
		b, err := client.Block(ctx, k)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// refreshAll does the same the usual way: every account again at every block.
func refreshAll(ctx context.Context, meter *Meter, market protocols.Market, path []chains.Block, c Comparison) (Comparison, error) {
	filter, from := market.Discovery()
	usual := Usual{URL: meter.URL, Pool: filter.Addresses[0], From: from, Pack: 100}
	accounts := market.Accounts()
	runtime.GC()
	before, start := meter.Count(), time.Now()
	var last Health
	for _, b := range path[1:] {
		h, err := usual.Refresh(ctx, fmt.Sprintf("0x%x", b.Number), accounts)
		if err != nil {
			return c, fmt.Errorf("read the usual way: %w", err)
		}
		last = h
	}
	c.Usual = Cost{"Multicall3 of 100, every block", meter.Count().Since(before), time.Since(start)}
	c.Accounts, c.Agree = len(last), agreement(last, market.Book())
	return c, nil
}
