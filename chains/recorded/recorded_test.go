package recorded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"liqwatch/chains"
)

// simulated is a chain in memory whose every answer follows from the block's hash.
type simulated struct {
	name   string
	blocks map[chains.Hash]chains.Block
	mined  map[chains.Hash]uint64 // on which branch
	canon  []chains.Block         // by number
	branch uint64
	final  int
}

func newSimulated(name string) *simulated {
	s := &simulated{name: name, blocks: map[chains.Hash]chains.Block{}, mined: map[chains.Hash]uint64{}}
	s.mine(1)
	return s
}

func (s *simulated) mine(n int) {
	for range n {
		b := chains.Block{Number: uint64(len(s.canon)), Time: uint64(1000 + 12*len(s.canon))}
		if b.Number > 0 {
			b.Parent = s.canon[b.Number-1].Hash
		}
		b.Hash = chains.Keccak([]byte(s.name), b.Parent[:], binary.BigEndian.AppendUint64(nil, s.branch))
		s.blocks[b.Hash], s.mined[b.Hash] = b, s.branch
		s.canon = append(s.canon, b)
	}
	s.final = max(s.final, len(s.canon)-1-10)
}

// reorg undoes the newest blocks and mines others.
func (s *simulated) reorg(depth, n int) {
	s.canon = s.canon[:max(s.final+1, len(s.canon)-depth)]
	s.branch++
	s.mine(n)
}

func (s *simulated) head() chains.Block { return s.canon[len(s.canon)-1] }

func (s *simulated) Name() string { return s.name }

func (s *simulated) Capabilities(context.Context) (chains.Capabilities, error) {
	return chains.Capabilities{ChainID: 31337, Slots: true, Overrides: true, Pinned: true, BlockTime: 12 * time.Second, Hashes: addr(9)}, nil
}

func (s *simulated) Head(context.Context) (chains.Block, error) { return s.head(), nil }

func (s *simulated) Finalized(context.Context) (chains.Block, error) {
	return s.canon[s.final], nil
}

func (s *simulated) Block(_ context.Context, number uint64) (chains.Block, error) {
	if number >= uint64(len(s.canon)) {
		return chains.Block{}, chains.ErrNotFound
	}
	return s.canon[number], nil
}

// Logs: every block has three, of contracts and topics that its hash decides.
func (s *simulated) Logs(_ context.Context, f chains.Filter, from uint64, to chains.Block) ([]chains.Log, error) {
	if to.Number >= uint64(len(s.canon)) || s.canon[to.Number] != to {
		return nil, chains.ErrReorged
	}
	var out []chains.Log
	for n := from; n <= to.Number; n++ {
		b := s.canon[n]
		for i := range uint(3) {
			l := chains.Log{
				Block: n, BlockHash: b.Hash, Tx: chains.Keccak(b.Hash[:], []byte{byte(i)}), Index: i,
				Address: addr(b.Hash[i] % 4), Topics: []chains.Hash{topic(b.Hash[i+3] % 4)}, Data: b.Hash[:b.Hash[i]%32],
			}
			if f.Match(l) {
				out = append(out, l)
			}
		}
	}
	return out, nil
}

func (s *simulated) Read(ctx context.Context, at chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	return s.ReadMoved(ctx, at, nil, reads)
}

// ReadMoved answers by the read, the code replaced, and a stretch of 8 blocks, so
// that answers often stay the same from block to block.
func (s *simulated) ReadMoved(_ context.Context, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	if s.blocks[at.Hash] != at {
		return nil, chains.ErrNotFound
	}
	out := make([]chains.Answer, len(reads))
	for i, r := range reads {
		digest := digestOf(moved)
		h := chains.Keccak(r.To[:], r.Data, r.Slot[:], digest[:], []byte{byte(at.Number / 8), byte(s.mined[at.Hash])})
		out[i] = chains.Answer{Data: h[:], Failed: !r.IsSlot() && h[0] < 30}
		if out[i].Failed {
			out[i].Data = []byte{}
		}
	}
	return out, nil
}

func addr(n byte) (a chains.Address) { a[19] = n; return a }
func topic(n byte) (h chains.Hash)   { h[0] = n; return h }

// ask is one question and how it was answered when it was recorded.
type ask struct {
	head int // heads seen before it
	run  func(chains.Chain) (any, error)
	want any
	err  error
}

var ctx = context.Background()

