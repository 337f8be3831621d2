package evm

import "fmt"

// The opcodes that the packing programs use. PUSH0 is left out on purpose: some
// chains got it late, and a byte is not worth a chain.
const (
	opAdd            = 0x01
	opMul            = 0x02
	opSub            = 0x03
	opLt             = 0x10
	opGt             = 0x11
	opIsZero         = 0x15
	opAnd            = 0x16
	opShl            = 0x1b
	opShr            = 0x1c
	opCalldataLoad   = 0x35
	opCalldataSize   = 0x36
	opCalldataCopy   = 0x37
	opCodeSize       = 0x38
	opCodeCopy       = 0x39
	opReturndataSize = 0x3d
	opReturndataCopy = 0x3e
	opBlockhash      = 0x40
	opTimestamp      = 0x42
	opNumber         = 0x43
	opChainID        = 0x46
	opMload          = 0x51
	opMstore         = 0x52
	opSload          = 0x54
	opJump           = 0x56
	opJumpi          = 0x57
	opGas            = 0x5a
	opJumpdest       = 0x5b
	opPush1          = 0x60
	opPush2          = 0x61
	opPush4          = 0x63
	opDup1           = 0x80
	opDup2           = 0x81
	opDup3           = 0x82
	opSwap1          = 0x90
	opReturn         = 0xf3
	opStaticCall     = 0xfa
	opRevert         = 0xfd
)

// assembler collects bytecode. Labels are two-byte jump targets filled in by code.
type assembler struct {
	code   []byte
	labels map[string]int
	jumps  map[int]string
}

func newAssembler() *assembler {
	return &assembler{labels: map[string]int{}, jumps: map[int]string{}}
}

// op appends opcodes that take no immediate.
func (a *assembler) op(ops ...byte) *assembler {
	a.code = append(a.code, ops...)
	return a
}

// push appends the shortest of PUSH1, PUSH2 and PUSH4 that holds v.
func (a *assembler) push(v uint32) *assembler {
	switch {
	case v <= 0xff:
		return a.op(opPush1, byte(v))
	case v <= 0xffff:
		return a.op(opPush2, byte(v>>8), byte(v))
	default:
		return a.op(opPush4, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
}

// load pushes the memory word at addr, store pops into it.
func (a *assembler) load(addr uint32) *assembler  { return a.push(addr).op(opMload) }
func (a *assembler) store(addr uint32) *assembler { return a.push(addr).op(opMstore) }

// label marks a jump destination, ref pushes its position.
func (a *assembler) label(name string) *assembler {
	a.labels[name] = len(a.code)
	return a.op(opJumpdest)
}

func (a *assembler) ref(name string) *assembler {
	a.jumps[len(a.code)+1] = name
	return a.op(opPush2, 0, 0)
}

// end pushes the length of the whole program, which is where appended data starts.
func (a *assembler) end() *assembler {
	a.jumps[len(a.code)+1] = ""
	return a.op(opPush2, 0, 0)
}

// bytes resolves the labels. A missing one is a mistake in this package.
func (a *assembler) bytes() []byte {
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
