package population

import (
	"liqwatch/devnet/aave"
)

// Debts are computed from the price at which the position is to become
// liquidatable: threshold * value * trigger / spot, plus the collateral that does
// not move with ETH at its full threshold.

func (p *planner) one(limit float64) {
	t, larger := p.trigger(limit)
	b := Borrower{Kind: One, Trigger: t, Collateral: "WETH", Debt: p.stable(), Size: larger * p.size()}
	who := p.join(b)
	p.supply(who, "WETH", b.Size)
	p.borrow(who, b.Debt, b.Size*p.threshold("WETH")*t/finalETH)
}

func (p *planner) staked() {
	t, larger := p.trigger(2_600)
	b := Borrower{Kind: Staked, Trigger: t, Collateral: pick(p, "wstETH", "wstETH", "weETH"), Debt: p.stable(), Size: larger * p.size()}
	who := p.join(b)
	p.supply(who, b.Collateral, b.Size)
	p.borrow(who, b.Debt, b.Size*p.threshold(b.Collateral)*t/finalETH)
}

func (p *planner) many() {
	t, larger := p.trigger(2_600)
	size := larger * p.size()
	b := Borrower{Kind: Many, Trigger: t, Collateral: "WETH", Debt: p.stable(), Size: size}
	who := p.join(b)
	p.supply(who, "WETH", 0.5*size)
	debt := 0.5 * size * p.threshold("WETH") * t / finalETH
	for _, lst := range []string{"wstETH", "weETH"} {
		if p.rng.IntN(2) == 0 {
			p.supply(who, lst, 0.2*size)
			debt += 0.2 * size * p.threshold(lst) * t / finalETH
		}
	}
	for _, other := range []string{"WBTC", "USDT"} {
		if other != b.Debt && p.rng.IntN(2) == 0 {
			p.supply(who, other, 0.15*size)
			debt += 0.15 * size * p.threshold(other)
		}
	}
	// Somebody's whole point is to owe several things.
	switch p.rng.IntN(3) {
	case 0:
		p.borrow(who, b.Debt, debt)
	case 1:
		p.borrow(who, b.Debt, 0.6*debt)
		p.borrow(who, "GHO", 0.4*debt)
	default:
		p.borrow(who, "USDC", 0.5*debt)
		p.borrow(who, "DAI", 0.3*debt)
		p.borrow(who, "GHO", 0.2*debt)
	}
}

// loop holds a staking token against WETH in e-mode: it has no ETH trigger.
func (p *planner) loop(kind Kind, symbol string) {
	b := Borrower{Kind: kind, Collateral: symbol, Debt: "WETH", Size: 2 * p.size()}
	who := p.join(b)
	p.eMode(who, aave.EModeETH)
	p.supply(who, symbol, b.Size)
	const eModeThreshold = 0.95
	p.borrow(who, "WETH", b.Size*eModeThreshold/p.uniform(1.024, 1.12))
}

func (p *planner) bitcoin(i int) {
	b := Borrower{Kind: Bitcoin, Collateral: "WBTC", Debt: p.stable(), Size: 2 * p.size()}
	if i%5 == 4 {
		b.Debt = "WETH" // long BTC, short ETH
	}
	who := p.join(b)
	p.supply(who, "WBTC", b.Size)
	p.borrow(who, b.Debt, b.Size*p.threshold("WBTC")/p.uniform(1.08, 2.5))
}

// withOther is WETH and one more collateral that does not move with ETH, of
// which counts says whether it counts.
func (p *planner) withOther(kind Kind, other string, part float64, counts bool, limit float64) {
	t, _ := p.trigger(limit)
	b := Borrower{Kind: kind, Trigger: t, Collateral: "WETH", Debt: "USDC", Size: p.size()}
	b.Address = p.join(b)
	p.supply(b.Address, "WETH", b.Size)
	p.supply(b.Address, other, part*b.Size)
	debt := b.Size * p.threshold("WETH") * t / finalETH
	if counts {
		debt += part * b.Size * p.threshold(other)
	} else if p.threshold(other) != 0 {
		p.add(p.world.CollateralTx(b.Address, other, false))
	}
	p.borrow(b.Address, b.Debt, debt)
}

// zeroThreshold holds GHO, which never counts, or (3.6) PT in an e-mode that will
// not have it as collateral any more.
func (p *planner) zeroThreshold(i int) {
	if p.world.Version == aave.V30 || i%2 == 0 {
		p.withOther(ZeroThreshold, "GHO", 0.4, false, 2_600)
		return
	}
	t, _ := p.trigger(2_600)
	b := Borrower{Kind: ZeroThreshold, Trigger: t, Collateral: "WETH", Debt: "USDC", Size: p.size()}
	who := p.join(b)
	p.eMode(who, aave.EModeRetired)
	p.supply(who, "WETH", b.Size)
	p.supply(who, "PT", 0.3*b.Size)
	p.borrow(who, b.Debt, b.Size*p.threshold("WETH")*t/finalETH)
}

func (p *planner) frozen(i int) {
	if i%3 == 2 {
		p.simple(Frozen, "USDC", "LINK", 1.2, 3)
		return
	}
	p.withOther(Frozen, "LINK", 0.3, true, 2_550)
}

// toLiquidate is a WETH position with a trigger above the final price, for the
// liquidations that belong to the population's past.
func (p *planner) toLiquidate(kind Kind) {
	b := Borrower{Kind: kind, Collateral: "WETH", Debt: pick(p, "USDC", "DAI"), Size: max(80_000, p.size())}
	who := p.join(b)
	p.supply(who, "WETH", b.Size)
	p.borrow(who, b.Debt, b.Size*p.threshold("WETH")*2_900/finalETH)
}

func (p *planner) badDebt() {
	b := Borrower{Kind: BadDebt, Collateral: "CRV", Debt: "USDC", Size: p.uniform(40_000, 120_000)}
	who := p.join(b)
	p.supply(who, "CRV", b.Size)
	p.borrow(who, b.Debt, 0.33*b.Size)
}
