package house

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors are the rooms in the order of the data. A room imports itself and rooms
// of floors before its own.
var floors = [][]string{
	{"chains"},
	{"protocols"},
	{"thresholds"},
	{"internal/alerts", "internal/chart"},
	{"internal/store"}, // keeps what alerts asks it to
	{"internal/watch", "internal/backtest", "internal/web"},
	{"internal/bench"}, // times the others
	{"internal/catalog"},
	{"cmd"},
	{"internal/e2e"}, // tests only: runs the program as its users do
}

// apart are rooms outside the order.
const (
	configRoom = "internal/config" // imports no room, any room reads it
	devnetRoom = "devnet"          // read by tests and by itself
	houseRoom  = "internal/house"  // this test
)

const module = "liqwatch/"

// roomOf is the room of a folder and its floor; -1 for those outside the order.
func roomOf(dir string) (room string, floor int, ok bool) {
	for i, rooms := range floors {
		for _, r := range rooms {
			if dir == r || strings.HasPrefix(dir, r+"/") {
				return r, i, true
			}
		}
	}
	for _, r := range []string{configRoom, devnetRoom, houseRoom} {
		if dir == r || strings.HasPrefix(dir, r+"/") {
			return r, -1, true
		}
	}
	return "", 0, false
}

func TestEveryFolderIsARoom(t *testing.T) {
	for _, s := range sources(t) {
		if _, _, ok := roomOf(s.dir()); !ok && s.path != "pins.go" {
			t.Errorf("%s is in no room: say in internal/house/imports_test.go and docs/architecture.md where %s stands in the order of the data", s.path, s.dir())
		}
	}
}

func TestARoomImportsItselfAndRoomsBeforeIt(t *testing.T) {
	checked := 0
	for _, s := range sources(t) {
		from, floor, ok := roomOf(s.dir())
		if !ok {
			continue
		}
		for _, imp := range s.file.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			dir, inside := strings.CutPrefix(path, module)
			if !inside {
				continue
			}
			checked++
			to, toFloor, known := roomOf(dir)
			if why := forbidden(s, from, floor, to, toFloor); !known || why != "" {
				t.Errorf("%s:%d imports %s: %s", s.path, s.line(imp), path, why)
			}
		}
	}
	if checked == 0 {
		t.Fatal("no import of a room was seen: is the module still called liqwatch?")
	}
}

// forbidden says why a room may not import another, or nothing if it may.
func forbidden(s source, from string, floor int, to string, toFloor int) string {
	switch {
	case from == to, to == configRoom && from != configRoom:
		return ""
	case from == configRoom:
		return "config imports no other room; let the plug-in decode its own block"
	case to == houseRoom:
		return "house has nothing to import"
	case s.isTest(): // a test may put the real things together, whatever their room
		return ""
	case to == devnetRoom:
		return "devnet is imported by tests only"
	case from == devnetRoom:
		return ""
	case toFloor < floor:
		return ""
	case toFloor == floor:
		return "rooms of one floor do not know each other; declare the small interface that is needed and let cmd hand it in"
	}
	return "a room imports only rooms before it, and " + to + " comes after " + from
}

// The words every room shares must not know who uses them.
func TestSharedWordsKnowNoPlugIn(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || !slices.Contains([]string{"chains", "protocols", "thresholds"}, s.dir()) {
			continue
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if strings.HasPrefix(path, module+s.dir()+"/") {
				t.Errorf("%s:%d imports %s: a room's shared words do not import what is built on them", s.path, s.line(imp), path)
			}
		}
	}
}

// thresholds is arithmetic: what it says follows from what it is given.
func TestThresholdsArePure(t *testing.T) {
	impure := []string{"time", "net", "net/http", "os", "os/exec", "log", "log/slog", "io/fs", "database/sql", "syscall", "crypto/rand", "math/rand", "math/rand/v2", "github.com/rs/zerolog"}
	for _, s := range sources(t) {
		if room, _, _ := roomOf(s.dir()); s.isTest() || room != "thresholds" {
			continue
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if slices.Contains(impure, path) || strings.HasPrefix(path, "net/") {
				t.Errorf("%s:%d imports %s: thresholds has no clock, network, disk, chance or log; make it an input", s.path, s.line(imp), path)
			}
		}
	}
}

// go-ethereum's types stop at the chains and at the adapters' ABI code.
func TestGoEthereumStopsAtTheChains(t *testing.T) {
	for _, s := range sources(t) {
		room, _, _ := roomOf(s.dir())
		// bench reads a market the way programs usually do, to compare with it.
		if s.isTest() || slices.Contains([]string{"chains", "protocols", "devnet", "internal/bench"}, room) || s.path == "pins.go" {
			continue
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if strings.HasPrefix(path, "github.com/ethereum/go-ethereum") {
				t.Errorf("%s:%d imports %s: use the words of chains", s.path, s.line(imp), path)
			}
		}
	}
}

// Prices, money and ratios of alerts are decimal: a float would decide near the edge.
func TestNoFloatInAlerts(t *testing.T) {
	for _, s := range sources(t) {
		room, _, _ := roomOf(s.dir())
		if s.isTest() || !slices.Contains([]string{"internal/alerts", "internal/config"}, room) {
			continue
		}
		for i, line := range strings.Split(s.text, "\n") {
			for _, word := range []string{"float64", "float32", "InexactFloat64", "NewFromFloat"} {
				if strings.Contains(line, word) && !strings.Contains(line, "Seconds") { // a length of time is no amount
					t.Errorf("%s:%d says %s: amounts and prices of alerts are decimal.Decimal", s.path, i+1, word)
				}
			}
		}
	}
}
