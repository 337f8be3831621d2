// Package storetest is what every store must do, whatever database is behind it.
package storetest

import (
	"context"
	"testing"

	"liqwatch/chains"
	"liqwatch/internal/alerts"
)

// Store is all that the rooms ask of a store.
type Store interface {
	alerts.Ledger
	alerts.Outbox
	alerts.DeskKeeper
	alerts.FollowUpKeeper
	Accounts(ctx context.Context, market string) ([]chains.Address, error)
	Cursor(ctx context.Context, market string) (chains.Block, bool, error)
	SaveAccounts(ctx context.Context, market string, accounts []chains.Address, at chains.Block) error
	Forget(ctx context.Context, market string) error
	Close() error
}

// Open opens the same store again after a Close.
type Open func() (Store, error)

// Run tests a store. fresh gives, each time, a way to open a new and empty one.
func Run(t *testing.T, fresh func(t testing.TB) Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"accounts survive":                           accounts,
		"an alert happens once":                      once,
		"a change is kept whole or not at all":       whole,
		"state survives":                             state,
		"deliveries are claimed by one":              claims,
		"an ended lease is fenced off":               fencing,
		"the most urgent goes first":                 urgency,
		"a hold keeps everything back":               hold,
		"what was claimed when it died is uncertain": uncertain,
		"the next due time is never early":           nextDue,
		"the same body on every repeat":              body,
		"beats survive":                              beats,
		"random days with restarts, as without them": restarts,
		"a group waits, what is critical does not":   group,
		"a pace is kept over restarts":               keepPace,
		"a clock set back holds nothing up":          paceBackwards,
		"a burst is told in one digest":              burst,
		"a digest is made once":                      digestOnce,
		"quiet hours hold back, then tell at once":   quiet,
		"what a notifier does not want is skipped":   skip,
		"what was told in an episode is found":       told,
		"the backlog by notifier and severity":       backlog,
		"a desk over a restart":                      desk,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}
