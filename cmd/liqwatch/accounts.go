package main

import (
	"context"
	"errors"
	"fmt"

	"liqwatch/chains"
	"liqwatch/internal/config"
	"liqwatch/internal/store"
	"liqwatch/internal/watch"
)

// lookAccounts are the accounts for a command that looks once: those of the store,
// so that the past need not be scanned again. While a watcher holds the store, and one
// that many share, it is only read, and what is found beside it is kept in memory.
type lookAccounts struct {
	kept  watch.Accounts
	close func() error
}

func openLook(ctx context.Context, cfg *config.Config) (*lookAccounts, error) {
	s, err := store.Open(ctx, storeName(cfg))
	if err == nil && s.Shared() { // whoever watches with it writes
		return &lookAccounts{besideWatcher{s, &watch.MemoryAccounts{}}, s.Close}, nil
	}
	if err == nil {
		return &lookAccounts{s, s.Close}, nil
	}
	if !errors.Is(err, store.ErrLocked) {
		return nil, usage(fmt.Errorf("open the store: %w", err))
	}
	ro, err := store.OpenReadOnly(ctx, storeName(cfg))
	if err != nil {
		return nil, usage(fmt.Errorf("open the store beside the watcher: %w", err))
	}
	return &lookAccounts{besideWatcher{ro, &watch.MemoryAccounts{}}, ro.Close}, nil
}

// storeName is the store as the store room wants it; with a password, if it has one.
func storeName(cfg *config.Config) string {
	if path, ok := cfg.Store.SQLite(); ok {
		return "sqlite:" + path
	}
	return cfg.Store.Reveal()
}

// besideWatcher reads from a store that somebody else writes.
type besideWatcher struct {
	*store.Store
	own *watch.MemoryAccounts
}

// SaveAccounts keeps them for this process.
func (b besideWatcher) SaveAccounts(ctx context.Context, set string, fresh []chains.Address, upTo chains.Block) error {
	return b.own.SaveAccounts(ctx, set, fresh, upTo)
}
