package recorded

import (
	"context"
	"fmt"

	"liqwatch/chains"
)

// Recorder is a chain that keeps what it answers. Errors are not kept: who gets
// one asks again, and that answer counts.
type Recorder struct {
	chain chains.Chain
	w     *Writer
}

var _ chains.Chain = (*Recorder)(nil)

// Record wraps a chain. Several chains can share a writer.
func (w *Writer) Record(chain chains.Chain) *Recorder { return &Recorder{chain, w} }

// Name is the chain's.
func (r *Recorder) Name() string { return r.chain.Name() }

// Capabilities are the chain's, but for reads of storage by programs: those answer many
// things at once, and a recording of single answers outlives changes in who asks what.
func (r *Recorder) Capabilities(ctx context.Context) (chains.Capabilities, error) {
	can, err := r.chain.Capabilities(ctx)
	if err != nil {
		return can, err
	}
	can.Slots = false
	return can, r.w.put(r.Name(), func(c int) {
		track := r.w.tape.chains[c]
		if track.can == nil || *track.can != can {
			track.can = &can
			r.w.buf.capabilities(c, can)
		}
	})
}

// Head is the chain's; a new one is a step of the recording.
func (r *Recorder) Head(ctx context.Context) (chains.Block, error) {
	b, err := r.chain.Head(ctx)
	if err != nil {
		return b, err
	}
	return b, r.w.put(r.Name(), func(c int) {
		if track := r.w.tape.chains[c]; len(track.heads) == 0 || track.now().head != b {
			r.w.see(opHead, c, b)
		}
	})
}

// Finalized is the chain's.
func (r *Recorder) Finalized(ctx context.Context) (chains.Block, error) {
	b, err := r.chain.Finalized(ctx)
	if err != nil {
		return b, err
	}
	return b, r.w.put(r.Name(), func(c int) {
		if now := r.w.tape.chains[c].now(); now.final == nil || *now.final != b {
			r.w.see(opFinal, c, b)
		}
	})
}

// Block is the chain's.
func (r *Recorder) Block(ctx context.Context, number uint64) (chains.Block, error) {
	b, err := r.chain.Block(ctx, number)
	if err != nil {
		return b, err
	}
	return b, r.w.put(r.Name(), func(c int) {
		for _, seen := range r.w.tape.chains[c].now().blocks {
			if seen == b {
				return
			}
		}
		r.w.see(opBlock, c, b)
	})
}

// Logs are the chain's, kept with the range and filter they were asked for.
func (r *Recorder) Logs(ctx context.Context, filter chains.Filter, from uint64, to chains.Block) ([]chains.Log, error) {
	logs, err := r.chain.Logs(ctx, filter, from, to)
	if err != nil {
		return nil, err
	}
	return logs, r.w.put(r.Name(), func(c int) { r.w.putLogs(c, filter, from, to, logs) })
}

// Read is the chain's, kept read by read.
func (r *Recorder) Read(ctx context.Context, at chains.Block, reads []chains.Read) ([]chains.Answer, error) {
	answers, err := r.chain.Read(ctx, at, reads)
	if err != nil {
		return nil, err
	}
	return answers, r.keep(at, nil, reads, answers)
}

// ReadMoved is the chain's, kept read by read together with what was replaced.
func (r *Recorder) ReadMoved(ctx context.Context, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	answers, err := r.chain.ReadMoved(ctx, at, moved, reads)
	if err != nil {
		return nil, err
	}
	return answers, r.keep(at, moved, reads, answers)
}

func (r *Recorder) keep(at chains.Block, moved []chains.Override, reads []chains.Read, answers []chains.Answer) error {
	if len(answers) != len(reads) {
		return fmt.Errorf("record %s: %d answers to %d reads", r.Name(), len(answers), len(reads))
	}
	reads, answers = concrete(reads, answers)
	var conflict error
	err := r.w.put(r.Name(), func(c int) { conflict = r.w.putAnswers(c, at, moved, reads, answers) })
	if conflict != nil {
		return fmt.Errorf("record %s: %w", r.Name(), conflict)
	}
	return err
}

// concrete puts what was really asked in place of reads that take words from others,
// so that a recording does not depend on who linked what. Reads that could not be
// asked are left out.
func concrete(reads []chains.Read, answers []chains.Answer) ([]chains.Read, []chains.Answer) {
	if !chains.AnyLinked(reads) {
		return reads, answers
	}
	var asked []chains.Read
	var got []chains.Answer
	for i := range reads {
		if r, ok := chains.Resolve(reads, i, answers); ok {
			asked, got = append(asked, r), append(got, answers[i])
		}
	}
	return asked, got
}

