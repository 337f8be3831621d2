package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// oldestPostgres is the first release whose server notices by itself that a client in
// the middle of an answer has gone (client_connection_check_interval).
const oldestPostgres = 140000

const (
	connectTimeout = 5 * time.Second
	connections    = 8
	pulses         = 2
)

// session is what the server does for every connection of ours. One that is stopped
// in the middle of a transaction loses it before anybody has waited long for its
// locks; one whose client is gone ends.
const session = `SET idle_in_transaction_session_timeout = '4s'; SET client_connection_check_interval = '2s';
	SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; SET tcp_user_timeout = '10s'`

// openPostgres connects, refuses what is not ours, and brings the schema up to date.
func openPostgres(ctx context.Context, name string, readOnly bool) (*Store, error) {
	cfg, err := pgx.ParseConfig(name)
	if err != nil {
		// The words of the parser may repeat the password.
		return nil, fmt.Errorf("store: %w: not an address of Postgres: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %%40 for an @ in the password", ErrUnsupported)
	}
	place := fmt.Sprintf("%s on %s", cfg.Database, cfg.Host)
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "liqwatch"
	}
	if cfg.ValidateConnect == nil && !readOnly {
		// After a failover the old server may still answer, as a copy that only reads.
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	set := session
	if readOnly {
		set += `; SET default_transaction_read_only = on`
	}
	s := &Store{read: pool(cfg, set, connections), dialect: postgresDialect(), place: place}
	if !readOnly {
		s.write, s.pulse = s.read, pool(cfg, set, pulses)
	}
	if err := s.preparePostgres(ctx); err != nil {
		return nil, errors.Join(s.explain(err), s.Close())
	}
	return s, nil
}

// pool is up to so many connections, each set up by its first words.
func pool(cfg *pgx.ConnConfig, set string, most int) *sql.DB {
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, set, pgx.QueryExecModeSimpleProtocol)
		return err
	}))
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxIdleTime(time.Minute)
	return db
}

func (s *Store) preparePostgres(ctx context.Context) error {
	var version int
	var words string
	err := s.read.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version')`).Scan(&version, &words)
	if err != nil {
		return err
	}
	if err := refuseOldPostgres(version, words); err != nil {
		return err
	}
	have, err := s.inspectPostgres(ctx)
	if err != nil {
		return err
	}
	known, err := s.dialect.newest()
	if err != nil {
		return err
	}
	switch {
	case have > known:
		return fmt.Errorf("%w: its schema is %d, this version knows %d. Use the newer liqwatch, or another database. It was left as it is", ErrNewer, have, known)
	case have < known && s.write == nil:
		return fmt.Errorf("its schema is %d, this version wants %d: liqwatch watch brings it up to date", have, known)
	case s.write == nil:
		return nil
	case have < known:
		if err := s.dialect.migrate(ctx, s.write); err != nil {
			return err
		}
	}
	return s.season(ctx)
}

// inspectPostgres gives the version of the schema; 0 for an empty one. It changes nothing.
func (s *Store) inspectPostgres(ctx context.Context) (int64, error) {
	var schema sql.NullString
	var tables int
	var versioned, ours bool
	err := s.read.QueryRowContext(ctx, `SELECT current_schema(), count(*), coalesce(bool_or(c.relname = 'goose_db_version'), false), coalesce(bool_or(c.relname = 'rule_states'), false)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`).
		Scan(&schema, &tables, &versioned, &ours)
	if err != nil {
		return 0, err
	}
	if !schema.Valid {
		return 0, fmt.Errorf("%w: there is no schema to write in: create the one that search_path names", ErrUnwritable)
	}
	if tables == 0 {
		return 0, nil
	}
	if !versioned {
		return 0, foreign(schema.String)
	}
	have, err := schemaVersion(ctx, s.read)
	if err != nil {
		return 0, err
	}
	// Somebody else's migrations count in a table of the same name.
	if !ours && (have > 0 || tables > 1) {
		return 0, foreign(schema.String)
	}
	return have, nil
}

func foreign(schema string) error {
	return fmt.Errorf("%w: its schema %q holds tables of something else. Create a database for liqwatch, or a schema of its own and add ?search_path=THAT to the address. It was left as it is", ErrForeign, schema)
}

func refuseOldPostgres(version int, words string) error {
	if version < oldestPostgres {
		return fmt.Errorf("%w: its server is Postgres %s, liqwatch needs %d or newer", ErrUnsupported, words, oldestPostgres/10000)
	}
	return nil
}

// explain turns the server's words into what an operator can act on. None of them holds
// the password: what the driver says of the address is left out.
func (s *Store) explain(err error) error {
	var said *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &said):
		return fmt.Errorf("store %s: %w", s.place, explainCode(said))
	case errors.As(err, &connect):
		why := whyUnconnected(connect)
		if strings.Contains(why, "read only") {
			return fmt.Errorf("store %s: %w: %s: it is a copy that only reads: name the primary", s.place, ErrUnwritable, why)
		}
		return fmt.Errorf("store %s: %w: %s. Check that Postgres runs there and lets this machine in", s.place, ErrUnreachable, why)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("store %s: %w: no answer in time", s.place, ErrUnreachable)
	}
	return fmt.Errorf("store %s: %w", s.place, err)
}

func explainCode(said *pgconn.PgError) error {
	what := fmt.Sprintf("%s (%s)", said.Message, said.Code)
	switch said.Code {
	case "28P01", "28000":
		return fmt.Errorf("%w: %s: check user and password in store, and pg_hba.conf of the server", ErrRefused, what)
	case "3D000":
		return fmt.Errorf("%w: %s: create it first: CREATE DATABASE liqwatch", ErrRefused, what)
	case "42501":
		return fmt.Errorf("%w: %s: the user must own the database, or have CREATE and USAGE on its schema", ErrUnwritable, what)
	case "25006":
		return fmt.Errorf("%w: %s: this server is a copy that only reads: name the primary", ErrUnwritable, what)
	case "53300":
		return fmt.Errorf("%w: %s: each liqwatch holds up to %d connections", ErrRefused, what, connections+pulses)
	case "57P03", "57P01":
		return fmt.Errorf("%w: %s", ErrUnreachable, what)
	}
	return errors.New(what)
}

// whyUnconnected is what each address said, each thing once. The driver tries TLS first
// and says that there was none.
func whyUnconnected(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	var why []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		if line != "" && !slices.Contains(why, line) && !strings.HasSuffix(line, "server refused TLS connection") {
			why = append(why, line)
		}
	}
	return strings.Join(why, "; ")
}
