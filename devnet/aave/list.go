package aave

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"liqwatch/chains"
)

// names of the contracts that differ between versions.
type names struct{ pool, configurator, aToken, vToken string }

func (w *World) names() names {
	if w.Version == V30 {
		return names{"Pool", "PoolConfigurator", "AToken", "VariableDebtToken"}
	}
	return names{"PoolInstance", "PoolConfiguratorInstance", "ATokenInstance", "VariableDebtTokenInstance"}
}

// init30 is ConfiguratorInputTypes.InitReserveInput of 3.0.
type init30 struct {
	ATokenImpl                  chains.Address
	StableDebtTokenImpl         chains.Address
	VariableDebtTokenImpl       chains.Address
	UnderlyingAssetDecimals     uint8
	InterestRateStrategyAddress chains.Address
	UnderlyingAsset             chains.Address
	Treasury                    chains.Address
	IncentivesController        chains.Address
	ATokenName                  string
	ATokenSymbol                string
	VariableDebtTokenName       string
	VariableDebtTokenSymbol     string
	StableDebtTokenName         string
	StableDebtTokenSymbol       string
	Params                      []byte
}

// init36 is ConfiguratorInputTypes.InitReserveInput of 3.6.
type init36 struct {
	ATokenImpl              chains.Address
	VariableDebtTokenImpl   chains.Address
	UnderlyingAsset         chains.Address
	ATokenName              string
	ATokenSymbol            string
	VariableDebtTokenName   string
	VariableDebtTokenSymbol string
	Params                  []byte
	InterestRateData        []byte
}

func (d *deployer) listReserves(ctx context.Context) error {
	list := d.list30
	if d.Version == V36 {
		list = d.list36
	}
	if err := list(ctx); err != nil {
		return err
	}
	for i := range d.Assets {
		a := &d.Assets[i]
		out, err := d.viewNow(ctx, "AaveProtocolDataProvider", d.DataProvider, "getReserveTokensAddresses", a.Token)
		if err != nil {
			return err
		}
		a.AToken, a.VToken = chains.Address(out[0].(common.Address)), chains.Address(out[2].(common.Address))
	}
	return nil
}

func (d *deployer) list30(ctx context.Context) error {
	strategy, err := d.create(ctx, "DefaultReserveInterestRateStrategy", d.Provider,
		percentRay(80), percentRay(1), percentRay(4), percentRay(60), percentRay(2), percentRay(60), percentRay(2), percentRay(5), percentRay(20))
	if err != nil {
		return err
	}
	aToken, err := d.create(ctx, "AToken", d.Pool)
	if err != nil {
		return err
	}
	sToken, err := d.create(ctx, "StableDebtToken", d.Pool)
	if err != nil {
		return err
	}
	vToken, err := d.create(ctx, "VariableDebtToken", d.Pool)
	if err != nil {
		return err
	}
	for _, a := range d.Assets {
		input := []init30{{
			ATokenImpl: aToken, StableDebtTokenImpl: sToken, VariableDebtTokenImpl: vToken,
			UnderlyingAssetDecimals: a.Decimals, InterestRateStrategyAddress: strategy,
			UnderlyingAsset: a.Token, Treasury: d.Treasury,
			ATokenName: "a" + a.Symbol, ATokenSymbol: "a" + a.Symbol,
			VariableDebtTokenName: "v" + a.Symbol, VariableDebtTokenSymbol: "v" + a.Symbol,
			StableDebtTokenName: "s" + a.Symbol, StableDebtTokenSymbol: "s" + a.Symbol, Params: []byte{},
		}}
		if err := d.admin(ctx, d.names().configurator, d.Configurator, "initReserves", input); err != nil {
			return fmt.Errorf("list %s: %w", a.Symbol, err)
		}
	}
	return nil
}

func (d *deployer) list36(ctx context.Context) error {
	zero := chains.Address{}
	aToken, err := d.create(ctx, "ATokenInstance", d.Pool, zero, d.Treasury)
	if err != nil {
		return err
	}
	vToken, err := d.create(ctx, "VariableDebtTokenInstance", d.Pool, zero)
	if err != nil {
		return err
	}
	rates, err := interestRateData()
	if err != nil {
		return err
	}
	for _, a := range d.Assets {
		input := []init36{{
			ATokenImpl: aToken, VariableDebtTokenImpl: vToken, UnderlyingAsset: a.Token,
			ATokenName: "a" + a.Symbol, ATokenSymbol: "a" + a.Symbol,
			VariableDebtTokenName: "v" + a.Symbol, VariableDebtTokenSymbol: "v" + a.Symbol,
			Params: []byte{}, InterestRateData: rates,
		}}
		if err := d.admin(ctx, d.names().configurator, d.Configurator, "initReserves", input); err != nil {
			return fmt.Errorf("list %s: %w", a.Symbol, err)
		}
	}
	return nil
}

