package evm

import "liqwatch/chains/asm"

// The two programs that this package has nodes run inside one eth_call.
//
// The packer makes a list of static calls and returns their answers behind a
// stamp that says where it ran. Its input is
//
//	share    32 bytes  gas given to each call, all of it or the call is not made
//	output   32 bytes  memory offset of the output; above the longest calldata and the table
//	table    32 bytes  memory offset of a table of answers, 0 when no call has links
//	calls              20 bytes target, 1 byte number of links, 3 bytes length, calldata, links
//	links              4 bytes each: number of the answer, offset in it, place in calldata
//
// and its output
//
//	number, timestamp, parent hash, chain id, gas at the start, gas at the end   32 bytes each
//	answers            1 byte flag, 3 bytes length, return data; one after the other
//
// It stops when less gas is left than one share needs, so fewer answers than
// calls mean that the pack was too large, never that a call failed. A call that
// used more than three quarters of its share is flagged heavy: it may have run
// out of gas somewhere inside, and is asked again alone.
//
// Links are followed as [chains.Link] says; a call that lacks a word is answered as
// failed, without data, and not made.
//
// The slot reader replaces a contract's code; storage stays. It takes slots as
// 32-byte words and returns their values in the same order.

// What a packed answer's flag byte says.
const (
	flagFailed = 1 << 0
	flagHeavy  = 1 << 1
)

// stampLen is the length of the packer's stamp, inputHead that of its input's head.
const (
	stampLen  = 6 * 32
	inputHead = 3 * 32
	callHead  = 20 + 4
	linkLen   = 3 * 4
	answerLen = 4
	// intoTarget is the place of a link that names the contract called.
	intoTarget = 0xffffffff
)

// Memory of the packer: variables, the head of the input among them, one call's
// words, and from callData on the calldata of the call being made.
const (
	memInput    = 0x00 // position in the input
	memOutput   = 0x20 // position in the output
	memShare    = 0x40 // first word of the input's head
	memStart    = 0x60 // second word: where the output starts
	memTable    = 0x80 // third word: where the positions of answers are kept
	memNext     = 0xa0 // where in the table the next answer belongs
	memSkip     = 0xc0 // this call lacks a word
	memTarget   = 0xe0
	memLink     = 0x100
	memCallHead = 0x120 // target, links, length and the first bytes of calldata
	memCallData = 0x140
)

// input is where a program finds its input: behind its own code when it is sent
// as initcode, in the calldata otherwise.
type input struct {
	initcode bool
}

// copy pushes the opcode that copies input to memory (destination, position, length).
func (i input) copy(a *asm.Assembler) {
	if i.initcode {
		a.Op(asm.CodeCopy)
		return
	}
	a.Op(asm.CalldataCopy)
}

func (i input) size(a *asm.Assembler) *asm.Assembler {
	if i.initcode {
		return a.Op(asm.CodeSize)
	}
	return a.Op(asm.CalldataSize)
}

func (i input) start(a *asm.Assembler) *asm.Assembler {
	if i.initcode {
		return a.End()
	}
	return a.Push(0)
}

var (
	packer           = assemblePacker(input{})
	packerDeployless = assemblePacker(input{initcode: true})
	slotReader       = asm.SlotReader()
)

