package evm

import (
	"encoding/binary"

	"liqwatch/chains"
)

// multicall3 is deployed at this address on nearly every EVM chain.
var multicall3 = chains.MustAddress("0xcA11bde05977b3631167028862bE2a173976CA11")

// Selectors of Multicall3.
var (
	selectorAggregate3  = []byte{0x82, 0xad, 0x56, 0xcb} // aggregate3((address,bool,bytes)[])
	selectorBlockNumber = []byte{0x42, 0xcb, 0xb1, 0x5c} // getBlockNumber()
	selectorTimestamp   = []byte{0x0f, 0x28, 0xc9, 0x7d} // getCurrentBlockTimestamp()
	selectorLastHash    = []byte{0x27, 0xe8, 0x6d, 0x6e} // getLastBlockHash()
	selectorChainID     = []byte{0x34, 0x08, 0xe4, 0x70} // getChainId()
	multicallStamp      = [][]byte{selectorBlockNumber, selectorTimestamp, selectorLastHash, selectorChainID}
)

// encodeAggregate3 puts the questions that make the stamp in front of the calls.
func encodeAggregate3(calls []packedCall) []byte {
	all := make([]packedCall, 0, len(calls)+len(multicallStamp))
	for _, selector := range multicallStamp {
		all = append(all, packedCall{to: multicall3, data: selector})
	}
	all = append(all, calls...)
	out := append([]byte(nil), selectorAggregate3...)
	out = appendWord(appendWord(out, 32), uint64(len(all)))
	offset := 32 * uint64(len(all))
	for _, c := range all {
		out = appendWord(out, offset)
		offset += 4*32 + uint64(padded(len(c.data)))
	}
	for _, c := range all {
		target := c.to.Word()
		out = append(out, target[:]...)
		out = appendWord(appendWord(appendWord(out, 1), 96), uint64(len(c.data)))
		out = append(out, c.data...)
		out = append(out, make([]byte, padded(len(c.data))-len(c.data))...)
	}
	return out
}

func padded(n int) int { return (n + 31) / 32 * 32 }

func appendWord(b []byte, v uint64) []byte {
	b = append(b, make([]byte, 24)...)
	return binary.BigEndian.AppendUint64(b, v)
}

// decodeAggregate3 reads (bool,bytes)[] for n calls and their stamp. A failed call
// counts as heavy: Multicall3 gives all gas to each call, so that a failure may
// be the fault of the one before.
func decodeAggregate3(b []byte, n int) (stamp, []packedAnswer, error) {
	var s stamp
	want := n + len(multicallStamp)
	if at, err := offsetAt(b, 0, 0); err != nil || at != 32 {
		return s, nil, lie("Multicall3 answer is cut off")
	}
	count, err := offsetAt(b, 32, 0)
	if err != nil || count != want {
		return s, nil, lie("Multicall3 answered %d of %d calls", count, want)
	}
	const base = 64
	answers := make([]packedAnswer, want)
	for i := range answers {
		if answers[i], err = resultAt(b, base, i); err != nil {
			return s, nil, err
		}
	}
	for i, field := range []*uint64{&s.number, &s.time, nil, &s.chainID} {
		a := answers[i]
		if a.failed || len(a.data) != 32 {
			return s, nil, lie("Multicall3 does not say where it ran")
		}
		if field == nil {
			s.parent = chains.Hash(a.data)
		} else if *field, err = wordUint(a.data); err != nil {
			return s, nil, err
		}
	}
	return s, answers[len(multicallStamp):], nil
}

// resultAt reads the i-th (bool,bytes) of an array whose words start at base.
func resultAt(b []byte, base, i int) (packedAnswer, error) {
	at, err := offsetAt(b, base+32*i, base)
	if err != nil {
		return packedAnswer{}, err
	}
	ok, err := offsetAt(b, at, 0)
	if err != nil {
		return packedAnswer{}, err
	}
	if ok > 1 {
		return packedAnswer{}, lie("Multicall3 answer is garbled")
	}
	data, err := offsetAt(b, at+32, at)
	if err != nil {
		return packedAnswer{}, err
	}
	size, err := offsetAt(b, data, 0)
	if err != nil || size > len(b)-data-32 {
		return packedAnswer{}, lie("Multicall3 answer is cut off")
	}
	return packedAnswer{failed: ok == 0, heavy: ok == 0, data: b[data+32 : data+32+size : data+32+size]}, nil
}

// offsetAt reads the word at pos and adds base; the result lies inside b.
func offsetAt(b []byte, pos, base int) (int, error) {
	if pos < 0 || pos > len(b)-32 {
		return 0, lie("Multicall3 answer is cut off")
	}
	v, err := wordUint(b[pos : pos+32])
	if err != nil || v > uint64(len(b)) {
		return 0, lie("Multicall3 answer is garbled")
	}
	return base + int(v), nil
}
