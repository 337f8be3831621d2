package watch

import (
	"context"
	"slices"
	"sync"

	"liqwatch/chains"
)

// MemoryAccounts is an [Accounts] that lasts as long as the process: for replays,
// measurements, and looks without a store.
type MemoryAccounts struct {
	mu   sync.Mutex
	sets map[string]*memorySet
}

type memorySet struct {
	accounts []chains.Address
	have     map[chains.Address]bool
	cursor   chains.Block
}

// Accounts are those saved in the set.
func (m *MemoryAccounts) Accounts(_ context.Context, set string) ([]chains.Address, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.sets[set]; s != nil {
		return slices.Clone(s.accounts), nil
	}
	return nil, nil
}

// Cursor is the block last saved for the set.
func (m *MemoryAccounts) Cursor(_ context.Context, set string) (chains.Block, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.sets[set]; s != nil {
		return s.cursor, true, nil
	}
	return chains.Block{}, false, nil
}

// SaveAccounts adds accounts to the set and moves its cursor.
func (m *MemoryAccounts) SaveAccounts(_ context.Context, set string, fresh []chains.Address, upTo chains.Block) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sets == nil {
		m.sets = map[string]*memorySet{}
	}
	s := m.sets[set]
	if s == nil {
		s = &memorySet{have: map[chains.Address]bool{}}
		m.sets[set] = s
	}
	for _, a := range fresh {
		if !s.have[a] {
			s.have[a] = true
			s.accounts = append(s.accounts, a)
		}
	}
	s.cursor = upTo
	return nil
}
