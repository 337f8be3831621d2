// Package evm reads chains that speak Ethereum JSON-RPC, through any number of
// nodes that are not trusted further than their answers can be checked.
package evm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"liqwatch/chains"
)

// Config describes one chain.
type Config struct {
	// Name is the chain's name in the configuration.
	Name string
	// ChainID is the EIP-155 id that every node must have; 0 learns it from the
	// first node that answers and holds the others to it.
	ChainID uint64
	// Endpoints are the nodes, the preferred one first.
	Endpoints []Endpoint
	// Timeout bounds one request; 20 s when zero.
	Timeout time.Duration
	// FinalityDepth is how many blocks below the head count as final where the
	// nodes do not know the word "finalized"; 64 when zero.
	FinalityDepth uint64
	// Hedge is how long one node may take before another is asked as well; 1.5 s when zero.
	Hedge time.Duration
	// Agree of 2 asks two nodes everything that is not proven by itself (calls and
	// logs) and takes only what both say. 0 and 1 trust one checked answer.
	Agree int
}

// Endpoint is one node.
type Endpoint struct {
	URL string // http, https, ws or wss
	// Header is sent with every request; keys often live here.
	Header http.Header
	// RequestsPerSecond limits what is asked of it; 0 does not.
	RequestsPerSecond float64
}

// Client is one chain behind one or more nodes. It implements [chains.Chain]; any
// number of goroutines may use it.
type Client struct {
	name string
	cfg  Config
	pool *pool
	log  zerolog.Logger
	tip  *tip
	wake *wake

	life context.Context // ends with Close
	stop context.CancelFunc

	mu        sync.Mutex
	blockTime time.Duration
}

var _ chains.Chain = (*Client)(nil)

// New prepares a client; no node is called before the first question.
func New(cfg Config, log zerolog.Logger) (*Client, error) {
	if len(cfg.Endpoints) == 0 {
		return nil, fmt.Errorf("chain %s: no rpc endpoint is configured", cfg.Name)
	}
	if cfg.Agree > len(cfg.Endpoints) {
		return nil, fmt.Errorf("chain %s: %d nodes are to agree and there are %d", cfg.Name, cfg.Agree, len(cfg.Endpoints))
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 20 * time.Second
	}
	if cfg.FinalityDepth == 0 {
		cfg.FinalityDepth = 64
	}
	if cfg.Hedge <= 0 {
		cfg.Hedge = defaultHedge
	}
	log = log.With().Str("chain", cfg.Name).Logger()
	c := &Client{
		name: cfg.Name, cfg: cfg, log: log,
		pool: &pool{chain: cfg.ChainID, hedge: cfg.Hedge, unit: defaultUnit}, tip: newTip(cfg.ChainID), wake: newWake(),
	}
	c.life, c.stop = context.WithCancel(context.Background())
	labels := map[string]int{}
	for i, e := range cfg.Endpoints {
		n, err := c.newNode(e)
		if err != nil {
			return nil, fmt.Errorf("chain %s: rpc endpoint %d: %w", cfg.Name, i+1, err)
		}
		if labels[n.label]++; labels[n.label] > 1 {
			n.label = fmt.Sprintf("%s#%d", n.label, labels[n.label])
		}
		c.pool.nodes = append(c.pool.nodes, n)
	}
	return c, nil
}

func (c *Client) newNode(e Endpoint) (*node, error) {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("address is not a URL such as https://host/path")
	}
	n := &node{label: redact(e.URL), pace: &pace{rate: e.RequestsPerSecond}, timeout: c.cfg.Timeout, log: c.log}
	n.count = newCounter(n.label)
	switch u.Scheme {
	case "http", "https":
		n.conn = newHTTPConn(e.URL, e.Header, n.count)
	case "ws", "wss":
		n.conn = newWSConn(e.URL, e.Header, n.count, c.wake)
	default:
		return nil, fmt.Errorf("scheme %q is not one of http, https, ws, wss", clip(u.Scheme))
	}
	return n, nil
}

// Name is the chain's name in the configuration.
func (c *Client) Name() string { return c.name }

// Close ends open connections.
func (c *Client) Close() {
	c.stop()
	for _, n := range c.pool.nodes {
		n.conn.close()
	}
}

// Stats counts what was asked of each node since New.
func (c *Client) Stats() Stats {
	var s Stats
	for _, n := range c.pool.nodes {
		one := n.count.snapshot()
		one.State, one.Why = n.stands()
		s.Nodes = append(s.Nodes, one)
	}
	return s
}

// Expected implements [chains.Hopeful]: what the nodes are known to allow, or what
// nearly all do.
func (c *Client) Expected() chains.Capabilities {
	if can, known := c.capable(nil); known {
		return can
	}
	return chains.Capabilities{ChainID: c.cfg.ChainID, Slots: true, Overrides: true, Pinned: true}
}

// capable is what the nodes whose way is known allow, those left out that failed.
func (c *Client) capable(failed []error) (can chains.Capabilities, known bool) {
	can = chains.Capabilities{ChainID: c.pool.chainID(), Pinned: true}
	for i, n := range c.pool.nodes {
		if w, ok := n.ways.known(); ok && (failed == nil || failed[i] == nil) {
			known = true
			if w == wayOverride {
				can.Slots, can.Overrides = true, true
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	can.BlockTime = c.blockTime
	return can, known
}

// Capabilities says what the nodes allow, found out by trying on first use. What the
// reads made before have shown is not asked again.
func (c *Client) Capabilities(ctx context.Context) (chains.Capabilities, error) {
	if can, known := c.capable(nil); known && c.allKnown() {
		return can, nil
	}
	head, err := c.Head(ctx)
	if err != nil {
		return chains.Capabilities{}, fmt.Errorf("find out what %s allows: %w", c.name, err)
	}
	// Every node by itself; one that cannot be asked now is found out about when it can.
	failed := make([]error, len(c.pool.nodes))
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var wg sync.WaitGroup
	for i, n := range c.pool.nodes {
		wg.Go(func() {
			_, failed[i] = do(limited, c.pool, ask{block: head.Number, rounds: 1, skip: func(m *node) bool { return m != n }},
				func(ctx context.Context, n *node) (way, error) { return n.ways.find(ctx, c, n, head) })
		})
	}
	wg.Wait()
	if !slices.Contains(failed, nil) {
		return chains.Capabilities{}, fmt.Errorf("find out what %s allows: %w", c.name, errors.Join(failed...))
	}
	if err := c.measureBlockTime(ctx, head); err != nil {
		return chains.Capabilities{}, fmt.Errorf("measure the block time of %s: %w", c.name, err)
	}
	can, _ := c.capable(failed)
	return can, nil
}

// allKnown reports that the way of every node is known.
func (c *Client) allKnown() bool {
	return !slices.ContainsFunc(c.pool.nodes, func(n *node) bool {
		_, known := n.ways.known()
		return !known
	})
}

// measureBlockTime takes the mean over the last hundred blocks, once.
func (c *Client) measureBlockTime(ctx context.Context, head chains.Block) error {
	c.mu.Lock()
	known := c.blockTime
	c.mu.Unlock()
	span := min(head.Number, 100)
	if known != 0 || span == 0 {
		return nil
	}
	past, err := c.Block(ctx, head.Number-span)
	if err != nil || head.Time < past.Time {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blockTime = time.Duration(head.Time-past.Time) * time.Second / time.Duration(span)
	return nil
}
