package store

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/internal/store/storetest"
)

// filled makes a store with something in it and gives its path.
func filled(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "liqwatch.db")
	s, err := Open(t.Context(), "sqlite:"+path)
	require.NoError(t, err)
	require.NoError(t, s.SaveAccounts(t.Context(), "aave", storetest.Addresses(0, 5000), chains.Block{Number: 1}))
	require.NoError(t, s.Close())
	return path
}

// unchanged reports whether the file still is what it was.
func unchanged(t testing.TB, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, string(want) == string(got), "the file was changed")
}

func TestADamagedFileIsRefusedAndLeftAlone(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"text instead of a database": func([]byte) []byte { return []byte("levels: [2200]\n# nothing of SQLite in here\n") },
		"a few bytes":                func([]byte) []byte { return []byte("SQLite") },
		"header only":                func(b []byte) []byte { return b[:100] },
		"cut in the middle":          func(b []byte) []byte { return b[:len(b)/2] },
		"page of zeros":              func(b []byte) []byte { clear(b[4096*20 : 4096*21]); return b },
		"flipped bits in 30 pages": func(b []byte) []byte {
			for i := range 30 {
				b[4096*(i+2)+3] ^= 0xff
			}
			return b
		},
		"header fields": func(b []byte) []byte { b[18], b[19] = 9, 9; return b },
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t)
			whole, err := os.ReadFile(path)
			require.NoError(t, err)
			bad := damage(whole)
			require.NoError(t, os.WriteFile(path, bad, 0o600))
			for range 2 {
				_, err = Open(t.Context(), "sqlite:"+path)
				require.ErrorIs(t, err, ErrDamaged)
				require.ErrorContains(t, err, "left as it is")
				require.ErrorContains(t, err, path)
				unchanged(t, path, bad)
			}
		})
	}
}

func TestAFileOfANewerVersionIsRefusedAndLeftAlone(t *testing.T) {
	path := filled(t)
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = Open(t.Context(), "sqlite:"+path)
	require.ErrorIs(t, err, ErrNewer)
	require.ErrorContains(t, err, "its schema is 99")
	unchanged(t, path, want)
	_, err = OpenReadOnly(t.Context(), "sqlite:"+path)
	require.ErrorIs(t, err, ErrNewer)
}

