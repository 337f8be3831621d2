package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// Where many processes start at once, one migrates; the others look again so often
// for so long.
const (
	migrateProbeSeconds = 1
	migrateProbes       = 300
)

// migrate brings the schema up to date. Each migration is a transaction that also
// notes that it was made.
func (d dialect) migrate(ctx context.Context, db *sql.DB) error {
	p, err := d.provider(db)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	return nil
}

func (d dialect) provider(db *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations/"+d.migrations)
	if err != nil {
		return nil, fmt.Errorf("read the embedded migrations: %w", err)
	}
	var options []goose.ProviderOption
	if d.shared {
		one, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(migrateProbeSeconds, migrateProbes))
		if err != nil {
			return nil, fmt.Errorf("make the lock of migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(one))
	}
	p, err := goose.NewProvider(d.goose, db, dir, options...)
	if err != nil {
		return nil, fmt.Errorf("read the embedded migrations: %w", err)
	}
	return p, nil
}

// newest is the version of the schema that this program makes.
func (d dialect) newest() (int64, error) {
	names, err := fs.Glob(migrations, "migrations/"+d.migrations+"/*.sql")
	if err != nil {
		return 0, fmt.Errorf("read the embedded migrations: %w", err)
	}
	version, err := goose.NumericComponent(names[len(names)-1]) // Glob sorts
	if err != nil {
		return 0, fmt.Errorf("read the embedded migrations: %w", err)
	}
	return version, nil
}
