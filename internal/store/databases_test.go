package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/postgres"
	"liqwatch/internal/store"
	"liqwatch/internal/store/storetest"
)

// databases give, for each kind there is, the name of a new and empty store.
var databases = map[string]func(t testing.TB) string{
	"SQLite":   func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "liqwatch.db") },
	"Postgres": postgres.Database,
}

// onEach runs a test on every kind of database.
func onEach(t *testing.T, test func(t *testing.T, name string)) {
	for kind, fresh := range databases {
		t.Run(kind, func(t *testing.T) { test(t, fresh(t)) })
	}
}

// withStore runs a test with a fresh store of every kind.
func withStore(t *testing.T, test func(t *testing.T, s *store.Store)) {
	onEach(t, func(t *testing.T, name string) { test(t, openNamed(t, name)) })
}

// leading is a store whose process leads everything in it.
type leading struct {
	*store.Store
	lead *store.Leadership
}

// openLeading opens a store as watch does.
func openLeading(name string) (*leading, error) {
	s, err := store.Open(context.Background(), name)
	if err != nil {
		return nil, err
	}
	l, err := s.Lead(context.Background(), "test", []string{"everything"}, nil)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &leading{l.Store(), l}, nil
}

// Close gives the leadership back, as watch does when it ends.
func (l *leading) Close() error {
	return errors.Join(l.lead.Resign(context.Background()), l.Store.Close())
}

func openNamed(t testing.TB, name string) *store.Store {
	t.Helper()
	s, err := openLeading(name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s.Store
}

func TestEveryDatabaseDoesWhatAStoreMust(t *testing.T) {
	for kind, fresh := range databases {
		t.Run(kind, func(t *testing.T) {
			storetest.Run(t, func(t testing.TB) storetest.Open {
				name := fresh(t)
				return func() (storetest.Store, error) {
					s, err := openLeading(name)
					if err != nil {
						return nil, err
					}
					return s, nil
				}
			})
		})
	}
}
