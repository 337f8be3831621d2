package tron

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Faults are what a node or a gateway does on a bad day. All go by counting, so
// that a run can be repeated; a zero is a fault that is off.
type Faults struct {
	// Resources: every nth HTTP request is refused with HTTP 200 and {"Error": ...}.
	Resources int
	// Busy: every nth HTTP request is answered with status 503.
	Busy int
	// Quota is how many HTTP requests a second the gateway takes; one more suspends
	// the key for Suspension, answered with status 403.
	Quota      int
	Suspension time.Duration
	// Hiccups: every nth call times out although it is small.
	Hiccups int
	// Moves: after every nth call the head moves on, by OnMove if there is one.
	Moves  int
	OnMove func(context.Context) error
	// Forks: every nth of these moves replaces the last ForkDepth blocks (3 when 0).
	Forks     int
	ForkDepth uint64
	// Holes: every nth range of logs is answered with nothing the first time, with
	// the logs from then on.
	Holes int
	// Older: every nth request is answered as of some blocks ago.
	Older int
}

type faultState struct {
	http, calls, moves, ranges, heads int
	window                            time.Time
	inWindow                          int
	suspended                         time.Time
	holes                             map[[2]uint64]bool
	forks                             int
}

// SetFaults switches faults on and off.
func (n *Node) SetFaults(f Faults) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = f
	n.state = faultState{holes: map[[2]uint64]bool{}}
}

// Forks is how many forks there have been.
func (n *Node) Forks() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state.forks
}

func every(n int, count *int) bool {
	if n == 0 {
		return false
	}
	*count++
	return *count%n == 0
}

// refuse is an answer in place of the real one: status and body, or nothing.
func (n *Node) refuse(header http.Header, _ []byte) (int, string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if key := n.dialect.APIKey; key != "" && header.Get("TRON-PRO-API-KEY") != key {
		return http.StatusUnauthorized, `{"Error":"ApiKey not exists"}`
	}
	f, s := n.faults, &n.state
	now := time.Now()
	if f.Quota > 0 {
		if now.Sub(s.window) >= time.Second {
			s.window, s.inWindow = now, 0
		}
		s.inWindow++
		if s.inWindow > f.Quota && now.After(s.suspended) {
			s.suspended = now.Add(f.Suspension)
		}
		if now.Before(s.suspended) {
			return http.StatusForbidden, fmt.Sprintf(
				`{"Error":"The key exceeds the frequency limit(%d), and the query server is suspended for %ds"}`, f.Quota, int(f.Suspension.Seconds()+0.999))
		}
	}
	s.http++
	switch {
	case f.Resources > 0 && s.http%f.Resources == 0:
		return http.StatusOK, `{"Error":"class java.lang.IllegalAccessException : lack of computing resources"}`
	case f.Busy > 0 && s.http%f.Busy == 0:
		return http.StatusServiceUnavailable, "<html><body>503 Service Temporarily Unavailable</body></html>"
	}
	return 0, ""
}

func (n *Node) hiccup() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return every(n.faults.Hiccups, &n.state.calls)
}

// older is by how many blocks this request's view of the chain is behind.
func (n *Node) older() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if every(n.faults.Older, &n.state.heads) {
		return 4
	}
	return 0
}

// hole tells that a range is to be answered as if the index had no entry for it.
func (n *Node) hole(from, to uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := [2]uint64{from, to}
	if n.state.holes[key] || !every(n.faults.Holes, &n.state.ranges) {
		return false
	}
	n.state.holes[key] = true
	return true
}

// moved lets the head move after a call, now and then onto another branch.
func (n *Node) moved(ctx context.Context) {
	n.mu.Lock()
	f := n.faults
	var counter int
	if f.Moves > 0 {
		n.state.moves++
		counter = n.state.moves
	}
	n.mu.Unlock()
	if f.Moves == 0 || counter%f.Moves != 0 {
		return
	}
	// One move at a time, however many calls are under way.
	n.moving.Lock()
	defer n.moving.Unlock()
	// Whoever asked may have hung up; the chain moves on all the same.
	ctx = context.WithoutCancel(ctx)
	if f.Forks > 0 && (counter/f.Moves)%f.Forks == 0 {
		depth := f.ForkDepth
		if depth == 0 {
			depth = 3
		}
		if err := n.Fork(ctx, depth); err != nil {
			panic(fmt.Sprintf("fork: %v", err)) // the test that asked for it cannot go on
		}
		return
	}
	move := f.OnMove
	if move == nil {
		move = n.evm.Mine
	}
	if err := move(ctx); err != nil {
		panic(fmt.Sprintf("move the head: %v", err))
	}
}

// Fork replaces the newest blocks: a producer missed its slot, so that the first
// block of the new branch is later than the one it replaces. Their transactions
// are gone, and no log says so.
func (n *Node) Fork(ctx context.Context, depth uint64) error {
	if err := n.evm.Call(ctx, nil, "anvil_rollback", depth); err != nil {
		return err
	}
	number, err := n.evm.BlockNumber(ctx)
	if err != nil {
		return err
	}
	b, err := n.evm.Block(ctx, number)
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.state.forks++
	late := uint64(3 * (1 + n.state.forks%5))
	n.mu.Unlock()
	if err := n.evm.SetNextTime(ctx, b.Time+3+late); err != nil {
		return err
	}
	return n.evm.MineBlocks(ctx, depth)
}