// drawAsk makes any question that the chain can answer now.
func drawAsk(t *rapid.T, s *simulated) func(chains.Chain) (any, error) {
	some := func(label string) chains.Block {
		if rapid.IntRange(0, 9).Draw(t, label+" undone?") == 0 {
			b := s.canon[rapid.IntRange(0, len(s.canon)-1).Draw(t, label)]
			return b
		}
		return s.canon[rapid.IntRange(max(0, len(s.canon)-6), len(s.canon)-1).Draw(t, label)]
	}
	reads := func() []chains.Read {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chains.Read {
			to := addr(rapid.ByteRange(0, 3).Draw(t, "to"))
			if rapid.Bool().Draw(t, "slot?") {
				return chains.Slot(to, topic(rapid.ByteRange(0, 3).Draw(t, "slot")))
			}
			return chains.View(to, rapid.SliceOfN(rapid.ByteRange(0, 2), 0, 2).Draw(t, "calldata"))
		}), 1, 6).Draw(t, "reads")
	}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return func(c chains.Chain) (any, error) {
			can, err := c.Capabilities(ctx)
			can.Slots = false // a recording is made without
			return can, err
		}
	case 1:
		return func(c chains.Chain) (any, error) { return c.Finalized(ctx) }
	case 2:
		n := uint64(rapid.IntRange(0, len(s.canon)+1).Draw(t, "number"))
		return func(c chains.Chain) (any, error) { return c.Block(ctx, n) }
	case 3:
		f, to := drawFilter(t), some("to")
		from := uint64(rapid.IntRange(0, int(to.Number)).Draw(t, "from"))
		return func(c chains.Chain) (any, error) { return c.Logs(ctx, f, from, to) }
	case 4:
		at, list := some("at"), reads()
		return func(c chains.Chain) (any, error) { return c.Read(ctx, at, list) }
	}
	at, list := some("at"), reads()
	moved := []chains.Override{{Address: addr(rapid.ByteRange(1, 2).Draw(t, "moved")), Code: []byte{1}}, {Address: addr(7), Code: []byte{2}}}
	return func(c chains.Chain) (any, error) { return c.ReadMoved(ctx, at, moved, list) }
}

func drawFilter(t *rapid.T) chains.Filter {
	var f chains.Filter
	for _, n := range rapid.SliceOfNDistinct(rapid.ByteRange(0, 3), 1, 4, rapid.ID[byte]).Draw(t, "addresses") {
		f.Addresses = append(f.Addresses, addr(n))
	}
	for _, n := range rapid.SliceOfNDistinct(rapid.ByteRange(0, 3), 1, 4, rapid.ID[byte]).Draw(t, "topics") {
		f.Topics = append(f.Topics, topic(n))
	}
	return f
}

// record makes a random recording and returns what was asked at which head.
func record(t *rapid.T, s *simulated, w *Writer) []ask {
	r := w.Record(s)
	var asks []ask
	heads := 0
	for range rapid.IntRange(1, 12).Draw(t, "passes") {
		switch rapid.IntRange(0, 3).Draw(t, "what happens") {
		case 0:
			s.reorg(rapid.IntRange(1, 5).Draw(t, "depth"), rapid.IntRange(1, 6).Draw(t, "mined"))
		default:
			s.mine(rapid.IntRange(1, 4).Draw(t, "mined"))
		}
		_, err := r.Head(ctx)
		require.NoError(t, err)
		heads++
		for range rapid.IntRange(0, 6).Draw(t, "asks") {
			a := ask{head: heads, run: drawAsk(t, s)}
			a.want, a.err = a.run(r)
			asks = append(asks, a)
		}
	}
	return asks
}

// Whatever was asked is answered as it was; whatever was not is never answered wrongly.
func TestPlaybackEqualsTheChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSimulated("sim")
		var file bytes.Buffer
		w, err := NewWriter(&file, Meta{Tool: "test"})
		require.NoError(t, err)
		asks := record(t, s, w)
		require.NoError(t, w.Close())
		rec, err := Open(bytes.NewReader(file.Bytes()))
		require.NoError(t, err)
		c, err := rec.Chain("sim")
		require.NoError(t, err)
		at := 1
		for _, a := range asks {
			for ; at < a.head; at++ {
				_, ok := rec.Advance()
				require.True(t, ok)
			}
			got, err := a.run(c)
			if a.err != nil {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, a.want, got)
		}
		for ok := true; ok; {
			_, ok = rec.Advance()
		}
		for range 20 {
			other := drawAsk(t, s)
			got, err := other(c)
			if err == nil {
				want, err := other(s)
				require.NoError(t, err)
				if b, ok := got.(chains.Block); ok && b.Number < want.(chains.Block).Number {
					require.LessOrEqual(t, int(b.Number), s.final)
					want = s.canon[b.Number] // what was final before is final still
				}
				require.Equal(t, want, got)
				continue
			}
			require.True(t, errors.Is(err, chains.ErrNotRecorded) || errors.Is(err, chains.ErrNotFound) || errors.Is(err, chains.ErrReorged), err)
		}
	})
}
