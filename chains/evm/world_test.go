package evm

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/chainstest"
)

var (
	tokenA  = chains.MustAddress("0x00000000000000000000000000000000000a0001")
	tokenB  = chains.MustAddress("0x00000000000000000000000000000000000a0002")
	echo    = chains.MustAddress("0x00000000000000000000000000000000000e0001")
	refuses = chains.MustAddress("0x00000000000000000000000000000000000e0002")
	burner  = chains.MustAddress("0x00000000000000000000000000000000000e0003")
	borrow  = chains.Keccak([]byte("Borrow"))
	repay   = chains.Keccak([]byte("Repay"))
)

var follow = chains.Filter{Addresses: []chains.Address{tokenA, tokenB}, Topics: []chains.Hash{borrow, repay}}

// world is a chain of n blocks with logs in most of them, storage and views.
func world(n int) *chainstest.Chain { return populate(chainstest.NewChain(1), n) }

func populate(c *chainstest.Chain, n int) *chainstest.Chain {
	c.SetView(echo, func(at chains.Block, data []byte) ([]byte, bool) {
		out := binary.BigEndian.AppendUint64(make([]byte, 24), at.Number)
		return append(out, data...), true
	})
	c.SetView(refuses, func(_ chains.Block, data []byte) ([]byte, bool) { return data, false })
	c.SetView(burner, func(chains.Block, []byte) ([]byte, bool) { panic(chainstest.ErrOutOfGas) })
	for i := range n {
		for s := range 4 {
			c.SetSlot(tokenA, word(s), word(1000*i+s))
		}
		if i%5 == 4 {
			c.Mine()
			continue
		}
		c.Mine(event(tokenA, borrow, i), event(tokenB, repay, i), event(tokenB, chains.Hash{9}, i))
	}
	c.Finalize(uint64(n / 2))
	return c
}

func event(a chains.Address, topic chains.Hash, i int) chainstest.Event {
	return chainstest.Event{Address: a, Topics: []chains.Hash{topic, word(i)}, Data: []byte{byte(i), 1, 2}}
}

func word(n int) (h chains.Hash) {
	binary.BigEndian.PutUint64(h[24:], uint64(n))
	return h
}

func client(t testing.TB, cfg Config, nodes ...*chainstest.Node) *Client {
	t.Helper()
	cfg.Name = "test"
	for _, n := range nodes {
		cfg.Endpoints = append(cfg.Endpoints, Endpoint{URL: n.URL})
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	c, err := New(cfg, zerolog.Nop())
	require.NoError(t, err)
	c.pool.unit = 5 * time.Millisecond
	t.Cleanup(c.Close)
	return c
}

// reads are of every kind: views that answer, that refuse, repeated ones, slots.
func reads() []chains.Read {
	var out []chains.Read
	for i := range 20 {
		out = append(out, chains.View(echo, []byte{byte(i), 7}))
	}
	out = append(out, chains.View(refuses, []byte{1, 2, 3}), chains.View(echo, []byte{}), chains.View(echo, []byte{3, 7}))
	for s := range 6 {
		out = append(out, chains.Slot(tokenA, word(s)), chains.Slot(tokenB, word(s)))
	}
	return out
}

// truth is what reads must answer at a block of world(n).
func truth(b chains.Block, reads []chains.Read) []chains.Answer {
	out := make([]chains.Answer, len(reads))
	for i, r := range reads {
		switch {
		case r.IsSlot():
			w := chains.Hash{}
			if s := int(binary.BigEndian.Uint64(r.Slot[24:])); r.To == tokenA && s < 4 && b.Number > 0 {
				w = word(1000*(int(b.Number)-1) + s)
			}
			out[i].Data = w[:]
		case r.To == refuses:
			out[i] = chains.Answer{Data: r.Data, Failed: true}
		case r.To == echo:
			out[i].Data = append(binary.BigEndian.AppendUint64(make([]byte, 24), b.Number), r.Data...)
		}
	}
	return out
}

// exercise asks a client everything and holds the answers against the chain. An
// error is returned; an answer that is not the truth is a difference.
func exercise(ctx context.Context, c *Client, chain *chainstest.Chain) (difference string, err error) {
	head, err := c.Head(ctx)
	if err != nil {
		return "", err
	}
	if head != chain.Head() {
		return fmt.Sprintf("head %v, want %v", head, chain.Head()), nil
	}
	if _, err := c.Finalized(ctx); err != nil {
		return "", err
	}
	b, err := c.Block(ctx, 7)
	if err != nil {
		return "", err
	}
	if want, _ := chain.Block(7); b != want {
		return fmt.Sprintf("block %v, want %v", b, want), nil
	}
	for _, from := range []uint64{head.Number, head.Number - 3, 1} {
		logs, err := c.Logs(ctx, follow, from, head)
		if err != nil {
			return "", err
		}
		if want := chain.Logs(from, head.Number, follow.Match); !sameLogs(logs, want) {
			return fmt.Sprintf("%d logs from %d on, want %d", len(logs), from, len(want)), nil
		}
	}
	answers, err := c.Read(ctx, head, reads())
	if err != nil {
		return "", err
	}
	if want := truth(head, reads()); !sameAnswers(answers, want) {
		return fmt.Sprintf("answers %v, want %v", answers, want), nil
	}
	return "", nil
}
