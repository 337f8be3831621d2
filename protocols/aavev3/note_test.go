package aavev3

import (
	"testing"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
	"liqwatch/protocols/pricing"
)

// FuzzNote feeds logs of any shape to a market with a shape: nothing panics, and
// nobody is invented who was not in a topic.
func FuzzNote(f *testing.F) {
	topics := followedTopics()
	f.Add(0, uint8(3), []byte{1, 2, 3}, uint8(0))
	f.Add(5, uint8(0), []byte{}, uint8(2))
	f.Fuzz(func(t *testing.T, which int, extra uint8, data []byte, from uint8) {
		m, err := newMarket(protocols.Placement{}, Settings{Provider: chains.Address{9}})
		if err != nil {
			t.Fatal(err)
		}
		p, _ := ProfileOf(10, NoFork)
		m.shape = &shape{
			provider: chains.Address{9}, pool: chains.Address{1}, configurator: chains.Address{2}, oracle: chains.Address{3}, profile: p,
			reserves: []reserve{{asset: chains.Address{31 - 12: 2}, params: decodeParams(uint256.NewInt(0)), aToken: chains.Address{5}, debtToken: chains.Address{6}}},
		}
		m.shape.index()
		m.book = &Book{
			shelf: &shelf{}, shape: m.shape, table: newTable(p, m.shape.reserves, nil, 1),
			prices: protocols.Prices{Raw: make([]uint256.Int, 1)},
			sheet:  &pricing.Sheet{Symbols: []string{""}, Models: []pricing.Model{{Feed: -1}}, Prices: protocols.Prices{Raw: make([]uint256.Int, 1)}},
		}
		l := chains.Log{Address: m.shape.followed[int(from)%len(m.shape.followed)], Data: data}
		if which >= 0 {
			l.Topics = append(l.Topics, topics[which%len(topics)])
		}
		for i := range extra % 5 {
			l.Topics = append(l.Topics, chains.Hash{31: i + 1})
		}
		m.Note([]chains.Log{l})
		m.Liquidations([]chains.Log{l})
		if len(m.known) > 1 {
			t.Fatalf("one log made %d accounts", len(m.known))
		}
	})
}
