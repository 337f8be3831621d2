package venus

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"liqwatch/chains"
)

// Token is the market of an underlying symbol.
func (w *World) Token(symbol string) *Token {
	for _, t := range w.Tokens {
		if t.Symbol == symbol {
			return t
		}
	}
	panic("the devnet has no market of " + symbol)
}

// Amount is so many whole tokens.
func (w *World) Amount(symbol string, whole float64) *big.Int {
	x, _ := new(big.Float).Mul(big.NewFloat(whole), new(big.Float).SetInt(pow10(w.Token(symbol).Decimals))).Int(nil)
	return x
}

// SetPrice sets the oracle's integer for a market: USD times 10^(36-decimals).
func (w *World) SetPrice(ctx context.Context, symbol string, raw *big.Int) error {
	return w.Oracle.Send(ctx, "setDirectPrice", w.Token(symbol).Underlying.Common(), raw)
}

// Supply gives the account tokens and mints vTokens with them.
func (w *World) Supply(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	t := w.Token(symbol)
	if err := w.fund(ctx, who, t, amount); err != nil {
		return err
	}
	_, err := t.VToken.SendAs(ctx, who, "mint", amount)
	return err
}

func (w *World) fund(ctx context.Context, who chains.Address, t *Token, amount *big.Int) error {
	if err := t.Underlying.Send(ctx, "transfer", common.Address(who), amount); err != nil {
		return err
	}
	_, err := t.Underlying.SendAs(ctx, who, "approve", t.VToken.Common(), pow10(50))
	return err
}

// Enter makes an account's vTokens count.
func (w *World) Enter(ctx context.Context, who chains.Address, symbols ...string) error {
	var list []common.Address
	for _, s := range symbols {
		list = append(list, w.Token(s).VToken.Common())
	}
	_, err := w.Comptroller.SendAs(ctx, who, "enterMarkets", list)
	return err
}

// Exit leaves a market.
func (w *World) Exit(ctx context.Context, who chains.Address, symbol string) error {
	_, err := w.Comptroller.SendAs(ctx, who, "exitMarket", w.Token(symbol).VToken.Common())
	return err
}

// Borrow borrows.
func (w *World) Borrow(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	_, err := w.Token(symbol).VToken.SendAs(ctx, who, "borrow", amount)
	return err
}

// Repay gives the account tokens and repays with them.
func (w *World) Repay(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	t := w.Token(symbol)
	if err := w.fund(ctx, who, t, amount); err != nil {
		return err
	}
	_, err := t.VToken.SendAs(ctx, who, "repayBorrow", amount)
	return err
}

// Transfer moves vTokens between accounts.
func (w *World) Transfer(ctx context.Context, from, to chains.Address, symbol string, vTokens *big.Int) error {
	_, err := w.Token(symbol).VToken.SendAs(ctx, from, "transfer", common.Address(to), vTokens)
	return err
}

// Liquidate repays a borrower's debt and takes collateral.
func (w *World) Liquidate(ctx context.Context, liquidator, borrower chains.Address, debt, collateral string, repay *big.Int) error {
	t := w.Token(debt)
	if err := w.fund(ctx, liquidator, t, repay); err != nil {
		return err
	}
	_, err := t.VToken.SendAs(ctx, liquidator, "liquidateBorrow", common.Address(borrower), repay, w.Token(collateral).VToken.Common())
	return err
}

// Accrue accrues one market.
func (w *World) Accrue(ctx context.Context, symbol string) error {
	return w.Token(symbol).VToken.Send(ctx, "accrueInterest")
}

// MintVAI takes a VAI debt.
func (w *World) MintVAI(ctx context.Context, who chains.Address, amount *big.Int) error {
	_, err := w.VAI.SendAs(ctx, who, "mintVAI", amount)
	return err
}

// Liquidity is the comptroller's own answer at a block: error code, liquidity, shortfall.
func (w *World) Liquidity(ctx context.Context, who chains.Address, block uint64) (code, liquidity, shortfall *big.Int, err error) {
	out, err := w.Comptroller.CallAt(ctx, block, "getAccountLiquidity", common.Address(who))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("ask for the liquidity of %s: %w", who, err)
	}
	return out[0].(*big.Int), out[1].(*big.Int), out[2].(*big.Int), nil
}
