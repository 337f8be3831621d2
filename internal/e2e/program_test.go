// Package e2e runs the real program against real contracts on a local node, the
// way its users do: a configuration file, a process, its output and its messages.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var binary string

// TestMain builds the program once; every test runs that file.
func TestMain(m *testing.M) {
	code, err := withProgram(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withProgram(tests func() int) (int, error) {
	dir, err := os.MkdirTemp("", "liqwatch-e2e")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "liqwatch")
	build := exec.Command("go", "build", "-o", binary, "liqwatch/cmd/liqwatch")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return tests(), nil
}

// liqwatch runs a command to its end and gives what it wrote.
func liqwatch(t testing.TB, args ...string) (stdout []byte, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return out.Bytes(), errs.String(), cmd.ProcessState.ExitCode()
}

// daemon is a running `liqwatch watch`.
type daemon struct {
	cmd  *exec.Cmd
	done chan struct{}

	mu    sync.Mutex
	lines []string // of the log
	looks []uint64 // blocks of the passes in which no market stayed behind
}

// line is what the test reads in the log.
type line struct {
	Level, Message, Error string
	Block, Behind         uint64
}

func watch(t testing.TB, config string, env ...string) *daemon {
	t.Helper()
	d := &daemon{cmd: exec.Command(binary, "watch", "-c", config), done: make(chan struct{})}
	d.cmd.Env = append(os.Environ(), env...)
	stderr, err := d.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, d.cmd.Start())
	go func() {
		d.read(stderr)
		_ = d.cmd.Wait()
		close(d.done)
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.done
		if t.Failed() {
			t.Logf("the watcher's log ended with\n%s", d.tail(60))
		}
	})
	return d
}

func (d *daemon) read(r io.Reader) {
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var l line
		_ = json.Unmarshal(scan.Bytes(), &l) // what is no JSON is shown when the test fails
		d.mu.Lock()
		d.lines = append(d.lines, scan.Text())
		if l.Message == "pass" && l.Level == "debug" && l.Behind == 0 {
			d.looks = append(d.looks, l.Block)
		}
		d.mu.Unlock()
	}
}

func (d *daemon) tail(n int) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b bytes.Buffer
	for _, l := range d.lines[max(0, len(d.lines)-n):] {
		b.WriteString(l + "\n")
	}
	return b.String()
}

// seen counts the passes so far.
func (d *daemon) seen() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.looks)
}

// hasLooked waits until a pass after the first n was at that block.
func (d *daemon) hasLooked(t testing.TB, n int, block uint64) {
	t.Helper()
	require.Eventually(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return slices.Contains(d.looks[n:], block)
	}, time.Minute, 5*time.Millisecond, "the watcher did not come to block %d\n", block)
}

// kill ends it as a power cut would.
func (d *daemon) kill(t testing.TB) {
	t.Helper()
	require.NoError(t, d.cmd.Process.Kill())
	<-d.done
}

// interrupt is Ctrl-C; it gives the exit code and how long the end took.
func (d *daemon) interrupt(t testing.TB) (int, time.Duration) {
	t.Helper()
	start := time.Now()
	require.NoError(t, d.cmd.Process.Signal(syscall.SIGINT))
	select {
	case <-d.done:
	case <-time.After(30 * time.Second):
		t.Fatal("it did not end")
	}
	return d.cmd.ProcessState.ExitCode(), time.Since(start)
}
