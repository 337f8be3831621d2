package recorded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
)

// small is a recording of a few blocks, in several frames.
func small(t testing.TB) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, Meta{Tool: "test"})
	require.NoError(t, err)
	s := newSimulated("sim")
	for range 4 {
		s.mine(1)
		passOver(t, w.Record(s))
		require.NoError(t, w.Flush())
	}
	require.NoError(t, w.Beat("sim", 3, "Something happens."))
	require.NoError(t, w.Close())
	return file.Bytes()
}

// passOver asks what a pass asks.
func passOver(t testing.TB, c chains.Chain) {
	t.Helper()
	_, err := c.Capabilities(ctx)
	require.NoError(t, err)
	head, err := c.Head(ctx)
	require.NoError(t, err)
	_, err = c.Logs(ctx, chains.Filter{Addresses: []chains.Address{addr(0), addr(1)}, Topics: []chains.Hash{topic(0), topic(1)}}, 0, head)
	require.NoError(t, err)
	_, err = c.Read(ctx, head, []chains.Read{chains.Slot(addr(1), topic(1)), chains.View(addr(1), []byte{1, 2, 3, 4})})
	require.NoError(t, err)
	_, err = c.ReadMoved(ctx, head, []chains.Override{{Address: addr(2), Code: []byte{1}}}, []chains.Read{chains.View(addr(1), []byte{1})})
	require.NoError(t, err)
}

func TestEveryCutIsDetected(t *testing.T) {
	file := small(t)
	_, err := Open(bytes.NewReader(file))
	require.NoError(t, err)
	for n := range file {
		_, err := Open(bytes.NewReader(file[:n]))
		require.Error(t, err, "cut at %d of %d", n, len(file))
		require.True(t, errors.Is(err, ErrUnfinished) || errors.Is(err, ErrDamaged), err)
	}
}

func TestEveryWrongByteIsDetected(t *testing.T) {
	file := small(t)
	for n := range file {
		bad := bytes.Clone(file)
		bad[n] ^= 0x10
		_, err := Open(bytes.NewReader(bad))
		require.Error(t, err, "byte %d of %d", n, len(file))
	}
	_, err := Open(bytes.NewReader(append(bytes.Clone(file), 0)))
	require.Error(t, err, "a byte too many")
}

func TestAnotherFormatIsNamed(t *testing.T) {
	_, err := Open(bytes.NewReader([]byte("liqwatch recording 2\nwhatever")))
	require.ErrorContains(t, err, `recording of format "2"`)
	_, err = Open(bytes.NewReader([]byte("SQLite format 3 and some more bytes")))
	require.ErrorIs(t, err, ErrDamaged)
}

// A recording that was torn anywhere goes on, and is then what it would have been.
func TestResumeAfterACutAnywhere(t *testing.T) {
	whole := small(t)
	path := filepath.Join(t.TempDir(), "r")
	for n := len(magic); n <= len(whole); n += 1 + n%7 {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		w, err := Resume(path)
		require.NoError(t, err, "cut at %d", n)
		s := newSimulated("sim")
		s.mine(1)
		for range 4 {
			passOver(t, w.Record(s))
			s.mine(1)
		}
		require.NoError(t, w.Close())
		rec, err := OpenFile(path)
		require.NoError(t, err, "cut at %d", n)
		c, err := rec.Chain("sim")
		require.NoError(t, err)
		for steps := 0; ; steps++ {
			passOver(t, c)
			if _, ok := rec.Advance(); !ok {
				require.Equal(t, rec.Steps(), steps)
				break
			}
		}
	}
}

func TestResumeRefusesWhatIsNoRecording(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	require.NoError(t, os.WriteFile(path, []byte("something else altogether"), 0o600))
	_, err := Resume(path)
	require.ErrorIs(t, err, ErrDamaged)
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "something else altogether", string(left))
	_, err = Create(path, Meta{})
	require.ErrorIs(t, err, os.ErrExist, "what is there is not overwritten")
}

func TestMetaBeatsAndSeveralChains(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	meta := Meta{Tool: "liqwatch v1", Config: "markets: [m]\n", Spans: map[string]Span{"a": {1, 3}}}
	w, err := Create(path, meta)
	require.NoError(t, err)
	a, b := newSimulated("a"), newSimulated("b")
	for range 3 {
		a.mine(1)
		passOver(t, w.Record(a))
		b.mine(2)
		passOver(t, w.Record(b))
	}
	require.NoError(t, w.Beat("b", 4, "Halfway."))
	last, ok := w.Last("b")
	require.True(t, ok)
	require.Equal(t, b.head(), last)
	require.NoError(t, w.Close())
	require.Error(t, w.Flush(), "closed")

	rec, err := OpenFile(path)
	require.NoError(t, err)
	require.Equal(t, meta, rec.Meta())
	require.Equal(t, []Beat{{"b", 4, "Halfway."}}, rec.Beats())
	require.Equal(t, 4, rec.Steps())
	var moved []string
	for {
		c, ok := rec.Advance()
		if !ok {
			break
		}
		head, err := c.Head(ctx)
		require.NoError(t, err)
		moved = append(moved, fmt.Sprintf("%s%d", c.Name(), head.Number))
	}
	require.Equal(t, []string{"a2", "b4", "a3", "b6"}, moved)
	_, err = rec.Chain("c")
	require.ErrorIs(t, err, chains.ErrNotRecorded)
}

