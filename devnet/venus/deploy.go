// Package venus puts Venus' core pool, a descendant of Compound v2, on a local node:
// the real contracts of its package, with price feeds and tokens to play with.
package venus

import (
	"context"
	_ "embed"
	"fmt"
	"math/big"
	"path/filepath"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/bind"
	"liqwatch/devnet/contracts"
	"liqwatch/devnet/packages"
)

// Package holds Venus' artifacts. Its dependencies are not needed and are not fetched.
var Package = packages.Package{
	Name: "@venusprotocol/venus-protocol", Version: "10.3.0",
	Integrity: "sha512-qGvjvUgYhK5REF/Cj4Lg4FNBMrEscnSSxr4sHL4WDlb2woPucvqLfGkw/f3XKFanf+lWD1G4K0Gzpdc430+BeQ==",
}

//go:embed sol/SpotBounds.sol
var spotBounds string

var artifacts = []string{
	"Comptroller/Unitroller", "Comptroller/Diamond/Diamond",
	"Comptroller/Diamond/facets/MarketFacet", "Comptroller/Diamond/facets/PolicyFacet", "Comptroller/Diamond/facets/SetterFacet",
	"Comptroller/Diamond/facets/RewardFacet", "Comptroller/Diamond/facets/FlashLoanFacet",
	"Lens/ComptrollerLens", "Tokens/VTokens/VBep20Immutable", "InterestRateModels/JumpRateModel",
	"test/SimplePriceOracle", "test/AccessControlManagerMock", "test/FaucetToken",
	"Tokens/VAI/VAI", "Tokens/VAI/VAIController", "Tokens/VAI/VAIUnitroller",
}

// Token is one market.
type Token struct {
	Symbol     string
	Decimals   int32
	Underlying *bind.Contract
	VToken     *bind.Contract
}

// World is Venus on a node.
type World struct {
	Node        *anvil.Node
	Admin       chains.Address
	Comptroller *bind.Contract
	Oracle      *bind.Contract
	VAI         *bind.Contract // controller
	VAIToken    *bind.Contract
	Tokens      []*Token
	FromBlock   uint64

	set contracts.Set
}

// listing is a market to deploy: price in USD, threshold and collateral factor in percent.
type listing struct {
	symbol        string
	decimals      int32
	price         int64
	factor, limit int64
}

var listings = []listing{
	{"WETH", 18, 2_500, 75, 80}, {"USDT", 6, 1, 80, 83}, {"BTCB", 18, 68_000, 75, 78}, {"WBNB", 18, 600, 76, 80}, {"DOGE", 8, 1, 40, 45},
}

// wad is n percent as a mantissa.
func percent(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e16)) }

func pow10(n int32) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// Deploy puts Venus with five markets and VAI on the node.
func Deploy(ctx context.Context, node *anvil.Node) (*World, error) {
	w := &World{Node: node}
	if err := w.deploy(ctx); err != nil {
		return nil, fmt.Errorf("deploy Venus: %w", err)
	}
	return w, nil
}

