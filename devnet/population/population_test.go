package population

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
)

func built(t *testing.T, v aave.Version) (*aave.World, *Population) {
	t.Helper()
	w, err := aave.Deploy(t.Context(), anvil.Run(t, anvil.Options{}), v, aave.Options{})
	require.NoError(t, err)
	start := time.Now()
	pop, err := Build(t.Context(), w, Options{Seed: 1})
	require.NoError(t, err)
	t.Logf("%d borrowers in %s", len(pop.Borrowers), time.Since(start))
	return w, pop
}

func TestBuild(t *testing.T) {
	for _, v := range []aave.Version{aave.V30, aave.V36} {
		t.Run(string(v), func(t *testing.T) {
			w, pop := built(t, v)
			head, err := w.Node.BlockNumber(t.Context())
			require.NoError(t, err)
			for _, b := range pop.Borrowers {
				d, err := w.UserAccountData(t.Context(), b.Address, head)
				require.NoError(t, err)
				if d.Liquidatable() {
					t.Logf("%s %s %.0f: %v", b.Kind, b.Collateral, b.Trigger, d)
				}
			}
		})
	}
}
