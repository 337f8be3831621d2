package store_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/postgres"
	"liqwatch/internal/store"
)

// statements runs SQL in a database, beside liqwatch.
func statements(t testing.TB, name string, all ...string) {
	t.Helper()
	db, err := sql.Open("pgx", name)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, s := range all {
		_, err := db.ExecContext(bg, s)
		require.NoError(t, err, s)
	}
}

// changed gives an address with some part of it changed.
func changed(t testing.TB, name string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(name)
	require.NoError(t, err)
	change(u)
	return u.String()
}

// dump is what is in a database, as names of tables.
func dump(t testing.TB, name string) string {
	t.Helper()
	db, err := sql.Open("pgx", name)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var tables string
	require.NoError(t, db.QueryRowContext(bg, `SELECT coalesce(string_agg(schemaname || '.' || tablename, ' ' ORDER BY 1), '') FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`).Scan(&tables))
	return tables
}

// Whatever is wrong with a server or a database is said with what to do about it, changes
// nothing, and holds no password.
func TestPostgresThatDoesNotDoIsRefused(t *testing.T) {
	const secret = "hunter2-hunter2"
	for what, c := range map[string]struct {
		prepare func(t *testing.T, name string) string
		is      error
		says    string
	}{
		"nobody there": {func(t *testing.T, name string) string {
			return changed(t, name, func(u *url.URL) { u.Host = "127.0.0.1:1"; u.User = url.UserPassword("me", secret) })
		}, store.ErrUnreachable, "Check that Postgres runs there"},
		"no such host": {func(t *testing.T, name string) string {
			return changed(t, name, func(u *url.URL) { u.Host = "no-such-host.invalid"; u.User = url.UserPassword("me", secret) })
		}, store.ErrUnreachable, "no-such-host.invalid"},
		"wrong password": {func(t *testing.T, name string) string {
			return changed(t, name, func(u *url.URL) { u.User = url.UserPassword(postgres.User, secret) })
		}, store.ErrRefused, "check user and password"},
		"no such database": {func(t *testing.T, name string) string {
			return changed(t, name, func(u *url.URL) { u.Path = "nothing" })
		}, store.ErrRefused, "create it first"},
		"no right to create tables": {func(t *testing.T, name string) string {
			statements(t, name, `DROP ROLE IF EXISTS guest`, `CREATE ROLE guest LOGIN PASSWORD '`+secret+`'`)
			return changed(t, name, func(u *url.URL) { u.User = url.UserPassword("guest", secret) })
		}, store.ErrUnwritable, "must own the database"},
		"a schema that is not there": {func(t *testing.T, name string) string {
			return changed(t, name, func(u *url.URL) { u.RawQuery += "&search_path=elsewhere" })
		}, store.ErrUnwritable, "create the one that search_path names"},
		"somebody else's tables": {func(t *testing.T, name string) string {
			statements(t, name, `CREATE TABLE bookmarks (url TEXT)`)
			return name
		}, store.ErrForeign, "Create a database for liqwatch"},
		"somebody else's migrations": {func(t *testing.T, name string) string {
			statements(t, name, `CREATE TABLE goose_db_version (id INT, version_id BIGINT, is_applied BOOLEAN, tstamp TIMESTAMP)`,
				`INSERT INTO goose_db_version VALUES (1, 2, true, now())`, `CREATE TABLE accounts (name TEXT)`)
			return name
		}, store.ErrForeign, "Create a database for liqwatch"},
		"a newer version's": {func(t *testing.T, name string) string {
			openNamed(t, name)
			statements(t, name, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`)
			return name
		}, store.ErrNewer, "its schema is 99"},
		"a copy that only reads": {func(t *testing.T, name string) string {
			statements(t, name, fmt.Sprintf(`ALTER DATABASE %s SET default_transaction_read_only = on`, strings.TrimPrefix(changedPath(t, name), "/")))
			return name
		}, store.ErrUnwritable, "name the primary"},
		"not an address": {func(*testing.T, string) string { return "postgres://me:" + secret + "@host:port/db" }, store.ErrUnsupported, "write postgres://USER:PASSWORD@HOST"},
	} {
		t.Run(what, func(t *testing.T) {
			fresh := postgres.Database(t)
			name := c.prepare(t, fresh)
			before := dump(t, fresh)
			for range 2 {
				_, err := store.Open(t.Context(), name)
				require.ErrorIs(t, err, c.is)
				require.ErrorContains(t, err, c.says)
				require.NotContains(t, err.Error(), secret)
				require.NotContains(t, err.Error(), postgres.Password)
			}
			require.Equal(t, before, dump(t, fresh))
		})
	}
}

func changedPath(t testing.TB, name string) string {
	t.Helper()
	u, err := url.Parse(name)
	require.NoError(t, err)
	return u.Path
}

// Several liqwatch may live in one database, each in a schema of its own.
func TestASchemaOfItsOwn(t *testing.T) {
	name := postgres.Database(t)
	statements(t, name, `CREATE TABLE bookmarks (url TEXT)`, `CREATE SCHEMA liq`)
	openNamed(t, name+"&search_path=liq")
	require.Contains(t, dump(t, name), "liq.accounts")
}

func TestManyMayOpenAFreshDatabaseAtOnce(t *testing.T) {
	name := postgres.Database(t)
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() {
			s, err := store.Open(bg, name)
			if err == nil {
				err = s.Close()
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
}

func TestReadersOfPostgresWriteNothing(t *testing.T) {
	name := postgres.Database(t)
	_, err := store.OpenReadOnly(t.Context(), name)
	require.ErrorContains(t, err, "liqwatch watch brings it up to date")
	require.Empty(t, dump(t, name))
	openNamed(t, name)
	r, err := store.OpenReadOnly(t.Context(), name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	_, err = r.Accounts(t.Context(), "m")
	require.NoError(t, err)
	require.ErrorContains(t, r.Forget(t.Context(), "m"), "reading only")
	_, err = r.Lead(t.Context(), "me", []string{"x"}, nil)
	require.ErrorContains(t, err, "reading only")
}

// What was waiting when the server went away is there when it is back.
func TestARestartOfPostgresIsSurvived(t *testing.T) {
	server := postgres.Run(t)
	s := openNamed(t, server.Database(t))
	require.NoError(t, s.Post(bg, noon, post("before")))
	server.Stop()
	require.Error(t, s.Post(bg, noon, post("meanwhile")))
	require.NoError(t, server.Resume(t.Context()))
	require.Eventually(t, func() bool { return s.Post(bg, noon, post("after")) == nil }, 4*time.Second, 20*time.Millisecond,
		"its leadership had not run out")
	got, err := s.Alerts(bg, 10)
	require.NoError(t, err)
	require.Len(t, got, 2)
}
