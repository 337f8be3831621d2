package clip

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestATextIsCutBetweenCharacters(t *testing.T) {
	escape := func(s string) string { return strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s) }
	piece := rapid.SampledFrom([]string{"a", "&", "<", " ", "\n", "🇺🇦", "👩‍👩‍👧", "é", "é", "漢", "\u202e"})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOf(piece).Draw(t, "text"), "")
		limit := rapid.IntRange(3, 60).Draw(t, "limit")
		for name, measure := range map[string]Measure{"bytes": Bytes, "runes": Runes, "units": Units} {
			got := Escaped(s, limit, measure, escape)
			require.LessOrEqual(t, measure(got), limit, name)
			require.True(t, utf8.ValidString(got))
			if measure(escape(s)) <= limit {
				require.Equal(t, escape(s), got)
				continue
			}
			kept, cut := strings.CutSuffix(got, Mark)
			require.True(t, cut)
			plain := strings.NewReplacer("&amp;", "&", "&lt;", "<").Replace(kept)
			require.True(t, strings.HasPrefix(s, plain))
			require.Equal(t, uniseg.GraphemeClusterCount(s), uniseg.GraphemeClusterCount(plain)+uniseg.GraphemeClusterCount(s[len(plain):]))
		}
	})
}

func TestWhatIsNoUTF8IsMadeIt(t *testing.T) {
	require.Equal(t, "a\uFFFDb", To("a\xffb", 10, Runes))
}

func TestAMegabyteIsCutAtOnce(t *testing.T) {
	got := To(strings.Repeat("<@everyone>", 100_000), 40, Runes)
	require.Equal(t, 40, Runes(got))
}

func TestNothingFitsIntoNothing(t *testing.T) {
	require.Empty(t, To("abc", 0, Runes))
}
