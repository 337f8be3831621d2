package aavev3

import (
	"encoding/binary"
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/chains/asm"
	"liqwatch/protocols"
	"liqwatch/protocols/abi"
)

// The lens is a program that reads accounts from storage: what an account uses, its
// e-mode, and the scaled balances of exactly those reserves. Its input is a list of
// addresses of 20 bytes, its output for each of them
//
//	configuration   32 bytes  userConfig
//	e-mode           1 byte
//	balances        16 bytes each: by reserve id the debt, then the collateral, where
//	                          the configuration says so and the program knows the token;
//	                          none for an account without debt
const (
	lensItem  = 20
	lensHead  = 33
	lensSlots = 5 // of an account, about
	// lensRun is how many accounts one run takes.
	lensRun = 100
)

// Memory of the lens: variables, the words of one question to a contract, and the
// table of tokens, one word each: address, then the slot of its balances. Output follows.
const (
	lensNext   = 0x00 // position in the input
	lensOut    = 0x20 // position in the output
	lensBits   = 0x40 // what is left of the configuration
	lensToken  = 0x60 // position in the table
	lensKey    = 0x80 // two words to hash: the account, and a slot
	lensAsk    = 0xc0 // two words: slots, and what they hold
	lensTable  = 0x100
	lensTokens = 2 * maxReserves
)

// lensOf makes the lens of a shape whose storage is known. covers has the bits of
// userConfig that it follows.
func lensOf(s *shape, res []reserve) (p *chains.Program, covers word) {
	var table [lensTokens]chains.Hash
	storage := []chains.Address{s.pool}
	last := 0
	entry := func(token chains.Address, bit uint) {
		slot, known := s.balances[token]
		if !known {
			return
		}
		copy(table[bit][:20], token[:])
		binary.BigEndian.PutUint64(table[bit][24:], slot)
		var one word
		covers.Or(&covers, one.Lsh(uint256.NewInt(1), bit))
		storage = append(storage, token)
		last = max(last, int(bit))
	}
	for i := range res {
		entry(res[i].debtToken, 2*uint(res[i].id))
		entry(res[i].aToken, 2*uint(res[i].id)+1)
	}
	code := lensCode(s.pool, &covers, len(table[:last+1]))
	for i := range table[:last+1] {
		code = append(code, table[i][:]...)
	}
	witness := chains.Slot(s.pool, abi.Slot(res[0].asset.Word(), slotReserves))
	return chains.NewProgram(code, storage, lensItem, lensSlots, witness), covers
}

// lensCode is the program in front of a table of so many tokens.
func lensCode(pool chains.Address, covers *word, tokens int) []byte {
	a := asm.New()
	// hash leaves keccak(account, slot), where a mapping by account keeps its word.
	hash := func(slot uint32) *asm.Assembler {
		return a.Push(slot).Store(lensKey + 32).Push(64).Push(lensKey).Op(asm.Keccak)
	}
	// ask has a contract tell the words of some slots; the contract is on the stack.
	ask := func(contract func(), words uint32) {
		a.Push(32 * words).Push(lensAsk).Push(32 * words).Push(lensAsk)
		contract()
		a.Op(asm.Gas, asm.StaticCall, asm.IsZero).Ref("failed").Op(asm.Jumpi)
	}
	a.Push(uint32(32 * tokens)).End().Push(lensTable).Op(asm.CodeCopy)
	a.Push(uint32(lensTable + 32*tokens)).Store(lensOut)

	a.Label("account")
	a.Op(asm.CalldataSize).Load(lensNext).Op(asm.Lt, asm.IsZero).Ref("done").Op(asm.Jumpi)
	a.Load(lensNext).Op(asm.CalldataLoad).Push(96).Op(asm.Shr).Store(lensKey)
	a.Load(lensNext).Push(lensItem).Op(asm.Add).Store(lensNext)
	hash(slotUserConfig).Store(lensAsk)
	hash(slotUserEMode).Store(lensAsk + 32)
	ask(func() { a.Word(pool.Word()) }, 2)
	a.Load(lensAsk).Load(lensOut).Op(asm.Mstore)
	a.Load(lensAsk+32).Load(lensOut).Push(32).Op(asm.Add, asm.Mstore8)
	a.Load(lensOut).Push(lensHead).Op(asm.Add).Store(lensOut)
	// Without debt there is nothing to know.
	a.Load(lensAsk).Word(borrowing.Bytes32()).Op(asm.And, asm.IsZero).Ref("account").Op(asm.Jumpi)
	a.Load(lensAsk).Word(covers.Bytes32()).Op(asm.And).Store(lensBits)
	a.Push(lensTable).Store(lensToken)

	a.Label("token")
	a.Load(lensBits).Op(asm.IsZero).Ref("account").Op(asm.Jumpi)
	a.Load(lensBits).Push(1).Op(asm.And, asm.IsZero).Ref("skip").Op(asm.Jumpi)
	a.Load(lensToken).Op(asm.Mload).Push(0xffffffff).Op(asm.And).Store(lensKey + 32)
	a.Push(64).Push(lensKey).Op(asm.Keccak).Store(lensAsk)
	ask(func() { a.Load(lensToken).Op(asm.Mload).Push(96).Op(asm.Shr) }, 1)
	a.Load(lensAsk).Push(128).Op(asm.Shl).Load(lensOut).Op(asm.Mstore)
	a.Load(lensOut).Push(16).Op(asm.Add).Store(lensOut)
	a.Label("skip")
	a.Load(lensBits).Push(1).Op(asm.Shr).Store(lensBits)
	a.Load(lensToken).Push(32).Op(asm.Add).Store(lensToken)
	a.Ref("token").Op(asm.Jump)

	a.Label("done")
	out := uint32(lensTable + 32*tokens)
	a.Push(out).Load(lensOut).Op(asm.Sub).Push(out).Op(asm.Return)
	a.Label("failed").Push(0).Push(0).Op(asm.Revert)
	return a.Bytes()
}

