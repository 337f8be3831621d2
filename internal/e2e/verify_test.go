package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/story"
)

// verification is what `verify --format json` promises.
type verification struct {
	Markets []struct {
		Market           string
		Block            uint64
		Positions        int
		Differences      []struct{ Position, Field, Ours, Chain string }
		Sums             []struct{ Asset, Ours, Chain string }
		MaxDifferenceRaw string `json:"max_difference_raw"`
	}
}

// The story of a bad day on both versions: at blocks all over it, every account and
// every sum is the contract's own.
func TestVerifyFindsNothingAllOverTheStory(t *testing.T) {
	for _, v := range []aave.Version{aave.V30, aave.V36} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			w := populated(t, v, anvil.Options{})
			told, err := story.Play(t.Context(), w.World, w.pop, story.Options{Seed: 1})
			require.NoError(t, err)
			require.Greater(t, len(told.Liquidations), 100)
			require.NotEmpty(t, told.BadDebt)
			config := w.configuration(t, "")
			positions := 0
			const blocks = 20
			for i := range uint64(blocks) {
				at := told.From + i*(told.To-told.From)/(blocks-1)
				out, stderr, code := liqwatch(t, "verify", "-c", config, "--block", fmt.Sprint(at), "--format", "json")
				require.Zero(t, code, "block %d: %s", at, stderr)
				got := one[verification](t, out)
				require.Len(t, got.Markets, 1)
				m := got.Markets[0]
				require.Equal(t, "aave", m.Market)
				require.Equal(t, at, m.Block)
				require.Empty(t, m.Differences)
				require.Equal(t, "0", m.MaxDifferenceRaw)
				require.GreaterOrEqual(t, len(m.Sums), 11)
				for _, s := range m.Sums {
					require.Equal(t, s.Chain, s.Ours, s.Asset)
				}
				positions += m.Positions
				if i == blocks/2 {
					require.Equal(t, w.borrowersAt(t, at, told), m.Positions, "block %d", at)
				}
			}
			t.Logf("Aave %s: %d blocks from %d to %d, %d accounts compared, %d liquidations, 0 differences",
				v, blocks, told.From, told.To, positions, len(told.Liquidations))
		})
	}
}

// borrowersAt counts, by the debt tokens' own word, those who owe anything at a block.
func (w *world) borrowersAt(t *testing.T, block uint64, told *story.Told) int {
	t.Helper()
	all := append(append(w.pop.Accounts(), told.BadDebt), told.Newcomers...)
	owing := map[chains.Address]bool{}
	for _, a := range w.Assets {
		debts, err := w.ScaledDebts(t.Context(), a.Symbol, all, block)
		require.NoError(t, err)
		for i, d := range debts {
			if d.Sign() > 0 {
				owing[all[i]] = true
			}
		}
	}
	return len(owing)
}

// one reads exactly one JSON document.
func one[T any](t testing.TB, out []byte) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(out, &v), "%.300s", out)
	return v
}
