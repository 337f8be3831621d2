package storetest

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
)

// Addresses are n different ones.
func Addresses(from, n int) []chains.Address {
	out := make([]chains.Address, n)
	for i := range out {
		h := chains.Keccak(binary.BigEndian.AppendUint64(nil, uint64(from+i)))
		out[i] = h.Address()
	}
	return out
}

func mustOpen(t *testing.T, open Open) Store {
	t.Helper()
	s, err := open()
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func accounts(t *testing.T, open Open) {
	s, ctx := mustOpen(t, open), t.Context()
	_, ok, err := s.Cursor(ctx, "aave")
	require.NoError(t, err)
	require.False(t, ok)
	all := Addresses(0, 2500)
	first := chains.Block{Number: 7, Hash: chains.Keccak([]byte("7")), Parent: chains.Keccak([]byte("6")), Time: 1_700_000_000}
	require.NoError(t, s.SaveAccounts(ctx, "aave", append(slices.Clone(all[:2000]), all[5]), first))
	require.NoError(t, s.SaveAccounts(ctx, "spark", all[:3], first))
	next := chains.Block{Number: 8, Hash: chains.Keccak([]byte("8")), Parent: first.Hash, Time: 1_700_000_012}
	require.NoError(t, s.SaveAccounts(ctx, "aave", all[1990:], next))
	require.NoError(t, s.SaveAccounts(ctx, "aave", nil, next))
	require.NoError(t, s.Close())

	s = mustOpen(t, open)
	got, err := s.Accounts(ctx, "aave")
	require.NoError(t, err)
	require.ElementsMatch(t, all, got)
	at, ok, err := s.Cursor(ctx, "aave")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, next, at)

	require.NoError(t, s.Forget(ctx, "aave"))
	got, err = s.Accounts(ctx, "aave")
	require.NoError(t, err)
	require.Empty(t, got)
	got, err = s.Accounts(ctx, "spark")
	require.NoError(t, err)
	require.Len(t, got, 3)
}
