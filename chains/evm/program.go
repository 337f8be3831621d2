package evm

// The two programs that this package has nodes run inside one eth_call.
//
// The packer makes a list of static calls and returns their answers behind a
// stamp that says where it ran. Its input is
//
//	share    32 bytes  gas given to each call, all of it or the call is not made
//	output   32 bytes  memory offset of the output; above 0xa0 plus the longest calldata
//	calls              20 bytes target, 4 bytes length, calldata; one after the other
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
	inputHead = 2 * 32
	callHead  = 20 + 4
	answerLen = 4
)

// Memory of the packer: three variables, the head of the input, one call's
// words, and from callData on the calldata of the call being made.
const (
	memInput    = 0x00 // position in the input
	memOutput   = 0x20 // position in the output
	memShare    = 0x40 // first word of the input's head
	memStart    = 0x60 // second word: where the output starts
	memCallHead = 0x80 // target, length and the first bytes of calldata
	memCallData = 0xa0
)

// input is where a program finds its input: behind its own code when it is sent
// as initcode, in the calldata otherwise.
type input struct {
	initcode bool
}

// copy pushes the opcode that copies input to memory (destination, position, length).
func (i input) copy(a *assembler) {
	if i.initcode {
		a.op(opCodeCopy)
		return
	}
	a.op(opCalldataCopy)
}

func (i input) size(a *assembler) *assembler {
	if i.initcode {
		return a.op(opCodeSize)
	}
	return a.op(opCalldataSize)
}

func (i input) start(a *assembler) *assembler {
	if i.initcode {
		return a.end()
	}
	return a.push(0)
}

var (
	packer           = assemblePacker(input{})
	packerDeployless = assemblePacker(input{initcode: true})
	slotReader       = assembleSlotReader()
)

func assemblePacker(in input) []byte {
	a := newAssembler()
	// Head of the input, then the stamp.
	in.start(a.push(inputHead))
	in.copy(a.push(memShare))
	in.start(a.push(inputHead)).op(opAdd).store(memInput)
	stampWord := func(i uint32) { a.load(memStart).push(32*i).op(opAdd, opMstore) }
	a.op(opNumber)
	stampWord(0)
	a.op(opTimestamp)
	stampWord(1)
	a.push(1).op(opNumber, opSub, opBlockhash)
	stampWord(2)
	a.op(opChainID)
	stampWord(3)
	a.op(opGas)
	stampWord(4)
	a.load(memStart).push(stampLen).op(opAdd).store(memOutput)

	a.label("next")
	// End of input, or not enough gas for a full share (and 1/64 stays here): stop.
	in.size(a)
	a.load(memInput).op(opLt, opIsZero).ref("done").op(opJumpi)
	a.load(memShare).op(opDup1).push(5).op(opShr, opAdd).push(60_000).op(opAdd)
	a.op(opGas, opLt).ref("done").op(opJumpi)
	// One call: head, then calldata.
	in.copy(a.push(32).load(memInput).push(memCallHead))
	a.push(0xffffffff).load(memCallHead).push(64).op(opShr, opAnd) // length
	a.op(opDup1).load(memInput).push(callHead).op(opAdd)           // length length from
	in.copy(a.push(memCallData))                                   // length
	a.op(opDup1).load(memInput).push(callHead).op(opAdd, opAdd).store(memInput)
	// flag: gas before is kept on the stack below the call's result.
	a.op(opGas, opSwap1)                                                // before length
	a.push(0).op(opSwap1).push(0).op(opSwap1)                           // before 0 0 length
	a.push(memCallData).load(memCallHead).push(96).op(opShr)            // before 0 0 length in target
	a.load(memShare).op(opStaticCall, opIsZero)                         // before failed
	a.op(opSwap1, opGas, opSwap1, opSub)                                // failed used
	a.push(2).op(opShl).load(memShare).push(3).op(opMul, opLt)          // failed (3*share < 4*used)
	a.push(1).op(opShl, opAdd)                                          // flag
	a.push(24).op(opShl, opReturndataSize, opAdd).push(224).op(opShl)   // head
	a.load(memOutput).op(opMstore)                                      //
	a.op(opReturndataSize, opReturndataSize).push(0)                    // size size 0
	a.load(memOutput).push(answerLen).op(opAdd, opReturndataCopy)       // size
	a.load(memOutput).push(answerLen).op(opAdd, opAdd).store(memOutput) //
	a.ref("next").op(opJump)

	a.label("done").op(opGas)
	stampWord(5)
	a.load(memStart).op(opDup1).load(memOutput).op(opSub, opSwap1) // length start
	if in.initcode {
		// Returned code would be limited to 24,576 bytes and cost 200 gas a byte; revert data are neither.
		a.op(opRevert)
	} else {
		a.op(opReturn)
	}
	return a.bytes()
}

func assembleSlotReader() []byte {
	a := newAssembler()
	a.push(0)
	a.label("next")
	a.op(opDup1, opCalldataLoad, opSload, opDup2, opMstore)
	a.push(32).op(opAdd)
	a.op(opDup1, opCalldataSize, opGt).ref("next").op(opJumpi)
	a.op(opCalldataSize).push(0).op(opReturn)
	return a.bytes()
}
