package aavev3

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/chains/asm"
	"liqwatch/devnet/anvil"
	"liqwatch/protocols"
)

// reader runs steps against a node one plain call at a time, so that what these
// tests prove does not lean on how the chain client packs reads.
type reader struct {
	node   *anvil.Node
	rounds int
	reads  int
	bytes  int // of calldata or slot, and of answers
	bare   bool
	// elsewhere has slots answered as if a contract kept its storage in another place.
	elsewhere func(chains.Read) bool
}

func (n *reader) can() chains.Capabilities {
	return chains.Capabilities{ChainID: 31337, Slots: !n.bare, Overrides: !n.bare, Pinned: true}
}

// run takes a step to its end at a block.
func (n *reader) run(ctx context.Context, at chains.Block, s protocols.Step) error {
	for !s.Done() {
		answers, err := n.answer(ctx, at, s)
		if err != nil {
			return err
		}
		if s, err = s.Then(answers); err != nil {
			return err
		}
	}
	return nil
}

func (n *reader) answer(ctx context.Context, at chains.Block, s protocols.Step) ([]chains.Answer, error) {
	if len(s.Wants) > 0 {
		n.rounds++
	}
	n.reads += len(s.Wants)
	return chains.ReadLinked(s.Wants, func(level []chains.Read) ([]chains.Answer, error) { return n.plain(ctx, at, s.Moved, level) })
}

func codes(list []chains.Override) map[string]map[string]hexutil.Bytes {
	out := map[string]map[string]hexutil.Bytes{}
	for _, o := range list {
		out[o.Address.String()] = map[string]hexutil.Bytes{"code": o.Code}
	}
	return out
}

// running is what a program needs: its code, and contracts that tell their storage.
func running(p *chains.Program) []chains.Override {
	out := []chains.Override{{Address: p.Address(), Code: p.Code}}
	for _, a := range p.Storage {
		out = append(out, chains.Override{Address: a, Code: asm.SlotReader()})
	}
	return out
}

func (n *reader) plain(ctx context.Context, at chains.Block, replaced []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	requests := make([]anvil.Request, len(reads))
	results := make([]hexutil.Bytes, len(reads))
	block := hexutil.Uint64(at.Number)
	for i, r := range reads {
		moved := codes(replaced)
		if r.Program != nil {
			moved = codes(running(r.Program))
		}
		n.bytes += 32 + len(r.Data)
		requests[i] = anvil.Request{Method: "eth_getStorageAt", Params: []any{r.To, r.Slot, block}, Result: &results[i]}
		if !r.IsSlot() {
			requests[i] = anvil.Request{Method: "eth_call", Params: []any{map[string]any{"to": r.To, "data": hexutil.Bytes(r.Data)}, block}, Result: &results[i]}
			if len(moved) > 0 {
				requests[i].Params = append(requests[i].Params, moved)
			}
		}
	}
	out := make([]chains.Answer, len(reads))
	for from := 0; from < len(requests); from += 500 {
		part := requests[from:min(from+500, len(requests))]
		if err := n.node.Batch(ctx, part); err != nil {
			return nil, err
		}
		for i := range part {
			out[from+i].Data = results[from+i]
			if r := reads[from+i]; n.elsewhere != nil && r.IsSlot() && n.elsewhere(r) {
				out[from+i].Data = make([]byte, 32)
			}
			n.bytes += len(out[from+i].Data)
			if part[i].Err == nil {
				continue
			}
			var rpc *anvil.RPCError
			if !errors.As(part[i].Err, &rpc) || rpc.Code != 3 {
				return nil, part[i].Err
			}
			out[from+i].Failed = true
		}
	}
	return out, nil
}

// logs are those of a filter.
func (n *reader) logs(t testing.TB, f chains.Filter, from, to uint64) []chains.Log {
	t.Helper()
	var raw []struct {
		Address chains.Address `json:"address"`
		Topics  []chains.Hash  `json:"topics"`
		Data    hexutil.Bytes  `json:"data"`
		Block   hexutil.Uint64 `json:"blockNumber"`
		Hash    chains.Hash    `json:"blockHash"`
		Tx      chains.Hash    `json:"transactionHash"`
		Index   hexutil.Uint64 `json:"logIndex"`
	}
	if f.Empty() {
		return nil
	}
	require.NoError(t, n.node.Call(t.Context(), &raw, "eth_getLogs", map[string]any{
		"fromBlock": hexutil.Uint64(from), "toBlock": hexutil.Uint64(to), "address": f.Addresses, "topics": []any{f.Topics},
	}))
	out := make([]chains.Log, len(raw))
	for i, l := range raw {
		out[i] = chains.Log{Block: uint64(l.Block), BlockHash: l.Hash, Tx: l.Tx, Index: uint(l.Index), Address: l.Address, Topics: l.Topics, Data: l.Data}
	}
	return out
}

func (n *reader) head(t testing.TB) chains.Block {
	t.Helper()
	number, err := n.node.BlockNumber(t.Context())
	require.NoError(t, err)
	return n.block(t, number)
}

func (n *reader) block(t testing.TB, number uint64) chains.Block {
	t.Helper()
	b, err := n.node.Block(t.Context(), number)
	require.NoError(t, err)
	return b
}

// opened is a market opened at the head, with all borrowers read.
func (n *reader) opened(t testing.TB, provider chains.Address, fork Fork) *Market {
	t.Helper()
	m, err := newMarket(protocols.Placement{Name: "devnet", Chain: "devnet"}, Settings{Provider: provider, Fork: fork})
	require.NoError(t, err)
	at := n.head(t)
	require.NoError(t, n.run(t.Context(), at, m.Open(at, n.can())))
	filter, from := m.Discovery()
	m.Note(n.logs(t, filter, from, at.Number))
	require.NoError(t, n.run(t.Context(), at, m.Refresh(at, protocols.Everything)))
	return m
}

// follow takes the market to a block by its logs.
func (n *reader) follow(t testing.TB, m *Market, to chains.Block) {
	t.Helper()
	from := m.book.at.Number + 1
	if from <= to.Number {
		m.Note(n.logs(t, m.Follow(), from, to.Number))
	}
	require.NoError(t, n.run(t.Context(), to, m.Refresh(to, protocols.Noted)))
}

// verified proves the book by the pool's own views.
func (n *reader) verified(t testing.TB, m *Market) protocols.Report {
	t.Helper()
	var report protocols.Report
	require.NoError(t, n.run(t.Context(), m.book.at, m.Verify(&report)))
	text, _ := json.Marshal(report.Differences)
	require.Empty(t, report.Differences, string(text))
	require.True(t, report.Clean(), "%v", report.Sums)
	return report
}
