package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"liqwatch/chains"
	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
)

// TestScripts runs the command line against a real market, behind nodes that
// misbehave in the ways that nodes do.
func TestScripts(t *testing.T) {
	s := newScene(t)
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: s.setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "onejson": oneJSON, "lines": jsonLines,
			"damage": damage, "newer": newer,
		},
	})
}

// scene is a node with a full market and an empty one.
type scene struct {
	full, empty *aave.World
	nodes       map[string]string // URLs by what is wrong with them
	blocks      map[string]uint64
}

func newScene(t *testing.T) *scene {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{})
	full, err := aave.Deploy(ctx, node, aave.V30, aave.Options{})
	require.NoError(t, err)
	_, err = population.Build(ctx, full, population.Options{Seed: 1})
	require.NoError(t, err)
	bare := anvil.Run(t, anvil.Options{})
	empty, err := aave.Deploy(ctx, bare, aave.V36, aave.Options{})
	require.NoError(t, err)
	s := &scene{full: full, empty: empty, blocks: map[string]uint64{}}
	s.block(t, "SOUND")
	// LINK's price source breaks, then answers nothing, then is as before.
	source := full.Asset("LINK").Source
	var sound string
	require.NoError(t, node.Call(ctx, &sound, "eth_getCode", source, "latest"))
	for _, c := range []struct{ name, code string }{
		{"REVERTING", "0x60006000fd"},      // revert
		{"ZERO", "0x600060005260206000f3"}, // return 0
		{"MENDED", sound},
	} {
		require.NoError(t, node.Call(ctx, nil, "anvil_setCode", source, c.code))
		require.NoError(t, node.Mine(ctx))
		s.block(t, c.name)
		require.NoError(t, node.Mine(ctx)) // the node keeps a block's state when the next one is mined
	}
	s.nodes = map[string]string{
		"sound":      node.URL,
		"empty":      bare.URL,
		"overrides":  proxy(t, node.URL, noOverrides),
		"packing":    proxy(t, node.URL, noOverrides, noInitcode),
		"older":      proxy(t, node.URL, olderBlock),
		"pruned":     proxy(t, node.URL, pruned(s.blocks["MENDED"]-2)),
		"shortlogs":  proxy(t, node.URL, logsUpTo(50)),
		"nologs":     proxy(t, node.URL, noLogs),
		"lostlogs":   proxy(t, node.URL, hiddenLogs),
		"otherchain": proxy(t, node.URL, otherChain),
		"gone":       "http://127.0.0.1:1",
	}
	return s
}

// block names the head.
func (s *scene) block(t *testing.T, name string) {
	n, err := s.full.Node.BlockNumber(t.Context())
	require.NoError(t, err)
	s.blocks[name] = n
}

// setup writes a configuration for each node into the script's folder.
func (s *scene) setup(env *testscript.Env) error {
	for name, url := range s.nodes {
		w := s.full
		if name == "empty" {
			w = s.empty
		}
		if err := writeConfig(env.WorkDir, name, url, w.Provider, w.FromBlock); err != nil {
			return err
		}
	}
	if err := writeConfig(env.WorkDir, "nocontract", s.nodes["sound"], chains.Address{0x77}, 0); err != nil {
		return err
	}
	if err := writeConfig(env.WorkDir, "notprovider", s.nodes["sound"], s.full.Asset("WETH").Token, 0); err != nil {
		return err
	}
	for name, n := range s.blocks {
		env.Setenv(name, strconv.FormatUint(n, 10))
	}
	env.Setenv("FIRST", strconv.FormatUint(s.full.FromBlock, 10))
	env.Setenv("NODE", s.nodes["sound"])
	return nil
}

func writeConfig(dir, name, url string, provider chains.Address, from uint64) error {
	text := fmt.Sprintf(`chains:
  devnet: {id: 31337, rpc: [%q]}
markets:
  - {name: aave, protocol: aave-v3, chain: devnet, pool_addresses_provider: %q, from_block: %d}
web: {listen: "off"}
`, url, provider, from)
	return os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600)
}

// exits runs a program and wants a certain exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		if got := exit.ExitCode(); got != want {
			ts.Fatalf("exit code %d, want %d", got, want)
		}
	case err != nil:
		ts.Fatalf("%v", err)
	case want != 0:
		ts.Fatalf("exit code 0, want %d", want)
	}
}

// oneJSON wants one JSON document on stdout and nothing else.
func oneJSON(ts *testscript.TestScript, _ bool, _ []string) {
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var v any
	ts.Check(d.Decode(&v))
	if err := d.Decode(&v); !errors.Is(err, io.EOF) {
		ts.Fatalf("more than one document on stdout")
	}
}

// jsonLines wants at least so many lines on stdout, each a document.
func jsonLines(ts *testscript.TestScript, _ bool, args []string) {
	least, err := strconv.Atoi(args[0])
	ts.Check(err)
	n := 0
	for line := range bytes.Lines([]byte(ts.ReadFile("stdout"))) {
		if !json.Valid(line) {
			ts.Fatalf("line %d is no JSON: %.200s", n+1, line)
		}
		n++
	}
	if n < least {
		ts.Fatalf("%d lines, want at least %d", n, least)
	}
}

// damage overwrites the pages of a database behind its first.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	for i := 4096; i < min(len(text), 12*4096); i++ {
		text[i] = 'Z'
	}
	ts.Check(os.WriteFile(path, text, 0o600))
}

// newer makes a database one of a version to come.
func newer(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	ts.Check(errors.Join(err, db.Close()))
}
