package evm

import (
	"context"

	"liqwatch/chains"
)

// linkedPacks answers views that take words from each other's answers: inside the
// packs where the node runs our program, level by level elsewhere.
func (c *Client) linkedPacks(ctx context.Context, n *node, w way, at chains.Block, moved []chains.Override, reads []chains.Read) ([]chains.Answer, error) {
	if w == wayMulticall || w == wayPlain {
		return chains.ReadLinked(reads, func(level []chains.Read) ([]chains.Answer, error) {
			return c.unlinkedPacks(ctx, n, w, at, moved, level)
		})
	}
	l := &linked{reads: reads, answers: make([]chains.Answer, len(reads)), done: make([]bool, len(reads))}
	for {
		p := l.pack(n.ways.fitViews)
		if len(p.reads) == 0 {
			return l.answers, nil
		}
		answers, err := c.linkedPack(ctx, n, w, at, moved, p)
		if err != nil {
			return nil, err
		}
		for k, a := range answers {
			l.answers[p.places[k]], l.done[p.places[k]] = a, true
		}
	}
}

// linked is a list of linked reads on its way.
type linked struct {
	reads   []chains.Read
	answers []chains.Answer
	done    []bool
}

// linkedPart is some of the reads as one pack: what was known is in place, the
// links left point into the pack.
type linkedPart struct {
	reads  []chains.Read
	places []int // in linked.reads
	calls  []packedCall
}

// pack takes the first reads not answered yet, as many as fit. A read that needs
// words both of the pack and of what was answered before ends it: the order of its
// links must be kept.
func (l *linked) pack(fit func([]chains.Read) []chains.Read) linkedPart {
	var p linkedPart
	place := make(map[int]int)
	for i := range l.reads {
		if l.done[i] {
			continue
		}
		known, open := l.sources(i)
		if known && open {
			break
		}
		call := packedCall{to: l.reads[i].To, data: l.reads[i].Data}
		if open {
			for _, link := range l.reads[i].Links {
				call.links = append(call.links, packedLink{uint32(place[i-link.Back]), uint32(link.From), uint32(int32(link.Into))})
			}
		} else {
			r, ok := chains.Resolve(l.reads, i, l.answers)
			if !ok {
				l.answers[i], l.done[i] = chains.Answer{Failed: true}, true
				continue
			}
			call.to, call.data = r.To, r.Data
		}
		place[i] = len(p.reads)
		p.reads, p.places, p.calls = append(p.reads, l.reads[i]), append(p.places, i), append(p.calls, call)
	}
	return p.first(len(fit(p.reads)))
}

func (p linkedPart) first(n int) linkedPart {
	return linkedPart{p.reads[:n], p.places[:n], p.calls[:n]}
}

// sources tells whether a read waits for words that are known, and for words that are not.
func (l *linked) sources(i int) (known, open bool) {
	for _, link := range l.reads[i].Links {
		if l.done[i-link.Back] {
			known = true
		} else {
			open = true
		}
	}
	return known, open
}

// linkedPack answers the first reads of a part, at least one. After a read that must
// be asked alone nothing is believed: what follows may have taken words from it.
func (c *Client) linkedPack(ctx context.Context, n *node, w way, at chains.Block, moved []chains.Override, p linkedPart) ([]chains.Answer, error) {
	alone := func() ([]chains.Answer, error) {
		return c.plain(ctx, n, at, moved, []chains.Read{{To: p.calls[0].to, Data: p.calls[0].data}})
	}
	pin, share := n.ways.pinned()
	_, packed, err := c.packed(ctx, n, request{way: w, pin: pin, at: at, share: share, calls: p.calls, moved: moved})
	switch {
	case tooMuch(err) && n.ways.trying():
		return nil, err
	case tooMuch(err) && len(p.reads) == 1:
		return alone()
	case tooMuch(err):
		n.ways.halveViews(len(p.reads))
		return c.linkedPack(ctx, n, w, at, moved, p.first(len(p.reads)/2))
	case late(err):
		n.ways.halveViews(len(p.reads))
		return nil, err
	case err != nil:
		return nil, err
	case len(packed) == 0 || packed[0].heavy:
		return alone()
	}
	out := make([]chains.Answer, 0, len(packed))
	for _, a := range packed {
		if a.heavy {
			break
		}
		out = append(out, chains.Answer{Data: a.data, Failed: a.failed})
	}
	return out, nil
}
