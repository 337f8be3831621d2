// Package tron stands in for a TRON node, which no package registry has: the
// JSON-RPC dialect of java-tron in front of a local EVM, with a lending market that
// behaves to readers as JustLend does. Everything its answers are held against is
// documented behaviour; where a real node differs, this is wrong and not the node.
package tron

import (
	"context"
	"embed"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/bind"
	"liqwatch/devnet/contracts"
)

//go:embed sol/*.sol
var sources embed.FS

// ChainID is TRON's: the double passes for the main network.
const ChainID = 728126428

// Multicall3 is where TRON has it (TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED).
var Multicall3 = chains.MustAddress("0x32a4f47a74a6810bd0bf861cabab99656a75de9e")

// TRXPrice in USD when the world begins, in 1/10,000.
const TRXPrice = 3276

// Market is one jToken and what it stands for.
type Market struct {
	Symbol   string
	Decimals int32
	Native   bool
	Token    *bind.Contract // nil for TRX
	JToken   *bind.Contract
}

// World is the lending market behind the double.
type World struct {
	Node       *anvil.Node
	Admin      chains.Address
	Risk       *bind.Contract // the comptroller
	Poster     *bind.Contract
	Oracle     *bind.Contract
	Staked     *bind.Contract // sTRX
	Markets    []*Market
	FromBlock  uint64
	MarketsUSD map[string]int64 // prices at the start, in 1/10,000 USD

	set contracts.Set
}

type listing struct {
	symbol   string
	decimals int32
	price    int64 // 1/10,000 USD
	factor   int64 // percent
}

// listings has as many markets as JustLend, with its decimals.
var listings = []listing{
	{"TRX", 6, TRXPrice, 75}, {"USDT", 6, 10_000, 75}, {"USDD", 18, 10_000, 75}, {"USD1", 18, 10_000, 0}, {"TUSD", 18, 9_990, 70},
	{"wstUSDT", 18, 10_800, 75}, {"sTRX", 18, 0, 75}, {"BTC", 8, 680_000_000, 75}, {"WBTC", 8, 679_000_000, 70}, {"ETH", 18, 25_000_000, 75},
	{"ETHB", 18, 24_990_000, 75}, {"SUN", 18, 200, 50}, {"JST", 18, 400, 60}, {"WIN", 6, 1, 50}, {"BTT", 18, 1, 60},
	{"NFT", 6, 1, 60}, {"HTX", 18, 1, 40}, {"U", 18, 10_000, 0}, {"USDCOLD", 6, 10_000, 0}, {"USDDOLD", 18, 10_000, 85},
	{"BUSDOLD", 18, 10_000, 0}, {"SUNOLD", 18, 200, 0}, {"USDJ", 18, 10_000, 0}, {"WBTT", 6, 1, 60},
}

// Options of a world.
type Options struct {
	// Markets is how many of the 24 are deployed, TRX, USDT first; all when 0.
	Markets int
	// Family is which descendant of Compound v2 it is: JustLend when empty.
	Family Family
}

// Family is a descendant of Compound v2 that the same market can be, for tests on
// an EVM chain: no package has their contracts.
type Family string

// The families. Plain truncates products and has Compound's own events; Seconds
// accrues by time besides, as Moonwell and Benqi do.
const (
	JustLend Family = ""
	Plain    Family = "plain"
	Seconds  Family = "seconds"
)

// rewrites turn the JustLend-like sources into those of another family.
var rewrites = map[Family][]string{
	Plain: {
		"(a * b + ONE / 2) / ONE", "(a * b) / ONE",
		"uint256 accountBorrows, uint256 totalBorrows, uint256 borrowIndex);", "uint256 accountBorrows, uint256 totalBorrows);",
		"owed, totalBorrows, borrowIndex);", "owed, totalBorrows);",
		"owed - amount, totalBorrows, borrowIndex);", "owed - amount, totalBorrows);",
	},
	Seconds: {
		"accrualBlockNumber", "accrualBlockTimestamp", "block.number", "block.timestamp",
		"borrowRatePerBlock()", "borrowRatePerTimestamp()", "10_512_000", "31_536_000",
	},
}

