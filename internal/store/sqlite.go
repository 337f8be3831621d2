package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// openSQLite checks the file whole before anything is written to it.
func openSQLite(ctx context.Context, path string) (*Store, error) {
	lock, err := acquire(path)
	if err != nil {
		return nil, err
	}
	s, err := connectSQLite(ctx, path)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	s.lock = lock
	return s, nil
}

func openSQLiteReadOnly(ctx context.Context, path string) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	if err := inspect(ctx, path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, "ro"))
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return &Store{read: db, dialect: sqliteDialect()}, nil
}

// acquire makes this process the only one that writes. The lock is a file beside
// the store: closing a second handle of the store itself would drop SQLite's own locks.
func acquire(path string) (*flock.Flock, error) {
	lock := flock.New(path + ".lock")
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w: check that the directory %s exists and that this user may write in it: %w",
			path, ErrUnwritable, filepath.Dir(path), err)
	}
	if !got {
		return nil, fmt.Errorf("open store %s: %w: stop the other liqwatch, or give this one a store of its own", path, ErrLocked)
	}
	return lock, nil
}

func connectSQLite(ctx context.Context, path string) (*Store, error) {
	if err := inspect(ctx, path); err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", dsn(path, "rwc"))
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	s := &Store{write: write, dialect: sqliteDialect()}
	if err := s.prepareSQLite(ctx); err != nil {
		return nil, errors.Join(explain(path, err), write.Close())
	}
	// Readers see the last commit and never wait for the writer.
	s.read, err = sql.Open("sqlite", dsn(path, "ro"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), write.Close())
	}
	s.read.SetMaxOpenConns(4)
	return s, nil
}

func dsn(path, mode string) string {
	return "file:" + strings.ReplaceAll(path, "%", "%25") + "?mode=" + mode +
		"&_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)"
}

// prepareSQLite sets the file up: write-ahead log, schema, salt.
func (s *Store) prepareSQLite(ctx context.Context) error {
	if err := checkVersion(ctx, s.write); err != nil {
		return err
	}
	var mode string
	if err := s.write.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return fmt.Errorf("switch to the write-ahead log: %w", err)
	}
	if mode != "wal" {
		return fmt.Errorf("switch to the write-ahead log: the file system only allows %q; put the store on a local disk", mode)
	}
	if err := s.dialect.migrate(ctx, s.write); err != nil {
		return err
	}
	// The lock says that nobody holds a delivery any more: what was in hand when the
	// last process ended need not wait for its lease.
	if _, err := s.write.ExecContext(ctx, `UPDATE deliveries SET lease = '', lease_until = 0 WHERE fate = 'pending' AND lease <> ''`); err != nil {
		return fmt.Errorf("release deliveries: %w", err)
	}
	return s.season(ctx)
}

// checkSchema refuses a schema that this version does not know.
func checkSchema(ctx context.Context, db *sql.DB, path string) error {
	var tables int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table'`).Scan(&tables); err != nil {
		return explain(path, err)
	}
	if tables == 0 {
		return nil
	}
	have, err := schemaVersion(ctx, db)
	if err != nil {
		return fmt.Errorf("open store %s: %w: it is a SQLite database of something else. It was left as it is: choose another path", path, ErrForeign)
	}
	known, err := sqliteDialect().newest()
	if err != nil {
		return err
	}
	if have > known {
		return fmt.Errorf("open store %s: %w: its schema is %d, this version knows %d. Use the newer liqwatch, or another path. The file was left as it is",
			path, ErrNewer, have, known)
	}
	return nil
}