// twoFaced answers every asking differently.
type twoFaced struct {
	*simulated
	pinned bool
	n      byte
}

func (c *twoFaced) Capabilities(context.Context) (chains.Capabilities, error) {
	return chains.Capabilities{Pinned: c.pinned}, nil
}

func (c *twoFaced) Read(_ context.Context, _ chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	c.n++
	out := make([]chains.Answer, len(reads))
	for i := range out {
		out[i].Data = []byte{c.n / 2}
		if at := c.canon[0]; !c.pinned && c.n > 1 {
			out[i].At = &at
		}
	}
	return out, nil
}

func TestTwoAnswersToOneRead(t *testing.T) {
	reads := []chains.Read{chains.View(addr(1), []byte{1}), chains.View(addr(2), []byte{1})}
	for _, pinned := range []bool{true, false} {
		var file bytes.Buffer
		w, err := NewWriter(&file, Meta{})
		require.NoError(t, err)
		c := &twoFaced{simulated: newSimulated("sim"), pinned: pinned}
		r := w.Record(c)
		_, err = r.Capabilities(ctx)
		require.NoError(t, err)
		head, err := r.Head(ctx)
		require.NoError(t, err)
		var want [][]chains.Answer
		for i := range 4 {
			got, err := r.Read(ctx, head, reads)
			if pinned && i == 1 {
				require.ErrorContains(t, err, "two answers to one read")
				break
			}
			require.NoError(t, err)
			want = append(want, got)
		}
		require.NoError(t, w.Close())
		rec, err := Open(&file)
		require.NoError(t, err)
		for _, answers := range want {
			got, err := rec.Chains()[0].Read(ctx, head, reads)
			require.NoError(t, err)
			require.Equal(t, answers, got)
		}
	}
}

// full is a disk that takes only so much.
type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(b), nil
}

func TestAFullDiskIsToldAndNothingFollows(t *testing.T) {
	w, err := NewWriter(&full{room: 200}, Meta{})
	require.NoError(t, err)
	s := newSimulated("sim")
	_, err = w.Record(s).Head(ctx)
	require.NoError(t, err)
	passOver(t, w.Record(s))
	require.ErrorContains(t, w.Flush(), "no space left")
	_, err = w.Record(s).Head(ctx)
	require.ErrorContains(t, err, "no space left")
	require.ErrorContains(t, w.Close(), "no space left")
}

func TestMemoryIsBounded(t *testing.T) {
	_, err := OpenLimited(bytes.NewReader(small(t)), 3000)
	require.ErrorContains(t, err, "raise the limit")
}

func TestWhatWasNotRecorded(t *testing.T) {
	rec, err := Open(bytes.NewReader(small(t)))
	require.NoError(t, err)
	c := rec.Chains()[0]
	head, err := c.Head(ctx)
	require.NoError(t, err)
	other := head
	other.Time++
	for name, run := range map[string]func() error{
		"another slot":     func() error { _, err := c.Read(ctx, head, []chains.Read{chains.Slot(addr(1), topic(2))}); return err },
		"another contract": func() error { _, err := c.Read(ctx, head, []chains.Read{chains.Slot(addr(2), topic(1))}); return err },
		"one of two": func() error {
			_, err := c.Read(ctx, head, []chains.Read{chains.Slot(addr(1), topic(1)), chains.View(addr(3), []byte{})})
			return err
		},
		"another block": func() error { _, err := c.Read(ctx, other, []chains.Read{chains.Slot(addr(1), topic(1))}); return err },
		"not moved":     func() error { _, err := c.Read(ctx, head, []chains.Read{chains.View(addr(1), []byte{1})}); return err },
		"other code": func() error {
			_, err := c.ReadMoved(ctx, head, []chains.Override{{Address: addr(2), Code: []byte{2}}}, []chains.Read{chains.View(addr(1), []byte{1})})
			return err
		},
		"finality": func() error { _, err := c.Finalized(ctx); return err },
		"another address": func() error {
			_, err := c.Logs(ctx, chains.Filter{Addresses: []chains.Address{addr(3)}, Topics: []chains.Hash{topic(0)}}, 0, head)
			return err
		},
		"another topic": func() error {
			_, err := c.Logs(ctx, chains.Filter{Addresses: []chains.Address{addr(0)}, Topics: []chains.Hash{topic(3)}}, 0, head)
			return err
		},
	} {
		require.ErrorIs(t, run(), chains.ErrNotRecorded, name)
	}
	_, err = c.Block(ctx, head.Number+1)
	require.ErrorIs(t, err, chains.ErrNotFound)
	fork := head
	fork.Hash[0]++
	_, err = c.Logs(ctx, chains.Filter{Addresses: []chains.Address{addr(0)}, Topics: []chains.Hash{topic(0)}}, 0, fork)
	require.ErrorIs(t, err, chains.ErrReorged)
}

