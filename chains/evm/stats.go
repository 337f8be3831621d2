package evm

import (
	"maps"
	"sync"
)

// Stats is what a client has asked so far.
type Stats struct {
	Nodes []NodeStats
}

// NodeStats is what was asked of one node. A JSON-RPC batch of n counts n.
type NodeStats struct {
	Node      string            // scheme and host
	State     string            // "new", "good", "out" or "wrong chain"
	Why       string            // why it is out, without secrets
	Requests  map[string]uint64 // by method
	BytesUp   uint64            // bodies sent
	BytesDown uint64            // bodies received, as they came over the wire
	Failed    uint64            // requests without a usable answer
}

// Requests is the number of requests to all nodes, of all methods.
func (s Stats) Requests() uint64 {
	var sum uint64
	for _, n := range s.Nodes {
		for _, c := range n.Requests {
			sum += c
		}
	}
	return sum
}

// Method is the number of requests of one method to all nodes.
func (s Stats) Method(name string) uint64 {
	var sum uint64
	for _, n := range s.Nodes {
		sum += n.Requests[name]
	}
	return sum
}

// Bytes are those sent to and received from all nodes.
func (s Stats) Bytes() (up, down uint64) {
	for _, n := range s.Nodes {
		up += n.BytesUp
		down += n.BytesDown
	}
	return up, down
}

type counter struct {
	mu sync.Mutex
	s  NodeStats
}

func newCounter(label string) *counter {
	return &counter{s: NodeStats{Node: label, Requests: map[string]uint64{}}}
}

func (c *counter) asked(calls []call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range calls {
		c.s.Requests[q.method]++
	}
}

func (c *counter) moved(up, down int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.BytesUp += uint64(max(up, 0))
	c.s.BytesDown += uint64(max(down, 0))
}

func (c *counter) failed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Failed++
}

func (c *counter) snapshot() NodeStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.s
	out.Requests = maps.Clone(c.s.Requests)
	return out
}
