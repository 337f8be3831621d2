package aave

import (
	"context"
	"errors"
	"math/big"

	"liqwatch/chains"
)

// Lens asks the pool about many accounts in one call.
type Lens struct {
	world *World
	at    chains.Address
}

// NewLens deploys one.
func (w *World) NewLens(ctx context.Context) (*Lens, error) {
	d := &deployer{World: w}
	at, err := d.create(ctx, "Lens")
	return &Lens{world: w, at: at}, err
}

// HealthFactors are those of getUserAccountData, in the order of the accounts.
func (l *Lens) HealthFactors(ctx context.Context, accounts []chains.Address, block uint64) ([]*big.Int, error) {
	out, err := l.world.view(ctx, "Lens", l.at, block, "healthFactors", l.world.Pool, accounts)
	if err != nil {
		return nil, err
	}
	factors, ok := out[0].([]*big.Int)
	if !ok || len(factors) != len(accounts) {
		return nil, errors.New("read health factors: not as many as accounts")
	}
	return factors, nil
}
