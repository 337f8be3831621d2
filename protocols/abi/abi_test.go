package abi

import (
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
)

func TestCallAndTopicAreTheStandardOnes(t *testing.T) {
	require.Equal(t, []byte{0x01, 0x48, 0x17, 0x0e}, Call("POOL_REVISION()"))
	require.Equal(t, "0x804c9b842b2748a22bb64b345453a3de7ca54a6ca45ce00d415894979e22897a",
		Topic("ReserveDataUpdated(address,uint256,uint256,uint256,uint256,uint256)").String())
}

func TestTextReadsBothWaysAndDefusesTheRest(t *testing.T) {
	word := append([]byte("MKR"), make([]byte, 29)...)
	require.Equal(t, "MKR", Text(word))
	require.Equal(t, "", Text(nil))
	require.Equal(t, "", Text(make([]byte, 32)))
	long := make([]byte, 0, 96)
	u := Uint(32)
	long = append(long, u[:]...)
	u = Uint(12)
	long = append(long, u[:]...)
	long = append(long, append([]byte("a<b>\u202e\x1b[31m"), make([]byte, 20)...)...)
	require.Equal(t, "ab31m", Text(long))
}

func FuzzAnswers(f *testing.F) {
	f.Add(make([]byte, 32), 0)
	f.Add(make([]byte, 96), 1)
	f.Fuzz(func(t *testing.T, data []byte, i int) {
		_, _ = Word(data, i)
		_, _ = Address(data, i)
		_, _ = List(data, i)
		_, _ = Bytes(data, i)
		s := Text(data)
		if len([]rune(s)) > maxText {
			t.Fatalf("text of %d characters", len([]rune(s)))
		}
	})
}

func TestSlotOfMapping(t *testing.T) {
	// keccak256(pad(0) || pad(0)), the slot of the first key of the first mapping.
	require.Equal(t, "0xad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5", Slot(chains.Hash{}, 0).String())
	require.Equal(t, Uint(7), Offset(Uint(5), 2))
}
