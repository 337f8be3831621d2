package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/catalog"
	"liqwatch/internal/config"
)

const spotConfig = `chains:
  devnet: {id: 31337, rpc: ["http://127.0.0.1:1"]}
  other: {id: 31338, rpc: ["http://127.0.0.1:2"]}
markets:
  - {name: mine, protocol: aave-v3, chain: devnet, pool_addresses_provider: "0x5FbDB2315678afecb367f032d93F642f64180aa3"}
axes:
  ETH: {reference: mine, spot: {feed: "0xa82fF9aFd8f496c3d6ac40E2a0F282E47488CFc9"}}
`

func TestSpotFeedsAreReadOnTheReferencesChain(t *testing.T) {
	cfg, err := config.Parse("liqwatch.yaml", []byte(spotConfig))
	require.NoError(t, err)
	markets, err := catalog.Markets(cfg)
	require.NoError(t, err)
	feeds, err := spotFeeds(cfg, markets)
	require.NoError(t, err)
	require.Len(t, feeds["devnet"], 1)
	require.Equal(t, "ETH", feeds["devnet"][0].Axis)
}

func TestSpotFeedsThatNobodyCouldReadAreRefused(t *testing.T) {
	for _, c := range []struct{ from, to, says string }{
		{"47488CFc9", "47488CFc", "liqwatch.yaml:7:39: address"},
		{`CFc9"}`, `CFc9", chain: other}`, "liqwatch.yaml:7:32: no market is on chain other"},
	} {
		cfg, err := config.Parse("liqwatch.yaml", []byte(strings.Replace(spotConfig, c.from, c.to, 1)))
		require.NoError(t, err)
		markets, err := catalog.Markets(cfg)
		require.NoError(t, err)
		_, err = spotFeeds(cfg, markets)
		require.ErrorContains(t, err, c.says)
		require.Equal(t, exitUsage, report(err, &bytes.Buffer{}))
	}
}
