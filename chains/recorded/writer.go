package recorded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"

	"liqwatch/chains"
)

// maxAsk is how many answers one record holds; more become several records.
const maxAsk = 50_000

// Writer makes a recording. It only ever appends; a writer that ends without
// Close leaves a recording that [Resume] continues.
type Writer struct {
	mu     sync.Mutex
	tape   *tape
	frames *frameWriter
	file   io.Closer // nil when the caller's
	buf    encoder
	err    error
	cut    int64

	headers map[header]int
	answers map[string]int
	filters map[string]int
	logs    map[logKey]int
	given   map[askKey]map[uint32]uint32
}

type logKey struct {
	block chains.Hash
	index uint
	chain int
}

// NewWriter begins a recording on w.
func NewWriter(w io.Writer, meta Meta) (*Writer, error) {
	if _, err := io.WriteString(w, magic); err != nil {
		return nil, fmt.Errorf("begin the recording: %w", err)
	}
	out, err := newWriter(w, newTape(), sum{})
	if err != nil {
		return nil, err
	}
	return out, out.writeMeta(meta)
}

// Create begins a recording in a new file. A file that is there already is left alone: [Resume] continues it.
func Create(path string, meta Meta) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin the recording: %w", err)
	}
	w, err := NewWriter(f, meta)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w.file = f
	return w, nil
}

// Resume continues a recording. A torn end is cut off first; [Writer.Cut] says how much.
func Resume(path string) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("continue the recording: %w", err)
	}
	w, err := resume(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("continue the recording %s: %w", path, err), f.Close())
	}
	w.file = f
	return w, nil
}

func resume(f *os.File) (*Writer, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	t, at, err := replayGood(f, info.Size())
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(at.offset); err != nil {
		return nil, err
	}
	if _, err := f.Seek(at.offset, io.SeekStart); err != nil {
		return nil, err
	}
	w, err := newWriter(f, t, at.before)
	if err != nil {
		return nil, err
	}
	w.cut = info.Size() - at.offset
	w.reindex()
	return w, nil
}

// place is the end of a good frame.
type place struct {
	offset int64
	before sum
}

// replayGood plays all good frames but an end; what cannot be read after them
// may be a torn last frame, but no more than one.
func replayGood(r io.Reader, size int64) (*tape, place, error) {
	frames, err := newFrameReader(r, defaultLimit)
	if err != nil {
		return nil, place{}, err
	}
	t := newTape()
	at := place{frames.offset, frames.before}
	for {
		raw, err := frames.next()
		switch {
		case errors.Is(err, io.EOF):
			return t, at, nil
		case errors.Is(err, ErrUnfinished), errors.Is(err, ErrDamaged) && size-at.offset <= maxFrame:
			return t, at, nil
		case err != nil:
			return nil, at, err
		}
		if len(raw) > 0 && raw[0] == opEnd {
			return t, at, nil
		}
		if err := t.play(raw); err != nil {
			return nil, at, err
		}
		at = place{frames.offset, frames.before}
	}
}

func newWriter(w io.Writer, t *tape, before sum) (*Writer, error) {
	frames, err := newFrameWriter(w, before)
	if err != nil {
		return nil, fmt.Errorf("begin the recording: %w", err)
	}
	return &Writer{
		tape: t, frames: frames,
		headers: map[header]int{}, answers: map[string]int{}, filters: map[string]int{},
		logs: map[logKey]int{}, given: map[askKey]map[uint32]uint32{},
	}, nil
}

// reindex finds again what the recording so far has defined.
func (w *Writer) reindex() {
	for i, h := range w.tape.headers {
		w.headers[h] = i
	}
	for i, a := range w.tape.answers {
		w.answers[answerKey(a)] = i + 1
	}
	for i, f := range w.tape.filters {
		w.filters[filterKey(f)] = i
	}
	for c, track := range w.tape.chains {
		for _, r := range track.ranges {
			for _, id := range r.logs {
				l := w.tape.logs[id]
				w.logs[logKey{l.BlockHash, l.Index, c}] = int(id)
			}
		}
		for key, list := range track.asked {
			for _, a := range list {
				w.remember(key, a.read, a.answer)
			}
		}
	}
}

func (w *Writer) remember(key askKey, read, answer uint32) {
	if w.given[key] == nil {
		w.given[key] = map[uint32]uint32{}
	}
	w.given[key][read] = answer
}

// Cut is how many bytes of a torn end [Resume] took away, a proper end included.
func (w *Writer) Cut() int64 { return w.cut }

// Meta is what the recording says of itself.
func (w *Writer) Meta() Meta {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tape.meta
}