// Deploy puts the market and Multicall3 on the node.
func Deploy(ctx context.Context, node *anvil.Node, opts Options) (*World, error) {
	w := &World{Node: node, MarketsUSD: map[string]int64{}}
	if err := w.deploy(ctx, opts); err != nil {
		return nil, fmt.Errorf("deploy the TRON market: %w", err)
	}
	return w, nil
}

func compiled(ctx context.Context, f Family) (contracts.Set, error) {
	var pairs []string
	if f != JustLend {
		pairs = append(pairs, rewrites[Plain]...)
	}
	if f == Seconds {
		pairs = append(pairs, rewrites[Seconds]...)
	}
	family := strings.NewReplacer(pairs...)
	files := map[string]string{}
	for _, name := range []string{"Lending.sol", "Prices.sol", "Tokens.sol", "Feeds.sol"} {
		raw, err := sources.ReadFile("sol/" + name)
		if err != nil {
			return nil, err
		}
		text := string(raw)
		if name == "Lending.sol" {
			text = family.Replace(text)
		}
		files["tron/"+name] = text
	}
	return contracts.Compile(ctx, files)
}

func (w *World) deploy(ctx context.Context, opts Options) error {
	set, err := compiled(ctx, opts.Family)
	if err != nil {
		return err
	}
	accounts, err := w.Node.Accounts(ctx)
	if err != nil {
		return err
	}
	w.Admin = accounts[0]
	if w.FromBlock, err = w.Node.BlockNumber(ctx); err != nil {
		return err
	}
	w.set = set
	if err := w.placeMulticall(ctx, set); err != nil {
		return err
	}
	create := func(name string, args ...any) *bind.Contract {
		if err != nil {
			return nil
		}
		var c *bind.Contract
		c, err = bind.Deploy(ctx, w.Node.Client, w.Admin, set[name], args...)
		return c
	}
	w.Risk, w.Poster = create("Risk"), create("Poster")
	if err != nil {
		return err
	}
	n := len(listings)
	if opts.Markets > 0 {
		n = opts.Markets
	}
	for _, l := range listings[:n] {
		if err := w.deployMarket(create, &err, l); err != nil {
			return fmt.Errorf("market %s: %w", l.symbol, err)
		}
	}
	w.Oracle = create("PriceProxy", w.Poster.Common(), w.Market("TRX").JToken.Common(), pow10(27))
	if err != nil {
		return err
	}
	return w.configure(ctx, listings[:n])
}

func (w *World) deployMarket(create func(string, ...any) *bind.Contract, err *error, l listing) error {
	m := &Market{Symbol: l.symbol, Decimals: l.decimals, Native: l.symbol == "TRX"}
	rate := new(big.Int).Mul(big.NewInt(2), pow10(l.decimals+8))
	switch {
	case m.Native:
		m.JToken = create("JNative", w.Risk.Common(), "jTRX", rate)
	case l.symbol == "sTRX":
		m.Token = create("Staked")
		w.Staked = m.Token
	default:
		m.Token = create("Coin", l.symbol, uint8(l.decimals))
	}
	if *err == nil && !m.Native {
		m.JToken = create("JToken", w.Risk.Common(), "j"+l.symbol, rate, m.Token.Common())
	}
	w.Markets = append(w.Markets, m)
	w.MarketsUSD[l.symbol] = l.price
	return *err
}

