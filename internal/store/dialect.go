package store

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// dialect is what differs between the databases. All other SQL is one text for both.
type dialect struct {
	goose      goose.Dialect
	migrations string // the directory of its own
	shared     bool   // many processes write
	// claimed ends a SELECT of rows that the same transaction takes: those that
	// somebody else is taking are passed over.
	claimed string
	// locked ends a SELECT of a row that the same transaction changes: others wait.
	locked string
	// unled ends a condition on deliveries: not those to notifiers that a process
	// leads or led within a day: another's configuration is not given up by this one.
	unled string
}

func sqliteDialect() dialect {
	return dialect{goose: goose.DialectSQLite3, migrations: "sqlite"}
}

func postgresDialect() dialect {
	return dialect{
		goose: goose.DialectPostgres, migrations: "postgres", shared: true,
		claimed: " FOR UPDATE OF d SKIP LOCKED", locked: " FOR UPDATE",
		unled: ` AND NOT EXISTS (SELECT 1 FROM led n JOIN leaderships l ON l.term = n.term
			WHERE n.name = 'notifier ' || notifier AND l.until > clock_timestamp() - interval '1 day')`,
	}
}

// flag is a truth as both databases keep it: STRICT tables of SQLite have no
// booleans, and Postgres adds up numbers only.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// schemaVersion is the newest migration that a database has had.
func schemaVersion(ctx context.Context, db *sql.DB) (int64, error) {
	var have int64
	err := db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&have)
	return have, err
}
