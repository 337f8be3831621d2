package tron

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A node bears calls of up to some size, and pauses now and then. The size found
// comes close to what it bears, and pauses do not ruin it.
func TestSizesOfCallsAreLearned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bears := rapid.IntRange(1, mostPack).Draw(t, "bears")
		pauses := rapid.IntRange(5, 50).Draw(t, "pause every")
		c := &Client{size: sizes{pack: firstPack, ceiling: mostPack + 1}}
		wasted, calls := 0, 0
		for i := range 2000 {
			views := c.size.pack
			slow := 0
			for try := 0; ; try++ {
				calls++
				if views <= bears && calls%pauses != 0 {
					c.fastEnough(views)
					break
				}
				if slow++; slow >= c.slowTries(views) {
					c.tooSlow(views)
					break
				}
			}
			if views > bears && i > 200 {
				wasted++
			}
		}
		require.LessOrEqual(t, c.size.pack, mostPack)
		require.GreaterOrEqual(t, c.size.proven, (bears+1)/2, "a call of %d would do", bears)
		require.Less(t, wasted, 200)
	})
}
