package evm

import (
	"encoding/binary"
	"math/big"

	"liqwatch/chains"
)

// packedCall is one static call inside a packed eth_call.
type packedCall struct {
	to    chains.Address
	data  []byte
	links []packedLink
}

// packedLink takes the word at from in the answer of an earlier call of the pack.
type packedLink struct{ source, from, into uint32 }

// packedAnswer is what one of them returned.
type packedAnswer struct {
	failed bool
	// heavy: it used most of its share of gas, so that it may have failed for want
	// of gas and not of itself.
	heavy bool
	data  []byte
}

// stamp says where and when a packed eth_call ran.
type stamp struct {
	number, time, chainID uint64
	parent                chains.Hash
	gasStart, gasEnd      uint64
}

// packInput writes the packer's input.
func packInput(share uint64, calls []packedCall) []byte {
	size, longest, linked := inputHead, 0, false
	for _, c := range calls {
		size += callHead + len(c.data) + linkLen*len(c.links)
		longest = max(longest, len(c.data))
		linked = linked || len(c.links) > 0
	}
	out := make([]byte, inputHead, size)
	binary.BigEndian.PutUint64(out[24:], share)
	free := memCallData + (longest+31)/32*32
	if linked {
		binary.BigEndian.PutUint64(out[88:], uint64(free))
		free += 32 * len(calls)
	}
	binary.BigEndian.PutUint64(out[56:], uint64(free))
	for _, c := range calls {
		out = append(out, c.to[:]...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(c.links))<<24|uint32(len(c.data)))
		out = append(out, c.data...)
		for _, l := range c.links {
			out = binary.BigEndian.AppendUint32(out, l.source)
			out = binary.BigEndian.AppendUint32(out, l.from)
			out = binary.BigEndian.AppendUint32(out, l.into)
		}
	}
	return out
}

// unpackOutput reads the packer's output for at most n calls. Fewer answers than
// calls mean that gas ran low; the answers there are stand.
func unpackOutput(b []byte, n int) (stamp, []packedAnswer, error) {
	var s stamp
	if len(b) < stampLen {
		return s, nil, lie("packed answer of %d bytes is cut off", len(b))
	}
	var err error
	for i, field := range []*uint64{&s.number, &s.time, nil, &s.chainID, &s.gasStart, &s.gasEnd} {
		if field == nil {
			s.parent = chains.Hash(b[32*i:])
		} else if *field, err = wordUint(b[32*i : 32*i+32]); err != nil {
			return s, nil, err
		}
	}
	answers := make([]packedAnswer, 0, n)
	for rest := b[stampLen:]; len(rest) > 0; {
		if len(answers) == n {
			return s, nil, lie("packed answer holds more than the %d asked for", n)
		}
		if len(rest) < answerLen {
			return s, nil, lie("packed answer is cut off")
		}
		head := binary.BigEndian.Uint32(rest)
		flag, size := head>>24, int(head&0xffffff)
		if flag > flagFailed|flagHeavy || len(rest)-answerLen < size {
			return s, nil, lie("packed answer is cut off")
		}
		answers = append(answers, packedAnswer{
			failed: flag&flagFailed != 0,
			heavy:  flag&flagHeavy != 0,
			data:   rest[answerLen : answerLen+size : answerLen+size],
		})
		rest = rest[answerLen+size:]
	}
	return s, answers, nil
}

// wordUint reads a 32-byte word that holds at most 64 bits.
func wordUint(w []byte) (uint64, error) {
	for _, b := range w[:24] {
		if b != 0 {
			return 0, lie("number %s is too large to be true", new(big.Int).SetBytes(w))
		}
	}
	return binary.BigEndian.Uint64(w[24:]), nil
}
