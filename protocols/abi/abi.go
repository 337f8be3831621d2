// Package abi speaks just as much of the contract ABI as adapters need: static
// arguments in, words, addresses, lists and strings out. Answers come from
// strangers, so nothing here trusts a length or an offset.
package abi

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
)

// ErrShort: the answer has fewer words than the type it should hold.
var ErrShort = errors.New("answer is too short")

// Topic is the first topic of the event with that canonical signature.
func Topic(signature string) chains.Hash { return chains.Keccak([]byte(signature)) }

// Call encodes a call of the function with that canonical signature and static
// arguments, one word each.
func Call(signature string, args ...chains.Hash) []byte {
	id := chains.Keccak([]byte(signature))
	data := make([]byte, 4, 4+32*len(args))
	copy(data, id[:4])
	for i := range args {
		data = append(data, args[i][:]...)
	}
	return data
}

// CallList encodes a call whose only argument is a list of words.
func CallList(signature string, list []chains.Hash) []byte {
	args := make([]chains.Hash, 0, 2+len(list))
	args = append(args, Uint(32), Uint(uint64(len(list))))
	return Call(signature, append(args, list...)...)
}

// Uint is a small number as a word.
func Uint(x uint64) chains.Hash {
	var h chains.Hash
	binary.BigEndian.PutUint64(h[24:], x)
	return h
}

// Slot is the storage slot of mapping[key] for a mapping declared at slot.
func Slot(key chains.Hash, slot uint64) chains.Hash {
	base := Uint(slot)
	return chains.Keccak(key[:], base[:])
}

// Offset is the slot n words after another, as struct members lie.
func Offset(slot chains.Hash, n uint64) chains.Hash {
	var x uint256.Int
	x.SetBytes32(slot[:])
	x.AddUint64(&x, n)
	return chains.Hash(x.Bytes32())
}

// Word is the i-th word of an answer.
func Word(data []byte, i int) (chains.Hash, error) {
	if i < 0 || i > len(data)/32-1 {
		return chains.Hash{}, fmt.Errorf("word %d of %d bytes: %w", i, len(data), ErrShort)
	}
	return chains.Hash(data[32*i : 32*i+32]), nil
}

// Number is the i-th word of an answer as an unsigned integer.
func Number(data []byte, i int) (uint256.Int, error) {
	w, err := Word(data, i)
	if err != nil {
		return uint256.Int{}, err
	}
	var x uint256.Int
	x.SetBytes32(w[:])
	return x, nil
}

// Address is the i-th word of an answer as an address; a word that cannot be one is an error.
func Address(data []byte, i int) (chains.Address, error) {
	w, err := Word(data, i)
	if err != nil {
		return chains.Address{}, err
	}
	for _, b := range w[:12] {
		if b != 0 {
			return chains.Address{}, fmt.Errorf("word %d is not an address: %s", i, w)
		}
	}
	return w.Address(), nil
}

// List is the dynamic list that the i-th word points to.
func List(data []byte, i int) ([]chains.Hash, error) {
	body, n, err := dynamic(data, i)
	if err != nil {
		return nil, err
	}
	if n > uint64(len(body)/32) {
		return nil, fmt.Errorf("list of %d words in %d bytes: %w", n, len(body), ErrShort)
	}
	out := make([]chains.Hash, n)
	for j := range out {
		out[j] = chains.Hash(body[32*j : 32*j+32])
	}
	return out, nil
}

// Bytes is the dynamic byte string that the i-th word points to.
func Bytes(data []byte, i int) ([]byte, error) {
	body, n, err := dynamic(data, i)
	if err != nil {
		return nil, err
	}
	if n > uint64(len(body)) {
		return nil, fmt.Errorf("string of %d bytes in %d: %w", n, len(body), ErrShort)
	}
	return body[:n], nil
}

// Tail is the answer from where the i-th word points to: a dynamic struct.
func Tail(data []byte, i int) ([]byte, error) {
	at, err := Number(data, i)
	if err != nil {
		return nil, err
	}
	if !at.IsUint64() || at.Uint64() > uint64(len(data)) {
		return nil, fmt.Errorf("offset %s in %d bytes: %w", at.Hex(), len(data), ErrShort)
	}
	return data[at.Uint64():], nil
}

func dynamic(data []byte, i int) ([]byte, uint64, error) {
	tail, err := Tail(data, i)
	if err != nil {
		return nil, 0, err
	}
	n, err := Number(tail, 0)
	if err != nil {
		return nil, 0, err
	}
	if !n.IsUint64() {
		return nil, 0, fmt.Errorf("length %s: %w", n.Hex(), ErrShort)
	}
	return tail[32:], n.Uint64(), nil
}
