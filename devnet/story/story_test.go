package story

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
)

func TestPlay(t *testing.T) {
	for _, v := range []aave.Version{aave.V30, aave.V36} {
		t.Run(string(v), func(t *testing.T) {
			ctx := t.Context()
			w, err := aave.Deploy(ctx, anvil.Run(t, anvil.Options{}), v, aave.Options{})
			require.NoError(t, err)
			pop, err := population.Build(ctx, w, population.Options{Seed: 1})
			require.NoError(t, err)
			t0 := time.Now()
			told, err := Play(ctx, w, pop, Options{Seed: 1, OnBlock: func(_ context.Context, b chains.Block) error { return nil }, OnBeat: func(b Beat) { t.Log(time.Since(t0), b) }})
			require.NoError(t, err)
			t.Log(len(told.Liquidations), told.Reactions, len(told.Newcomers), told.From, told.To)
			per := map[uint64]int{}
			for _, l := range told.Liquidations {
				per[l.Block]++
			}
			for b := told.From; b <= told.To; b++ {
				if per[b] > 0 {
					t.Log(b, told.Prices[b-told.From]/1e8, per[b])
				}
			}
		})
	}
}
