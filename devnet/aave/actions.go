package aave

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

// variableRate is Aave's interest rate mode of all debts here.
var variableRate = big.NewInt(2)

// Max asks repay, withdraw and liquidate for all there is.
var Max = math.MaxBig256

// Actions build transactions; the methods of World with the same names send them.
// Any account may act: the node signs for everybody.

// MintTx gives an account tokens; it mints them itself.
func (w *World) MintTx(who chains.Address, symbol string, amount *big.Int) (anvil.Tx, error) {
	return w.call("Token", w.Asset(symbol).Token, who, "mint", who, amount)
}

// SupplyTx supplies tokens that the account has.
func (w *World) SupplyTx(who chains.Address, symbol string, amount *big.Int) (anvil.Tx, error) {
	return w.poolTx(who, "supply", w.Asset(symbol).Token, amount, who, uint16(0))
}

// BorrowTx borrows at the variable rate.
func (w *World) BorrowTx(who chains.Address, symbol string, amount *big.Int) (anvil.Tx, error) {
	return w.poolTx(who, "borrow", w.Asset(symbol).Token, amount, variableRate, uint16(0), who)
}

// RepayTx repays with tokens that the account has.
func (w *World) RepayTx(who chains.Address, symbol string, amount *big.Int) (anvil.Tx, error) {
	return w.poolTx(who, "repay", w.Asset(symbol).Token, amount, variableRate, who)
}

// WithdrawTx takes collateral out.
func (w *World) WithdrawTx(who chains.Address, symbol string, amount *big.Int) (anvil.Tx, error) {
	return w.poolTx(who, "withdraw", w.Asset(symbol).Token, amount, who)
}

// EModeTx chooses an e-mode category, 0 for none.
func (w *World) EModeTx(who chains.Address, category uint8) (anvil.Tx, error) {
	return w.poolTx(who, "setUserEMode", category)
}

// CollateralTx switches an asset on or off as collateral.
func (w *World) CollateralTx(who chains.Address, symbol string, on bool) (anvil.Tx, error) {
	return w.poolTx(who, "setUserUseReserveAsCollateral", w.Asset(symbol).Token, on)
}

// TransferTx sends aTokens.
func (w *World) TransferTx(from, to chains.Address, symbol string, amount *big.Int) (anvil.Tx, error) {
	return w.call(w.names().aToken, w.Asset(symbol).AToken, from, "transfer", to, amount)
}

// LiquidateTx liquidates with tokens that the liquidator has.
func (w *World) LiquidateTx(liquidator, borrower chains.Address, collateral, debt string, amount *big.Int, receiveAToken bool) (anvil.Tx, error) {
	return w.poolTx(liquidator, "liquidationCall", w.Asset(collateral).Token, w.Asset(debt).Token, borrower, amount, receiveAToken)
}

func (w *World) poolTx(from chains.Address, method string, args ...any) (anvil.Tx, error) {
	return w.call(w.names().pool, w.Pool, from, method, args...)
}

// do sends what an action built.
func (w *World) do(ctx context.Context, what string, tx anvil.Tx, err error) (anvil.Receipt, error) {
	if err != nil {
		return anvil.Receipt{}, err
	}
	r, err := w.Node.Send(ctx, tx)
	if err != nil {
		return r, fmt.Errorf("%s: %w", what, err)
	}
	return r, nil
}

// Mint gives an account tokens.
func (w *World) Mint(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	tx, err := w.MintTx(who, symbol, amount)
	_, err = w.do(ctx, "mint "+symbol, tx, err)
	return err
}

// Supply mints tokens for the account and supplies them.
func (w *World) Supply(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	if err := w.Mint(ctx, who, symbol, amount); err != nil {
		return err
	}
	tx, err := w.SupplyTx(who, symbol, amount)
	_, err = w.do(ctx, "supply "+symbol, tx, err)
	return err
}

// Borrow borrows at the variable rate.
func (w *World) Borrow(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	tx, err := w.BorrowTx(who, symbol, amount)
	_, err = w.do(ctx, "borrow "+symbol, tx, err)
	return err
}

// Repay repays with tokens that the account has; Max repays all.
func (w *World) Repay(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	tx, err := w.RepayTx(who, symbol, amount)
	_, err = w.do(ctx, "repay "+symbol, tx, err)
	return err
}

// Withdraw takes collateral out; Max takes all.
func (w *World) Withdraw(ctx context.Context, who chains.Address, symbol string, amount *big.Int) error {
	tx, err := w.WithdrawTx(who, symbol, amount)
	_, err = w.do(ctx, "withdraw "+symbol, tx, err)
	return err
}

// SetUserEMode chooses an e-mode category, 0 for none.
func (w *World) SetUserEMode(ctx context.Context, who chains.Address, category uint8) error {
	tx, err := w.EModeTx(who, category)
	_, err = w.do(ctx, "choose e-mode", tx, err)
	return err
}

// UseAsCollateral switches an asset on or off as collateral.
func (w *World) UseAsCollateral(ctx context.Context, who chains.Address, symbol string, on bool) error {
	tx, err := w.CollateralTx(who, symbol, on)
	_, err = w.do(ctx, "switch collateral "+symbol, tx, err)
	return err
}

