// Package anvil runs a local Ethereum node and steers it: blocks, time, prices of
// gas, other people's accounts, reorgs. Loopback only, and only for tests and play.
package anvil

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"liqwatch/devnet/packages"
)

// Options of a node. The zero value is a fresh chain 31337 on a free port whose
// first block is of 2023-11-14 and whose blocks are 12 seconds apart.
type Options struct {
	ChainID   uint64 // 31337 when 0
	Port      int    // a free one when 0
	Timestamp uint64 // unix seconds of the genesis block; 1,700,000,000 when 0
	Accounts  int    // funded accounts, 10 when 0
	// BlockTime is the number of seconds between the timestamps of two blocks,
	// whatever the wall clock says; 12 when 0.
	BlockTime uint64
	// StateFile keeps the chain over a Stop and a later Start, states of past
	// blocks included.
	StateFile string
	// GasLimit of a block, which is also that of an eth_call. So large when 0
	// that it does not matter.
	GasLimit uint64
	// Args are further flags of anvil.
	Args []string
}

func (o Options) withDefaults() Options {
	set := func(v *uint64, def uint64) {
		if *v == 0 {
			*v = def
		}
	}
	set(&o.ChainID, 31337)
	set(&o.Timestamp, 1_700_000_000)
	set(&o.BlockTime, 12)
	set(&o.GasLimit, 1_000_000_000_000)
	if o.Accounts == 0 {
		o.Accounts = 10
	}
	return o
}

// Node is a running anvil.
type Node struct {
	*Client
	URL  string // http://127.0.0.1:PORT
	WS   string // ws://127.0.0.1:PORT
	opts Options

	release func() // of the port

	mu    sync.Mutex
	cache string // a folder of the process' own, for old states
	cmd   *exec.Cmd
	out   *bytes.Buffer
	done  chan struct{}
}

// Start runs a node and waits until it answers.
func Start(ctx context.Context, opts Options) (*Node, error) {
	opts = opts.withDefaults()
	release, err := reservePort(&opts.Port)
	if err != nil {
		return nil, fmt.Errorf("start anvil: %w", err)
	}
	host := net.JoinHostPort("127.0.0.1", strconv.Itoa(opts.Port))
	n := &Node{URL: "http://" + host, WS: "ws://" + host, opts: opts, release: release}
	n.Client = NewClient(n.URL)
	if err := n.run(ctx); err != nil {
		release()
		return nil, fmt.Errorf("start anvil: %w", err)
	}
	return n, nil
}

// TB is the part of testing.TB that [Run] needs.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Run starts a node for a test and stops it when the test ends.
func Run(t TB, opts Options) *Node {
	t.Helper()
	n, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = n.Kill() })
	return n
}

func (n *Node) flags() []string {
	o := n.opts
	args := []string{
		"--host", "127.0.0.1", "--port", strconv.Itoa(o.Port), "--quiet",
		"--chain-id", strconv.FormatUint(o.ChainID, 10),
		"--timestamp", strconv.FormatUint(o.Timestamp, 10),
		"--accounts", strconv.Itoa(o.Accounts),
		"--gas-limit", strconv.FormatUint(o.GasLimit, 10),
		"--gas-price", "0", "--block-base-fee-per-gas", "0", "--disable-min-priority-fee",
		"--auto-impersonate", "--no-request-size-limit",
		// In the order in which they were sent, so that a run can be repeated.
		"--order", "fifo",
		// Gigabytes of old states, which a node that is killed would leave behind.
		"--cache-path", n.cache,
	}
	if o.StateFile != "" {
		args = append(args, "--state", o.StateFile, "--preserve-historical-states")
	}
	return append(args, o.Args...)
}

func (n *Node) run(ctx context.Context) error {
	binary, err := packages.Anvil(ctx)
	if err != nil {
		return err
	}
	cache, err := os.MkdirTemp("", "liqwatch-anvil")
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.cache, n.out = cache, &bytes.Buffer{}
	n.cmd = exec.Command(binary, n.flags()...)
	n.cmd.Stdout, n.cmd.Stderr = n.out, n.out
	dieWithParent(n.cmd)
	n.done = make(chan struct{})
	cmd, done := n.cmd, n.done
	n.mu.Unlock()
	if err := cmd.Start(); err != nil {
		_ = os.RemoveAll(cache)
		return err
	}
	go func() {
		_ = cmd.Wait()
		_ = os.RemoveAll(cache)
		close(done)
	}()
	if err := n.awaitAnswer(ctx, done); err != nil {
		_ = n.end(os.Kill, 5*time.Second)
		return err
	}
	return n.setClock(ctx)
}

// setClock makes the next block follow the head: a node that loads its state
// from a file would go on counting from the time of the genesis block.
func (n *Node) setClock(ctx context.Context) error {
	if err := n.SetBlockTime(ctx, n.opts.BlockTime); err != nil {
		return err
	}
	number, err := n.BlockNumber(ctx)
	if err != nil {
		return err
	}
	head, err := n.Block(ctx, number)
	if err != nil {
		return err
	}
	return n.SetNextTime(ctx, head.Time+n.opts.BlockTime)
}

func (n *Node) awaitAnswer(ctx context.Context, done <-chan struct{}) error {
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for {
		if _, err := n.BlockNumber(ctx); err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("it exited: %.500s", n.out)
		case <-deadline.C:
			return errors.New("no answer within 30 s")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the node in an orderly way: a state file is written.
func (n *Node) Stop() error { return n.end(os.Interrupt, 30*time.Second) }

// Kill ends the node at once, for good.
func (n *Node) Kill() error {
	defer n.release()
	return n.end(os.Kill, 5*time.Second)
}

// Done is closed when the node's process has ended.
func (n *Node) Done() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.done
}

func (n *Node) end(signal os.Signal, wait time.Duration) error {
	n.mu.Lock()
	cmd, done := n.cmd, n.done
	n.mu.Unlock()
	if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop anvil: %w", err)
	}
	select {
	case <-done:
		return nil
	case <-time.After(wait):
		return fmt.Errorf("stop anvil: it did not end within %s", wait)
	}
}

// Restart stops the node and starts it again on the same port from its state file.
func (n *Node) Restart(ctx context.Context) error {
	if n.opts.StateFile == "" {
		return errors.New("restart anvil: it has no state file to start from")
	}
	if err := n.Stop(); err != nil {
		return err
	}
	if err := n.run(ctx); err != nil {
		return fmt.Errorf("restart anvil: %w", err)
	}
	return nil
}
