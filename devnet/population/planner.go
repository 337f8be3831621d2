package population

import (
	"context"
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
)

// planner writes down what borrowers do; flush makes it happen.
type planner struct {
	world *aave.World
	rng   *rand.Rand
	seed  uint64
	price map[string]float64 // USD a token once everything is built
	queue []anvil.Tx
	err   error
	pop   Population
	next  uint64 // number of the next account
}

// Final prices, in USD.
const (
	finalETH = 2_700
	finalBTC = 68_000
)

func newPlanner(ctx context.Context, w *aave.World, seed uint64) (*planner, error) {
	p := &planner{world: w, seed: seed, rng: rand.New(rand.NewPCG(seed, 0x6c697177)), price: map[string]float64{}}
	head, err := w.Node.BlockNumber(ctx)
	if err != nil {
		return nil, err
	}
	// Read before anything moves: the world is deployed at the final prices.
	for _, a := range w.Assets {
		raw, err := w.Price(ctx, a.Symbol, head)
		if err != nil {
			return nil, err
		}
		p.price[a.Symbol], _ = new(big.Float).Quo(new(big.Float).SetInt(raw), big.NewFloat(1e8)).Float64()
	}
	return p, nil
}

// flush sends what was planned, so many transactions a block.
func (p *planner) flush(ctx context.Context) error {
	const perBlock = 120
	if p.err != nil {
		return p.err
	}
	for len(p.queue) > 0 {
		n := min(perBlock, len(p.queue))
		if err := p.world.InOneBlock(ctx, p.queue[:n]); err != nil {
			return err
		}
		p.queue = p.queue[n:]
	}
	return nil
}

func (p *planner) address() chains.Address {
	p.next++
	var key [16]byte
	binary.BigEndian.PutUint64(key[:8], p.seed)
	binary.BigEndian.PutUint64(key[8:], p.next)
	return chains.Keccak([]byte("devnet account"), key[:]).Address()
}

// join adds a borrower and returns its address.
func (p *planner) join(b Borrower) chains.Address {
	b.Address = p.address()
	p.pop.Borrowers = append(p.pop.Borrowers, b)
	return b.Address
}

func (p *planner) add(tx anvil.Tx, err error) {
	if err != nil && p.err == nil {
		p.err = err
	}
	p.queue = append(p.queue, tx)
}

// raw is an amount worth so many USD, with uneven last digits.
func (p *planner) raw(symbol string, usd float64) *big.Int {
	raw := p.world.Amount(symbol, usd/p.price[symbol])
	if p.world.Asset(symbol).Decimals > 8 {
		raw.Add(raw, big.NewInt(p.rng.Int64N(1_000_000)))
	}
	if raw.Sign() == 0 {
		raw.SetInt64(1)
	}
	return raw
}

func (p *planner) supply(who chains.Address, symbol string, usd float64) {
	raw := p.raw(symbol, usd)
	p.add(p.world.MintTx(who, symbol, raw))
	p.add(p.world.SupplyTx(who, symbol, raw))
}

func (p *planner) borrow(who chains.Address, symbol string, usd float64) {
	p.add(p.world.BorrowTx(who, symbol, p.raw(symbol, usd)))
}

func (p *planner) eMode(who chains.Address, id uint8) { p.add(p.world.EModeTx(who, id)) }

func (p *planner) threshold(symbol string) float64 { return p.world.Asset(symbol).Threshold }

func (p *planner) uniform(lo, hi float64) float64 { return lo + (hi-lo)*p.rng.Float64() }

func pick[T any](p *planner, from ...T) T { return from[p.rng.IntN(len(from))] }

// size is a position's value in USD: most are small, few are large.
func (p *planner) size() float64 {
	return min(max(60_000*math.Exp(1.3*p.rng.NormFloat64()), 4_000), 6_000_000)
}

// stable is a debt asset, by how much they are used.
func (p *planner) stable() string {
	return pick(p, "USDC", "USDC", "USDC", "USDC", "USDT", "USDT", "USDT", "DAI", "DAI", "GHO")
}

// trigger is an ETH price between 1,200 and limit (at most 2,650) with walls
// just under 2,400 and 2,200, and the factor by which positions there are larger.
func (p *planner) trigger(limit float64) (usd, larger float64) {
	switch x := p.rng.Float64(); {
	case x < 0.22:
		return p.uniform(2_372, 2_398), 2.5
	case x < 0.38:
		return p.uniform(2_168, 2_197), 2
	case x < 0.75:
		return p.uniform(1_800, min(2_650, limit)), 1
	default:
		return p.uniform(1_200, 1_800), 1
	}
}
