// Package tron reads TRON through its JSON-RPC dialect of Ethereum's.
//
// It is Ethereum's in little more than name: views run on the newest block only
// and within 80 ms, blocks have a shape that Ethereum's decoders refuse, logs come
// in ranges of 5,000 blocks, and rate limits wear several disguises. Since a read
// cannot be pinned to a block, every answer names the block it was taken at
// ([chains.Answer.At]), which is the block asked for or a descendant of it.
package tron

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"liqwatch/chains"
)

// Multicall3 on TRON's main network: TEazPvZwDjDtFeJupyo7QunvnrnUjPH8ED.
var Multicall3 = chains.MustAddress("0x32a4f47a74a6810bd0bf861cabab99656a75de9e")

// MainnetID is the chain id of TRON's main network.
const MainnetID = 728126428

// Config of a client.
type Config struct {
	// Name is the chain's name in the configuration.
	Name string
	// ChainID that the nodes must have; 0 takes what the first one says.
	ChainID uint64
	// Endpoints are full nodes or gateways, the preferred one first. A solidity port
	// works as well: its newest block is the last one that cannot be undone.
	Endpoints []Endpoint
	// Timeout bounds one request; 20 s when zero.
	Timeout time.Duration
	// Patience bounds how long one question waits for rate limits and for nodes that
	// do not answer; two minutes when zero.
	Patience time.Duration
	// Multicall is where Multicall3 is; TRON's main network's when zero.
	Multicall chains.Address
}

// Endpoint is one node or gateway.
type Endpoint struct {
	URL string // http or https, ending in /jsonrpc
	// Header is sent with every request: TRON-PRO-API-KEY for TronGrid.
	Header http.Header
	// RequestsPerSecond to keep to; 5 when zero, which TronGrid bears with a key.
	RequestsPerSecond float64
}

// Client is a [chains.Chain] for TRON.
type Client struct {
	cfg   Config
	log   zerolog.Logger
	nodes []*node

	mu       sync.Mutex
	can      *chains.Capabilities
	tip      chains.Block
	final    chains.Block
	blocks   map[uint64]chains.Block // recent ones, as last seen
	answered map[uint64]answeredLogs // recent blocks whose logs were handed out
	size     sizes                   // of calls
}

var _ chains.Chain = (*Client)(nil)

// Usual limits. A gateway may have others: they are learned.
const (
	defaultRate     = 5
	defaultTimeout  = 20 * time.Second
	defaultPatience = 2 * time.Minute
	firstPack       = 24
	mostPack        = 96
	blockTime       = 3 * time.Second
	remembered      = 512 // blocks
)

// New makes a client. Nothing is asked yet.
func New(cfg Config, log zerolog.Logger) (*Client, error) {
	if len(cfg.Endpoints) == 0 {
		return nil, fmt.Errorf("chain %s: no rpc endpoint is configured", cfg.Name)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Patience <= 0 {
		cfg.Patience = defaultPatience
	}
	if cfg.Multicall.IsZero() {
		cfg.Multicall = Multicall3
	}
	c := &Client{
		cfg: cfg, log: log.With().Str("chain", cfg.Name).Logger(),
		blocks: map[uint64]chains.Block{}, answered: map[uint64]answeredLogs{}, size: sizes{pack: firstPack, ceiling: mostPack + 1},
	}
	for i, e := range cfg.Endpoints {
		n, err := newNode(e, cfg.Timeout)
		if err != nil {
			return nil, fmt.Errorf("chain %s: rpc endpoint %d: %w", cfg.Name, i+1, err)
		}
		c.nodes = append(c.nodes, n)
	}
	return c, nil
}

// Name is the chain's name in the configuration.
func (c *Client) Name() string { return c.cfg.Name }

// Close lets go of idle connections.
func (c *Client) Close() {
	for _, n := range c.nodes {
		n.http.CloseIdleConnections()
	}
}

// Capabilities makes sure that the nodes are of the right chain and that
// Multicall3 answers.
func (c *Client) Capabilities(ctx context.Context) (chains.Capabilities, error) {
	c.mu.Lock()
	known := c.can
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	var text string
	if err := c.ask(ctx, "eth_chainId", nil, &text); err != nil {
		return chains.Capabilities{}, fmt.Errorf("chain %s: ask for the chain id: %w", c.cfg.Name, err)
	}
	// A private chain's id may begin with zeros, which Ethereum's own decoder refuses.
	id, err := parseQuantity(text)
	if err != nil {
		return chains.Capabilities{}, fmt.Errorf("chain %s: chain id %q: %w", c.cfg.Name, text, err)
	}
	if c.cfg.ChainID != 0 && c.cfg.ChainID != id {
		return chains.Capabilities{}, fmt.Errorf("chain %s: the node says chain id %d, the configuration %d: %w", c.cfg.Name, id, c.cfg.ChainID, chains.ErrWrongChain)
	}
	if _, err := c.callOnce(ctx, c.cfg.Multicall, selector("getBlockNumber()")); err != nil {
		var f *fault
		if errors.As(err, &f) && f.kind == kindNoContract {
			return chains.Capabilities{}, fmt.Errorf("chain %s: there is no Multicall3 at %s: deploy one or name it with multicall3", c.cfg.Name, c.cfg.Multicall.Base58())
		}
		return chains.Capabilities{}, fmt.Errorf("chain %s: ask Multicall3 for the block: %w", c.cfg.Name, err)
	}
	can := chains.Capabilities{ChainID: id, BlockTime: blockTime, Hashes: c.cfg.Multicall, Base58: true}
	c.mu.Lock()
	c.can = &can
	c.mu.Unlock()
	return can, nil
}

// ReadMoved is not possible: TRON's nodes take no state overrides.
func (c *Client) ReadMoved(context.Context, chains.Block, []chains.Override, []chains.Read) ([]chains.Answer, error) {
	return nil, fmt.Errorf("chain %s: %w", c.cfg.Name, chains.ErrNoOverrides)
}
