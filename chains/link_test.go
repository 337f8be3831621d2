package chains_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
)

func TestLinksThatCannotBeFollowedAreRefused(t *testing.T) {
	room := make([]byte, 36)
	a := chains.Address{1}
	for name, reads := range map[string][]chains.Read{
		"itself":       {chains.View(a, room).With(chains.Link{Back: 0, Into: 4})},
		"before all":   {chains.View(a, room).With(chains.Link{Back: 1, Into: 4})},
		"no room":      {chains.View(a, room), chains.View(a, room).With(chains.Link{Back: 1, Into: 5})},
		"from a slot":  {chains.Slot(a, chains.Hash{}), chains.View(a, room).With(chains.Link{Back: 1, Into: 4})},
		"into a slot":  {chains.View(a, room), chains.Slot(a, chains.Hash{}).With(chains.Link{Back: 1, Into: 4})},
		"before zero":  {chains.View(a, room), chains.View(a, room).With(chains.Link{Back: 1, From: -1, Into: 4})},
		"into nowhere": {chains.View(a, room), chains.View(a, room).With(chains.Link{Back: 1, Into: -2})},
	} {
		require.Error(t, chains.CheckLinks(reads), name)
	}
}

func TestLinkedReadsAreAskedLevelByLevel(t *testing.T) {
	word := func(b byte) []byte { return append(make([]byte, 31), b) }
	reads := []chains.Read{
		chains.View(chains.Address{19: 9}, []byte{1}),
		chains.At([]byte{2}, chains.Link{Back: 1}),
		chains.At([]byte{3}, chains.Link{Back: 1, From: 32}, chains.Link{Back: 2}), // the first is missing, the second stands
		chains.At(append([]byte{4}, make([]byte, 32)...), chains.Link{Back: 3}).With(chains.Link{Back: 3, From: 16, Into: 1}),
		chains.At([]byte{5}, chains.Link{Back: 1}), // follows what was not asked
	}
	var asked [][]chains.Read
	answers, err := chains.ReadLinked(reads, func(level []chains.Read) ([]chains.Answer, error) {
		asked = append(asked, level)
		out := make([]chains.Answer, len(level))
		for i, r := range level {
			out[i].Data = word(r.To[19] + r.Data[0])
		}
		return out, nil
	})
	require.NoError(t, err)
	require.Equal(t, [][]chains.Read{
		{reads[0]},
		{{To: chains.Address{19: 10}, Data: []byte{2}}},
		{{To: chains.Address{19: 10}, Data: []byte{3}}},
	}, asked)
	require.Equal(t, []chains.Answer{{Data: word(10)}, {Data: word(12)}, {Data: word(13)}, {Failed: true}, {Failed: true}}, answers)
}