// Last is the newest head recorded of a chain: where to go on after [Resume].
func (w *Writer) Last(chain string) (chains.Block, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.tape.chains {
		if c.name == chain && len(c.heads) > 0 {
			return c.now().head, true
		}
	}
	return chains.Block{}, false
}

// Beat puts a sentence to tell at a block.
func (w *Writer) Beat(chain string, block uint64, text string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.chain(chain)
	w.tape.beats = append(w.tape.beats, Beat{chain, block, text})
	w.buf.uint(opBeat)
	w.buf.uint(uint64(c))
	w.buf.uint(block)
	w.buf.bytes([]byte(text))
	return w.pace()
}

// Flush hands everything so far to the file.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush()
}

// Close writes the end and closes a file that [Create] or [Resume] opened.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.flush()
	if err == nil {
		w.buf.uint(opEnd)
		err = w.flush()
	}
	if w.file != nil {
		err = errors.Join(err, w.file.Close())
	}
	w.err = errors.Join(err, errClosed)
	return err
}

var errClosed = errors.New("the recording is closed")

func (w *Writer) writeMeta(meta Meta) error {
	text, err := json.Marshal(meta)
	if err != nil {
		return fmt.Errorf("begin the recording: %w", err)
	}
	w.tape.meta = meta
	w.buf.uint(opMeta)
	w.buf.bytes(text)
	return w.flush()
}

// pace writes a frame once enough has come together.
func (w *Writer) pace() error {
	if len(w.buf.buf) < flushAt {
		return w.err
	}
	return w.flush()
}

func (w *Writer) flush() error {
	if w.err != nil || len(w.buf.buf) == 0 {
		return w.err
	}
	if err := w.frames.write(w.buf.buf); err != nil {
		// What reached the file is unknown now: nothing may follow it.
		w.err = fmt.Errorf("write the recording: %w", err)
	}
	w.buf.buf = w.buf.buf[:0]
	return w.err
}

// chain is the number of a chain, which is defined on first use.
func (w *Writer) chain(name string) int {
	for i, c := range w.tape.chains {
		if c.name == name {
			return i
		}
	}
	w.buf.uint(opChain)
	w.buf.bytes([]byte(name))
	w.tape.addChain(name, &decoder{})
	return len(w.tape.chains) - 1
}

func (w *Writer) header(chain int, b chains.Block) int {
	h := header{chain, b}
	if i, ok := w.headers[h]; ok {
		return i
	}
	w.buf.uint(opHeader)
	w.buf.uint(uint64(chain))
	w.buf.block(b)
	w.tape.addHeader(h)
	w.headers[h] = len(w.tape.headers) - 1
	return w.headers[h]
}

func (w *Writer) read(r chains.Read) uint32 {
	k := keyOf(r)
	if i, ok := w.tape.reads[k]; ok {
		return i
	}
	w.buf.uint(opRead)
	w.buf.raw(k.to[:])
	w.buf.bool(k.slot)
	w.buf.bytes([]byte(k.body))
	w.tape.reads[k] = uint32(len(w.tape.reads))
	return w.tape.reads[k]
}

// overrides is the number of a set of overrides; 0 is none.
func (w *Writer) overrides(moved []chains.Override) uint32 {
	if len(moved) == 0 {
		return 0
	}
	digest := digestOf(moved)
	if i, ok := w.tape.moved[digest]; ok {
		return i
	}
	w.buf.uint(opMoved)
	w.buf.raw(digest[:])
	w.tape.moved[digest] = uint32(len(w.tape.moved) + 1)
	return w.tape.moved[digest]
}

// digestOf names a set of overrides whatever its order.
func digestOf(moved []chains.Override) chains.Hash {
	list := append([]chains.Override(nil), moved...)
	sort.SliceStable(list, func(i, j int) bool { return string(list[i].Address[:]) < string(list[j].Address[:]) })
	var e encoder
	for _, m := range list {
		e.raw(m.Address[:])
		e.bytes(m.Code)
	}
	return chains.Keccak(e.buf)
}

func answerKey(a chains.Answer) string {
	if a.Failed {
		return "1" + string(a.Data)
	}
	return "0" + string(a.Data)
}

func (w *Writer) answer(a chains.Answer) uint32 {
	k := answerKey(a)
	if i, ok := w.answers[k]; ok {
		return uint32(i)
	}
	w.buf.uint(opAnswer)
	w.buf.bool(a.Failed)
	w.buf.bytes(a.Data)
	w.tape.answers = append(w.tape.answers, chains.Answer{Failed: a.Failed, Data: append([]byte(nil), a.Data...)})
	w.answers[k] = len(w.tape.answers)
	return uint32(w.answers[k])
}