func (w *World) configure(ctx context.Context, list []listing) error {
	if err := w.Risk.Send(ctx, "setOracle", w.Oracle.Common()); err != nil {
		return err
	}
	if err := w.Risk.Send(ctx, "setCloseFactor", percent(50)); err != nil {
		return err
	}
	if err := w.Risk.Send(ctx, "setIncentive", percent(108)); err != nil {
		return err
	}
	var txs []anvil.Tx
	for i, m := range w.Markets {
		one, err := w.Risk.Tx(w.Admin, "list", m.JToken.Common())
		if err != nil {
			return err
		}
		two, err := w.Risk.Tx(w.Admin, "setFactor", m.JToken.Common(), percent(list[i].factor))
		if err != nil {
			return err
		}
		txs = append(txs, one, two)
	}
	if err := w.Node.InOneBlock(ctx, txs); err != nil {
		return err
	}
	prices := map[string]*big.Int{}
	for _, l := range list {
		if l.symbol != "TRX" {
			prices[l.symbol] = w.InTRX(l.symbol, l.price, TRXPrice)
		}
	}
	return w.Jump(ctx, prices)
}

// placeMulticall puts our Multicall3 where TRON has the real one.
func (w *World) placeMulticall(ctx context.Context, set contracts.Set) error {
	c, err := bind.Deploy(ctx, w.Node.Client, w.Admin, set["Multicall"])
	if err != nil {
		return err
	}
	var code hexutil.Bytes
	if err := w.Node.Call(ctx, &code, "eth_getCode", c.Address, "latest"); err != nil {
		return err
	}
	return w.Node.Call(ctx, nil, "anvil_setCode", Multicall3, code)
}

// UseFeeds makes the comptroller ask an oracle in USD with a feed for each symbol,
// as Moonwell and Benqi have, in place of posted prices.
func (w *World) UseFeeds(ctx context.Context, feeds map[string]chains.Address) error {
	oracle, err := bind.Deploy(ctx, w.Node.Client, w.Admin, w.set["SymbolFeeds"], w.Market("TRX").JToken.Common(), "TRX")
	if err != nil {
		return err
	}
	for symbol, feed := range feeds {
		if err := oracle.Send(ctx, "setFeed", symbol, common.Address(feed)); err != nil {
			return err
		}
	}
	w.Oracle = oracle
	return w.Risk.Send(ctx, "setOracle", oracle.Common())
}

// InTRX is a price as it is posted: TRX per whole token times 10^(33-decimals).
// Both prices are in the same unit. sTRX follows its rate.
func (w *World) InTRX(symbol string, usd, trx int64) *big.Int {
	scale := pow10(33 - w.Market(symbol).Decimals)
	if symbol == "sTRX" {
		x := new(big.Int).Mul(big.NewInt(131_204), scale)
		return x.Div(x, big.NewInt(100_000))
	}
	x := new(big.Int).Mul(big.NewInt(usd), scale)
	return x.Div(x, big.NewInt(trx))
}

// Market is the market of a symbol.
func (w *World) Market(symbol string) *Market {
	for _, m := range w.Markets {
		if m.Symbol == symbol {
			return m
		}
	}
	panic("the double has no market of " + symbol)
}

// Jump sets raw prices past the oracle's cap, all in one block.
func (w *World) Jump(ctx context.Context, prices map[string]*big.Int) error {
	var assets []common.Address
	var raw []*big.Int
	for _, m := range w.Markets {
		if p, ok := prices[m.Symbol]; ok {
			assets, raw = append(assets, m.Token.Common()), append(raw, p)
		}
	}
	return w.Poster.Send(ctx, "jump", assets, raw)
}

// Post posts a price as the poster does: capped.
func (w *World) Post(ctx context.Context, symbol string, raw *big.Int) error {
	return w.Poster.Send(ctx, "setPrice", w.Market(symbol).Token.Common(), raw)
}

// Liquidity is the comptroller's answer at a block: error code, liquidity, shortfall.
func (w *World) Liquidity(ctx context.Context, who chains.Address, block uint64) (code, liquidity, shortfall *big.Int, err error) {
	out, err := w.Risk.CallAt(ctx, block, "getAccountLiquidity", common.Address(who))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("ask for the liquidity of %s: %w", who.Base58(), err)
	}
	return out[0].(*big.Int), out[1].(*big.Int), out[2].(*big.Int), nil
}

func percent(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e16)) }

func pow10(n int32) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