// interestRateData encodes optimal usage, base rate and both slopes, in basis points.
func interestRateData() ([]byte, error) {
	var args abi.Arguments
	for _, t := range []string{"uint16", "uint32", "uint32", "uint32"} {
		typ, err := abi.NewType(t, "", nil)
		if err != nil {
			return nil, err
		}
		args = append(args, abi.Argument{Type: typ})
	}
	return args.Pack(uint16(8000), uint32(100), uint32(400), uint32(6000))
}

func percentRay(percent int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(percent), pow10(25))
}

// parameters sets thresholds, caps and fees of every reserve.
func (d *deployer) parameters(ctx context.Context) error {
	for i, r := range reservesOf(d.Version) {
		if err := d.reserveParameters(ctx, d.Assets[i], r); err != nil {
			return fmt.Errorf("set the parameters of %s: %w", r.symbol, err)
		}
	}
	return nil
}

func (d *deployer) reserveParameters(ctx context.Context, a Asset, r reserve) error {
	set := func(method string, args ...any) error {
		return d.admin(ctx, d.names().configurator, d.Configurator, method, append([]any{a.Token}, args...)...)
	}
	steps := []func() error{
		func() error { return set("setReserveBorrowing", true) },
		func() error { return set("setReserveFactor", big.NewInt(r.factor)) },
		func() error { return set("setSupplyCap", big.NewInt(r.supplyCap)) },
		func() error { return set("setBorrowCap", big.NewInt(r.borrowCap)) },
	}
	if r.threshold != 0 {
		steps = append(steps,
			func() error {
				return set("configureReserveAsCollateral", big.NewInt(r.ltv), big.NewInt(r.threshold), big.NewInt(r.bonus))
			},
			func() error { return set("setLiquidationProtocolFee", big.NewInt(r.protocolFee)) })
	}
	if r.isolationBorrowable {
		steps = append(steps, func() error { return set("setBorrowableInIsolation", true) })
	}
	if r.debtCeiling != 0 {
		steps = append(steps, func() error { return set("setDebtCeiling", big.NewInt(r.debtCeiling*100)) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// category is one e-mode.
type category struct {
	id             uint8
	ltv, lt, bonus uint16
	label          string
}

func (d *deployer) categories(ctx context.Context) error {
	list := []category{{EModeETH, 9300, 9500, 10100, "ETH correlated"}, {EModeStable, 9500, 9750, 10100, "Stablecoins"}}
	if d.Version == V36 {
		list = append(list, category{EModePT, 8800, 9000, 10300, "PT and stablecoins"}, category{EModeRetired, 8600, 8800, 10400, "PT, retired"})
	}
	for _, c := range list {
		args := []any{c.id, c.ltv, c.lt, c.bonus}
		if d.Version == V30 {
			args = append(args, d.priceSource(c.id))
		}
		if err := d.admin(ctx, d.names().configurator, d.Configurator, "setEModeCategory", append(args, c.label)...); err != nil {
			return err
		}
	}
	for i, r := range reservesOf(d.Version) {
		if r.category == 0 {
			continue
		}
		if err := d.joinCategory(ctx, d.Assets[i], r.category); err != nil {
			return fmt.Errorf("put %s into e-mode %d: %w", r.symbol, r.category, err)
		}
	}
	if d.Version == V36 {
		return d.principalTokens(ctx)
	}
	return nil
}

// priceSource is the asset whose price an e-mode of 3.0 takes for all of its own;
// the zero address where each keeps its price.
func (d *deployer) priceSource(category uint8) chains.Address {
	if d.opts.EModePrice && category == EModeStable {
		return d.Asset("GHO").Token
	}
	return chains.Address{}
}

func (d *deployer) joinCategory(ctx context.Context, a Asset, id uint8) error {
	if d.Version == V30 {
		return d.admin(ctx, d.names().configurator, d.Configurator, "setAssetEModeCategory", a.Token, id)
	}
	if err := d.allow(ctx, "setAssetCollateralInEMode", a.Symbol, id); err != nil {
		return err
	}
	return d.allow(ctx, "setAssetBorrowableInEMode", a.Symbol, id)
}

// principalTokens sets up the e-modes in which PT is collateral.
func (d *deployer) principalTokens(ctx context.Context) error {
	for _, id := range []uint8{EModePT, EModeRetired} {
		if err := d.allow(ctx, "setAssetCollateralInEMode", "PT", id); err != nil {
			return err
		}
		for _, debt := range []string{"USDC", "USDT"} {
			if err := d.allow(ctx, "setAssetBorrowableInEMode", debt, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *deployer) allow(ctx context.Context, method, symbol string, category uint8) error {
	return d.admin(ctx, d.names().configurator, d.Configurator, method, d.Asset(symbol).Token, category, true)
}
