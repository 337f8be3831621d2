package evm

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"liqwatch/chains"
)

// text reads a JSON string.
func text(raw json.RawMessage) (string, error) {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", lie("want a string, got %s", clip(string(raw)))
	}
	return *s, nil
}

// quantity reads a JSON hex number of at most 64 bits.
func quantity(raw json.RawMessage) (uint64, error) {
	s, err := text(raw)
	if err != nil {
		return 0, err
	}
	return parseQuantity(s)
}

func parseQuantity(s string) (uint64, error) {
	body, ok := strings.CutPrefix(s, "0x")
	n, err := strconv.ParseUint(body, 16, 64)
	if !ok || err != nil {
		return 0, lie("want a hex number, got %q", clip(s))
	}
	return n, nil
}

// hexBytes reads a JSON hex string without going through a Go string: answers of
// several megabytes are the rule here.
func hexBytes(raw json.RawMessage) ([]byte, error) {
	if len(raw) < 4 || raw[0] != '"' || raw[1] != '0' || raw[2] != 'x' || raw[len(raw)-1] != '"' {
		return nil, lie("want hex data, got %s", clip(string(raw[:min(len(raw), 200)])))
	}
	digits := raw[3 : len(raw)-1]
	out := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(out, digits); err != nil {
		return nil, lie("hex data are not hex: %v", err)
	}
	return out, nil
}

func parseHex(s string) ([]byte, error) {
	out := make([]byte, max(0, len(s)-2)/2)
	if !unhex(out, s) {
		return nil, lie("want hex data, got %q", clip(s))
	}
	return out, nil
}

func parseHash(s string) (h chains.Hash, err error) {
	if !unhex(h[:], s) {
		return h, lie("want a 32-byte hash, got %q", clip(s))
	}
	return h, nil
}

func parseAddress(s string) (a chains.Address, err error) {
	if !unhex(a[:], s) {
		return a, lie("want a 20-byte address, got %q", clip(s))
	}
	return a, nil
}

// unhex reads 0x-prefixed hex that fills dst exactly. It allocates nothing: logs
// come by the hundred thousand.
func unhex(dst []byte, s string) bool {
	if len(s) != 2+2*len(dst) || s[0] != '0' || s[1] != 'x' {
		return false
	}
	for i := range dst {
		hi, lo := nibble(s[2+2*i]), nibble(s[3+2*i])
		if hi|lo > 15 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

func hexNumber(n uint64) string { return "0x" + strconv.FormatUint(n, 16) }

func hexData(b []byte) string { return "0x" + hex.EncodeToString(b) }
