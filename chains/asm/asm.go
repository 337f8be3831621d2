// Package asm assembles the small EVM programs that nodes are asked to run.
package asm

import "fmt"

// The opcodes that the programs use. PUSH0 is left out on purpose: some
// chains got it late, and a byte is not worth a chain.
const (
	Add            = 0x01
	Mul            = 0x02
	Sub            = 0x03
	Lt             = 0x10
	Gt             = 0x11
	Eq             = 0x14
	IsZero         = 0x15
	And            = 0x16
	Or             = 0x17
	Shl            = 0x1b
	Shr            = 0x1c
	Keccak         = 0x20
	CalldataLoad   = 0x35
	CalldataSize   = 0x36
	CalldataCopy   = 0x37
	CodeSize       = 0x38
	CodeCopy       = 0x39
	ReturndataSize = 0x3d
	ReturndataCopy = 0x3e
	Blockhash      = 0x40
	Timestamp      = 0x42
	Number         = 0x43
	ChainID        = 0x46
	Pop            = 0x50
	Mload          = 0x51
	Mstore         = 0x52
	Mstore8        = 0x53
	Sload          = 0x54
	Jump           = 0x56
	Jumpi          = 0x57
	Gas            = 0x5a
	Jumpdest       = 0x5b
	Push1          = 0x60
	Push2          = 0x61
	Push4          = 0x63
	Push32         = 0x7f
	Dup1           = 0x80
	Dup2           = 0x81
	Dup3           = 0x82
	Swap1          = 0x90
	Return         = 0xf3
	StaticCall     = 0xfa
	Revert         = 0xfd
)

// New starts an empty program.
func New() *Assembler {
	return &Assembler{labels: map[string]int{}, jumps: map[int]string{}}
}

// Assembler collects bytecode. Labels are two-byte jump targets filled in by code.
type Assembler struct {
	code   []byte
	labels map[string]int
	jumps  map[int]string
}

// Op appends opcodes that take no immediate.
func (a *Assembler) Op(ops ...byte) *Assembler {
	a.code = append(a.code, ops...)
	return a
}

// Push appends the shortest of PUSH1, PUSH2 and PUSH4 that holds v.
func (a *Assembler) Push(v uint32) *Assembler {
	switch {
	case v <= 0xff:
		return a.Op(Push1, byte(v))
	case v <= 0xffff:
		return a.Op(Push2, byte(v>>8), byte(v))
	default:
		return a.Op(Push4, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
}

// Word appends PUSH32 of a word.
func (a *Assembler) Word(w [32]byte) *Assembler {
	a.Op(Push32)
	return a.Op(w[:]...)
}

// Load pushes the memory word at addr.
func (a *Assembler) Load(addr uint32) *Assembler { return a.Push(addr).Op(Mload) }

// Store pops into the memory word at addr.
func (a *Assembler) Store(addr uint32) *Assembler { return a.Push(addr).Op(Mstore) }

// Label marks a jump destination.
func (a *Assembler) Label(name string) *Assembler {
	a.labels[name] = len(a.code)
	return a.Op(Jumpdest)
}

// Ref pushes the position of a label.
func (a *Assembler) Ref(name string) *Assembler {
	a.jumps[len(a.code)+1] = name
	return a.Op(Push2, 0, 0)
}

// End pushes the length of the whole program, which is where appended data starts.
func (a *Assembler) End() *Assembler {
	a.jumps[len(a.code)+1] = ""
	return a.Op(Push2, 0, 0)
}

// Bytes resolves the labels. A missing one is a mistake in this package.
func (a *Assembler) Bytes() []byte {
	for at, name := range a.jumps {
		target, ok := a.labels[name]
		if name == "" {
			target, ok = len(a.code), true
		}
		if !ok {
			panic(fmt.Sprintf("evm program: no label %q", name))
		}
		a.code[at], a.code[at+1] = byte(target>>8), byte(target)
	}
	return a.code
}
