// Package recorded makes a chain out of a file: for the demo, for tests and for
// backtests.
//
// A recording holds headers, logs and the answers to single reads, never the
// packed requests, so that the packing can change. What was not asked when it was
// made is [chains.ErrNotRecorded] when it is played, never a zero.
//
// [Create] or [Resume] give a [Writer], [Writer.Record] wraps a chain so that all
// it answers is kept, [Open] plays the file back.
package recorded

import (
	"encoding/json"
	"fmt"

	"liqwatch/chains"
)

// Meta says what a recording is of.
type Meta struct {
	// Tool is the program and version that made it.
	Tool string `json:"tool,omitempty"`
	// Config is the configuration it was made with, without secrets.
	Config string `json:"config,omitempty"`
	// Spans are the blocks asked for, by chain.
	Spans map[string]Span `json:"spans,omitempty"`
}

// Span is a range of block numbers, both ends included.
type Span struct{ From, To uint64 }

// Beat is a sentence to tell when a block is reached.
type Beat struct {
	Chain string
	Block uint64
	Text  string
}

// tape is what a recording says, record by record. Writer and player keep the
// same one, so that a recording can be continued from what it says.
type tape struct {
	meta  Meta
	beats []Beat
	ended bool

	chains  []*track
	headers []header
	reads   map[readKey]uint32
	moved   map[chains.Hash]uint32
	answers []chains.Answer // from 1
	filters []chains.Filter
	logs    []chains.Log
	heads   []headRef // of all chains, in their order

	weight, limit int64 // memory taken, roughly, and allowed
}

// recordWeight is about what the largest small record takes in memory.
const recordWeight = 256

// header is one block of one chain.
type header struct {
	chain int
	block chains.Block
}

// headRef is one step of the recording: a chain's new head.
type headRef struct {
	chain *track
	index int // in track.heads
}

// track is one chain of a recording.
type track struct {
	name   string
	can    *chains.Capabilities
	heads  []moment
	first  moment // what was seen before the first head
	known  map[chains.Hash]chains.Block
	asked  map[askKey][]asked
	last   map[lastKey]uint32
	ranges []logRange
	byTo   map[chains.Block][]int
}

// moment is a head and what was found canonical while it was the head.
type moment struct {
	head   chains.Block
	final  *chains.Block
	blocks []chains.Block
}

type readKey struct {
	to   chains.Address
	slot bool
	body string
}

func keyOf(r chains.Read) readKey {
	if r.IsSlot() {
		return readKey{r.To, true, string(r.Slot[:])}
	}
	return readKey{r.To, false, string(r.Data)}
}

// askKey is a block together with the code that was replaced.
type askKey struct {
	block chains.Block
	moved uint32
}

// asked is one read at a block. Where reads are not pinned, at is the number plus
// one of the header the answer was taken at; 0 is the block asked for.
type asked struct{ read, answer, at uint32 }

// lastKey finds the answer before: the same read under the same replaced code.
type lastKey struct{ read, moved uint32 }

// logRange is one question for logs.
type logRange struct {
	filter int
	from   uint64
	to     chains.Block
	logs   []uint32
}

func newTape() *tape {
	return &tape{reads: map[readKey]uint32{}, moved: map[chains.Hash]uint32{}}
}

// now is where what was found canonical belongs.
func (t *track) now() *moment {
	if len(t.heads) == 0 {
		return &t.first
	}
	return &t.heads[len(t.heads)-1]
}

// play takes one frame's records.
func (t *tape) play(raw []byte) error {
	d := &decoder{buf: raw}
	for d.err == nil && len(d.buf) > 0 {
		if t.ended {
			d.fail("records after the end")
			break
		}
		before := len(d.buf)
		t.record(d)
		t.weight += recordWeight + 16*int64(before-len(d.buf))
		if t.limit > 0 && t.weight > t.limit {
			return fmt.Errorf("recording takes more than %d bytes of memory: raise the limit or split it", t.limit)
		}
	}
	return d.err
}

func (t *tape) record(d *decoder) {
	switch op := d.uint(); op {
	case opMeta:
		if err := json.Unmarshal(d.bytes(), &t.meta); err != nil {
			d.fail("its description is no JSON")
		}
	case opChain:
		t.addChain(d.text(), d)
	case opHeader:
		h := header{d.place(len(t.chains)), d.block()}
		if d.err == nil {
			t.addHeader(h)
		}
	case opCan:
		t.playCapabilities(d)
	case opHead, opFinal, opBlock:
		h := d.place(len(t.headers))
		if d.err == nil {
			t.see(op, t.headers[h])
		}
	case opRead, opMoved, opAnswer, opFilter, opLog:
		t.define(op, d)
	case opAnswers:
		t.playAnswers(d)
	case opLogs:
		t.playLogs(d)
	case opBeat:
		chain := d.place(len(t.chains))
		number, text := d.uint(), d.text()
		if d.err == nil {
			t.beats = append(t.beats, Beat{t.chains[chain].name, number, text})
		}
	case opEnd:
		t.ended = true
	default:
		d.fail(fmt.Sprintf("a record of unknown kind %d", op))
	}
}

func (t *tape) addChain(name string, d *decoder) {
	for _, c := range t.chains {
		if c.name == name {
			d.fail("a chain is named twice")
		}
	}
	if len(t.chains) >= 1000 {
		d.fail("too many chains")
	}
	if d.err != nil {
		return
	}
	t.chains = append(t.chains, &track{
		name: name, known: map[chains.Hash]chains.Block{}, asked: map[askKey][]asked{},
		last: map[lastKey]uint32{}, byTo: map[chains.Block][]int{},
	})
}

func (t *tape) addHeader(h header) {
	t.headers = append(t.headers, h)
	t.chains[h.chain].known[h.block.Hash] = h.block
}

// see keeps a header as head, as final or as canonical.
func (t *tape) see(op uint64, h header) {
	c, block := t.chains[h.chain], h.block
	switch op {
	case opHead:
		c.heads = append(c.heads, moment{head: block})
		t.heads = append(t.heads, headRef{c, len(c.heads) - 1})
	case opFinal:
		c.now().final = &block
	case opBlock:
		c.now().blocks = append(c.now().blocks, block)
	}
}

func (t *tape) define(op uint64, d *decoder) {
	switch op {
	case opRead:
		k := readKey{to: d.addr(), slot: d.bool(), body: d.text()}
		if _, ok := t.reads[k]; ok || k.slot && len(k.body) != 32 {
			d.fail("a read is written twice or wrong")
		}
		if d.err == nil {
			t.reads[k] = uint32(len(t.reads))
		}
	case opMoved:
		h := d.hash()
		if _, ok := t.moved[h]; ok {
			d.fail("overrides are written twice")
		}
		if d.err == nil {
			t.moved[h] = uint32(len(t.moved) + 1)
		}
	case opAnswer:
		a := chains.Answer{Failed: d.bool(), Data: d.bytes()}
		if d.err == nil {
			t.answers = append(t.answers, a)
		}
	case opFilter:
		f := chains.Filter{Addresses: make([]chains.Address, d.count(20))}
		for i := range f.Addresses {
			f.Addresses[i] = d.addr()
		}
		f.Topics = make([]chains.Hash, d.count(32))
		for i := range f.Topics {
			f.Topics[i] = d.hash()
		}
		t.filters = append(t.filters, f)
	case opLog:
		t.logs = append(t.logs, d.log())
	}
}
