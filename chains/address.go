package chains

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Address is the 20 bytes that name an account or contract on every network
// here; how it is written is the network's own affair.
type Address [20]byte

// Hash is 32 bytes: a block, a transaction, a topic, a storage slot or word.
type Hash [32]byte

// ParseAddress reads a 0x-prefixed address, whose mixed case must carry a right
// EIP-55 checksum, or a TRON address in base58check, whose checksum must be right.
func ParseAddress(s string) (Address, error) {
	if strings.HasPrefix(s, "T") {
		return parseBase58(s)
	}
	body, ok := strings.CutPrefix(s, "0x")
	if !ok || len(body) != 40 {
		return Address{}, fmt.Errorf("address %q: want 0x and 40 hex digits, or a TRON address of 34 characters", s)
	}
	raw, err := hex.DecodeString(body)
	if err != nil {
		return Address{}, fmt.Errorf("address %q: want 0x and 40 hex digits", s)
	}
	a := Address(raw)
	mixed := body != strings.ToLower(body) && body != strings.ToUpper(body)
	if mixed && a.String() != s {
		return Address{}, fmt.Errorf("address %q: wrong checksum, one digit or letter case is off (expected %s if the digits are right)", s, a)
	}
	return a, nil
}

// MustAddress is ParseAddress for constants in code.
func MustAddress(s string) Address {
	a, err := ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

// String is the EIP-55 form.
func (a Address) String() string { return common.Address(a).Hex() }

// IsZero reports the address of nobody.
func (a Address) IsZero() bool { return a == Address{} }

// MarshalText writes the EIP-55 form.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what ParseAddress reads.
func (a *Address) UnmarshalText(b []byte) error {
	p, err := ParseAddress(string(b))
	if err != nil {
		return err
	}
	*a = p
	return nil
}

// Word is the address left-padded to 32 bytes, as ABI arguments and topics hold it.
func (a Address) Word() Hash {
	var h Hash
	copy(h[12:], a[:])
	return h
}

// Address is the low 20 bytes of a word.
func (h Hash) Address() Address { return Address(h[12:]) }

// ParseHash reads a 0x-prefixed 32-byte value.
func ParseHash(s string) (Hash, error) {
	body, ok := strings.CutPrefix(s, "0x")
	raw, err := hex.DecodeString(body)
	if !ok || err != nil || len(raw) != 32 {
		return Hash{}, fmt.Errorf("hash %q: want 0x and 64 hex digits", s)
	}
	return Hash(raw), nil
}

// MustHash is ParseHash for constants in code.
func MustHash(s string) Hash {
	h, err := ParseHash(s)
	if err != nil {
		panic(err)
	}
	return h
}

// String is the 0x form.
func (h Hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// MarshalText writes the 0x form.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the 0x form.
func (h *Hash) UnmarshalText(b []byte) error {
	p, err := ParseHash(string(b))
	if err != nil {
		return err
	}
	*h = p
	return nil
}

// Keccak is the hash function of the EVM.
func Keccak(parts ...[]byte) Hash { return Hash(crypto.Keccak256Hash(parts...)) }