func assemblePacker(in input) []byte {
	a := asm.New()
	// Head of the input, then the stamp.
	in.start(a.Push(inputHead))
	in.copy(a.Push(memShare))
	in.start(a.Push(inputHead)).Op(asm.Add).Store(memInput)
	stampWord := func(i uint32) { a.Load(memStart).Push(32*i).Op(asm.Add, asm.Mstore) }
	a.Op(asm.Number)
	stampWord(0)
	a.Op(asm.Timestamp)
	stampWord(1)
	a.Push(1).Op(asm.Number, asm.Sub, asm.Blockhash)
	stampWord(2)
	a.Op(asm.ChainID)
	stampWord(3)
	a.Op(asm.Gas)
	stampWord(4)
	a.Load(memStart).Push(stampLen).Op(asm.Add).Store(memOutput)
	a.Load(memTable).Store(memNext)

	a.Label("next")
	// End of input, or not enough gas for a full share (and 1/64 stays here): stop.
	in.size(a)
	a.Load(memInput).Op(asm.Lt, asm.IsZero).Ref("done").Op(asm.Jumpi)
	a.Load(memShare).Op(asm.Dup1).Push(5).Op(asm.Shr, asm.Add).Push(60_000).Op(asm.Add)
	a.Op(asm.Gas, asm.Lt).Ref("done").Op(asm.Jumpi)
	// Where its answer will be.
	a.Load(memTable).Op(asm.IsZero).Ref("call").Op(asm.Jumpi)
	a.Load(memOutput).Load(memNext).Op(asm.Mstore)
	a.Load(memNext).Push(32).Op(asm.Add).Store(memNext)
	a.Label("call")
	// One call: head, then calldata.
	in.copy(a.Push(32).Load(memInput).Push(memCallHead))
	a.Push(0xffffff).Load(memCallHead).Push(64).Op(asm.Shr, asm.And) // length
	a.Op(asm.Dup1).Load(memInput).Push(callHead).Op(asm.Add)         // length length from
	in.copy(a.Push(memCallData))                                     // length
	a.Op(asm.Dup1).Load(memInput).Push(callHead).Op(asm.Add, asm.Add).Store(memInput)
	a.Load(memCallHead).Push(96).Op(asm.Shr).Store(memTarget)
	assembleLinks(a, in)
	// flag: gas before is kept on the stack below the call's result.
	a.Op(asm.Gas, asm.Swap1)                                                  // before length
	a.Push(0).Op(asm.Swap1).Push(0).Op(asm.Swap1)                             // before 0 0 length
	a.Push(memCallData).Load(memTarget)                                       // before 0 0 length in target
	a.Load(memShare).Op(asm.StaticCall, asm.IsZero)                           // before failed
	a.Op(asm.Swap1, asm.Gas, asm.Swap1, asm.Sub)                              // failed used
	a.Push(2).Op(asm.Shl).Load(memShare).Push(3).Op(asm.Mul, asm.Lt)          // failed (3*share < 4*used)
	a.Push(1).Op(asm.Shl, asm.Add)                                            // flag
	a.Push(24).Op(asm.Shl, asm.ReturndataSize, asm.Add).Push(224).Op(asm.Shl) // head
	a.Load(memOutput).Op(asm.Mstore)                                          //
	a.Op(asm.ReturndataSize, asm.ReturndataSize).Push(0)                      // size size 0
	a.Load(memOutput).Push(answerLen).Op(asm.Add, asm.ReturndataCopy)         // size
	a.Load(memOutput).Push(answerLen).Op(asm.Add, asm.Add).Store(memOutput)   //
	a.Ref("next").Op(asm.Jump)

	a.Label("unmade").Op(asm.Pop)
	a.Push(flagFailed).Push(248).Op(asm.Shl).Load(memOutput).Op(asm.Mstore)
	a.Load(memOutput).Push(answerLen).Op(asm.Add).Store(memOutput)
	a.Ref("next").Op(asm.Jump)

	a.Label("done").Op(asm.Gas)
	stampWord(5)
	a.Load(memStart).Op(asm.Dup1).Load(memOutput).Op(asm.Sub, asm.Swap1) // length start
	if in.initcode {
		// Returned code would be limited to 24,576 bytes and cost 200 gas a byte; revert data are neither.
		a.Op(asm.Revert)
	} else {
		a.Op(asm.Return)
	}
	return a.Bytes()
}

// assembleLinks puts words of earlier answers into the call; the length of its
// calldata stays on the stack.
func assembleLinks(a *asm.Assembler, in input) {
	links := func() *asm.Assembler { return a.Load(memCallHead).Push(88).Op(asm.Shr).Push(0xff).Op(asm.And) }
	field := func(bits uint32) *asm.Assembler {
		return a.Load(memLink).Push(bits).Op(asm.Shr).Push(0xffffffff).Op(asm.And)
	}
	a.Push(0).Store(memSkip)
	links() // length links
	a.Label("link")
	a.Op(asm.Dup1, asm.IsZero).Ref("linked").Op(asm.Jumpi)
	in.copy(a.Push(32).Load(memInput).Push(memLink))
	a.Load(memInput).Push(linkLen).Op(asm.Add).Store(memInput)
	a.Push(1).Op(asm.Swap1, asm.Sub) // length left
	// The answer's head, the offset, and whether there is a word.
	field(224).Push(5).Op(asm.Shl).Load(memTable).Op(asm.Add, asm.Mload) // left at
	field(192)                                                           // left at from
	a.Op(asm.Dup1).Push(32).Op(asm.Add, asm.Dup3, asm.Mload).Push(224).Op(asm.Shr)
	a.Op(asm.Dup1).Push(0xffffff).Op(asm.And, asm.Swap1).Push(24).Op(asm.Shr).Push(flagFailed).Op(asm.And, asm.IsZero, asm.Mul)
	a.Op(asm.Lt).Ref("missing").Op(asm.Jumpi)            // left at from
	a.Op(asm.Add).Push(answerLen).Op(asm.Add, asm.Mload) // left word
	field(160).Op(asm.Dup1).Push(intoTarget).Op(asm.Eq)  // left word into target?
	a.Ref("target").Op(asm.Jumpi)                        //
	a.Push(memCallData).Op(asm.Add, asm.Mstore).Ref("link").Op(asm.Jump)
	a.Label("target").Op(asm.Pop)
	// The first word that is not zero stands.
	a.Push(96).Op(asm.Shl).Push(96).Op(asm.Shr).Load(memTarget).Op(asm.IsZero, asm.Mul).Load(memTarget).Op(asm.Add).Store(memTarget)
	a.Ref("link").Op(asm.Jump)
	a.Label("missing").Op(asm.Pop, asm.Pop)
	field(160).Push(intoTarget).Op(asm.Eq, asm.IsZero).Load(memSkip).Op(asm.Or).Store(memSkip)
	a.Ref("link").Op(asm.Jump)
	a.Label("linked").Op(asm.Pop) // length
	links().Op(asm.IsZero, asm.IsZero).Load(memTarget).Op(asm.IsZero, asm.And).Load(memSkip).Op(asm.Or)
	a.Ref("unmade").Op(asm.Jumpi)
}
