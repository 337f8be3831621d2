package main

import (
	"fmt"

	"liqwatch/chains"
	"liqwatch/internal/config"
	"liqwatch/internal/watch"
	"liqwatch/protocols"
)

// spotFeeds are the feeds of the markets' own prices, by the chain they are on.
func spotFeeds(cfg *config.Config, markets []protocols.Market) (map[string][]watch.SpotFeed, error) {
	out := map[string][]watch.SpotFeed{}
	for _, axis := range sortedKeys(cfg.Axes) {
		a := cfg.Axes[axis]
		if a.Spot == nil {
			continue
		}
		feed, err := chains.ParseAddress(a.Spot.Feed)
		if err != nil {
			return nil, cfg.At("axes", axis, "spot", "feed").Wrap(err)
		}
		chain := a.Spot.Chain
		for _, m := range markets {
			if chain == "" && m.Name() == a.Reference {
				chain = m.Chain()
			}
		}
		watched := false
		for _, m := range markets {
			watched = watched || m.Chain() == chain
		}
		if !watched {
			return nil, cfg.At("axes", axis, "spot").Wrap(fmt.Errorf("no market is on chain %s, so that nobody reads the feed: name a chain of a market", chain))
		}
		out[chain] = append(out[chain], watch.SpotFeed{Axis: axis, Address: feed})
	}
	return out, nil
}