// bulky is a market of 500 accounts with 12 words each, as the demo has it: every
// block some accounts change, all prices move, and now and then all are read.
func bulky(w *Writer, blocks, accounts int) error {
	random := rand.New(rand.NewPCG(1, 2))
	s := newSimulated("devnet")
	c := &words{simulated: s, random: random, values: map[chains.Hash]chains.Hash{}}
	r := w.Record(c)
	filter := chains.Filter{Addresses: []chains.Address{addr(0), addr(1)}, Topics: []chains.Hash{topic(0), topic(1), topic(2)}}
	for i := range blocks {
		s.mine(1)
		head, err := r.Head(ctx)
		if err != nil {
			return err
		}
		if _, err := r.Logs(ctx, filter, head.Number, head); err != nil {
			return err
		}
		var reads []chains.Read
		for n := range accounts {
			account := chains.Keccak([]byte{byte(n), byte(n >> 8)})
			if i%50 != 0 && random.IntN(accounts) >= 8 {
				continue
			}
			for word := range 12 {
				slot := chains.Keccak(account[:], []byte{byte(word)})
				reads = append(reads, chains.Slot(addr(1), slot))
				if i%50 != 0 && random.IntN(4) == 0 {
					delete(c.values, slot)
				}
			}
		}
		for asset := range 20 {
			slot := topic(byte(asset))
			delete(c.values, slot)
			reads = append(reads, chains.Slot(addr(2), slot))
		}
		if _, err := r.Read(ctx, head, reads); err != nil {
			return err
		}
	}
	return w.Close()
}

// words answers slots with 15 random bytes that stay until they are deleted.
type words struct {
	*simulated
	random *rand.Rand
	values map[chains.Hash]chains.Hash
}

func (c *words) Read(_ context.Context, _ chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	out := make([]chains.Answer, len(reads))
	for i, r := range reads {
		v, ok := c.values[r.Slot]
		if !ok {
			for j := 17; j < 32; j++ {
				v[j] = byte(c.random.Uint32())
			}
			c.values[r.Slot] = v
		}
		out[i].Data = bytes.Clone(v[:])
	}
	return out, nil
}

func TestADemoIsSmall(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter(&file, Meta{})
	require.NoError(t, err)
	require.NoError(t, bulky(w, 200, 500))
	require.Less(t, file.Len(), 2<<20)
	t.Logf("200 blocks of 500 accounts: %d bytes", file.Len())
	_, err = Open(&file)
	require.NoError(t, err)
}

func BenchmarkOpen(b *testing.B) {
	var file bytes.Buffer
	w, err := NewWriter(&file, Meta{})
	require.NoError(b, err)
	require.NoError(b, bulky(w, 200, 500))
	b.SetBytes(int64(file.Len()))
	for b.Loop() {
		if _, err := Open(bytes.NewReader(file.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}

// Records that are hostile though their checksums are right are refused or played,
// but never panic or take more than they may.
func FuzzRecords(f *testing.F) {
	frames, err := newFrameReader(bytes.NewReader(small(f)), 1<<20)
	require.NoError(f, err)
	for {
		raw, err := frames.next()
		if err != nil {
			break
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		records := newTape()
		records.limit = 1 << 20
		if err := records.play(raw); err != nil {
			return
		}
		rec := newRecording(records)
		for ok := true; ok; _, ok = rec.Advance() {
			for _, c := range rec.Chains() {
				askAround(c)
			}
		}
	})
}

// FuzzFile gives the reader any bytes after the header.
func FuzzFile(f *testing.F) {
	whole := small(f)
	f.Add(whole[len(magic):])
	f.Fuzz(func(t *testing.T, body []byte) {
		rec, err := OpenLimited(bytes.NewReader(append([]byte(magic), body...)), 1<<20)
		if err == nil && len(rec.Chains()) > 0 {
			askAround(rec.Chains()[0])
		}
	})
}

// askAround asks a chain everything once; what it answers does not matter.
func askAround(c *Chain) {
	_, _ = c.Capabilities(ctx)
	head, _ := c.Head(ctx)
	_, _ = c.Finalized(ctx)
	_, _ = c.Block(ctx, head.Number)
	for read := range c.tape.reads {
		r := chains.Read{To: read.to, Data: []byte(read.body)}
		_, _ = c.Read(ctx, head, []chains.Read{r})
	}
	for _, f := range c.tape.filters {
		_, _ = c.Logs(ctx, f, 0, head)
	}
}
