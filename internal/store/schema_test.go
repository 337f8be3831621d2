package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/postgres"
)

// columns are all of a database, each with its kind of value and whether it must have one.
func columns(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	kinds := map[string]string{"INTEGER": "number", "bigint": "number", "TEXT": "text", "text": "text", "BLOB": "bytes", "bytea": "bytes"}
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var table, column, kind string
		var required bool
		require.NoError(t, rows.Scan(&table, &column, &kind, &required))
		require.Contains(t, kinds, kind, "%s.%s", table, column)
		out = append(out, fmt.Sprintf("%s.%s %s required=%t", table, column, kinds[kind], required))
	}
	require.NoError(t, rows.Err())
	slices.Sort(out)
	return out
}

// Both databases have the same tables, apart from what only one of them needs.
func TestBothDatabasesHaveTheSameColumns(t *testing.T) {
	file, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	server, err := Open(t.Context(), postgres.Database(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	want := columns(t, file.read, `SELECT t.name, c.name, c.type, c."notnull" OR c.pk > 0 FROM pragma_table_list t, pragma_table_info(t.name) c
		WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'goose_db_version'`)
	got := columns(t, server.read, `SELECT table_name, column_name, data_type, is_nullable = 'NO' FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT IN ('goose_db_version', 'leaderships', 'led') AND column_name <> 'rowid'`)
	require.Equal(t, want, got)
	require.Greater(t, len(want), 60)
}

func TestMigrationsOfPostgresGoDownAndUpAgain(t *testing.T) {
	name := postgres.Database(t)
	s, err := Open(t.Context(), name)
	require.NoError(t, err)
	p, err := s.dialect.provider(s.write)
	require.NoError(t, err)
	_, err = p.DownTo(t.Context(), 0)
	require.NoError(t, err)
	var tables int
	require.NoError(t, s.read.QueryRow(`SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables))
	require.Equal(t, 1, tables, "only that of the migrations is left")
	require.NoError(t, s.Close())
	s, err = Open(context.Background(), name)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
