package chains

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTronAddressesAsPublished(t *testing.T) {
	for base58, hex := range map[string]string{
		"TGjYzgCyPobsNS9n6WcbdLVR9dH7mWqFx7": "0x4a33bf2666f2e75f3d6ad3b9ad316685d5c668d4",
		"TE2RzoSV3wFK99w6J9UnnZ4vLfXYoxvRwP": "0x2c7c9963111905d29eb8da37d28b0f53a7bb5c28",
		"T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb": "0x0000000000000000000000000000000000000000",
	} {
		a, err := ParseAddress(base58)
		require.NoError(t, err)
		require.Equal(t, MustAddress(hex), a)
		require.Equal(t, base58, a.Base58())
	}
}

func TestTronAddressesOfWrongChecksumAreRefused(t *testing.T) {
	for _, s := range []string{
		"TGjYzgCyPobsNS9n6WcbdLVR9dH7mWqFx8", "TGjYzgCyPobsNS9n6WcbdLVR9dH7mWqFx", "T0jYzgCyPobsNS9n6WcbdLVR9dH7mWqFx7", "T",
		// Both stand in a published list and fail their own checksum.
		"T9gCxZ3Ypm", "Tzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
	} {
		_, err := ParseAddress(s)
		require.Error(t, err, s)
	}
}

func TestBase58RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "address"))
		s := a.Base58()
		back, err := ParseAddress(s)
		require.NoError(t, err)
		require.Equal(t, a, back)
		at := rapid.IntRange(1, len(s)-1).Draw(t, "at")
		wrong := rapid.SampledFrom([]byte(base58Digits)).Draw(t, "digit")
		if wrong != s[at] {
			_, err := ParseAddress(s[:at] + string(wrong) + s[at+1:])
			require.Error(t, err)
		}
	})
}

func FuzzParseAddress(f *testing.F) {
	f.Add("TGjYzgCyPobsNS9n6WcbdLVR9dH7mWqFx7")
	f.Add("0x4a33bf2666f2e75f3d6ad3b9ad316685d5c668d4")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err == nil && s[0] == 'T' && a.Base58() != s {
			t.Fatalf("%q read as %s", s, a.Base58())
		}
	})
}
