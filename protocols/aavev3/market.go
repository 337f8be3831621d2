package aavev3

import (
	"maps"
	"slices"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// Market is one Aave v3 pool. It implements [protocols.Market].
type Market struct {
	where    protocols.Placement
	settings Settings
	can      chains.Capabilities
	shape    *shape
	known    map[chains.Address]struct{}
	noted    *noted
	book     *Book
	cutoffs  map[chains.Address]uint64 // of delayed feeds, by aggregator
}

var _ protocols.Market = (*Market)(nil)

// Name implements [protocols.Market].
func (m *Market) Name() string { return m.where.Name }

// Chain implements [protocols.Market].
func (m *Market) Chain() string { return m.where.Chain }

// Protocol implements [protocols.Market].
func (m *Market) Protocol() string { return Name }

// Discovery implements [protocols.Market]: whoever has debt once borrowed. How long
// delayed feeds wait is known from their logs alone, so those are looked for as well.
func (m *Market) Discovery() (chains.Filter, uint64) {
	if m.shape == nil {
		return chains.Filter{}, m.settings.FromBlock
	}
	f := chains.Filter{Addresses: []chains.Address{m.shape.pool}, Topics: []chains.Hash{topicBorrow}}
	for i := range m.shape.oracles.feeds {
		if m.shape.oracles.watched(i) {
			f.Addresses = append(f.Addresses, m.shape.oracles.feeds[i].primary)
			f.Topics = []chains.Hash{topicBorrow, topicCutoff}
		}
	}
	return f, m.settings.FromBlock
}

// Follow implements [protocols.Market].
func (m *Market) Follow() chains.Filter {
	if m.shape == nil {
		return chains.Filter{}
	}
	return chains.Filter{Addresses: m.shape.followed, Topics: followedTopics()}
}

// Know implements [protocols.Market]. Accounts not known before are read by the next refresh.
func (m *Market) Know(accounts []chains.Address) {
	m.noted.seq++
	for _, a := range accounts {
		if _, known := m.known[a]; !known {
			m.borrower(a)
		}
	}
}

// Accounts implements [protocols.Market].
func (m *Market) Accounts() []chains.Address { return slices.Collect(maps.Keys(m.known)) }

// Book implements [protocols.Market].
func (m *Market) Book() protocols.Book {
	if m.book == nil {
		return nil
	}
	return m.book
}
