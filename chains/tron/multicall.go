package tron

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"liqwatch/chains"
)

func selector(signature string) []byte {
	h := chains.Keccak([]byte(signature))
	return h[:4]
}

var (
	selAggregate = selector("aggregate3((address,bool,bytes)[])")
	selNumber    = selector("getBlockNumber()")
	selParent    = selector("getLastBlockHash()")
	selTime      = selector("getCurrentBlockTimestamp()")
	selHash      = selector("getBlockHash(uint256)")
)

// stampViews is how many calls of each pack are about the block itself.
const stampViews = 4

// aggregate runs views through Multicall3.aggregate3, together with the calls
// that tell the block they ran in.
func (c *Client) aggregate(ctx context.Context, reads []chains.Read, at chains.Block) ([]chains.Answer, stamp, error) {
	all := make([]chains.Read, 0, len(reads)+stampViews)
	all = append(all, reads...)
	m := c.cfg.Multicall
	ask := append(append([]byte(nil), selHash...), word(at.Number)...)
	all = append(all, chains.View(m, selNumber), chains.View(m, selParent), chains.View(m, selTime), chains.View(m, ask))
	raw, err := c.callOnce(ctx, m, encodeAggregate(all))
	if err != nil {
		return nil, stamp{}, err
	}
	answers, err := decodeAggregate(raw, len(all))
	if err != nil {
		return nil, stamp{}, fmt.Errorf("aggregate3: %w", err)
	}
	about := answers[len(reads):]
	for i := range about {
		if about[i].Failed || len(about[i].Data) != 32 {
			return nil, stamp{}, errors.New("aggregate3: Multicall3 does not tell its block")
		}
	}
	s := stamp{number: tail(about[0].Data), parent: chains.Hash(about[1].Data), time: tail(about[2].Data), asked: chains.Hash(about[3].Data)}
	return answers[:len(reads)], s, nil
}

func word(x uint64) []byte {
	w := make([]byte, 32)
	binary.BigEndian.PutUint64(w[24:], x)
	return w
}

func tail(w []byte) uint64 { return binary.BigEndian.Uint64(w[24:32]) }

// encodeAggregate encodes aggregate3 with every call allowed to fail.
func encodeAggregate(reads []chains.Read) []byte {
	padded := func(n int) int { return (n + 31) / 32 * 32 }
	size := 4 + 64 + 32*len(reads)
	for i := range reads {
		size += 4*32 + padded(len(reads[i].Data))
	}
	out := make([]byte, 0, size)
	out = append(out, selAggregate...)
	out = append(out, word(32)...)
	out = append(out, word(uint64(len(reads)))...)
	offset := 32 * len(reads)
	for i := range reads {
		out = append(out, word(uint64(offset))...)
		offset += 4*32 + padded(len(reads[i].Data))
	}
	for i := range reads {
		to := reads[i].To.Word()
		out = append(out, to[:]...)
		out = append(out, word(1)...)
		out = append(out, word(96)...)
		out = append(out, word(uint64(len(reads[i].Data)))...)
		out = append(out, reads[i].Data...)
		out = append(out, make([]byte, padded(len(reads[i].Data))-len(reads[i].Data))...)
	}
	return out
}

var errShape = errors.New("the answer has another shape than (bool,bytes)[]")

// decodeAggregate decodes (bool success, bytes returnData)[] of exactly n members.
func decodeAggregate(raw []byte, n int) ([]chains.Answer, error) {
	list, err := follow(raw, 0)
	if err != nil {
		return nil, err
	}
	count, err := number(list, 0)
	if err != nil || count != uint64(n) {
		return nil, errShape
	}
	list = list[32:]
	out := make([]chains.Answer, n)
	for i := range out {
		item, err := follow(list, 32*i)
		if err != nil {
			return nil, err
		}
		ok, err := number(item, 0)
		if err != nil || ok > 1 {
			return nil, errShape
		}
		body, err := follow(item, 32)
		if err != nil {
			return nil, err
		}
		size, err := number(body, 0)
		if err != nil || size > uint64(len(body)-32) {
			return nil, errShape
		}
		out[i] = chains.Answer{Data: body[32 : 32+size : 32+size], Failed: ok == 0}
	}
	return out, nil
}

// number is the word at a place as a small number.
func number(b []byte, at int) (uint64, error) {
	if at < 0 || at+32 > len(b) {
		return 0, errShape
	}
	for _, x := range b[at : at+24] {
		if x != 0 {
			return 0, errShape
		}
	}
	return tail(b[at : at+32]), nil
}

// follow is what the offset at a place points to.
func follow(b []byte, at int) ([]byte, error) {
	to, err := number(b, at)
	if err != nil || to > uint64(len(b)) || len(b)-int(to) < 32 {
		return nil, errShape
	}
	return b[to:], nil
}
