package recorded

import (
	"encoding/binary"
	"fmt"

	"liqwatch/chains"
)

// The kinds of records. Numbers are part of the format and never used again.
const (
	opMeta    = 1  // JSON
	opChain   = 2  // name; its place is its number from then on
	opCan     = 3  // chain, capabilities
	opHeader  = 4  // chain, block; its place is its number
	opHead    = 5  // header: the chain's head from here on
	opFinal   = 6  // header: final from here on
	opBlock   = 7  // header: the canonical block of its number, at this head
	opRead    = 8  // a read; its place is its number
	opMoved   = 9  // digest of overrides; its place, from 1, is its number
	opAnswer  = 10 // an answer; its place, from 1, is its number
	opAnswers = 11 // header, moved, whether blocks are named, list of read, answer (0: as last time) and block
	opFilter  = 12 // addresses, topics; its place is its number
	opLog     = 13 // a log; its place is its number
	opLogs    = 14 // header, filter, from, list of logs
	opBeat    = 15 // chain, block number, sentence
	opEnd     = 16 // nothing follows
)

// encoder appends records to a buffer.
type encoder struct{ buf []byte }

func (e *encoder) uint(x uint64)  { e.buf = binary.AppendUvarint(e.buf, x) }
func (e *encoder) int(x int64)    { e.buf = binary.AppendVarint(e.buf, x) }
func (e *encoder) raw(b []byte)   { e.buf = append(e.buf, b...) }
func (e *encoder) bytes(b []byte) { e.uint(uint64(len(b))); e.raw(b) }
func (e *encoder) bool(b bool) {
	if b {
		e.buf = append(e.buf, 1)
		return
	}
	e.buf = append(e.buf, 0)
}

func (e *encoder) block(b chains.Block) {
	e.uint(b.Number)
	e.raw(b.Hash[:])
	e.raw(b.Parent[:])
	e.uint(b.Time)
}

func (e *encoder) log(l chains.Log) {
	e.uint(l.Block)
	e.raw(l.BlockHash[:])
	e.raw(l.Tx[:])
	e.uint(uint64(l.Index))
	e.raw(l.Address[:])
	e.uint(uint64(len(l.Topics)))
	for _, t := range l.Topics {
		e.raw(t[:])
	}
	e.bytes(l.Data)
}

// decoder takes records from a frame. After the first mistake it gives zeros;
// err tells.
type decoder struct {
	buf []byte
	err error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrDamaged, what)
	}
	d.buf = nil
}

func (d *decoder) uint() uint64 {
	x, n := binary.Uvarint(d.buf)
	if n <= 0 {
		d.fail("a number is cut")
		return 0
	}
	d.buf = d.buf[n:]
	return x
}

func (d *decoder) int() int64 {
	x, n := binary.Varint(d.buf)
	if n <= 0 {
		d.fail("a number is cut")
		return 0
	}
	d.buf = d.buf[n:]
	return x
}

// count is the length of a list whose items take at least size bytes each.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.buf)/size) {
		d.fail("a list is longer than its frame")
		return 0
	}
	return int(n)
}

// place is a number below the count of what was defined so far.
func (d *decoder) place(known int) int {
	x := d.uint()
	if x >= uint64(known) {
		d.fail("a record refers to what is not there")
		return 0
	}
	return int(x)
}

func (d *decoder) raw(n int) []byte {
	if n > len(d.buf) {
		d.fail("a record is cut")
		return make([]byte, min(n, 32))
	}
	out := d.buf[:n:n]
	d.buf = d.buf[n:]
	return out
}

func (d *decoder) bytes() []byte        { return d.raw(d.count(1)) }
func (d *decoder) hash() chains.Hash    { return chains.Hash(d.raw(32)) }
func (d *decoder) addr() chains.Address { return chains.Address(d.raw(20)) }
func (d *decoder) bool() bool           { return d.raw(1)[0] != 0 }
func (d *decoder) text() string         { return string(d.bytes()) }
func (d *decoder) block() (b chains.Block) {
	b.Number, b.Hash, b.Parent, b.Time = d.uint(), d.hash(), d.hash(), d.uint()
	return b
}

func (d *decoder) log() (l chains.Log) {
	l.Block, l.BlockHash, l.Tx = d.uint(), d.hash(), d.hash()
	l.Index, l.Address = uint(d.uint()), d.addr()
	l.Topics = make([]chains.Hash, d.count(32))
	for i := range l.Topics {
		l.Topics[i] = d.hash()
	}
	l.Data = d.bytes()
	return l
}