func TestSomebodyElsesDatabaseIsRefusedAndLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(`CREATE TABLE bookmarks (url TEXT)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = Open(t.Context(), "sqlite:"+path)
	require.ErrorContains(t, err, "not one of liqwatch's")
	unchanged(t, path, want)
}

func TestASecondWatcherIsRefused(t *testing.T) {
	name := "sqlite:" + filepath.Join(t.TempDir(), "liqwatch.db")
	first, err := Open(t.Context(), name)
	require.NoError(t, err)
	_, err = Open(t.Context(), name)
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, "stop the other liqwatch")

	require.NoError(t, first.SaveAccounts(t.Context(), "aave", storetest.Addresses(0, 10), chains.Block{Number: 5}))
	reader, err := OpenReadOnly(t.Context(), name)
	require.NoError(t, err, "commands may read beside it")
	got, err := reader.Accounts(t.Context(), "aave")
	require.NoError(t, err)
	require.Len(t, got, 10)
	require.ErrorContains(t, reader.SaveAccounts(t.Context(), "aave", nil, chains.Block{}), "reading only")
	require.NoError(t, reader.Close())

	require.NoError(t, first.Close())
	second, err := Open(t.Context(), name)
	require.NoError(t, err)
	require.NoError(t, second.Close())
}

func TestAnUnwritablePlaceIsRefused(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "no", "such", "dir", "x.db"), "/proc/liqwatch.db", filepath.Join(filled(t), "x.db")} {
		_, err := Open(t.Context(), "sqlite:"+path)
		require.ErrorIs(t, err, ErrUnwritable, path)
		require.ErrorContains(t, err, "check that the directory")
	}
	dir := t.TempDir()
	_, err := Open(t.Context(), "sqlite:"+dir)
	require.ErrorIs(t, err, ErrUnwritable)
	require.ErrorContains(t, err, "it is a directory")
	_, err = OpenReadOnly(t.Context(), "sqlite:"+filepath.Join(dir, "none.db"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"postgres://me:hunter2@host:x/db": "not an address of Postgres",
		"mysql://me:hunter2@host":         "write sqlite:PATH",
		"liqwatch.db":                     "write sqlite:PATH",
		"":                                "write sqlite:PATH",
		"sqlite:":                         "want sqlite:PATH",
		"sqlite:a?mode=memory":            "without ?",
	} {
		_, err := Open(t.Context(), name)
		require.ErrorContains(t, err, want, name)
		require.NotContains(t, err.Error(), "hunter2")
	}
	for name, want := range map[string]string{"sqlite:a.db": "a.db", "sqlite:/tmp/a b.db": "/tmp/a b.db", "sqlite:///x/a.db": "/x/a.db", `sqlite:C:\x.db`: `C:\x.db`} {
		got, err := parse(name)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	odd := filepath.Join(t.TempDir(), "a b%20c&d=é.db")
	s, err := Open(t.Context(), "sqlite:"+odd)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.FileExists(t, odd)
}

func TestTheConnectionIsSetUpForDurability(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+filled(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		require.NoError(t, s.write.QueryRow("PRAGMA "+pragma).Scan(&got))
		require.Equal(t, want, got, pragma)
	}
	rows, err := s.read.Query(`SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`)
	require.NoError(t, err)
	defer rows.Close()
	tables := 0
	for rows.Next() {
		var name string
		var strict bool
		require.NoError(t, rows.Scan(&name, &strict))
		require.True(t, strict, "table %s is not STRICT", name)
		tables++
	}
	require.NoError(t, rows.Err())
	require.Equal(t, 17, tables)
}

func TestOldSQLiteIsRefused(t *testing.T) {
	for v, ok := range map[string]bool{"3.51.2": false, "3.51.3": true, "3.52.0": true, "3.9.9": false, "2.99.99": false, "4.0.0": true, "3.53.4": true} {
		if err := refuseOld(v); ok {
			require.NoError(t, err, v)
		} else {
			require.ErrorContains(t, err, "3.51.3 or newer", v)
		}
	}
	require.Error(t, refuseOld("three"))
	v, err := Version(t.Context())
	require.NoError(t, err)
	require.NoError(t, refuseOld(v))
}

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	path := filled(t)
	db, err := sql.Open("sqlite", dsn(path, "rw"))
	require.NoError(t, err)
	p, err := sqliteDialect().provider(db)
	require.NoError(t, err)
	_, err = p.DownTo(t.Context(), 0)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	s, err := Open(t.Context(), "sqlite:"+path)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestAlertIDsDifferBetweenStores(t *testing.T) {
	a, err := Open(t.Context(), "sqlite:"+filled(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close() })
	b, err := Open(t.Context(), "sqlite:"+filled(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	require.NotEqual(t, a.alertID("k"), b.alertID("k"))
	require.Equal(t, a.alertID("k"), a.alertID("k"))
	require.True(t, strings.HasPrefix(a.alertID("k"), "msg_"))
	salt, err := hex.DecodeString(a.salt)
	require.NoError(t, err)
	require.Len(t, salt, 16)
}

// Bulk inserts against one row a statement, in the same run.
func BenchmarkSaveAccounts(b *testing.B) {
	const n = 20_000
	for _, way := range []string{"bulk", "row by row"} {
		b.Run(way, func(b *testing.B) {
			s, err := Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "x.db"))
			require.NoError(b, err)
			b.Cleanup(func() { _ = s.Close() })
			i := 0
			for b.Loop() {
				accounts := storetest.Addresses(i*n, n)
				market := fmt.Sprint("m", i)
				i++
				if way == "bulk" {
					require.NoError(b, s.SaveAccounts(b.Context(), market, accounts, chains.Block{Number: 1}))
					continue
				}
				require.NoError(b, s.SaveAccounts(b.Context(), market, nil, chains.Block{Number: 1}))
				require.NoError(b, s.tx(b.Context(), func(tx *sql.Tx) error {
					for _, a := range accounts {
						if _, err := tx.Exec(`INSERT INTO accounts (market, address) VALUES ($1, $2) ON CONFLICT DO NOTHING`, i, a[:]); err != nil {
							return err
						}
					}
					return nil
				}))
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "accounts/s")
		})
	}
}

func TestADatabaseOfSomethingElseIsRefusedAndLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "else.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(`CREATE TABLE invoices (id INTEGER)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = Open(t.Context(), "sqlite:"+path)
	require.ErrorIs(t, err, ErrForeign)
	require.NotErrorIs(t, err, ErrDamaged, "nothing is wrong with it")
	unchanged(t, path, want)
}
