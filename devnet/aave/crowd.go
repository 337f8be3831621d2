package aave

import (
	"context"
	"fmt"
	"math/big"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

// Crowd opens many plain borrowers, each with one collateral and one debt.
type Crowd struct {
	world    *World
	contract chains.Address
	salt     int64
}

// NewCrowd deploys the contract that does it.
func (w *World) NewCrowd(ctx context.Context) (*Crowd, error) {
	d := &deployer{World: w}
	at, err := d.create(ctx, "Crowd")
	if err != nil {
		return nil, err
	}
	return &Crowd{world: w, contract: at}, nil
}

// Open opens one borrower for every pair of amounts, in one transaction.
func (c *Crowd) Open(ctx context.Context, collateral, debt string, supplied, borrowed []*big.Int) ([]chains.Address, error) {
	w := c.world
	tx, err := w.call("Crowd", c.contract, w.Admin, "open", w.Pool, w.Asset(collateral).Token, w.Asset(debt).Token,
		supplied, borrowed, big.NewInt(c.salt))
	if err != nil {
		return nil, err
	}
	c.salt += int64(len(supplied))
	tx.Gas = 20_000_000 + 2_000_000*uint64(len(supplied))
	r, err := w.Node.Send(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("open %d borrowers of %s against %s: %w", len(supplied), debt, collateral, err)
	}
	return c.joined(r), nil
}

func (c *Crowd) joined(r anvil.Receipt) []chains.Address {
	topic := chains.Keccak([]byte("Joined(address)"))
	var out []chains.Address
	for _, l := range r.Logs {
		if l.Address == c.contract && l.Topics[0] == topic {
			out = append(out, chains.Hash(l.Data).Address())
		}
	}
	return out
}
