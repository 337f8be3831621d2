package compoundv2

import (
	"math/big"
	"testing"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/evm"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/bind"
	"liqwatch/devnet/contracts"
	double "liqwatch/devnet/tron"
	"liqwatch/protocols"
)

// On a chain with state overrides nothing is believed of symbols: the feeds are
// moved and the prices read again. WBTC here is a rate on ETH, and says so.
func TestSensitivitiesAreMeasured(t *testing.T) {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{BlockTime: 2})
	w, err := double.Deploy(ctx, node, double.Options{Family: double.Seconds, Markets: 11})
	require.NoError(t, err)
	own, err := contracts.Own(ctx)
	require.NoError(t, err)
	deploy := func(name string, args ...any) *bind.Contract {
		t.Helper()
		c, err := bind.Deploy(ctx, node.Client, w.Admin, own[name], args...)
		require.NoError(t, err)
		return c
	}
	feed := func(pair string, usd float64) *bind.Contract {
		answer, _ := big.NewFloat(usd * 1e8).Int(nil)
		return deploy("FeedProxy", deploy("Aggregator", pair, uint8(8), answer).Common())
	}
	eth, trx := feed("ETH / USD", 2500), feed("TRX / USD", 0.3276)
	ratio := deploy("RatioProvider", new(big.Int).Mul(big.NewInt(12), big.NewInt(1e17)))
	feeds := map[string]chains.Address{
		"TRX": trx.Address, "sTRX": deploy("RateAdapter", trx.Common(), ratio.Common(), "sTRX / TRX / USD").Address,
		"USDT": feed("USDT / USD", 1).Address, "USDD": feed("USDD / USD", 1).Address, "USD1": feed("USD1 / USD", 1).Address,
		"TUSD": feed("TUSD / USD", 1).Address, "wstUSDT": feed("USDT / USD", 1.08).Address, "BTC": feed("BTC / USD", 68_000).Address,
		"WBTC": deploy("RateAdapter", eth.Common(), ratio.Common(), "WBTC / ETH / USD").Address,
		"ETH":  eth.Address, "ETHB": feed("ETH / USD", 2499.5).Address,
	}
	require.NoError(t, w.UseFeeds(ctx, feeds))
	client, err := evm.New(evm.Config{Name: "devnet", Endpoints: []evm.Endpoint{{URL: node.URL}}}, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	m, err := Make(protocols.Placement{Name: "fork", Chain: "devnet"}, Settings{Comptroller: w.Risk.Address, FromBlock: w.FromBlock, Profile: "moonwell"})
	require.NoError(t, err)
	d := &driver{t: t, chain: client, market: m}
	b := d.must(protocols.Everything)
	require.Empty(t, b.Faults())

	follows := map[string]string{}
	for _, axis := range []string{"ETH", "BTC", "TRX"} {
		for _, s := range b.Explain(axis) {
			if s.Moves {
				require.Equal(t, "measured", s.How, s.Symbol)
				follows[s.Symbol] = axis + " " + s.Ratio.Round(4).String()
			}
		}
	}
	require.Equal(t, map[string]string{
		"ETH": "ETH 1", "ETHB": "ETH 0.9998", "WBTC": "ETH 1.2", "BTC": "BTC 1", "TRX": "TRX 1", "sTRX": "TRX 1.2",
	}, follows)

	// And the path is what the oracle then says.
	path, ok := b.Path("ETH")
	require.True(t, ok)
	spot := path.Spot()
	require.Equal(t, "2500", decimal.NewFromBigInt(spot.ToBig(), -path.Decimals()).String())
}
