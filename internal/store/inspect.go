package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// oldestSQLite is the first release without the bug by which a checkpoint that
// races a commit can corrupt a write-ahead log (3.7.0 to 3.51.2).
var oldestSQLite = [3]int{3, 51, 3}

// Version is that of the SQLite inside.
func Version(ctx context.Context) (string, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return "", fmt.Errorf("open SQLite: %w", err)
	}
	defer func() { _ = db.Close() }() // nothing was written
	return version(ctx, db)
}

func version(ctx context.Context, db *sql.DB) (string, error) {
	var v string
	if err := db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&v); err != nil {
		return "", fmt.Errorf("read the SQLite version: %w", err)
	}
	return v, nil
}

func checkVersion(ctx context.Context, db *sql.DB) error {
	v, err := version(ctx, db)
	if err != nil {
		return err
	}
	return refuseOld(v)
}

// refuseOld reports a SQLite that can corrupt its write-ahead log.
func refuseOld(v string) error {
	for i, part := range strings.SplitN(v, ".", 3) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return fmt.Errorf("SQLite version %q: not understood", v)
		}
		if n > oldestSQLite[i] {
			return nil
		}
		if n < oldestSQLite[i] {
			return fmt.Errorf("SQLite %s can corrupt its write-ahead log: build liqwatch with 3.51.3 or newer", v)
		}
	}
	return nil
}

// inspect reads an existing file without changing it, and says why it cannot be used.
func inspect(ctx context.Context, path string) error {
	empty, err := checkHeader(path)
	if err != nil || empty {
		return err
	}
	db, err := sql.Open("sqlite", dsn(path, "ro"))
	if err != nil {
		return fmt.Errorf("open store %s: %w", path, err)
	}
	defer func() { _ = db.Close() }() // nothing was written
	db.SetMaxOpenConns(1)
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return explain(path, err)
	}
	if found != "ok" {
		return damaged(path, found)
	}
	return checkSchema(ctx, db, path)
}

// checkHeader reports whether there is nothing in the file yet.
func checkHeader(path string) (empty bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("open store: %w: %w", ErrUnwritable, err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return false, fmt.Errorf("open store %s: %w: it is a directory, want a file", path, ErrUnwritable)
	}
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return true, nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return false, fmt.Errorf("read store %s: %w", path, err)
	case !bytes.Equal(head, []byte("SQLite format 3\x00")):
		return false, damaged(path, "it is not a SQLite file")
	}
	return false, nil
}

func damaged(path, what string) error {
	return fmt.Errorf("open store %s: %w: %s. The file was left as it is. Move it and its -wal and -shm files away (or put a backup in their place) and start again: "+
		"accounts are found again from the chain; which alerts were sent before is not known then", path, ErrDamaged, what)
}

// explain turns SQLite's words into what an operator can act on.
func explain(path string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("open store %s: %w", path, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return damaged(path, e.Error())
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("open store %s: %w: check the rights of the file and its directory: %w", path, ErrUnwritable, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("open store %s: %w: %w", path, ErrLocked, err)
	}
	return fmt.Errorf("open store %s: %w", path, err)
}
