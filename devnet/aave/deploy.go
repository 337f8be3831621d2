package aave

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/contracts"
)

// Options of a deployment.
type Options struct {
	// SVR prices WETH through the delayed secondary proxy of a dual aggregator
	// with this cutoff time, in seconds; 0 leaves it at a plain feed.
	SVR uint32
	// EModePrice prices the assets of the stablecoin e-mode by one feed of the
	// category's own, GHO's, for accounts in it (3.0 only).
	EModePrice bool
}

// Deploy puts a market of that version on the node: pool, oracle, reserves,
// e-mode categories, feeds and adapters; no positions yet.
func Deploy(ctx context.Context, node *anvil.Node, version Version, opts Options) (*World, error) {
	w := &World{Node: node, Version: version, Feeds: map[FeedName]Feed{}, Ratios: map[string]chains.Address{}}
	if err := w.deploy(ctx, opts); err != nil {
		return nil, fmt.Errorf("deploy Aave %s: %w", version, err)
	}
	return w, nil
}

func (w *World) deploy(ctx context.Context, opts Options) error {
	if err := w.load(ctx); err != nil {
		return err
	}
	if opts.EModePrice && w.Version != V30 {
		return errors.New("price an e-mode by a feed of its own: only 3.0 can")
	}
	accounts, err := w.Node.Accounts(ctx)
	if err != nil {
		return err
	}
	if len(accounts) < 2 {
		return errors.New("the node needs at least 2 accounts")
	}
	w.Admin, w.Treasury = accounts[0], accounts[1]
	if w.FromBlock, err = w.Node.BlockNumber(ctx); err != nil {
		return err
	}
	d := &deployer{World: w, opts: opts, libraries: map[string]common.Address{}}
	for _, step := range []func(context.Context) error{
		d.access, d.pool, d.tokens, d.feeds, d.svr, d.oracle, d.listReserves, d.parameters, d.categories, d.multicall,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) load(ctx context.Context) error {
	var err error
	if w.own, err = contracts.Own(ctx); err != nil {
		return err
	}
	switch w.Version {
	case V30:
		w.abis, err = contracts.Aave30(ctx)
	case V36:
		w.abis, err = contracts.Aave36(ctx)
	default:
		err = fmt.Errorf("version %q is not one of %s and %s", w.Version, V30, V36)
	}
	return err
}

// deployer holds what is needed while deploying only.
type deployer struct {
	*World
	opts      Options
	libraries map[string]common.Address
	strategy  chains.Address // interest rate strategy
	sources   map[string]chains.Address
}

// create deploys a contract and the libraries it needs.
func (d *deployer) create(ctx context.Context, name string, args ...any) (chains.Address, error) {
	c, err := d.contract(name)
	if err != nil {
		return chains.Address{}, err
	}
	for _, lib := range c.Libraries {
		if _, done := d.libraries[lib]; done {
			continue
		}
		at, err := d.create(ctx, lib)
		if err != nil {
			return chains.Address{}, err
		}
		d.libraries[lib] = common.Address(at)
	}
	code, err := c.Code(d.libraries, args...)
	if err != nil {
		return chains.Address{}, err
	}
	r, err := d.Node.Send(ctx, anvil.Tx{From: d.Admin, Data: code})
	if err != nil {
		return chains.Address{}, fmt.Errorf("create %s: %w", name, err)
	}
	return r.Contract, nil
}

// admin calls a contract as the market's admin.
func (d *deployer) admin(ctx context.Context, abi string, to chains.Address, method string, args ...any) error {
	return d.send(ctx, abi, to, d.Admin, method, args...)
}

func (d *deployer) access(ctx context.Context) error {
	var err error
	if d.Provider, err = d.create(ctx, "PoolAddressesProvider", "devnet", d.Admin); err != nil {
		return err
	}
	if err := d.admin(ctx, "PoolAddressesProvider", d.Provider, "setACLAdmin", d.Admin); err != nil {
		return err
	}
	if d.ACL, err = d.create(ctx, "ACLManager", d.Provider); err != nil {
		return err
	}
	if err := d.admin(ctx, "PoolAddressesProvider", d.Provider, "setACLManager", d.ACL); err != nil {
		return err
	}
	for _, role := range []string{"addPoolAdmin", "addAssetListingAdmin", "addRiskAdmin", "addEmergencyAdmin"} {
		if err := d.admin(ctx, "ACLManager", d.ACL, role, d.Admin); err != nil {
			return err
		}
	}
	return nil
}

// pool deploys pool and configurator behind the provider's proxies.
func (d *deployer) pool(ctx context.Context) error {
	pool, configurator := d.names().pool, d.names().configurator
	var err error
	args := []any{d.Provider}
	if d.Version == V36 {
		if d.strategy, err = d.create(ctx, "DefaultReserveInterestRateStrategyV2", d.Provider); err != nil {
			return err
		}
		args = append(args, d.strategy)
	}
	impl, err := d.create(ctx, pool, args...)
	if err != nil {
		return err
	}
	if err := d.admin(ctx, "PoolAddressesProvider", d.Provider, "setPoolImpl", impl); err != nil {
		return err
	}
	if impl, err = d.create(ctx, configurator); err != nil {
		return err
	}
	if err := d.admin(ctx, "PoolAddressesProvider", d.Provider, "setPoolConfiguratorImpl", impl); err != nil {
		return err
	}
	if d.Pool, err = d.address(ctx, "PoolAddressesProvider", d.Provider, "getPool"); err != nil {
		return err
	}
	if d.Configurator, err = d.address(ctx, "PoolAddressesProvider", d.Provider, "getPoolConfigurator"); err != nil {
		return err
	}
	if d.DataProvider, err = d.create(ctx, "AaveProtocolDataProvider", d.Provider); err != nil {
		return err
	}
	return d.admin(ctx, "PoolAddressesProvider", d.Provider, "setPoolDataProvider", d.DataProvider)
}

func (d *deployer) tokens(ctx context.Context) error {
	for i, r := range reservesOf(d.Version) {
		token, err := d.create(ctx, "Token", r.symbol, r.symbol, r.decimals, d.Pool)
		if err != nil {
			return err
		}
		d.Assets = append(d.Assets, Asset{
			ID: i, Symbol: r.symbol, Decimals: r.decimals, Token: token,
			LTV: float64(r.ltv) / 1e4, Threshold: float64(r.threshold) / 1e4, EMode: r.category,
		})
	}
	return nil
}

func (d *deployer) oracle(ctx context.Context) error {
	var tokens, sources []chains.Address
	for i := range d.Assets {
		a := &d.Assets[i]
		a.Source = d.sources[a.Symbol]
		if a.Source.IsZero() {
			return fmt.Errorf("%s has no price source", a.Symbol)
		}
		tokens, sources = append(tokens, a.Token), append(sources, a.Source)
	}
	var err error
	zero := chains.Address{}
	if d.Oracle, err = d.create(ctx, "AaveOracle", d.Provider, tokens, sources, zero, zero, big.NewInt(1e8)); err != nil {
		return err
	}
	return d.admin(ctx, "PoolAddressesProvider", d.Provider, "setPriceOracle", d.Oracle)
}

// address asks a view that returns one address.
func (w *World) address(ctx context.Context, abi string, of chains.Address, method string, args ...any) (chains.Address, error) {
	out, err := w.viewNow(ctx, abi, of, method, args...)
	if err != nil {
		return chains.Address{}, err
	}
	a, ok := out[0].(common.Address)
	if !ok {
		return chains.Address{}, fmt.Errorf("%s.%s: not an address", abi, method)
	}
	return chains.Address(a), nil
}
