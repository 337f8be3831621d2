package recorded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"liqwatch/chains"
)

// defaultLimit is how much memory a recording may take when played, roughly.
const defaultLimit = 1 << 30

// Recording is a recording that is being played. It stands at one moment of its
// past: every chain at a head, the first one at the start.
type Recording struct {
	tape   *tape
	chains []*Chain
	next   int // in tape.heads
}

// Open reads a whole recording and proves it. [ErrUnfinished] and [ErrDamaged]
// say why one cannot be played.
func Open(r io.Reader) (*Recording, error) { return OpenLimited(r, defaultLimit) }

// OpenFile is [Open] of a file.
func OpenFile(path string) (*Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the recording: %w", err)
	}
	defer func() { _ = f.Close() }()
	rec, err := Open(f)
	if err != nil {
		return nil, fmt.Errorf("open the recording %s: %w", path, err)
	}
	return rec, nil
}

// OpenLimited is [Open] with at most about limit bytes of memory.
func OpenLimited(r io.Reader, limit int64) (*Recording, error) {
	frames, err := newFrameReader(r, limit)
	if err != nil {
		return nil, err
	}
	t := newTape()
	t.limit = limit
	for {
		raw, err := frames.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := t.play(raw); err != nil {
			return nil, err
		}
	}
	if !t.ended {
		return nil, fmt.Errorf("%w: it has no end; continue it with liqwatch record", ErrUnfinished)
	}
	return newRecording(t), nil
}

func newRecording(t *tape) *Recording {
	rec := &Recording{tape: t}
	for i, track := range t.chains {
		for _, list := range track.asked {
			sort.SliceStable(list, func(i, j int) bool { return list[i].read < list[j].read })
		}
		c := newChain(t, i)
		rec.chains = append(rec.chains, c)
		c.start()
	}
	return rec
}

// Meta is what the recording says of itself.
func (r *Recording) Meta() Meta { return r.tape.meta }

// Beats are the sentences of the recording, in their order.
func (r *Recording) Beats() []Beat { return r.tape.beats }

// Chains are its chains.
func (r *Recording) Chains() []*Chain { return r.chains }

// Chain is the chain of that name; [chains.ErrNotRecorded] when it has none.
func (r *Recording) Chain(name string) (*Chain, error) {
	for _, c := range r.chains {
		if c.Name() == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("chain %q: %w", name, chains.ErrNotRecorded)
}

// Steps is how often Advance moves a chain from the start to the end.
func (r *Recording) Steps() int { return len(r.tape.heads) - r.firsts() }

func (r *Recording) firsts() int {
	n := 0
	for _, c := range r.chains {
		if len(c.track.heads) > 0 {
			n++
		}
	}
	return n
}

// Advance moves to the next recorded head, of whichever chain had it, and
// returns that chain; false at the end.
func (r *Recording) Advance() (*Chain, bool) {
	for r.next < len(r.tape.heads) {
		ref := r.tape.heads[r.next]
		r.next++
		if ref.index == 0 { // every chain starts on its first
			continue
		}
		for _, c := range r.chains {
			if c.track == ref.chain {
				c.moveTo(ref.index)
				return c, true
			}
		}
	}
	return nil, false
}
