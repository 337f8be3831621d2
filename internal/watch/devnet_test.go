package watch_test

import (
	"fmt"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains/evm"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
	"liqwatch/internal/config"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
	"liqwatch/protocols/aavev3"
)

// TestVerifyOnRealContracts follows both versions of Aave over real activity and
// holds every account against getUserAccountData.
func TestVerifyOnRealContracts(t *testing.T) {
	for _, v := range []aave.Version{aave.V30, aave.V36} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			ctx := t.Context()
			node := anvil.Run(t, anvil.Options{})
			w, err := aave.Deploy(ctx, node, v, aave.Options{})
			require.NoError(t, err)
			_, err = population.Build(ctx, w, population.Options{Seed: 1})
			require.NoError(t, err)
			settings, err := config.FromMap("devnet", map[string]any{"pool_addresses_provider": w.Provider.String()})
			require.NoError(t, err)
			m, err := aavev3.New(protocols.Placement{Name: "devnet", Chain: "devnet"}, settings)
			require.NoError(t, err)
			chain, err := evm.New(evm.Config{Name: "devnet", ChainID: 31337, Endpoints: []evm.Endpoint{{URL: node.URL}}}, zerolog.Nop())
			require.NoError(t, err)
			defer chain.Close()
			f := watch.NewFollower(chain, []protocols.Market{m}, &watch.MemoryAccounts{}, zerolog.Nop())
			head, err := chain.Head(ctx)
			require.NoError(t, err)
			out, err := f.Pass(ctx, head)
			require.NoError(t, err)
			require.Empty(t, out.Failed)
			var report protocols.Report
			errs := watch.RunSteps(ctx, chain, head, m.Verify(&report))
			require.NoError(t, errs[0])
			t.Logf("block %d: %d positions, %d differences, %d sums; faults %v; requests %v", head.Number, report.Positions, len(report.Differences), len(report.Sums), m.Book().Faults(), chain.Stats())
			require.Empty(t, report.Differences)
			require.True(t, report.Clean())
			require.Greater(t, report.Positions, 400)
		})
	}
}
