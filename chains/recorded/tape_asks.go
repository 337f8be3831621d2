package recorded

import (
	"time"

	"liqwatch/chains"
)

func (t *tape) playCapabilities(d *decoder) {
	chain := d.place(len(t.chains))
	can := chains.Capabilities{
		ChainID: d.uint(), Slots: d.bool(), Overrides: d.bool(), Pinned: d.bool(),
		BlockTime: time.Duration(d.int()), Hashes: d.addr(),
	}
	if d.err == nil {
		t.chains[chain].can = &can
	}
}

func (e *encoder) capabilities(chain int, can chains.Capabilities) {
	e.uint(opCan)
	e.uint(uint64(chain))
	e.uint(can.ChainID)
	e.bool(can.Slots)
	e.bool(can.Overrides)
	e.bool(can.Pinned)
	e.int(int64(can.BlockTime))
	e.raw(can.Hashes[:])
}

// playAnswers reads which reads were asked at a block, and what the answers were
// where they are not those of the time before.
func (t *tape) playAnswers(d *decoder) {
	h := d.place(len(t.headers))
	moved := uint32(d.place(len(t.moved) + 1))
	named := d.bool()
	n := d.count(2)
	if d.err != nil {
		return
	}
	c := t.chains[t.headers[h].chain]
	key := askKey{t.headers[h].block, moved}
	read := int64(0)
	for range n {
		read += d.int()
		if read < 0 || read >= int64(len(t.reads)) {
			d.fail("an answer to no read")
		}
		answer := uint32(d.place(len(t.answers) + 1))
		at := uint32(0)
		if named {
			at = uint32(d.place(len(t.headers) + 1))
		}
		if d.err != nil {
			return
		}
		last := lastKey{uint32(read), moved}
		if answer == 0 {
			answer = c.last[last]
		}
		if answer == 0 {
			d.fail("an answer refers to none before")
			return
		}
		c.last[last] = answer
		c.asked[key] = append(c.asked[key], asked{uint32(read), answer, at})
	}
}

func (t *tape) playLogs(d *decoder) {
	h := d.place(len(t.headers))
	r := logRange{filter: d.place(len(t.filters)), from: d.uint()}
	r.logs = make([]uint32, d.count(1))
	id := int64(0)
	for i := range r.logs {
		id += d.int()
		if id < 0 || id >= int64(len(t.logs)) {
			d.fail("a range of logs refers to none")
			return
		}
		r.logs[i] = uint32(id)
	}
	if d.err != nil {
		return
	}
	r.to = t.headers[h].block
	t.addRange(t.chains[t.headers[h].chain], r)
}

func (t *tape) addRange(c *track, r logRange) {
	c.byTo[r.to] = append(c.byTo[r.to], len(c.ranges))
	c.ranges = append(c.ranges, r)
}
