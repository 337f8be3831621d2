package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"modernc.org/sqlite"
)

// killpoint is where a process kills itself, as the database tells it: the hooks
// of SQLite see the row that is about to be written and the commit that is about
// to be made, so that the program needs no word for its own death.
type killpoint struct {
	name string
	mu   sync.Mutex
	left int // the point is met so many times more
	// told: the open transaction makes an alert. The process has one writing connection.
	told, committed bool
}

// The points at which a process is killed.
const (
	pointRandom    = "at a random moment"
	pointBefore    = "before the commit of an alert"
	pointAfter     = "after the commit of an alert, before anything is sent"
	pointAccepted  = "accepted by the receiver, not marked as sent"
	pointMigration = "in the middle of a migration"
	pointMigrated  = "before the commit of a migration"
)

var killpoints = []string{pointRandom, pointBefore, pointAfter, pointAccepted, pointMigration, pointMigrated}

// armKillpoint makes this process one that dies at LIQWATCH_KILL_AT ("N|point").
func armKillpoint() {
	times, name, ok := strings.Cut(os.Getenv("LIQWATCH_KILL_AT"), "|")
	n, err := strconv.Atoi(times)
	if !ok || err != nil {
		return
	}
	k := &killpoint{name: name, left: n}
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, _ string) error {
		h := conn.(sqlite.HookRegisterer)
		h.RegisterPreUpdateHook(k.row)
		h.RegisterCommitHook(k.commit)
		h.RegisterRollbackHook(func() { k.mu.Lock(); k.told = false; k.mu.Unlock() })
		return nil
	})
}

// row is called before a row is written.
func (k *killpoint) row(d sqlite.SQLitePreUpdateData) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.name == pointAfter && k.committed:
		k.met() // the next write after the one that made the alert: nothing was sent between
	case k.name == pointAccepted && d.TableName == "deliveries" && marksSent(d):
		k.met()
	case k.name == pointMigration && d.TableName == "goose_db_version":
		k.met()
	}
	if d.TableName == "alerts" || k.name == pointMigrated && d.TableName == "goose_db_version" {
		k.told = true
	}
}

// commit is called before a commit; 0 lets it happen.
func (k *killpoint) commit() int32 {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.told && (k.name == pointBefore || k.name == pointMigrated) {
		k.met()
	}
	k.committed, k.told = k.told, false
	return 0
}

// met is one meeting with the point; at the last the process ends as in a power cut.
func (k *killpoint) met() {
	if k.left--; k.left == 0 {
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
}

// marksSent tells the update with which a delivery becomes a sent one.
func marksSent(d sqlite.SQLitePreUpdateData) bool {
	row := make([]any, d.Count())
	return d.New(row...) == nil && slices.Contains(row, any("sent"))
}
