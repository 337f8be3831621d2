package population

import (
	"context"
	"fmt"
	"math/big"

	"liqwatch/devnet/aave"
)

// pairs are the plain borrowers' collateral and debt.
var pairs = []struct {
	collateral, debt string
	part             float64
}{
	{"WETH", "USDC", 0.45},
	{"wstETH", "USDT", 0.20},
	{"WETH", "DAI", 0.15},
	{"WBTC", "USDC", 0.12},
	{"USDC", "WETH", 0.08},
}

// AddPlain opens n borrowers with one collateral and one debt each, hundreds per
// transaction: real accounts of the real pool, for benchmarks. It works in a
// fresh world and in a populated one, at ETH 2,700.
func AddPlain(ctx context.Context, w *aave.World, n int, seed uint64) (*Population, error) {
	p, err := newPlanner(ctx, w, seed)
	if err != nil {
		return nil, fmt.Errorf("add plain borrowers: %w", err)
	}
	p.next = 1 << 32 // not the addresses of [Build] from the same seed
	lender := p.address()
	p.pop.Lenders = append(p.pop.Lenders, lender)
	for _, symbol := range []string{"USDC", "USDT", "DAI", "WETH"} {
		p.supply(lender, symbol, 60_000*float64(n))
	}
	if err := p.flush(ctx); err != nil {
		return nil, fmt.Errorf("add plain borrowers: %w", err)
	}
	crowd, err := w.NewCrowd(ctx)
	if err != nil {
		return nil, fmt.Errorf("add plain borrowers: %w", err)
	}
	left := n
	for i, pair := range pairs {
		count := min(left, int(pair.part*float64(n)))
		if i == len(pairs)-1 {
			count = left
		}
		left -= count
		if err := p.crowd(ctx, crowd, pair.collateral, pair.debt, count); err != nil {
			return nil, fmt.Errorf("add plain borrowers: %w", err)
		}
	}
	return &p.pop, nil
}

func (p *planner) crowd(ctx context.Context, crowd *aave.Crowd, collateral, debt string, count int) error {
	const perTx = 250
	for count > 0 {
		n := min(perTx, count)
		count -= n
		members := make([]Borrower, n)
		supplied, borrowed := make([]*big.Int, n), make([]*big.Int, n)
		for i := range members {
			b := p.plain(collateral, debt)
			members[i] = b
			supplied[i] = p.raw(collateral, b.Size)
			borrowed[i] = p.raw(debt, b.Size*p.threshold(collateral)*carries(b))
		}
		addresses, err := crowd.Open(ctx, collateral, debt, supplied, borrowed)
		if err != nil {
			return err
		}
		if len(addresses) != n {
			return fmt.Errorf("open %d borrowers: %d did", n, len(addresses))
		}
		for i, a := range addresses {
			members[i].Address = a
		}
		p.pop.Borrowers = append(p.pop.Borrowers, members...)
	}
	return nil
}

func (p *planner) plain(collateral, debt string) Borrower {
	b := Borrower{Kind: Plain, Collateral: collateral, Debt: debt, Size: min(p.size(), 60_000)}
	switch {
	case collateral == "USDC":
		b.Trigger = p.uniform(2_830, 4_500)
	case collateral != "WBTC":
		b.Trigger, _ = p.trigger(2_600)
	}
	return b
}

// carries is the part of the weighted collateral that is owed at the final prices.
func carries(b Borrower) float64 {
	switch {
	case b.Trigger == 0:
		return 0.6
	case b.Trigger > finalETH:
		return finalETH / b.Trigger
	default:
		return b.Trigger / finalETH
	}
}
