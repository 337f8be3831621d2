package population

import (
	"math/big"

	"liqwatch/devnet/aave"
)

// simple has one collateral and one debt and a health factor in [lo, hi).
func (p *planner) simple(kind Kind, collateral, debt string, lo, hi float64) Borrower {
	b := Borrower{Kind: kind, Collateral: collateral, Debt: debt, Size: p.size()}
	b.Address = p.join(b)
	p.supply(b.Address, collateral, b.Size)
	p.borrow(b.Address, debt, b.Size*p.threshold(collateral)/p.uniform(lo, hi))
	return b
}

func (p *planner) stablePair(i int) {
	if i%2 == 1 {
		p.simple(Stable, "DAI", "USDC", 1.24, 1.8)
		return
	}
	b := Borrower{Kind: Stable, Collateral: "USDC", Debt: pick(p, "USDT", "DAI"), Size: 2 * p.size()}
	who := p.join(b)
	p.eMode(who, aave.EModeStable)
	p.supply(who, b.Collateral, b.Size)
	const eModeThreshold = 0.975
	p.borrow(who, b.Debt, b.Size*eModeThreshold/p.uniform(1.03, 1.2))
}

// short owes ETH against stablecoins: liquidated when ETH rises. A third of them
// is crowded just under 3,000.
func (p *planner) short(i int) {
	b := Borrower{Kind: Short, Collateral: pick(p, "USDC", "USDC", "USDT"), Debt: pick(p, "WETH", "WETH", "WETH", "wstETH", "weETH")}
	b.Trigger, b.Size = p.uniform(2_830, 4_500), p.size()
	switch i % 3 {
	case 0:
		b.Trigger, b.Size = p.uniform(2_940, 2_995), 2*b.Size
	case 1:
		b.Trigger = p.uniform(2_825, 2_930)
	}
	who := p.join(b)
	p.supply(who, b.Collateral, b.Size)
	p.borrow(who, b.Debt, b.Size*p.threshold(b.Collateral)*finalETH/b.Trigger)
}

// bothSides has ETH as collateral and as debt: net long, net short, or nearly cancelled.
func (p *planner) bothSides(i int) {
	lt := p.threshold("WETH")
	b := Borrower{Kind: BothSides, Collateral: "WETH", Debt: "WETH", Size: p.size()}
	switch i % 3 {
	case 0:
		b.Trigger, b.Debt = p.uniform(1_300, 2_480), "USDC"
		who := p.join(b)
		p.supply(who, "WETH", b.Size)
		p.borrow(who, "WETH", 0.2*b.Size)
		p.borrow(who, "USDC", (lt-0.2)*b.Size*b.Trigger/finalETH)
	case 1:
		b.Trigger, b.Collateral = p.uniform(2_860, 4_000), "USDC"
		who := p.join(b)
		p.supply(who, "USDC", b.Size)
		p.supply(who, "WETH", 0.1*b.Size)
		p.borrow(who, "WETH", p.threshold("USDC")*b.Size*finalETH/b.Trigger+lt*0.1*b.Size)
	default:
		// The debt is a little less than what the collateral carries, whatever ETH does.
		who := p.join(b)
		p.supply(who, "WETH", b.Size)
		p.supply(who, "USDC", 0.05*b.Size)
		p.borrow(who, "WETH", lt*b.Size*p.uniform(0.985, 0.999))
		p.borrow(who, "USDC", 0.005*b.Size)
	}
}

func (p *planner) isolated() {
	b := Borrower{Kind: Isolated, Collateral: "MKR", Debt: pick(p, "USDC", "DAI", "USDT"), Size: p.size()}
	who := p.join(b)
	p.supply(who, "MKR", b.Size)
	p.add(p.world.CollateralTx(who, "MKR", true))
	p.borrow(who, b.Debt, b.Size*p.threshold("MKR")/p.uniform(1.1, 2))
}

func (p *planner) eModeOnly() {
	b := Borrower{Kind: EModeOnly, Collateral: "PT", Debt: pick(p, "USDC", "USDT"), Size: p.size()}
	who := p.join(b)
	p.eMode(who, aave.EModePT)
	p.supply(who, "PT", b.Size)
	const eModeThreshold = 0.9
	p.borrow(who, b.Debt, b.Size*eModeThreshold/p.uniform(1.04, 1.4))
}

func (p *planner) paused(i int) {
	if i%3 == 2 {
		p.simple(Paused, "WETH", "CRV", 1.1, 2)
		return
	}
	p.withOther(Paused, "CRV", 0.3, true, 2_500)
}

// dust owes next to nothing: a few units of which some are worth less than the
// smallest step of the oracle's currency.
func (p *planner) dust(i int) {
	b := Borrower{Kind: Dust, Collateral: "WETH", Debt: pick(p, "USDC", "DAI", "WBTC"), Size: p.uniform(0.5, 20)}
	who := p.join(b)
	p.supply(who, "WETH", b.Size)
	raw := big.NewInt(1)
	switch i % 3 {
	case 1:
		raw.SetInt64(1 + p.rng.Int64N(9))
	case 2:
		raw = p.raw(b.Debt, b.Size*p.uniform(0.2, 0.7))
	}
	p.add(p.world.BorrowTx(who, b.Debt, raw))
}

// transferred sends some of its aTokens to the one before, which owes too.
func (p *planner) transferred(i int) {
	b := p.simple(Transferred, "WETH", "USDC", 1.3, 2.2)
	if i == 0 {
		return
	}
	var before Borrower
	for _, other := range p.pop.Borrowers {
		if other.Kind == Transferred && other.Address != b.Address {
			before = other
		}
	}
	p.add(p.world.TransferTx(b.Address, before.Address, "WETH", p.raw("WETH", 0.1*b.Size)))
}