// TransferAToken sends aTokens.
func (w *World) TransferAToken(ctx context.Context, from, to chains.Address, symbol string, amount *big.Int) error {
	tx, err := w.TransferTx(from, to, symbol, amount)
	_, err = w.do(ctx, "transfer a"+symbol, tx, err)
	return err
}

// Liquidate repays debt of a borrower against collateral, with tokens that the liquidator has.
func (w *World) Liquidate(ctx context.Context, liquidator, borrower chains.Address, collateral, debt string, amount *big.Int, receiveAToken bool) (anvil.Receipt, error) {
	tx, err := w.LiquidateTx(liquidator, borrower, collateral, debt, amount, receiveAToken)
	return w.do(ctx, "liquidate "+borrower.String(), tx, err)
}

// RetirePT ends PT's time as collateral (3.6 only). In [EModePT] nobody can
// borrow more against it. From [EModeRetired] it is taken out although accounts
// hold it there, which leaves them collateral that is switched on with a
// liquidation threshold of 0; the configurator would refuse that, so the pool is
// told in its name.
func (w *World) RetirePT(ctx context.Context) error {
	pt := w.Asset("PT").Token
	if err := w.configure(ctx, "setAssetLtvzeroInEMode", pt, EModePT, true); err != nil {
		return err
	}
	return w.send(ctx, w.names().pool, w.Pool, w.Configurator, "configureEModeCategoryCollateralBitmap", EModeRetired, new(big.Int))
}

// SetThreshold changes an asset's LTV, liquidation threshold and bonus, in basis points.
func (w *World) SetThreshold(ctx context.Context, symbol string, ltv, threshold, bonus int64) error {
	return w.configure(ctx, "configureReserveAsCollateral",
		w.Asset(symbol).Token, big.NewInt(ltv), big.NewInt(threshold), big.NewInt(bonus))
}

// InOneBlock mines all the transactions in one block; any that reverts is an error.
func (w *World) InOneBlock(ctx context.Context, txs []anvil.Tx) error {
	return w.Node.InOneBlock(ctx, txs)
}

// AccountData is what Pool.getUserAccountData says, in its own integers.
type AccountData struct {
	Collateral       *big.Int // 1e-8 USD
	Debt             *big.Int // 1e-8 USD
	AvailableBorrows *big.Int
	Threshold        *big.Int // average, basis points
	LTV              *big.Int // average, basis points
	HealthFactor     *big.Int // 1e-18; 2^256-1 without debt
}

// Liquidatable tells whether the health factor is below 1.
func (d AccountData) Liquidatable() bool { return d.HealthFactor.Cmp(wad) < 0 }

var wad = pow10(18)

// UserAccountData asks the pool at a block.
func (w *World) UserAccountData(ctx context.Context, who chains.Address, block uint64) (AccountData, error) {
	out, err := w.view(ctx, w.names().pool, w.Pool, block, "getUserAccountData", who)
	if err != nil {
		return AccountData{}, err
	}
	n := func(i int) *big.Int { return out[i].(*big.Int) }
	return AccountData{n(0), n(1), n(2), n(3), n(4), n(5)}, nil
}

// UserConfiguration is the user's bitmap: bit 2i borrowing and bit 2i+1 using as
// collateral the reserve with id i.
func (w *World) UserConfiguration(ctx context.Context, who chains.Address, block uint64) (*big.Int, error) {
	data, err := w.pack(w.names().pool, "getUserConfiguration", who)
	if err != nil {
		return nil, err
	}
	raw, err := w.Node.View(ctx, w.Pool, data, block)
	if err != nil {
		return nil, fmt.Errorf("read the user configuration: %w", err)
	}
	return new(big.Int).SetBytes(raw), nil
}

// Balance is what balanceOf of a token says at a block.
func (w *World) Balance(ctx context.Context, token, who chains.Address, block uint64) (*big.Int, error) {
	return w.number(ctx, "Token", token, block, "balanceOf", common.Address(who))
}

// ScaledDebt is scaledBalanceOf of the variable debt token at a block.
func (w *World) ScaledDebt(ctx context.Context, symbol string, who chains.Address, block uint64) (*big.Int, error) {
	return w.number(ctx, w.names().vToken, w.Asset(symbol).VToken, block, "scaledBalanceOf", common.Address(who))
}

// ScaledTotalDebt is scaledTotalSupply of the variable debt token at a block.
func (w *World) ScaledTotalDebt(ctx context.Context, symbol string, block uint64) (*big.Int, error) {
	return w.number(ctx, w.names().vToken, w.Asset(symbol).VToken, block, "scaledTotalSupply")
}

// Revision is POOL_REVISION.
func (w *World) Revision(ctx context.Context) (*big.Int, error) {
	out, err := w.viewNow(ctx, w.names().pool, w.Pool, "POOL_REVISION")
	if err != nil {
		return nil, err
	}
	return out[0].(*big.Int), nil
}

func (w *World) number(ctx context.Context, abi string, of chains.Address, block uint64, method string, args ...any) (*big.Int, error) {
	out, err := w.view(ctx, abi, of, block, method, args...)
	if err != nil {
		return nil, err
	}
	n, ok := out[0].(*big.Int)
	if !ok {
		return nil, fmt.Errorf("%s.%s: not a number", abi, method)
	}
	return n, nil
}
