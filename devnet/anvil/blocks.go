package anvil

import (
	"context"
	"errors"
	"fmt"
)

// InOneBlock mines all the transactions in one block, in their order; any that
// reverts is an error, and the others stay.
func (c *Client) InOneBlock(ctx context.Context, txs []Tx) error {
	if err := c.SetAutomine(ctx, false); err != nil {
		return err
	}
	hashes, err := c.Submit(ctx, txs)
	if err == nil {
		err = c.Mine(ctx)
	}
	if err := errors.Join(err, c.SetAutomine(ctx, true)); err != nil {
		return fmt.Errorf("fill a block: %w", err)
	}
	receipts, err := c.Receipts(ctx, hashes)
	if err != nil {
		return fmt.Errorf("fill a block: %w", err)
	}
	for i, r := range receipts {
		if !r.OK {
			return fmt.Errorf("transaction %d of %d in block %d: %w", i+1, len(txs), r.Block, c.whyReverted(ctx, txs[i], r))
		}
	}
	return nil
}

// AtSameTime runs steps whose blocks all carry the timestamp of the present head,
// so that nothing accrues in between.
func (n *Node) AtSameTime(ctx context.Context, steps func() error) error {
	if err := n.SetBlockTime(ctx, 0); err != nil {
		return err
	}
	return errors.Join(steps(), n.SetBlockTime(ctx, n.opts.BlockTime))
}