func (w *World) deploy(ctx context.Context) error {
	dir, err := packages.Fetch(ctx, Package)
	if err != nil {
		return err
	}
	if w.set, err = contracts.Artifacts(filepath.Join(dir, "artifacts", "contracts"), artifacts...); err != nil {
		return err
	}
	own, err := contracts.Compile(ctx, map[string]string{"venus/SpotBounds.sol": spotBounds})
	if err != nil {
		return err
	}
	w.set["SpotBounds"] = own["SpotBounds"]
	accounts, err := w.Node.Accounts(ctx)
	if err != nil {
		return err
	}
	w.Admin = accounts[0]
	if w.FromBlock, err = w.Node.BlockNumber(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{w.deployComptroller, w.deployOracle, w.deployVAI, w.deployMarkets} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) create(ctx context.Context, name string, args ...any) (*bind.Contract, error) {
	c, ok := w.set[name]
	if !ok {
		return nil, fmt.Errorf("no contract %s", name)
	}
	return bind.Deploy(ctx, w.Node.Client, w.Admin, c, args...)
}

// cut is FacetCut of the diamond standard.
type cut struct {
	FacetAddress      common.Address
	Action            uint8
	FunctionSelectors [][4]byte
}

func (w *World) deployComptroller(ctx context.Context) error {
	unitroller, err := w.create(ctx, "Unitroller")
	if err != nil {
		return err
	}
	diamond, err := w.create(ctx, "Diamond")
	if err != nil {
		return err
	}
	if err := unitroller.Send(ctx, "_setPendingImplementation", diamond.Common()); err != nil {
		return err
	}
	if err := diamond.Send(ctx, "_become", unitroller.Common()); err != nil {
		return err
	}
	all := abi.ABI{Methods: map[string]abi.Method{}, Events: map[string]abi.Event{}}
	seen := map[[4]byte]bool{}
	for _, m := range diamond.ABI.Methods {
		seen[[4]byte(m.ID)] = true
	}
	var cuts []cut
	for _, name := range []string{"MarketFacet", "PolicyFacet", "SetterFacet", "RewardFacet", "FlashLoanFacet"} {
		facet, err := w.create(ctx, name)
		if err != nil {
			return err
		}
		one := cut{FacetAddress: facet.Common()}
		for _, m := range facet.ABI.Methods {
			all.Methods[m.Sig] = m
			all.Methods[m.RawName] = m
			if id := [4]byte(m.ID); !seen[id] {
				seen[id] = true
				one.FunctionSelectors = append(one.FunctionSelectors, id)
			}
		}
		cuts = append(cuts, one)
	}
	if err := bind.At(w.Node.Client, unitroller.Address, w.Admin, diamond.ABI).Send(ctx, "diamondCut", cuts); err != nil {
		return err
	}
	w.Comptroller = bind.At(w.Node.Client, unitroller.Address, w.Admin, all)
	return nil
}

func (w *World) deployOracle(ctx context.Context) error {
	access, err := w.create(ctx, "AccessControlManagerMock", common.Address(w.Admin))
	if err != nil {
		return err
	}
	lens, err := w.create(ctx, "ComptrollerLens")
	if err != nil {
		return err
	}
	if w.Oracle, err = w.create(ctx, "SimplePriceOracle"); err != nil {
		return err
	}
	bounds, err := w.create(ctx, "SpotBounds", w.Oracle.Common())
	if err != nil {
		return err
	}
	for _, step := range []struct {
		method string
		arg    any
	}{
		{"_setAccessControl", access.Common()}, {"_setComptrollerLens", lens.Common()}, {"_setPriceOracle", w.Oracle.Common()},
		{"setDeviationBoundedOracle", bounds.Common()}, {"_setCloseFactor", percent(50)},
	} {
		if err := w.Comptroller.Send(ctx, step.method, step.arg); err != nil {
			return err
		}
	}
	w.set["access"] = contracts.Contract{Name: access.Address.String()}
	return nil
}

func (w *World) access() common.Address {
	return common.HexToAddress(w.set["access"].Name)
}

// deployVAI puts the stable coin beside the markets: minting it is a debt that
// the comptroller counts and that no market knows.
func (w *World) deployVAI(ctx context.Context) error {
	unitroller, err := w.create(ctx, "VAIUnitroller")
	if err != nil {
		return err
	}
	implementation, err := w.create(ctx, "VAIController")
	if err != nil {
		return err
	}
	if err := unitroller.Send(ctx, "_setPendingImplementation", implementation.Common()); err != nil {
		return err
	}
	if err := implementation.Send(ctx, "_become", unitroller.Common()); err != nil {
		return err
	}
	w.VAI = bind.At(w.Node.Client, unitroller.Address, w.Admin, implementation.ABI)
	if w.VAIToken, err = w.create(ctx, "VAI", big.NewInt(31337)); err != nil {
		return err
	}
	if err := w.VAIToken.Send(ctx, "rely", unitroller.Common()); err != nil {
		return err
	}
	for _, step := range []struct {
		on     *bind.Contract
		method string
		args   []any
	}{
		{w.VAI, "initialize", nil},
		{w.VAI, "_setComptroller", []any{w.Comptroller.Common()}},
		{w.VAI, "setVAIToken", []any{w.VAIToken.Common()}},
		{w.VAI, "setAccessControl", []any{w.access()}},
		{w.VAI, "_setTreasuryData", []any{common.Address(w.Admin), common.Address(w.Admin), big.NewInt(0)}},
		{w.VAI, "setBaseRate", []any{percent(5)}},
		{w.VAI, "setMintCap", []any{pow10(30)}},
		{w.Comptroller, "_setVAIController", []any{w.VAI.Common()}},
		{w.Comptroller, "_setVAIMintRate", []any{big.NewInt(9_000)}},
	} {
		if err := step.on.Send(ctx, step.method, step.args...); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) deployMarkets(ctx context.Context) error {
	model, err := w.create(ctx, "JumpRateModel", percent(2), percent(10), percent(300), percent(80), big.NewInt(10_512_000))
	if err != nil {
		return err
	}
	for _, l := range listings {
		if err := w.deployMarket(ctx, l, model); err != nil {
			return fmt.Errorf("market %s: %w", l.symbol, err)
		}
	}
	return nil
}

func (w *World) deployMarket(ctx context.Context, l listing, model *bind.Contract) error {
	token, err := w.create(ctx, "FaucetToken", pow10(40), l.symbol, uint8(l.decimals), l.symbol)
	if err != nil {
		return err
	}
	initial := new(big.Int).Mul(big.NewInt(2), pow10(l.decimals+8))
	v, err := w.create(ctx, "VBep20Immutable", token.Common(), w.Comptroller.Common(), model.Common(), initial,
		"Venus "+l.symbol, "v"+l.symbol, uint8(8), common.Address(w.Admin))
	if err != nil {
		return err
	}
	t := &Token{Symbol: l.symbol, Decimals: l.decimals, Underlying: token, VToken: v}
	w.Tokens = append(w.Tokens, t)
	vt := v.Common()
	if err := w.SetPrice(ctx, l.symbol, new(big.Int).Mul(big.NewInt(l.price), pow10(36-l.decimals))); err != nil {
		return err
	}
	cap40 := []*big.Int{pow10(40)}
	for _, step := range []struct {
		on     *bind.Contract
		method string
		args   []any
	}{
		{v, "setAccessControlManager", []any{w.access()}},
		{v, "setReduceReservesBlockDelta", []any{big.NewInt(1e9)}},
		{v, "setProtocolShareReserve", []any{common.HexToAddress("0x9999999999999999999999999999999999999999")}},
		{v, "_setReserveFactor", []any{percent(10)}},
		{w.Comptroller, "supportMarket", []any{vt}},
		{w.Comptroller, "setMarketSupplyCaps", []any{[]common.Address{vt}, cap40}},
		{w.Comptroller, "setMarketBorrowCaps", []any{[]common.Address{vt}, cap40}},
		{w.Comptroller, "setIsBorrowAllowed", []any{big.NewInt(0), vt, true}},
		{w.Comptroller, "setLiquidationIncentive(address,uint256)", []any{vt, percent(110)}},
		{w.Comptroller, "setCollateralFactor(address,uint256,uint256)", []any{vt, percent(l.factor), percent(l.limit)}},
	} {
		if err := step.on.Send(ctx, step.method, step.args...); err != nil {
			return err
		}
	}
	return nil
}
