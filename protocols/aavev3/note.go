package aavev3

import (
	"slices"

	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// token says what a token contract is to the market.
type token struct {
	asset chains.Address
	debt  bool
}

// Note implements [protocols.Market].
func (m *Market) Note(logs []chains.Log) {
	if m.shape == nil {
		return
	}
	m.noted.seq++
	for i := range logs {
		m.noteOne(&logs[i])
	}
}

func (m *Market) noteOne(l *chains.Log) {
	if len(l.Topics) == 0 {
		return
	}
	if l.Topics[0] == topicUpgraded {
		if _, ours := m.shape.proxies[l.Address]; ours {
			m.noted.upgrade(l.Address.String() + " has a new implementation")
		}
		return
	}
	if t, ok := m.shape.tokens[l.Address]; ok {
		m.noteToken(l, t)
		return
	}
	switch l.Address {
	case m.shape.pool:
		m.notePool(l)
	case m.shape.configurator:
		m.noteConfigurator(l)
	case m.shape.provider:
		if slices.Contains(topicsProvider, l.Topics[0]) {
			m.noted.upgrade("the PoolAddressesProvider names new contracts")
		}
	case m.shape.oracle:
		if l.Topics[0] == topicSource || l.Topics[0] == topicFallback {
			m.noted.shape()
		}
	default:
		m.noteFeed(l)
	}
}

// noteFeed notes new caps, and how long a delayed feed waits.
func (m *Market) noteFeed(l *chains.Log) {
	switch l.Topics[0] {
	case topicCap, topicStableCap:
		m.noted.shape()
	case topicCutoff:
		if x, err := abi.Number(l.Data, 0); err == nil && x.IsUint64() {
			m.cutoffs[l.Address] = x.Uint64()
		}
	}
}

// topic is the i-th topic as an address; zero when the log has fewer.
func topic(l *chains.Log, i int) chains.Address {
	if i >= len(l.Topics) {
		return chains.Address{}
	}
	return l.Topics[i].Address()
}

// touched marks an account whose collateral moved. One without debt is of no
// interest until a log of a debt token says that it has some: then all is read.
func (m *Market) touched(a chains.Address) {
	if m.book == nil {
		return
	}
	if _, has := m.book.shelf.find(a); has {
		m.noted.account(a)
	}
}

// borrower marks an account whose debt moved.
func (m *Market) borrower(a chains.Address) {
	if a.IsZero() {
		return
	}
	m.known[a] = struct{}{}
	m.noted.account(a)
}

func (m *Market) noteToken(l *chains.Log, t token) {
	switch {
	case l.Topics[0] == topicTransfer:
		m.touched(topic(l, 1))
		m.touched(topic(l, 2))
	case l.Topics[0] == topicMint && t.debt, l.Topics[0] == topicStableMint:
		m.borrower(topic(l, 2))
		m.noted.reserve(t.asset)
	case l.Topics[0] == topicBurn && t.debt, l.Topics[0] == topicStableBurn:
		m.borrower(topic(l, 1))
		m.noted.reserve(t.asset)
	case l.Topics[0] == topicMint:
		m.touched(topic(l, 2))
		m.noted.reserve(t.asset)
	case l.Topics[0] == topicBurn:
		m.touched(topic(l, 1))
		m.noted.reserve(t.asset)
	}
}

func (m *Market) notePool(l *chains.Log) {
	switch l.Topics[0] {
	case topicBorrow:
		m.borrower(topic(l, 2))
		m.noted.reserve(topic(l, 1))
	case topicReserveData, topicDeficitCovered, topicMintedToTreasury:
		m.noted.reserve(topic(l, 1))
	case topicCollateralEnabled, topicCollateralDisabled, topicSwapRate:
		m.touched(topic(l, 2))
	case topicUserEMode:
		m.touched(topic(l, 1))
	case topicLiquidation:
		// With receiveAToken the collateral reserve accrues without saying so.
		m.noted.reserve(topic(l, 1))
		m.noted.reserve(topic(l, 2))
		m.borrower(topic(l, 3))
	case topicDeficit:
		m.borrower(topic(l, 1))
		m.noted.reserve(topic(l, 2))
	}
}

func (m *Market) noteConfigurator(l *chains.Log) {
	switch t := l.Topics[0]; {
	case t == topicInitialized, t == topicDropped:
		m.noted.shape()
	case t == topicATokenUp, t == topicDebtTokenUp:
		m.noted.upgrade("a token has a new implementation")
	case t == topicEModeAdded, t == topicEModeIsolate:
		if !m.shape.profile.Bitmaps {
			m.noted.shape() // the category may have got a price source of its own
		} else if len(l.Topics) > 1 {
			m.noted.mode(l.Topics[1][31])
		}
	case slices.Contains(topicsEModeAsset, t):
		if len(l.Data) >= 32 {
			m.noted.mode(l.Data[31])
		}
	case slices.Contains(topicsReserve, t):
		m.noted.reserve(topic(l, 1))
	}
}
