package population

import (
	"context"
	"fmt"
	"math/big"

	"liqwatch/devnet/aave"
)

// Options of a population.
type Options struct {
	Seed      uint64
	Borrowers int // about 530 when 0; never fewer than that many
}

// Build fills a freshly deployed world. Positions are opened while ETH is at
// 3,400, some are liquidated on its way down, and in the end ETH is at 2,700,
// LINK is frozen and CRV is paused.
func Build(ctx context.Context, w *aave.World, opts Options) (*Population, error) {
	p, err := newPlanner(ctx, w, opts.Seed)
	if err != nil {
		return nil, fmt.Errorf("build the population: %w", err)
	}
	counts := p.counts(max(opts.Borrowers, weightsSum))
	for _, step := range []func(context.Context, map[Kind]int) error{p.lend, p.early, p.liquidations, p.late, p.finish} {
		if err := step(ctx, counts); err != nil {
			return nil, fmt.Errorf("build the population: %w", err)
		}
	}
	return &p.pop, nil
}

func (p *planner) counts(n int) map[Kind]int {
	out := map[Kind]int{}
	for _, w := range weights {
		if w.only == "" || w.only == p.world.Version {
			out[w.kind] = (w.n*n + weightsSum - 1) / weightsSum
		}
	}
	return out
}

// lend raises the prices to those of the start and brings in the lenders.
func (p *planner) lend(ctx context.Context, counts map[Kind]int) error {
	if err := p.prices(ctx, 3_400, 85_000); err != nil {
		return err
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	scale := float64(total) / weightsSum
	for range 3 {
		who := p.address()
		p.pop.Lenders = append(p.pop.Lenders, who)
		for _, l := range liquidity {
			p.supply(who, l.symbol, l.usd*scale)
		}
	}
	p.pop.Liquidator = p.address()
	return p.flush(ctx)
}

// liquidity is what each of the three lenders brings, in USD.
var liquidity = []struct {
	symbol string
	usd    float64
}{
	{"USDC", 50e6}, {"USDT", 35e6}, {"DAI", 25e6}, {"GHO", 9e6}, {"WETH", 45e6}, {"wstETH", 6e6},
	{"weETH", 3e6}, {"WBTC", 12e6}, {"LINK", 2e6}, {"CRV", 1e6},
}

// early are those who borrowed while prices were higher.
func (p *planner) early(ctx context.Context, counts map[Kind]int) error {
	p.each(counts, One, func(int) { p.one(2_650) })
	p.each(counts, Many, func(int) { p.many() })
	p.each(counts, Staked, func(int) { p.staked() })
	p.each(counts, LoopWstETH, func(int) { p.loop(LoopWstETH, "wstETH") })
	p.each(counts, Bitcoin, p.bitcoin)
	p.each(counts, SwitchedOff, func(int) { p.withOther(SwitchedOff, "WBTC", 0.5, false, 2_600) })
	p.each(counts, ZeroThreshold, p.zeroThreshold)
	p.each(counts, Frozen, p.frozen)
	p.each(counts, Isolated, func(int) { p.isolated() })
	p.each(counts, PartLiquidated, func(int) { p.toLiquidate(PartLiquidated) })
	p.each(counts, ATokenReceived, func(int) { p.toLiquidate(ATokenReceived) })
	p.each(counts, BadDebt, func(int) { p.badDebt() })
	if err := p.flush(ctx); err != nil {
		return err
	}
	const hours = 3600
	return p.world.Node.Warp(ctx, 6*hours)
}

// late are those who came when prices had fallen.
func (p *planner) late(ctx context.Context, counts map[Kind]int) error {
	if err := p.prices(ctx, finalETH, finalBTC); err != nil {
		return err
	}
	p.each(counts, LoopWeETH, func(int) { p.loop(LoopWeETH, "weETH") })
	p.each(counts, Stable, p.stablePair)
	p.each(counts, Short, p.short)
	p.each(counts, BothSides, p.bothSides)
	p.each(counts, EModeOnly, func(int) { p.eModeOnly() })
	p.each(counts, ZeroDecimals, func(int) { p.simple(ZeroDecimals, "SHARE", "USDC", 1.25, 2) })
	p.each(counts, Paused, p.paused)
	p.each(counts, Dust, p.dust)
	p.each(counts, Transferred, p.transferred)
	if err := p.flush(ctx); err != nil {
		return err
	}
	return p.world.Node.Warp(ctx, 1800)
}

func (p *planner) each(counts map[Kind]int, kind Kind, plan func(i int)) {
	for i := range counts[kind] {
		plan(i)
	}
}

// finish freezes and pauses what is to be frozen and paused.
func (p *planner) finish(ctx context.Context, _ map[Kind]int) error {
	if err := p.world.Freeze(ctx, "LINK", true); err != nil {
		return err
	}
	if p.world.Version == aave.V36 {
		if err := p.world.RetirePT(ctx); err != nil {
			return err
		}
	}
	return p.world.Pause(ctx, "CRV", true)
}

// liquidations are those of the past: some repay a part, some take aTokens, and
// some come too late to cover the debt.
func (p *planner) liquidations(ctx context.Context, _ map[Kind]int) error {
	w, me := p.world, p.pop.Liquidator
	if err := p.prices(ctx, 2_850, 72_000); err != nil {
		return err
	}
	const crash = 12_000000 // USD 0.12
	if err := w.SetFeed(ctx, aave.FeedCRV, big.NewInt(crash)); err != nil {
		return err
	}
	for _, symbol := range []string{"USDC", "DAI"} {
		p.add(w.MintTx(me, symbol, w.Amount(symbol, 500_000_000)))
	}
	head, err := w.Node.BlockNumber(ctx)
	if err != nil {
		return err
	}
	for _, b := range p.pop.Borrowers {
		amount, aTokens := aave.Max, false
		switch b.Kind {
		case BadDebt:
		case PartLiquidated, ATokenReceived:
			if amount, err = p.part(ctx, b, head); err != nil {
				return err
			}
			aTokens = b.Kind == ATokenReceived
		default:
			continue
		}
		p.add(w.LiquidateTx(me, b.Address, b.Collateral, b.Debt, amount, aTokens))
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	const recovered = 52_000000
	return w.SetFeed(ctx, aave.FeedCRV, big.NewInt(recovered))
}

// part is 45 % of what a borrower owes.
func (p *planner) part(ctx context.Context, b Borrower, block uint64) (*big.Int, error) {
	owed, err := p.world.Balance(ctx, p.world.Asset(b.Debt).VToken, b.Address, block)
	if err != nil {
		return nil, err
	}
	return owed.Div(owed.Mul(owed, big.NewInt(45)), big.NewInt(100)), nil
}

func (p *planner) prices(ctx context.Context, eth, btc int64) error {
	e := big.NewInt(eth * 1e8)
	return p.world.SetFeeds(ctx, map[aave.FeedName]*big.Int{
		aave.FeedETH: e, aave.FeedETHForLST: e, aave.FeedBTC: big.NewInt(btc * 1e8),
	})
}
