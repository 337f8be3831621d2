package catalog

import (
	"fmt"
	"net/http"

	"github.com/rs/zerolog"

	"liqwatch/chains"
	"liqwatch/chains/evm"
	"liqwatch/chains/tron"
	"liqwatch/internal/config"
)

// network is a chain known by name.
type network struct {
	id   uint64
	open opener
}

// opener makes the client of one kind of chain; the second value ends it.
type opener func(config.Chain, uint64, zerolog.Logger) (chains.Chain, func() error, error)

// networks are the chains that need no id in the configuration. To add an EVM
// chain is one line.
var networks = map[string]network{
	"ethereum":  {1, openEVM},
	"optimism":  {10, openEVM},
	"bnb":       {56, openEVM},
	"gnosis":    {100, openEVM},
	"polygon":   {137, openEVM},
	"sonic":     {146, openEVM},
	"zksync":    {324, openEVM},
	"metis":     {1088, openEVM},
	"moonbeam":  {1284, openEVM},
	"soneium":   {1868, openEVM},
	"mantle":    {5000, openEVM},
	"base":      {8453, openEVM},
	"plasma":    {9745, openEVM},
	"arbitrum":  {42161, openEVM},
	"celo":      {42220, openEVM},
	"avalanche": {43114, openEVM},
	"ink":       {57073, openEVM},
	"linea":     {59144, openEVM},
	"scroll":    {534352, openEVM},
	"tron":      {tron.MainnetID, openTRON},
	"nile":      {3448148188, openTRON}, // TRON's test networks
	"shasta":    {2494104990, openTRON},
}

// OpenChain makes the client of a configured chain. No node is asked yet. The
// second value lets go of its connections.
func OpenChain(c config.Chain, log zerolog.Logger) (chains.Chain, func() error, error) {
	n, known := networks[c.Name]
	switch {
	case !known:
		n = network{c.ID, openEVM}
	case c.ID != 0 && c.ID != n.id:
		return nil, nil, fmt.Errorf("chain %s has id %d, the configuration says %d: give another chain another name", c.Name, n.id, c.ID)
	}
	return n.open(c, n.id, log)
}

func openEVM(c config.Chain, id uint64, log zerolog.Logger) (chains.Chain, func() error, error) {
	cfg := evm.Config{Name: c.Name, ChainID: id}
	if c.Finality != nil {
		cfg.FinalityDepth = *c.Finality
	}
	for _, u := range c.RPC {
		cfg.Endpoints = append(cfg.Endpoints, evm.Endpoint{
			URL: u.Reveal(), Header: headers(c), RequestsPerSecond: c.MaxRPS.InexactFloat64(), //nolint:forbidigo // a rate, not money
		})
	}
	client, err := evm.New(cfg, log)
	if err != nil {
		return nil, nil, err
	}
	return client, func() error { client.Close(); return nil }, nil
}

func openTRON(c config.Chain, id uint64, log zerolog.Logger) (chains.Chain, func() error, error) {
	cfg := tron.Config{Name: c.Name, ChainID: id}
	for _, u := range c.RPC {
		cfg.Endpoints = append(cfg.Endpoints, tron.Endpoint{
			URL: u.Reveal(), Header: headers(c), RequestsPerSecond: c.MaxRPS.InexactFloat64(), //nolint:forbidigo // a rate, not money
		})
	}
	client, err := tron.New(cfg, log)
	if err != nil {
		return nil, nil, err
	}
	return client, func() error { client.Close(); return nil }, nil
}

func headers(c config.Chain) http.Header {
	out := http.Header{}
	for k, v := range c.Headers {
		out.Set(k, v.Reveal())
	}
	return out
}
