package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrLeaseLost: a delivery was held too long, and somebody else may hold it now.
var ErrLeaseLost = errors.New("the lease of the delivery has ended")

// Notifier sends a message once. It never retries; its error says whether trying
// again makes sense: see [Refused], [Wait], [Gone] and [Unsure]. Any other error is
// one to retry. No error holds a secret.
type Notifier interface {
	Send(ctx context.Context, m Message) error
}

// Scheduler is a notifier with a retry schedule of its own: the waits before the
// first attempt, the second, and so on. After the last the delivery is dead.
type Scheduler interface {
	Schedule() []time.Duration
}

// Settings decodes a notifier's own block of the configuration, strictly.
type Settings interface {
	Decode(into any) error
}

// SendError is a send that did not succeed, and what that means for the next.
type SendError struct {
	Err error
	// Permanent: the same message will never get through.
	Permanent bool
	// Gone: the receiver wants nothing any more; the notifier is switched off.
	Gone bool
	// After is how long the receiver asked to be left alone; it holds for all messages.
	After time.Duration
	// Uncertain: the message may have arrived all the same.
	Uncertain bool
}

// Error is the cause's text.
func (e *SendError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *SendError) Unwrap() error { return e.Err }

// Refused marks an error after which repeating the message is pointless.
func Refused(err error) error { return &SendError{Err: err, Permanent: true} }

// Gone marks an error after which nothing more is to be sent there.
func Gone(err error) error { return &SendError{Err: err, Permanent: true, Gone: true} }

// Wait marks an error that came with a time to wait.
func Wait(after time.Duration, err error) error { return &SendError{Err: err, After: after} }

// Unsure marks an error after which the message may have arrived.
func Unsure(err error) error { return &SendError{Err: err, Uncertain: true} }

// Noticer is a notifier that has learned something its owner should know (a group
// that moved, say). Notices returns what is new since the last call; each is told
// through the other notifiers.
type Noticer interface {
	Notices() []Notice
}

// Notice is one such thing; Key tells it from others.
type Notice struct{ Key, Text string }

func asSendError(err error) *SendError {
	var se *SendError
	if errors.As(err, &se) {
		return se
	}
	return &SendError{Err: err}
}

// Test is the message of `liqwatch notify test`.
func Test(notifier string, now time.Time) (Message, error) {
	a := Alert{
		Key: fmt.Sprintf("test|%s|%d", notifier, now.UnixNano()), Kind: KindTest, Severity: Info,
		Rule: "test", Notify: []string{notifier}, Seen: now,
		Note: fmt.Sprintf("This is a test of the notifier %q. Alerts will look like this.", notifier),
	}
	m, err := Compose(a)
	m.ID = "test_" + fmt.Sprint(now.UnixNano())
	return m, err
}