// readLens asks the lens about the accounts to read, by a layout that is believed or,
// when doubted is given, about to be.
func (p *pass) readLens(r *round, s *shape, doubted *layout) {
	program, covers := lensOf(s, p.res)
	p.raw = make([]word, len(p.read))
	p.open = nil
	for from := 0; from < len(p.read); from += lensRun {
		part := p.read[from:min(from+lensRun, len(p.read))]
		input := make([]byte, 0, lensItem*len(part))
		for i := range part {
			input = append(input, part[i].key[:]...)
		}
		r.ask(program.Run(input), func(answer chains.Answer) error {
			if answer.Failed && doubted != nil {
				doubted.pool = false
				return nil
			}
			if answer.Failed {
				return fmt.Errorf("read accounts from storage: %w", errReverted)
			}
			rest := answer.Data
			for i := range part {
				var err error
				if rest, err = p.takeAccount(from+i, rest, &covers); err != nil {
					return fmt.Errorf("read account %s from storage: %w", part[i].key, err)
				}
			}
			if len(rest) != 0 {
				return fmt.Errorf("read accounts from storage: %d bytes too many", len(rest))
			}
			return nil
		})
	}
}

// takeAccount takes one account from what the lens answered. One that uses a token
// whose storage is not known is read by views in the next round.
func (p *pass) takeAccount(i int, data []byte, covers *word) ([]byte, error) {
	if len(data) < lensHead {
		return nil, abi.ErrShort
	}
	a := &p.read[i]
	p.raw[i].SetBytes32(data)
	a.mode, data = data[32], data[lensHead:]
	a.legs = nil
	var debts, covered word
	if debts.And(&p.raw[i], &borrowing).IsZero() {
		return data, nil
	}
	covered.And(&p.raw[i], covers)
	complete := true
	for j := range p.res {
		id := p.res[j].id
		has, known := field(&p.raw[i], 2*uint(id), 2), field(&covered, 2*uint(id), 2)
		complete = complete && has == known
		var balances [2]u128 // debt, collateral
		for side := range balances {
			if known>>side&1 == 0 {
				continue
			}
			if len(data) < 16 {
				return nil, abi.ErrShort
			}
			// A balance has 120 bits; what lies above them is of another kind.
			balances[side] = u128{binary.BigEndian.Uint64(data) & (1<<56 - 1), binary.BigEndian.Uint64(data[8:])}
			data = data[16:]
		}
		if has&2 != 0 {
			a.legs = append(a.legs, leg{tagOf(id, protocols.Collateral), balances[1]})
		}
		if has&1 != 0 {
			a.legs = append(a.legs, leg{tagOf(id, protocols.Debt), balances[0]})
		}
	}
	if !complete {
		a.legs = nil
		p.open = append(p.open, i)
		return data, nil
	}
	a.settle()
	return data, nil
}
