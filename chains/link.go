package chains

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Link takes a part of a read from the answer to an earlier read of the same call,
// so that what depends on each other is still one question: on nodes that run our
// programs the words are put in place while the answers are made, elsewhere
// [ReadLinked] asks level by level.
//
// A link whose word is missing, because the earlier read failed or answered less,
// makes the read [Answer.Failed] without data when the word belongs into Data.
// Links into [Target] are alternatives: the first word that is not zero is the
// contract asked; a read without one is Failed likewise.
type Link struct {
	Back int // how many reads before this one the earlier read stands
	From int // where the 32-byte word begins in its answer
	Into int // where the word goes in Data, or Target
}

// Target is the place of a link that names the contract asked: the low 20 bytes of
// its word.
const Target = -1

// At is a view whose contract is named by an earlier answer.
func At(calldata []byte, target ...Link) Read {
	for i := range target {
		target[i].Into = Target
	}
	return Read{Data: calldata, Links: target}
}

// With adds links into the read's calldata.
func (r Read) With(links ...Link) Read {
	r.Links = append(append([]Link(nil), r.Links...), links...)
	return r
}

// AnyLinked reports whether a read of the list takes words from another.
func AnyLinked(reads []Read) bool {
	for i := range reads {
		if len(reads[i].Links) > 0 {
			return true
		}
	}
	return false
}

// CheckLinks finds links that can never be followed.
func CheckLinks(reads []Read) error {
	for i := range reads {
		r := &reads[i]
		if len(r.Links) > 0 && (r.IsSlot() || r.Joined || r.Program != nil) {
			return fmt.Errorf("read %d: only plain views can be linked", i)
		}
		if len(r.Links) > 255 {
			return fmt.Errorf("read %d has %d links", i, len(r.Links))
		}
		for _, l := range r.Links {
			switch {
			case l.Back < 1 || l.Back > i:
				return fmt.Errorf("read %d takes a word from a read that is not before it", i)
			case reads[i-l.Back].IsSlot() || reads[i-l.Back].Program != nil:
				return fmt.Errorf("read %d takes a word from what is no view", i)
			case l.From < 0 || l.From > 1<<24:
				return fmt.Errorf("read %d takes a word from byte %d", i, l.From)
			case l.Into != Target && (l.Into < 0 || l.Into+32 > len(r.Data)):
				return fmt.Errorf("read %d has no room for a word at byte %d", i, l.Into)
			}
		}
	}
	return nil
}

// Resolve is the i-th read with the words of earlier answers in place, and without
// links. False when it cannot be asked: its answer is Failed.
func Resolve(reads []Read, i int, answers []Answer) (Read, bool) {
	r := reads[i]
	if len(r.Links) == 0 {
		return r, true
	}
	data, to := append([]byte{}, r.Data...), r.To
	for _, l := range r.Links {
		from := &answers[i-l.Back]
		there := !from.Failed && len(from.Data) >= l.From+32
		switch {
		case l.Into == Target && to.IsZero() && there:
			to = Hash(from.Data[l.From : l.From+32]).Address()
		case l.Into == Target:
		case !there:
			return Read{}, false
		default:
			copy(data[l.Into:], from.Data[l.From:l.From+32])
		}
	}
	return Read{To: to, Data: data}, !to.IsZero()
}

// ReadLinked answers reads by asking those first that depend on nothing, then what
// those answers name, and so on. ask is given reads without links.
func ReadLinked(reads []Read, ask func([]Read) ([]Answer, error)) ([]Answer, error) {
	if err := CheckLinks(reads); err != nil {
		return nil, err
	}
	answers := make([]Answer, len(reads))
	for _, level := range levels(reads) {
		var list []Read
		var places []int
		for _, i := range level {
			r, ok := Resolve(reads, i, answers)
			if !ok {
				answers[i] = Answer{Failed: true}
				continue
			}
			list, places = append(list, r), append(places, i)
		}
		if len(list) == 0 {
			continue
		}
		got, err := ask(list)
		if err != nil {
			return nil, err
		}
		if len(got) != len(list) {
			return nil, errors.New("answers and reads differ in number")
		}
		for k, i := range places {
			answers[i] = got[k]
		}
	}
	return answers, nil
}

// levels are the positions of reads by how many answers they have to wait for.
func levels(reads []Read) [][]int {
	var out [][]int
	level := make([]int, len(reads))
	for i := range reads {
		for _, l := range reads[i].Links {
			level[i] = max(level[i], level[i-l.Back]+1)
		}
		for len(out) <= level[i] {
			out = append(out, nil)
		}
		out[level[i]] = append(out[level[i]], i)
	}
	return out
}

// Program is code of ours that a node runs at an unused address, next to contracts
// whose storage it reads: called with 32-byte slots, each of them returns the words.
// Thousands of slots that depend on each other are one question that way.
// Allowed only where [Capabilities.Slots] is true.
type Program struct {
	Code    []byte    // runtime bytecode
	Storage []Address // the contracts whose storage it reads
	Item    int       // its input is a list of items of so many bytes
	Slots   int       // and reads about so many slots for each
	// Witness is a slot of one of the contracts that is never zero: a node that has not
	// shown yet that it keeps the storage of contracts whose code is replaced shows it there.
	Witness Read
	address Address
}

// NewProgram prepares a program.
func NewProgram(code []byte, storage []Address, item, slots int, witness Read) *Program {
	p := &Program{Code: code, Storage: storage, Item: item, Slots: slots, Witness: witness}
	parts := [][]byte{[]byte("liqwatch program"), binary.BigEndian.AppendUint32(nil, uint32(len(code))), code}
	for i := range storage {
		parts = append(parts, storage[i][:])
	}
	p.address = Keccak(parts...).Address()
	return p
}

// Address is where the program is put: it follows from all that the program is.
func (p *Program) Address() Address { return p.address }

// Run asks a program about a list of items. A run that fails is Failed; its answer
// is the program's own.
func (p *Program) Run(input []byte) Read { return Read{To: p.address, Data: input, Program: p} }
