package tron_test

import (
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	tronclient "liqwatch/chains/tron"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/tron"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
	"liqwatch/protocols/compoundv2"
)

// benchBorrowers is the size of JustLend: a few thousand borrowers in 24 markets.
const benchBorrowers = 5_000

// BenchmarkJustLendSized counts requests: finding and reading 5,000 borrowers of 24
// markets from nothing, with the time limit of calls on, and following them after
// that while every tenth block has somebody borrow. At 5 requests a second a cold
// start of 3,000 requests takes ten minutes.
func BenchmarkJustLendSized(b *testing.B) {
	ctx := b.Context()
	evm := anvil.Run(b, anvil.Options{BlockTime: 3, ChainID: tron.ChainID})
	w, err := tron.Deploy(ctx, evm, tron.Options{})
	require.NoError(b, err)
	require.NoError(b, w.Fund(ctx, chains.Address{0xA1}))
	accounts, err := w.Crowd(ctx, benchBorrowers, 1)
	require.NoError(b, err)
	node, err := tron.Serve(ctx, evm.Client, tron.Dialect{CPUGas: tron.CPULimit})
	require.NoError(b, err)
	const follow = 100
	for b.Loop() {
		client, err := tronclient.New(tronclient.Config{
			Name: "tron", Patience: time.Minute, Endpoints: []tronclient.Endpoint{{URL: node.URL, RequestsPerSecond: 1e6}},
		}, zerolog.Nop())
		require.NoError(b, err)
		m, err := compoundv2.Make(protocols.Placement{Name: "justlend", Chain: "tron"}, compoundv2.Settings{Comptroller: w.Risk.Address, FromBlock: w.FromBlock})
		require.NoError(b, err)
		f := watch.NewFollower(client, []protocols.Market{m}, &inMemory{}, zerolog.Nop())
		pass := func() {
			head, err := client.Head(ctx)
			require.NoError(b, err)
			out, err := f.Pass(ctx, head)
			require.NoError(b, err)
			require.Empty(b, out.Failed)
		}
		start := time.Now()
		pass()
		cold, took := client.Stats(), time.Since(start)
		require.Equal(b, benchBorrowers, f.Books()[0].Len())
		for i := range follow {
			if i%10 == 0 {
				require.NoError(b, w.Repay(ctx, accounts[i], "USDT", w.Amount("USDT", 0.01)))
			} else {
				require.NoError(b, evm.Mine(ctx))
			}
			pass()
		}
		all := client.Stats()
		b.ReportMetric(float64(cold.Total()), "cold-requests")
		b.ReportMetric(float64(cold.Total())/5/60, "cold-minutes-at-5/s")
		b.ReportMetric(took.Seconds(), "cold-seconds-unpaced")
		b.ReportMetric(float64(cold.BytesDown)/1e6, "cold-MB-down")
		b.ReportMetric(float64(all.Requests["eth_call"]-cold.Requests["eth_call"])/follow, "calls/block")
		b.ReportMetric(float64(all.Requests["eth_getLogs"]-cold.Requests["eth_getLogs"])/follow, "getLogs/block")
		b.ReportMetric(float64(all.Requests["eth_getBlockByNumber"]-cold.Requests["eth_getBlockByNumber"])/follow, "headers/block")
		client.Close()
	}
}
