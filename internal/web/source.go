package web

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
	"liqwatch/internal/store"
	"liqwatch/protocols"
)

// Source is what is watched, as it stands now.
type Source interface {
	// Books are the newest, by chain and market name.
	Books() []protocols.Book
	// Chains are all that are watched, by name, whether or not they answer.
	Chains() []ChainState
}

// ChainState is where the watching of one chain stands.
type ChainState struct {
	Name  string
	Block chains.Block // of the last pass that succeeded; zero before the first
	Final uint64
	// Fed is when that pass ended.
	Fed time.Time
	// BlockTime is the usual time between two blocks; 0 when unknown.
	BlockTime time.Duration
	// Why is what made the last pass fail, without secrets; empty when it succeeded.
	Why     string
	Markets []MarketState
	Spots   []SpotPrice
	Nodes   []NodeState
}

// MarketState is where one configured market stands.
type MarketState struct {
	Name string
	// Fed is when its book last moved; zero before the first.
	Fed time.Time
	// Why is what keeps it from being brought to new blocks, without secrets.
	Why string
	// Verified is when all its accounts were last read again and compared.
	Verified time.Time
}

// SpotPrice is the market's own price beside the oracle's.
type SpotPrice struct {
	Axis    string
	Price   decimal.Decimal
	Updated time.Time // by the feed's own word
}

// NodeState is what was asked of one node since the start.
type NodeState struct {
	Name     string // scheme and host
	State    string // "good", "out", ...; empty where the client does not tell
	Why      string // why it is not good, without secrets
	Requests map[string]uint64
	Failed   uint64
}

// Keeper is what the page reads from the store.
type Keeper interface {
	HistoryPrices(ctx context.Context, axis string, r store.Resolution, from, to time.Time) ([]store.PricePoint, error)
	HistoryBands(ctx context.Context, axis, market string, r store.Resolution, from, to time.Time) (map[int64]map[int]uint64, error)
	HistoryTotals(ctx context.Context, market string, r store.Resolution, at time.Time) (store.MarketTotals, bool, error)
	Liquidations(ctx context.Context, since time.Time, limit int) ([]store.Liquidation, error)
	LargestLiquidations(ctx context.Context, market string, from, to time.Time, limit int) ([]store.LiquidationPoint, int, error)
	LiquidationTotals(ctx context.Context, since time.Time) (store.LiquidationTotals, error)
	Alerts(ctx context.Context, limit int) ([]store.ListedAlert, error)
	AlertCounts(ctx context.Context) ([]store.AlertCount, error)
	Queue(ctx context.Context) (store.QueueState, error)
	Acknowledge(ctx context.Context, id, name string, at time.Time) error
}

// Muter lets a rule be quiet for a while.
type Muter interface {
	Mute(ctx context.Context, rule string, m alerts.Mute) (bool, error)
	Mutes(now time.Time) map[string]alerts.Mute
}

// Rule is what the page says of a rule.
type Rule struct {
	Name   string            `json:"name"`
	Axis   string            `json:"axis"`
	Levels []decimal.Decimal `json:"levels"`
	// Watch says in words what a rule watches that has no levels of an axis.
	Watch string `json:"watch,omitempty"`
}
