// Package bind drives deployed contracts of the devnet by their ABI.
package bind

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/contracts"
)

// Contract is a contract on a node of ours, with who speaks to it by default.
type Contract struct {
	Address chains.Address
	ABI     abi.ABI
	Admin   chains.Address
	node    *anvil.Client
}

// Deploy creates a contract.
func Deploy(ctx context.Context, node *anvil.Client, from chains.Address, c contracts.Contract, args ...any) (*Contract, error) {
	code, err := c.Code(nil, args...)
	if err != nil {
		return nil, err
	}
	r, err := node.Send(ctx, anvil.Tx{From: from, Data: code})
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", c.Name, err)
	}
	return At(node, r.Contract, from, c.ABI), nil
}

// At is a contract that is there already.
func At(node *anvil.Client, address, admin chains.Address, a abi.ABI) *Contract {
	return &Contract{Address: address, ABI: a, Admin: admin, node: node}
}

// Common is the address as the ABI coder wants it.
func (c *Contract) Common() common.Address { return common.Address(c.Address) }

// Tx is a call of a function as a transaction.
func (c *Contract) Tx(from chains.Address, method string, args ...any) (anvil.Tx, error) {
	data, err := c.ABI.Pack(method, args...)
	if err != nil {
		return anvil.Tx{}, fmt.Errorf("encode %s: %w", method, err)
	}
	to := c.Address
	return anvil.Tx{From: from, To: &to, Data: data}, nil
}

// Send calls a function as the admin.
func (c *Contract) Send(ctx context.Context, method string, args ...any) error {
	_, err := c.SendAs(ctx, c.Admin, method, args...)
	return err
}

// SendAs calls a function as anybody.
func (c *Contract) SendAs(ctx context.Context, from chains.Address, method string, args ...any) (anvil.Receipt, error) {
	tx, err := c.Tx(from, method, args...)
	if err != nil {
		return anvil.Receipt{}, err
	}
	r, err := c.node.Send(ctx, tx)
	if err != nil {
		return r, fmt.Errorf("%s: %w", method, err)
	}
	return r, c.failure(method, r)
}

// failure finds the Failure event by which Compound's descendants refuse without reverting.
func (c *Contract) failure(method string, r anvil.Receipt) error {
	topic := chains.Keccak([]byte("Failure(uint256,uint256,uint256)"))
	for _, l := range r.Logs {
		if len(l.Topics) > 0 && l.Topics[0] == topic {
			return fmt.Errorf("%s: refused: %x", method, l.Data)
		}
	}
	return nil
}

// Pay calls a payable function with coins.
func (c *Contract) Pay(ctx context.Context, from chains.Address, value *big.Int, method string, args ...any) error {
	data, err := c.ABI.Pack(method, args...)
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	var hash chains.Hash
	tx := map[string]any{"from": from, "to": c.Address, "data": hexutil.Bytes(data), "gas": hexutil.Uint64(30_000_000), "gasPrice": "0x0", "value": (*hexutil.Big)(value)}
	if err := c.node.Call(ctx, &hash, "eth_sendTransaction", tx); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	r, err := c.node.Receipt(ctx, hash)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if !r.OK {
		return fmt.Errorf("%s: reverted: %w", method, c.node.Call(ctx, nil, "eth_call", tx, "latest"))
	}
	return c.failure(method, r)
}

// Call asks a view at the head.
func (c *Contract) Call(ctx context.Context, method string, args ...any) ([]any, error) {
	n, err := c.node.BlockNumber(ctx)
	if err != nil {
		return nil, err
	}
	return c.CallAt(ctx, n, method, args...)
}

// CallAt asks a view at a block.
func (c *Contract) CallAt(ctx context.Context, block uint64, method string, args ...any) ([]any, error) {
	data, err := c.ABI.Pack(method, args...)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", method, err)
	}
	raw, err := c.node.View(ctx, c.Address, data, block)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	out, err := c.ABI.Unpack(method, raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	return out, nil
}

// Number is the first result of a view as a number.
func (c *Contract) Number(ctx context.Context, method string, args ...any) (*big.Int, error) {
	out, err := c.Call(ctx, method, args...)
	if err != nil {
		return nil, err
	}
	x, ok := out[0].(*big.Int)
	if !ok {
		return nil, fmt.Errorf("%s: not a number: %T", method, out[0])
	}
	return x, nil
}
