package aave

import (
	"context"
	"fmt"
	"math/big"

	"liqwatch/chains"
)

// AccountsData is [World.UserAccountData] of many accounts.
func (w *World) AccountsData(ctx context.Context, accounts []chains.Address, block uint64) ([]AccountData, error) {
	answers, err := w.each(ctx, w.names().pool, w.Pool, block, "getUserAccountData", accounts)
	if err != nil {
		return nil, err
	}
	out := make([]AccountData, len(answers))
	for i, a := range answers {
		n := func(k int) *big.Int { return a[k].(*big.Int) }
		out[i] = AccountData{n(0), n(1), n(2), n(3), n(4), n(5)}
	}
	return out, nil
}

// ScaledDebts is [World.ScaledDebt] of many accounts.
func (w *World) ScaledDebts(ctx context.Context, symbol string, accounts []chains.Address, block uint64) ([]*big.Int, error) {
	answers, err := w.each(ctx, w.names().vToken, w.Asset(symbol).VToken, block, "scaledBalanceOf", accounts)
	if err != nil {
		return nil, err
	}
	out := make([]*big.Int, len(answers))
	for i, a := range answers {
		out[i] = a[0].(*big.Int)
	}
	return out, nil
}

// each asks a view that takes one account, for every account.
func (w *World) each(ctx context.Context, abi string, of chains.Address, block uint64, method string, accounts []chains.Address) ([][]any, error) {
	c, err := w.contract(abi)
	if err != nil {
		return nil, err
	}
	calls := make([][]byte, len(accounts))
	for i, a := range accounts {
		if calls[i], err = c.ABI.Pack(method, a); err != nil {
			return nil, fmt.Errorf("encode %s.%s: %w", abi, method, err)
		}
	}
	raw, err := w.Node.Views(ctx, of, calls, block)
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", abi, method, err)
	}
	out := make([][]any, len(raw))
	for i := range raw {
		if out[i], err = c.ABI.Unpack(method, raw[i]); err != nil {
			return nil, fmt.Errorf("decode %s.%s: %w", abi, method, err)
		}
	}
	return out, nil
}
