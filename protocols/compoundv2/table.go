package compoundv2

import (
	"maps"
	"slices"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// listing is what never changes about one market: a cToken and what it stands for.
type listing struct {
	protocols.Asset                // of the underlying
	token           chains.Address // the cToken
	tokenSymbol     string
	native          bool // the chain's own coin: no underlying()
	vai             bool // not a market: the VAI debt of Venus, at one dollar
}

// state is one market as its cToken stores it, and what the comptroller says of it.
// Mantissas have 18 decimals.
type state struct {
	rate, index                     uint256.Int // exchangeRateStored, borrowIndex
	supply, cash, borrows, reserves uint256.Int
	accruedAt                       uint64      // accrualBlockNumber or accrualBlockTimestamp
	borrowRate                      uint256.Int // per block or second
	reserveFactor                   uint256.Int
	protocolSeize                   uint256.Int // part of what is seized that the reserves keep
	read                            *chains.Block
}

// risk is what the comptroller holds for one market.
type risk struct {
	listed    bool
	weight    uint256.Int // collateral factor, or liquidation threshold where they are apart
	incentive uint256.Int
	paused    bool // liquidation of this debt or seizure of this collateral
	forced    bool // liquidation without shortfall is allowed
}

// pool is one of Venus' pools with parameters of its own.
type pool struct {
	active, fallsBack bool
	risks             map[int]risk // by market; only those listed in the pool
}

// posting is the last price that the poster asked for.
type posting struct {
	requested, taken uint256.Int
	block            uint64
}

// layout is where a cToken keeps its accounts' debts, found by trying.
type layout struct {
	known, tried bool
	slot         uint64 // of mapping(address => BorrowSnapshot)
}

// table is everything about the market that is not about one account. It is
// copied for a refresh and never changes once in a book.
type table struct {
	profile     Profile
	oracle      chains.Address
	poster      chains.Address // where prices are posted with a cap; zero where there is none
	vai         chains.Address // VAI controller
	vaiIndex    uint256.Int
	closeFactor uint256.Int
	halted      bool // no liquidation anywhere
	list        []listing
	states      []state
	risks       []risk
	prices      []uint256.Int
	pricesAt    *chains.Block
	pools       map[uint64]pool
	postings    map[int]posting
	layouts     []layout
	classes     []class
	staked      staked
	unitDigits  int32 // decimals of the quote unit
}

func (t *table) clone() *table {
	c := *t
	c.list = slices.Clone(t.list)
	c.states = slices.Clone(t.states)
	c.risks = slices.Clone(t.risks)
	c.prices = slices.Clone(t.prices)
	c.pools = maps.Clone(t.pools)
	c.postings = maps.Clone(t.postings)
	c.layouts = slices.Clone(t.layouts)
	c.classes = slices.Clone(t.classes)
	return &c
}

// add appends a market and returns its place.
func (t *table) add(l listing) int {
	t.list = append(t.list, l)
	t.states = append(t.states, state{})
	t.risks = append(t.risks, risk{})
	t.prices = append(t.prices, uint256.Int{})
	t.layouts = append(t.layouts, layout{})
	t.classes = append(t.classes, class{})
	return len(t.list) - 1
}

// find is the place of a cToken, or -1.
func (t *table) find(token chains.Address) int {
	for i := range t.list {
		if t.list[i].token == token && !t.list[i].vai {
			return i
		}
	}
	return -1
}

// place is the row of the VAI debt, or -1.
func (t *table) vaiPlace() int {
	for i := range t.list {
		if t.list[i].vai {
			return i
		}
	}
	return -1
}

// risk is what weighs for an account of a pool: the pool's own market, the core
// market where the pool falls back, nothing where it does not
// (MarketFacet.getLiquidationParams).
func (t *table) risk(poolID uint64, market int) risk {
	core := t.risks[market]
	if poolID == 0 {
		return core
	}
	p, ok := t.pools[poolID]
	if !ok || !p.active {
		return core
	}
	own, listed := p.risks[market]
	switch {
	case listed:
		own.paused, own.forced, own.listed = core.paused, core.forced, core.listed
		return own
	case p.fallsBack:
		return core
	}
	return risk{paused: core.paused, forced: core.forced, listed: core.listed}
}

// periods is how many blocks or seconds of interest a liquidation in the block
// after at would accrue.
func (t *table) periods(market int, at chains.Block) uint64 {
	now, then := at.Number+1, t.states[market].accruedAt
	if t.profile.Seconds {
		now = at.Time
	}
	if then == 0 || now < then {
		return 0
	}
	return now - then
}
