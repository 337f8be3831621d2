package asm

// SlotReader is code that answers the storage words its calldata names, as 32-byte
// slots, in their order. It replaces the code of a contract whose storage is wanted.
func SlotReader() []byte {
	a := New()
	a.Push(0)
	a.Label("next")
	a.Op(Dup1, CalldataLoad, Sload, Dup2, Mstore)
	a.Push(32).Op(Add)
	a.Op(Dup1, CalldataSize, Gt).Ref("next").Op(Jumpi)
	a.Op(CalldataSize).Push(0).Op(Return)
	return a.Bytes()
}
