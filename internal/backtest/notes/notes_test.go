package notes

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNotesCountAllAndShowTheFirst(t *testing.T) {
	var a, b Notes
	for i := range 7 {
		a.Add(Gap, "what", At("f", i+1, "x"))
	}
	b.Add(Gap, "what", "g:1")
	b.Add(Glitch, "other", "")
	a.Merge(b)
	require.Equal(t, 8, a.Count(Gap))
	require.Equal(t, 1, a.Count(Glitch))
	require.Len(t, a.All()[0].Where, Examples)
	require.Equal(t, "gap: what (8): f:1: x; f:2: x; f:3: x; f:4: x; f:5: x; ...", a.All()[0].String())
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]uint64{
		"1621209600": 1621209600, "1621209600000": 1621209600, "2021-05-17T00:00:00Z": 1621209600,
		"2021-05-17T02:00:00+02:00": 1621209600, "2021-05-17 00:00:00.000": 1621209600, "2021-05-17": 1621209600,
		"2021-05-17 0:00:00": 1621209600,
	} {
		got, _, err := ParseTime(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	_, utc, err := ParseTime("2021-05-17 00:00:00")
	require.NoError(t, err)
	require.True(t, utc, "no zone")
	_, utc, err = ParseTime("2021-05-17T00:00:00Z")
	require.NoError(t, err)
	require.False(t, utc)
	for _, bad := range []string{"", "soon", "1969-12-31T23:59:59Z", "99999999999999999", "-5"} {
		_, _, err := ParseTime(bad)
		require.Error(t, err, bad)
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2021-05-17 1:00:00")
	f.Add("1621209600000")
	f.Fuzz(func(t *testing.T, s string) {
		if at, _, err := ParseTime(s); err == nil && at > 1<<33 {
			t.Fatalf("%q became %d", s, at)
		}
	})
}
