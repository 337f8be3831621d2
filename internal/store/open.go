package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// What can be wrong with a store. All are for the operator to mend.
var (
	// ErrDamaged: the file is not a sound SQLite database.
	ErrDamaged = errors.New("the store is damaged")
	// ErrNewer: a newer liqwatch wrote the store.
	ErrNewer = errors.New("the store is of a newer version of liqwatch")
	// ErrLocked: another process watches with this file.
	ErrLocked = errors.New("the store is in use by another process")
	// ErrUnwritable: the file or its directory, or the database, cannot be written.
	ErrUnwritable = errors.New("the store cannot be written")
	// ErrUnsupported: a kind of store, or a version of its server, that does not do.
	ErrUnsupported = errors.New("this kind of store is not supported")
	// ErrForeign: the database holds tables of something else.
	ErrForeign = errors.New("the store is not one of liqwatch's")
	// ErrUnreachable: the server of the store does not answer.
	ErrUnreachable = errors.New("the store cannot be reached")
	// ErrRefused: the server of the store does not let us in.
	ErrRefused = errors.New("the store refuses us")
)

// Store is one SQLite file or one Postgres schema. It is safe for concurrent use.
type Store struct {
	write   *sql.DB // of SQLite one connection; nil when opened for reading
	read    *sql.DB
	dialect dialect
	lock    *flock.Flock // of SQLite
	pulse   *sql.DB      // of Postgres: connections that no slow query keeps from renewing
	place   string       // of Postgres: what errors call it
	term    int64        // of Postgres: that of the leadership that writes; 0 for none
	// slow is how far this process's clock is set behind, in tests.
	slow time.Duration
	salt string // makes the alert ids of this store differ from any other's
}

// Open opens or creates a store such as "sqlite:liqwatch.db" for the one process
// that writes it, or "postgres://user:password@host/database" for one of many, and
// brings its schema up to date. A file or database that is not sound, not ours or too
// new is left as it was. No error repeats a password.
func Open(ctx context.Context, name string) (*Store, error) {
	if isPostgres(name) {
		return openPostgres(ctx, name, false)
	}
	path, err := parse(name)
	if err != nil {
		return nil, err
	}
	return openSQLite(ctx, path)
}

// OpenReadOnly opens an existing store beside the process that writes it. Methods
// that write return an error.
func OpenReadOnly(ctx context.Context, name string) (*Store, error) {
	if isPostgres(name) {
		return openPostgres(ctx, name, true)
	}
	path, err := parse(name)
	if err != nil {
		return nil, err
	}
	return openSQLiteReadOnly(ctx, path)
}

// Shared reports whether many processes may have this store open for writing.
func (s *Store) Shared() bool { return s.dialect.shared }

// Close closes the store and lets others have it.
func (s *Store) Close() error {
	err := s.read.Close()
	if s.write != nil && s.write != s.read {
		err = errors.Join(err, s.write.Close())
	}
	if s.pulse != nil {
		err = errors.Join(err, s.pulse.Close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	return err
}

func isPostgres(name string) bool {
	return strings.HasPrefix(name, "postgres:") || strings.HasPrefix(name, "postgresql:")
}

// parse gives the path of a SQLite store's name.
func parse(name string) (string, error) {
	kind, path, ok := strings.Cut(name, ":")
	switch {
	case !ok || kind != "sqlite":
		return "", fmt.Errorf("store: %w: write sqlite:PATH, such as sqlite:liqwatch.db, or postgres://USER@HOST/DATABASE", ErrUnsupported)
	case strings.TrimPrefix(path, "//") == "" || strings.ContainsAny(path, "?#\x00"):
		return "", fmt.Errorf("store %q: want sqlite:PATH, the path without ? and #", name)
	}
	return strings.TrimPrefix(path, "//"), nil
}

// season makes the store's own salt, once for ever, and reads it.
func (s *Store) season(ctx context.Context) error {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return fmt.Errorf("make the store's salt: %w", err)
	}
	_, err := s.write.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('salt', $1) ON CONFLICT DO NOTHING`, hex.EncodeToString(salt))
	if err != nil {
		return fmt.Errorf("write the store's salt: %w", err)
	}
	if err := s.write.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'salt'`).Scan(&s.salt); err != nil {
		return fmt.Errorf("read the store's salt: %w", err)
	}
	return nil
}
