package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// What can be wrong with a store. All are for the operator to mend.
var (
	// ErrDamaged: the file is not a sound SQLite database.
	ErrDamaged = errors.New("the store is damaged")
	// ErrNewer: a newer liqwatch wrote the file.
	ErrNewer = errors.New("the store is of a newer version of liqwatch")
	// ErrLocked: another process watches with this file.
	ErrLocked = errors.New("the store is in use by another process")
	// ErrUnwritable: the file or its directory cannot be written.
	ErrUnwritable = errors.New("the store cannot be written")
	// ErrUnsupported: a kind of store that this version does not have.
	ErrUnsupported = errors.New("this kind of store is not supported")
)

// Store is one SQLite file. It is safe for concurrent use.
type Store struct {
	write *sql.DB // one connection; nil when opened for reading
	read  *sql.DB
	lock  *flock.Flock
	salt  string // makes the alert ids of this store differ from any other's
}

// Open opens or creates a store such as "sqlite:liqwatch.db" for the one process
// that writes it, checks it whole, and brings its schema up to date. A file that
// does not pass is left as it was.
func Open(ctx context.Context, name string) (*Store, error) {
	path, err := parse(name)
	if err != nil {
		return nil, err
	}
	lock, err := acquire(path)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, path)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	s.lock = lock
	return s, nil
}

// OpenReadOnly opens an existing store beside the process that writes it. Methods
// that write return an error.
func OpenReadOnly(ctx context.Context, name string) (*Store, error) {
	path, err := parse(name)
	if err != nil {
		return nil, err
	}
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
	return &Store{read: db}, nil
}

// Close closes the file and lets others have it.
func (s *Store) Close() error {
	err := s.read.Close()
	if s.write != nil {
		err = errors.Join(err, s.write.Close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	return err
}

// parse gives the path of a store's name.
func parse(name string) (string, error) {
	kind, path, ok := strings.Cut(name, ":")
	switch {
	case ok && (kind == "postgres" || kind == "postgresql"):
		// The rest of the name may hold a password: it is not repeated.
		return "", fmt.Errorf("store postgres://...: %w yet: this version keeps its state in SQLite, write store: sqlite:liqwatch.db", ErrUnsupported)
	case !ok || kind != "sqlite":
		return "", fmt.Errorf("store: %w: write sqlite:PATH, such as sqlite:liqwatch.db", ErrUnsupported)
	case strings.TrimPrefix(path, "//") == "" || strings.ContainsAny(path, "?#\x00"):
		return "", fmt.Errorf("store %q: want sqlite:PATH, the path without ? and #", name)
	}
	return strings.TrimPrefix(path, "//"), nil
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

func open(ctx context.Context, path string) (*Store, error) {
	if err := inspect(ctx, path); err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", dsn(path, "rwc"))
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	s := &Store{write: write}
	if err := s.prepare(ctx); err != nil {
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

// prepare sets the file up: write-ahead log, schema, the store's own salt.
func (s *Store) prepare(ctx context.Context) error {
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
	if err := migrate(ctx, s.write); err != nil {
		return err
	}
	// The lock says that nobody holds a delivery any more: what was in hand when the
	// last process ended need not wait for its lease.
	if _, err := s.write.ExecContext(ctx, `UPDATE deliveries SET lease = '', lease_until = 0 WHERE fate = 'pending' AND lease <> ''`); err != nil {
		return fmt.Errorf("release deliveries: %w", err)
	}
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
