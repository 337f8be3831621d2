package tron

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

// Amount is so many whole tokens.
func (w *World) Amount(symbol string, whole float64) *big.Int {
	x, _ := new(big.Float).Mul(big.NewFloat(whole), new(big.Float).SetInt(pow10(w.Market(symbol).Decimals))).Int(nil)
	return x
}

// Supply gives an account tokens and mints jTokens with them.
func (w *World) Supply(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	m := w.Market(symbol)
	if m.Native {
		if err := w.addCoins(ctx, who, amount); err != nil {
			return err
		}
		return m.JToken.Pay(ctx, who, amount, "mint")
	}
	if err := m.Token.Send(ctx, "mint", common.Address(who), amount); err != nil {
		return err
	}
	_, err := m.JToken.SendAs(ctx, who, "mint", amount)
	return err
}

// addCoins gives an account TRX; the EVM's smallest unit stands for a sun.
func (w *World) addCoins(ctx context.Context, who chains.Address, amount *big.Int) error {
	return w.Node.SetBalance(ctx, who, new(big.Int).Mul(amount, big.NewInt(2)))
}

// Enter makes an account's jTokens count.
func (w *World) Enter(ctx context.Context, who chains.Address, symbols ...string) error {
	tx, err := w.enterTx(who, symbols...)
	if err != nil {
		return err
	}
	_, err = w.Node.Send(ctx, tx)
	return err
}

func (w *World) enterTx(who chains.Address, symbols ...string) (anvil.Tx, error) {
	var list []common.Address
	for _, s := range symbols {
		list = append(list, w.Market(s).JToken.Common())
	}
	return w.Risk.Tx(who, "enterMarkets", list)
}

// Exit leaves a market.
func (w *World) Exit(ctx context.Context, who chains.Address, symbol string) error {
	_, err := w.Risk.SendAs(ctx, who, "exitMarket", w.Market(symbol).JToken.Common())
	return err
}

// Borrow borrows.
func (w *World) Borrow(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	_, err := w.Market(symbol).JToken.SendAs(ctx, who, "borrow", amount)
	return err
}

// Repay gives the account what it repays, and repays.
func (w *World) Repay(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	m := w.Market(symbol)
	if m.Native {
		if err := w.addCoins(ctx, who, amount); err != nil {
			return err
		}
		return m.JToken.Pay(ctx, who, amount, "repayBorrow", amount)
	}
	if err := m.Token.Send(ctx, "mint", common.Address(who), amount); err != nil {
		return err
	}
	_, err := m.JToken.SendAs(ctx, who, "repayBorrow", amount)
	return err
}

// Transfer moves jTokens between accounts.
func (w *World) Transfer(ctx context.Context, from, to chains.Address, symbol string, jTokens *big.Int) error {
	_, err := w.Market(symbol).JToken.SendAs(ctx, from, "transfer", common.Address(to), jTokens)
	return err
}

// Liquidate repays a borrower's debt and takes jTokens.
func (w *World) Liquidate(ctx context.Context, liquidator, borrower chains.Address, debt, collateral string, repay *big.Int) error {
	m, c := w.Market(debt), w.Market(collateral).JToken.Common()
	if m.Native {
		if err := w.addCoins(ctx, liquidator, repay); err != nil {
			return err
		}
		return m.JToken.Pay(ctx, liquidator, repay, "liquidateBorrow", common.Address(borrower), c)
	}
	if err := m.Token.Send(ctx, "mint", common.Address(liquidator), repay); err != nil {
		return err
	}
	_, err := m.JToken.SendAs(ctx, liquidator, "liquidateBorrow", common.Address(borrower), repay, c)
	return err
}

// Accrue accrues one market.
func (w *World) Accrue(ctx context.Context, symbol string) error {
	return w.Market(symbol).JToken.Send(ctx, "accrueInterest")
}

// Fund supplies every market with plenty to borrow.
func (w *World) Fund(ctx context.Context, lender chains.Address) error {
	for _, m := range w.Markets {
		usd := max(w.MarketsUSD[m.Symbol], 1)
		whole := 4e12 / float64(usd) // 400 million USD
		if m.Symbol == "sTRX" {
			whole = 1e9
		}
		if err := w.Supply(ctx, lender, m.Symbol, w.Amount(m.Symbol, whole)); err != nil {
			return fmt.Errorf("fund %s: %w", m.Symbol, err)
		}
	}
	return nil
}