// put runs a change of the recording under its lock.
func (w *Writer) put(chain string, change func(chain int)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	change(w.chain(chain))
	return w.pace()
}

func (w *Writer) see(op uint64, chain int, b chains.Block) {
	h := w.header(chain, b)
	w.buf.uint(op)
	w.buf.uint(uint64(h))
	w.tape.see(op, header{chain, b})
}

// putAnswers keeps the answers that are new at this block. On a chain whose reads
// are not pinned every asking counts, because the next answer may differ.
func (w *Writer) putAnswers(c int, at chains.Block, moved []chains.Override, reads []chains.Read, answers []chains.Answer) error {
	track := w.tape.chains[c]
	pinned := track.can == nil || track.can.Pinned
	key := askKey{at, w.overrides(moved)}
	h := w.header(c, at)
	given := w.given[key]
	var list []asked
	for i := range reads {
		a := asked{read: w.read(reads[i]), answer: w.answer(answers[i])}
		if at := answers[i].At; at != nil {
			a.at = uint32(w.header(c, *at) + 1)
		}
		before, repeated := given[a.read]
		switch {
		case repeated && pinned && before != a.answer:
			return fmt.Errorf("block %d gave two answers to one read of %s", at.Number, reads[i].To)
		case repeated && pinned:
			continue
		}
		w.remember(key, a.read, a.answer)
		given = w.given[key]
		list = append(list, a)
	}
	for len(list) > 0 {
		n := min(len(list), maxAsk)
		w.writeAnswers(track, h, key, list[:n])
		list = list[n:]
		if err := w.pace(); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) writeAnswers(track *track, h int, key askKey, list []asked) {
	w.buf.uint(opAnswers)
	w.buf.uint(uint64(h))
	w.buf.uint(uint64(key.moved))
	named := false
	for _, a := range list {
		named = named || a.at != 0
	}
	w.buf.bool(named)
	w.buf.uint(uint64(len(list)))
	before := int64(0)
	for _, a := range list {
		w.buf.int(int64(a.read) - before)
		before = int64(a.read)
		last := lastKey{a.read, key.moved}
		if track.last[last] == a.answer {
			w.buf.uint(0)
		} else {
			w.buf.uint(uint64(a.answer))
			track.last[last] = a.answer
		}
		if named {
			w.buf.uint(uint64(a.at))
		}
		track.asked[key] = append(track.asked[key], a)
	}
}

func filterKey(f chains.Filter) string {
	var e encoder
	e.filter(f)
	return string(e.buf)
}

func (e *encoder) filter(f chains.Filter) {
	e.uint(uint64(len(f.Addresses)))
	for _, a := range f.Addresses {
		e.raw(a[:])
	}
	e.uint(uint64(len(f.Topics)))
	for _, t := range f.Topics {
		e.raw(t[:])
	}
}

func (w *Writer) filter(f chains.Filter) int {
	k := filterKey(f)
	if i, ok := w.filters[k]; ok {
		return i
	}
	w.buf.uint(opFilter)
	w.buf.filter(f)
	w.tape.filters = append(w.tape.filters, chains.Filter{
		Addresses: append([]chains.Address(nil), f.Addresses...), Topics: append([]chains.Hash(nil), f.Topics...),
	})
	w.filters[k] = len(w.tape.filters) - 1
	return w.filters[k]
}

func (w *Writer) log(chain int, l chains.Log) uint32 {
	k := logKey{l.BlockHash, l.Index, chain}
	if i, ok := w.logs[k]; ok {
		return uint32(i)
	}
	w.buf.uint(opLog)
	w.buf.log(l)
	w.tape.logs = append(w.tape.logs, l)
	w.logs[k] = len(w.tape.logs) - 1
	return uint32(w.logs[k])
}

func (w *Writer) putLogs(c int, filter chains.Filter, from uint64, to chains.Block, logs []chains.Log) {
	track := w.tape.chains[c]
	h, f := w.header(c, to), w.filter(filter)
	for _, i := range track.byTo[to] {
		if r := track.ranges[i]; r.filter == f && r.from <= from {
			return // a wider question has the answer already
		}
	}
	r := logRange{filter: f, from: from, to: to, logs: make([]uint32, len(logs))}
	for i, l := range logs {
		r.logs[i] = w.log(c, l)
	}
	w.buf.uint(opLogs)
	w.buf.uint(uint64(h))
	w.buf.uint(uint64(f))
	w.buf.uint(from)
	w.buf.uint(uint64(len(r.logs)))
	before := int64(0)
	for _, id := range r.logs {
		w.buf.int(int64(id) - before)
		before = int64(id)
	}
	w.tape.addRange(track, r)
}
