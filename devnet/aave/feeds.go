package aave

import (
	"context"
	"math/big"
	"slices"

	"liqwatch/chains"
	"liqwatch/devnet/anvil"
)

type feedSpec struct {
	name        FeedName
	description string
	start       int64
}

var feedSpecs = []feedSpec{
	{FeedETH, "ETH / USD", startETH}, {FeedETHForLST, "ETH / USD", startETH}, {FeedBTC, "BTC / USD", startBTC},
	{FeedUSDC, "USDC / USD", 99990000}, {FeedDAI, "DAI / USD", 100010000}, {FeedUSDT, "USDT / USD", 100000000},
	{FeedGHO, "GHO / USD", 100000000}, {FeedLINK, "LINK / USD", 14_50000000}, {FeedCRV, "CRV / USD", 52000000},
	{FeedMKR, "MKR / USD", 1_520_00000000}, {FeedPT, "PT / USD", 97000000}, {FeedSHARE, "SHARE / USD", 125_00000000},
}

// feeds deploys the feeds and the adapters between them and the oracle.
func (d *deployer) feeds(ctx context.Context) error {
	for _, f := range feedSpecs {
		aggregator, err := d.create(ctx, "Aggregator", f.description, uint8(8), big.NewInt(f.start))
		if err != nil {
			return err
		}
		proxy, err := d.create(ctx, "FeedProxy", aggregator)
		if err != nil {
			return err
		}
		d.Feeds[f.name] = Feed{Name: f.name, Description: f.description, Proxy: proxy, Aggregator: aggregator}
	}
	d.sources = map[string]chains.Address{
		"WETH": d.Feeds[FeedETH].Proxy, "WBTC": d.Feeds[FeedBTC].Proxy, "GHO": d.Feeds[FeedGHO].Proxy,
		"LINK": d.Feeds[FeedLINK].Proxy, "CRV": d.Feeds[FeedCRV].Proxy, "MKR": d.Feeds[FeedMKR].Proxy,
		"PT": d.Feeds[FeedPT].Proxy, "SHARE": d.Feeds[FeedSHARE].Proxy,
	}
	if err := d.rateAdapters(ctx); err != nil {
		return err
	}
	for _, feed := range []FeedName{FeedUSDC, FeedDAI, FeedUSDT} {
		symbol := string(feed)
		adapter, err := d.create(ctx, "StableCapAdapter", d.Feeds[feed].Proxy, "Capped "+symbol+" / USD", big.NewInt(stableCap))
		if err != nil {
			return err
		}
		d.sources[symbol] = adapter
	}
	return nil
}

func (d *deployer) rateAdapters(ctx context.Context) error {
	base := d.Feeds[FeedETHForLST].Proxy
	var err error
	if d.Ratios["wstETH"], err = d.create(ctx, "RatioProvider", big.NewInt(wstETHRatio)); err != nil {
		return err
	}
	if d.Ratios["weETH"], err = d.create(ctx, "RatioProvider", big.NewInt(weETHRatio)); err != nil {
		return err
	}
	d.sources["wstETH"], err = d.create(ctx, "RateAdapter", base, d.Ratios["wstETH"], "wstETH / ETH / USD")
	if err != nil {
		return err
	}
	head, err := d.Node.BlockNumber(ctx)
	if err != nil {
		return err
	}
	now, err := d.Node.Block(ctx, head)
	if err != nil {
		return err
	}
	const week = 7 * 24 * 3600
	d.sources["weETH"], err = d.create(ctx, "CappedRateAdapter", base, d.Ratios["weETH"], "Capped weETH / eETH / ETH / USD",
		big.NewInt(weETHSnapshot), new(big.Int).SetUint64(now.Time-week), uint16(weETHGrowth))
	return err
}

// svr prices WETH through a secondary proxy when that is asked for.
func (d *deployer) svr(ctx context.Context) error {
	cutoff := d.opts.SVR
	if cutoff == 0 {
		return nil
	}
	aggregator, err := d.create(ctx, "DualAggregator", "ETH / USD", uint8(8), big.NewInt(startETH), cutoff)
	if err != nil {
		return err
	}
	d.SVR = SVR{Aggregator: aggregator, CutoffTime: cutoff}
	if d.SVR.Primary, err = d.create(ctx, "FeedProxy", aggregator); err != nil {
		return err
	}
	if d.SVR.Secondary, err = d.create(ctx, "FeedProxy", aggregator); err != nil {
		return err
	}
	d.sources["WETH"] = d.SVR.Secondary
	return d.admin(ctx, "DualAggregator", aggregator, "setSecondaryProxy", d.SVR.Secondary)
}

// SetFeed reports a price to one feed, in 1e-8 USD.
func (w *World) SetFeed(ctx context.Context, name FeedName, raw *big.Int) error {
	return w.send(ctx, "Aggregator", w.Feeds[name].Aggregator, w.Admin, "report", raw)
}

// SetFeeds reports several prices in one block.
func (w *World) SetFeeds(ctx context.Context, prices map[FeedName]*big.Int) error {
	names := make([]FeedName, 0, len(prices))
	for name := range prices {
		names = append(names, name)
	}
	slices.Sort(names)
	txs := make([]anvil.Tx, 0, len(names))
	for _, name := range names {
		tx, err := w.FeedTx(name, prices[name])
		if err != nil {
			return err
		}
		txs = append(txs, tx)
	}
	return w.InOneBlock(ctx, txs)
}

// FeedTx is the transaction that reports a price to a feed.
func (w *World) FeedTx(name FeedName, raw *big.Int) (anvil.Tx, error) {
	return w.call("Aggregator", w.Feeds[name].Aggregator, w.Admin, "report", raw)
}

// SetETH moves both ETH / USD feeds in one block, and the SVR feed where there is one.
func (w *World) SetETH(ctx context.Context, raw *big.Int) error {
	txs := make([]anvil.Tx, 0, 3)
	for _, name := range []FeedName{FeedETH, FeedETHForLST} {
		tx, err := w.FeedTx(name, raw)
		if err != nil {
			return err
		}
		txs = append(txs, tx)
	}
	if w.SVR.CutoffTime != 0 {
		tx, err := w.call("DualAggregator", w.SVR.Aggregator, w.Admin, "reportSecondary", raw)
		if err != nil {
			return err
		}
		txs = append(txs, tx)
	}
	return w.InOneBlock(ctx, txs)
}

// ReportPrimary sends a report for the primary SVR feed only: the market takes it
// when the cutoff time has passed.
func (w *World) ReportPrimary(ctx context.Context, raw *big.Int) error {
	return w.send(ctx, "DualAggregator", w.SVR.Aggregator, w.Admin, "report", raw)
}

// SetRatio sets the exchange rate of wstETH or weETH, in 1e-18.
func (w *World) SetRatio(ctx context.Context, symbol string, ratio *big.Int) error {
	return w.send(ctx, "RatioProvider", w.Ratios[symbol], w.Admin, "setRatio", ratio)
}

// Price is what the market's oracle says of an asset at a block, in 1e-8 USD.
func (w *World) Price(ctx context.Context, symbol string, block uint64) (*big.Int, error) {
	out, err := w.view(ctx, "AaveOracle", w.Oracle, block, "getAssetPrice", w.Asset(symbol).Token)
	if err != nil {
		return nil, err
	}
	return out[0].(*big.Int), nil
}

// AtSameTime runs steps whose blocks all carry the timestamp of the present head,
// so that no interest accrues and no cap grows in between.
func (w *World) AtSameTime(ctx context.Context, steps func() error) error {
	return w.Node.AtSameTime(ctx, steps)
}
