package main

import (
	"fmt"
	"io"

	"liqwatch/devnet/aave"
)

// writeConfiguration writes the liqwatch configuration that follows the world.
func writeConfiguration(out io.Writer, w *aave.World) error {
	_, err := fmt.Fprintf(out, `# liqwatch configuration of this devnet (Aave %[1]s)
chains:
  devnet: {id: 31337, rpc: [%[2]q, %[3]q]}
markets:
  - {name: aave-devnet, protocol: aave-v3, chain: devnet, pool_addresses_provider: %[4]q, from_block: %[5]d}
axes:
  ETH: {reference: aave-devnet, spot: {feed: %[6]q}}
rules:
  - name: eth
    axis: ETH
    levels: [2200, 2400]
    approach: [5%%, 2%%, 0.5%%]
    rearm: 1%%
store: sqlite:devnet.db
`, w.Version, w.Node.URL, w.Node.WS, w.Provider, w.FromBlock, w.Feeds[aave.FeedETH].Proxy)
	return err
}

// writeHelp says what a person can do with the running world.
func writeHelp(out io.Writer, w *aave.World) error {
	_, err := fmt.Fprintf(out, `
Node            %s (chain 31337; every account may send, gas is free)
Pool            %s (Aave %s)
Oracle          %s
ETH / USD       %s (WETH), %s (staking tokens)

Type and press Enter:
  2400          move ETH to 2,400 USD, both feeds in one block
  2400 30       go there over 30 blocks
  mine 10       mine 10 blocks
  story         play the story: down through 2,400 and 2,200 and back up
  quit          end it (so does Ctrl-C)
`, w.Node.URL, w.Pool, w.Version, w.Oracle, w.Feeds[aave.FeedETH].Aggregator, w.Feeds[aave.FeedETHForLST].Aggregator)
	return err
}
