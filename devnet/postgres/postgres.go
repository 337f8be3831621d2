//go:build unix

// Package postgres runs a real Postgres for tests: of Debian's package, in a
// directory of its own, gone when the test process is.
package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"liqwatch/devnet/debian"
	"liqwatch/devnet/packages"
)

// Password is that of the user liqwatch, who owns every server here.
const Password = "correct-horse-battery"

// User is who connects.
const User = "liqwatch"

// Server is a running Postgres that only this machine reaches.
type Server struct {
	Port int

	programs, dir string
	account       *account
	release       func()
	databases     atomic.Int64

	mu   sync.Mutex
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan struct{}
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared is the one server of this test process; [Main] ends it.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = Start(context.Background()) })
	if shared.err != nil {
		t.Fatalf("run Postgres: %v", shared.err)
	}
	return shared.server
}

// Main runs tests and ends the server that they shared, if they did.
func Main(tests func() int) int {
	defer func() {
		if shared.server != nil {
			shared.server.Close()
		}
	}()
	return tests()
}

// Database makes a fresh database on the shared server and gives its address.
func Database(t testing.TB) string {
	t.Helper()
	return Shared(t).Database(t)
}

// Run starts a server for one test, which may stop it.
func Run(t testing.TB) *Server {
	t.Helper()
	s, err := Start(context.Background())
	if err != nil {
		t.Fatalf("run Postgres: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start makes a new cluster and starts it.
func Start(ctx context.Context) (*Server, error) {
	programs, err := find(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{programs: programs}
	if s.account, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "liqwatch-postgres"); err != nil {
		return nil, fmt.Errorf("make a place for Postgres: %w", err)
	}
	err = s.initialise(ctx)
	if err == nil {
		s.release, err = s.reserve()
	}
	if err == nil {
		err = s.Resume(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// find is the directory of the server's programs, the newest installed.
func find(ctx context.Context) (string, error) {
	look := func() string {
		if path, err := exec.LookPath("initdb"); err == nil {
			return filepath.Dir(path)
		}
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is sound
		if len(found) == 0 {
			return ""
		}
		return filepath.Dir(slices.Max(found))
	}
	if dir := look(); dir != "" {
		return dir, nil
	}
	if err := debian.Install(ctx, "postgresql"); err != nil {
		return "", fmt.Errorf("%w (on another system put initdb and postgres into PATH)", err)
	}
	if dir := look(); dir != "" {
		return dir, nil
	}
	return "", errors.New("the package postgresql is installed, but there is no initdb: put it into PATH")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) initialise(ctx context.Context) error {
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(Password), 0o600); err != nil {
		return fmt.Errorf("prepare Postgres: %w", err)
	}
	for _, path := range []string{s.dir, secret} {
		if err := s.account.own(path); err != nil {
			return fmt.Errorf("prepare Postgres: %w", err)
		}
	}
	// Tests connect often: scram is made to be slow.
	cmd := exec.CommandContext(ctx, filepath.Join(s.programs, "initdb"), "-D", s.data(), "-U", User, "--pwfile="+secret,
		"--auth=md5", "-E", "UTF8", "--locale=C", "--no-sync")
	cmd.Dir = s.dir
	s.account.run(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

// reserve chooses a port that no other test process takes.
func (s *Server) reserve() (func(), error) {
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		s.Port = l.Addr().(*net.TCPAddr).Port
		release, ok, err := packages.TryLock(filepath.Join(os.TempDir(), "liqwatch-ports", strconv.Itoa(s.Port)))
		if err := errors.Join(err, l.Close()); err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		if ok {
			return release, nil
		}
	}
	return nil, errors.New("find a free port: all that were tried are taken")
}

// Resume starts a server that was stopped, and waits until it answers.
func (s *Server) Resume(ctx context.Context) error {
	log := &bytes.Buffer{}
	// fsync protects against a power cut; no test makes one.
	cmd := exec.Command(filepath.Join(s.programs, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.Port), "-k", s.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=32MB")
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	s.account.run(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	s.mu.Lock()
	s.cmd, s.log, s.done = cmd, log, done
	s.mu.Unlock()
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	defer func() { _ = db.Close() }()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("start Postgres: it ended: %s", log)
		case <-ctx.Done():
			return fmt.Errorf("start Postgres: %w: %w", ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the server at once, as a crash does; [Server.Resume] recovers it.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGQUIT) // immediate shutdown
	<-s.done
	s.cmd = nil
}

// Close ends the server and removes what it wrote.
func (s *Server) Close() {
	s.Stop()
	_ = os.RemoveAll(s.dir)
	if s.release != nil {
		s.release()
	}
}

// URL is the address of a database.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(User, Password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)), Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Database makes a fresh database and gives its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprint("test", s.databases.Add(1))
	s.Exec(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { s.Exec(t, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return s.URL(name)
}

// Exec runs a statement as the owner of the server.
func (s *Server) Exec(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err == nil {
		defer func() { _ = db.Close() }()
		_, err = db.ExecContext(context.Background(), statement)
	}
	if err != nil {
		t.Fatalf("Postgres: %s: %v", statement, err)
	}
}
