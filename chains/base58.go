package chains

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
)

// tronPrefix is the version byte before the 20 bytes of a TRON address.
const tronPrefix = 0x41

const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// Base58 is the address as TRON writes it: base58 of 0x41, the 20 bytes, and the
// first four bytes of sha256(sha256(those 21)).
func (a Address) Base58() string {
	raw := append([]byte{tronPrefix}, a[:]...)
	raw = append(raw, checksum(raw)...)
	x := new(big.Int).SetBytes(raw)
	base, digit := big.NewInt(58), new(big.Int)
	var out []byte
	for x.Sign() > 0 {
		x.DivMod(x, base, digit)
		out = append(out, base58Digits[digit.Int64()])
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}

// parseBase58 reads what Base58 writes.
func parseBase58(s string) (Address, error) {
	if len(s) != 34 {
		return Address{}, fmt.Errorf("address %q: a TRON address has 34 characters, this has %d", s, len(s))
	}
	x, base := new(big.Int), big.NewInt(58)
	for i := range len(s) {
		d := bytes.IndexByte([]byte(base58Digits), s[i])
		if d < 0 {
			return Address{}, fmt.Errorf("address %q: %q is not a base58 digit", s, s[i])
		}
		x.Mul(x, base).Add(x, big.NewInt(int64(d)))
	}
	if x.BitLen() > 25*8 {
		return Address{}, fmt.Errorf("address %q: too large for a TRON address", s)
	}
	raw := x.FillBytes(make([]byte, 25))
	if !bytes.Equal(checksum(raw[:21]), raw[21:]) {
		return Address{}, fmt.Errorf("address %q: wrong checksum, one character is off", s)
	}
	if raw[0] != tronPrefix {
		return Address{}, fmt.Errorf("address %q: not a TRON address (prefix %#x, want %#x)", s, raw[0], tronPrefix)
	}
	return Address(raw[1:21]), nil
}

func checksum(b []byte) []byte {
	first := sha256.Sum256(b)
	second := sha256.Sum256(first[:])
	return second[:4]
}
