// Package aave deploys real Aave v3 markets on a devnet node, with price feeds
// that a test can set, and acts in them for any account.
package aave

import (
	"context"
	"fmt"
	"math/big"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/contracts"
)

// Version of Aave v3.
type Version string

// The versions that can be deployed.
const (
	V30 Version = "3.0" // POOL_REVISION 1
	V36 Version = "3.6" // POOL_REVISION 10
)

// World is a market on a node: where everything is, and what can be done.
type World struct {
	Node    *anvil.Node
	Version Version

	FromBlock    uint64         // the block before the first contract
	Provider     chains.Address // PoolAddressesProvider
	Pool         chains.Address
	Configurator chains.Address
	ACL          chains.Address
	Oracle       chains.Address
	DataProvider chains.Address
	Admin        chains.Address // may change parameters
	Treasury     chains.Address

	Assets []Asset // by reserve id
	Feeds  map[FeedName]Feed
	// Ratios are the exchange-rate providers of wstETH and weETH, by symbol.
	Ratios map[string]chains.Address

	// SVR is the delayed secondary feed of WETH; zero unless asked for.
	SVR SVR

	// Sentinel is zero until [World.AddSentinel].
	Sentinel Sentinel

	own, abis contracts.Set
}

// Asset is one listed token.
type Asset struct {
	ID       int
	Symbol   string
	Decimals uint8
	Token    chains.Address
	AToken   chains.Address
	VToken   chains.Address
	Source   chains.Address // what the oracle reads
	// LTV and Threshold are those at listing, as ratios; EMode is its category, or 0.
	LTV, Threshold float64
	EMode          uint8
}

// Unit is one whole token.
func (a Asset) Unit() *big.Int { return pow10(int64(a.Decimals)) }

// FeedName names one price feed of the world.
type FeedName string

// The feeds. ETH and ETHForLST describe the same pair, as on mainnet, where
// WETH and the staking tokens are priced through two different proxies.
const (
	FeedETH       FeedName = "ETH"
	FeedETHForLST FeedName = "ETH-LST"
	FeedBTC       FeedName = "BTC"
	FeedUSDC      FeedName = "USDC"
	FeedDAI       FeedName = "DAI"
	FeedUSDT      FeedName = "USDT"
	FeedGHO       FeedName = "GHO"
	FeedLINK      FeedName = "LINK"
	FeedCRV       FeedName = "CRV"
	FeedMKR       FeedName = "MKR"
	FeedPT        FeedName = "PT"
	FeedSHARE     FeedName = "SHARE"
)

// Feed is one Chainlink-like feed: consumers read the proxy, reports and logs are
// the aggregator's. Answers have 8 decimals.
type Feed struct {
	Name        FeedName
	Description string
	Proxy       chains.Address
	Aggregator  chains.Address
}

// SVR is a dual aggregator read through two proxies: what the secondary one shows
// follows the primary after CutoffTime seconds, without a log.
type SVR struct {
	Aggregator chains.Address
	Primary    chains.Address
	Secondary  chains.Address
	CutoffTime uint32
}

// Asset is the listed token of that symbol; an unknown symbol panics, for tests.
func (w *World) Asset(symbol string) Asset {
	for _, a := range w.Assets {
		if a.Symbol == symbol {
			return a
		}
	}
	panic("devnet has no asset " + symbol)
}

// Has tells whether a token is listed in this version.
func (w *World) Has(symbol string) bool {
	for _, a := range w.Assets {
		if a.Symbol == symbol {
			return true
		}
	}
	return false
}

// Amount is whole tokens of an asset in its smallest unit, rounded down.
func (w *World) Amount(symbol string, tokens float64) *big.Int {
	f := new(big.Float).SetPrec(256).SetFloat64(tokens)
	out, _ := f.Mul(f, new(big.Float).SetInt(w.Asset(symbol).Unit())).Int(nil)
	return out
}

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// call is one encoded call of a contract.
func (w *World) call(abi string, to chains.Address, from chains.Address, method string, args ...any) (anvil.Tx, error) {
	data, err := w.pack(abi, method, args...)
	return anvil.Tx{From: from, To: &to, Data: data}, err
}

func (w *World) contract(name string) (contracts.Contract, error) {
	if c, ok := w.own[name]; ok {
		return c, nil
	}
	if c, ok := w.abis[name]; ok {
		return c, nil
	}
	return contracts.Contract{}, fmt.Errorf("no contract %s is compiled for Aave %s", name, w.Version)
}

func (w *World) pack(abi, method string, args ...any) ([]byte, error) {
	c, err := w.contract(abi)
	if err != nil {
		return nil, err
	}
	data, err := c.ABI.Pack(method, args...)
	if err != nil {
		return nil, fmt.Errorf("encode %s.%s: %w", abi, method, err)
	}
	return data, nil
}

// send calls a contract in a transaction.
func (w *World) send(ctx context.Context, abi string, to, from chains.Address, method string, args ...any) error {
	tx, err := w.call(abi, to, from, method, args...)
	if err != nil {
		return err
	}
	if _, err := w.Node.Send(ctx, tx); err != nil {
		return fmt.Errorf("%s.%s: %w", abi, method, err)
	}
	return nil
}

// view asks a contract at a block.
func (w *World) view(ctx context.Context, abi string, to chains.Address, block uint64, method string, args ...any) ([]any, error) {
	data, err := w.pack(abi, method, args...)
	if err != nil {
		return nil, err
	}
	raw, err := w.Node.View(ctx, to, data, block)
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", abi, method, err)
	}
	c, err := w.contract(abi)
	if err != nil {
		return nil, err
	}
	out, err := c.ABI.Unpack(method, raw)
	if err != nil {
		return nil, fmt.Errorf("decode %s.%s: %w", abi, method, err)
	}
	return out, nil
}

// viewNow asks a contract at the newest block.
func (w *World) viewNow(ctx context.Context, abi string, to chains.Address, method string, args ...any) ([]any, error) {
	n, err := w.Node.BlockNumber(ctx)
	if err != nil {
		return nil, err
	}
	return w.view(ctx, abi, to, n, method, args...)
}
