package alerts

import (
	"context"
	"time"
)

// Ledger keeps what rules remember. Whatever one Commit holds is kept whole or not at all.
type Ledger interface {
	// LoadState is the state of a rule; a zero State for a rule never seen.
	LoadState(ctx context.Context, rule string) (State, error)
	// Kept are the rules that a state is kept of.
	Kept(ctx context.Context) ([]string, error)
	// LoadBeats are those of all sources.
	LoadBeats(ctx context.Context) ([]Beat, error)
	// Commit keeps state changes together with the alerts they caused and a delivery
	// for each notifier to tell. An alert whose key exists already adds nothing.
	Commit(ctx context.Context, c Change) error
}

// Change is what one look, one reorg or one pulse changed.
type Change struct {
	States []StateChange
	Beats  []Beat
	// Decisions are kept for whoever asks why.
	Decisions []Decision
	Posts     []Post
	// At is the wall time of the change.
	At time.Time
}

// StateChange is what changed in one rule's state: checkpoints outside From..To are
// gone, those in Add are new, or take the place of the one with their number.
type StateChange struct {
	Rule      string
	From, To  uint64 // sequence numbers, inclusive; To is 0 when none is left
	Add       []Checkpoint
	Pruned    bool
	Doubts    []Doubt
	Revisions map[string]int
}

// Post is an alert, what it says in words, and who is told.
type Post struct {
	Alert   Alert
	Message Message
	Notify  []string
}

// Outbox hands out deliveries, one holder at a time.
type Outbox interface {
	// Claim takes up to limit deliveries of a notifier that are due, most urgent
	// first, then oldest first. Nobody else is given them until the lease ends.
	Claim(ctx context.Context, notifier string, now time.Time, lease time.Duration, limit int) ([]Delivery, error)
	// Take hands a notifier at most one delivery under its terms, and settles first what
	// is never sent, and what is told as one. The digest, and the fate of what it stands
	// for, are one transaction, so that it is made once and is the same on every repeat.
	Take(ctx context.Context, notifier string, now time.Time, t Terms) (Taken, error)
	// Backlog is what waits, by notifier and severity.
	Backlog(ctx context.Context) ([]Waiting, error)
	// Settle records what became of a delivery. [ErrLeaseLost] when the lease ended
	// and somebody else may hold it; nothing is changed then. Posts are new alerts
	// about it, kept in the same transaction.
	Settle(ctx context.Context, d Delivery, r Result, posts ...Post) error
	// NextDue is the earliest time at which a delivery of the notifier can be claimed; false when none waits.
	NextDue(ctx context.Context, notifier string) (time.Time, bool, error)
	// Waiting are the notifiers for which deliveries wait.
	Waiting(ctx context.Context) ([]string, error)
	// Post keeps alerts that come of no rule.
	Post(ctx context.Context, at time.Time, posts ...Post) error
}

// Delivery is one message to one notifier.
type Delivery struct {
	ID       int64
	AlertID  string
	Notifier string
	Message  Message
	// Attempts counts sends begun before this one, Failures those that used up a step of the schedule.
	Attempts, Failures int
	// Uncertain: an earlier attempt ended without anybody knowing whether it arrived.
	Uncertain bool
	// Created is when the alert was made.
	Created time.Time
	// Lease names this claim.
	Lease string
	// Until is when the lease ends, by the clock of whoever claimed.
	Until time.Time
}

// Fate is what became of an attempt.
type Fate string

// The fates of a delivery.
const (
	Sent    Fate = "sent"
	Pending Fate = "pending" // to be tried again
	Dead    Fate = "dead"    // given up; a person must look
	// Digested is of one that is told in a digest, with others.
	Digested Fate = "digested"
	// Skipped is of one that its notifier does not want.
	Skipped Fate = "skipped"
)

// Result is the outcome of one attempt.
type Result struct {
	Fate Fate
	At   time.Time
	// Next is when to try again, of a pending one.
	Next time.Time
	// Hold keeps all deliveries of the notifier back until Next.
	Hold bool
	// Failed uses up a step of the schedule.
	Failed bool
	// Uncertain: it may have arrived.
	Uncertain bool
	// Reason is what went wrong, without secrets.
	Reason string
}
